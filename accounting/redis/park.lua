-- Keeps one record that cannot be applied for the operator, once. One that was
-- decided about is known, and is not kept again when it comes again.
--
-- KEYS  seen parked, both of one client
-- ARGV  1 mark, 2 record ID, 3 reason and record as JSON
--
-- Answers 1 parked, 0 known or parked already.

-- A set that is none knows of nothing, and must not keep the record from being kept.
if redis.pcall('SISMEMBER', KEYS[1], ARGV[1]) == 1 then return 0 end
return redis.call('HSETNX', KEYS[2], ARGV[2], ARGV[3])
