-- Books a payment, an adjustment or a fee, once.
--
-- KEYS  1 entries  2 use of the period  3 acct  4 rec  5 periods  6 day; all of one client
-- ARGV  1 id, 2 its content's hash
--       3 the counter: paid, adjusted, fee; 4 what it adds to it, 5 to the balance
--       6 the period, 7 the currency, 8 where the standing is published, or ""
--       9 client, 10 day
--      11 where it stands by which id an entry was reversed, "" for none
--      12 the client's plans as the caller knows them, 13 "1" where they give the balance another currency
--      14 and on: fields and values of the record
--
-- Answers an error where the user lacks a permission; 0 booked before, 1 booked now, 3 a sum would pass its limit, 6 the
-- period is closed, 7 the id was used for another content, 8 it was reversed
-- by another id, 9 the period or the balance has another currency, 10 the plans are others. But for 1 nothing
-- was done.

local was = redis.call('HGET', KEYS[1], ARGV[1])
if was then return was == ARGV[2] and 0 or 7 end
local by = ARGV[11] ~= '' and redis.call('HGET', KEYS[1], ARGV[11])
if by and by ~= ARGV[1] then return 8 end
if (redis.call('HGET', KEYS[3], 'plans') or '') ~= ARGV[12] then return 10 end
if ARGV[13] == '1' then return 9 end
local use = redis.call('HMGET', KEYS[2], ARGV[3], 'closed', 'currency')
if use[2] then return 6 end
local money = (use[3] or '') ~= ''
if money and ARGV[7] ~= '' and use[3] ~= ARGV[7] then return 9 end
local balance = redis.call('HGET', KEYS[3], 'balance')
for _, pair in ipairs({{use[1], ARGV[4]}, {balance, ARGV[5]}}) do
  if pair[1] and not string.match(pair[1], '^-?%d+$') then error('tollgate: ' .. KEYS[3] .. ': balance is no counter') end
  local sum = tonumber(pair[1] or '0') + tonumber(pair[2])
  if sum > 4611686018427387904 or sum < -4611686018427387904 then return 3 end
end
redis.call('XLEN', KEYS[4])
redis.call('SCARD', KEYS[5])
local charged = redis.call('HMGET', KEYS[2], 'charged')[1] or '0'
local day = redis.call('HGET', KEYS[6], 'charged') or '0'
local no = may({'SADD', KEYS[5], 'HSET', KEYS[1], 'HINCRBY', KEYS[2], 'HSET', KEYS[2], 'HINCRBY', KEYS[3], 'XADD', KEYS[4]})
  or ARGV[8] ~= '' and may({'PUBLISH', ARGV[8]})
if no then return no end

if not string.match(ARGV[6], '^%d+-%d+$') then redis.call('SADD', KEYS[5], ARGV[6]) end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('HINCRBY', KEYS[2], ARGV[3], ARGV[4])
if ARGV[11] ~= '' then redis.call('HSET', KEYS[1], ARGV[11], ARGV[1]) end
if not money and ARGV[7] ~= '' then redis.call('HSET', KEYS[2], 'currency', ARGV[7]) end
balance = redis.call('HINCRBY', KEYS[3], 'balance', ARGV[5])
local change = redis.call('XADD', KEYS[4], '*', unpack(ARGV, 14))
if ARGV[8] ~= '' then
  redis.call('PUBLISH', ARGV[8], table.concat({ARGV[9], redis.call('HGET', KEYS[3], 'balance'), ARGV[6], charged, ARGV[10], day, change}, ' '))
end
return 1
