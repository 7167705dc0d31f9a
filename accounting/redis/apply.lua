-- Applies one record: all of it, or nothing.
--
-- KEYS  seen use rcpt day rec, all of one client
-- ARGV   1 own mark     2 the other's mark: of the void, or of the voided record
--        3 "1" for a void
--        4 seconds that the seen set has still to live, 5 those of the day
--        6 recipients counted one by one, 7 the recipient's name
--        8 deliveries, 9 size, 10 charged: what to add, decimal
--       11 and on: fields and values of the record
--
-- Answers 0 known already, 1 applied, 2 a void that came first: remembered,
-- 3 a counter would pass its limit: nothing done.
--
-- Redis undoes nothing when a script fails half way. So all that can fail, a
-- key of another type or a counter that is none, is asked before the first
-- write; only lack of memory remains, and that is asked by the server then.

if redis.call('SISMEMBER', KEYS[1], ARGV[1]) == 1 then return 0 end

if ARGV[3] == '1' and redis.call('SISMEMBER', KEYS[1], ARGV[2]) == 0 then
  redis.call('SADD', KEYS[1], ARGV[1], ARGV[2])
  redis.call('EXPIRE', KEYS[1], ARGV[4])
  return 2
end

local names = {'deliveries', 'size', 'charged'}
local limit = 4611686018427387904 -- 2^62; beside it a double is off by 1024 at most

-- known: whether the counters are there; room: whether they can take it.
local function ask(key, prefix)
  local values = redis.call('HMGET', key, prefix .. names[1], prefix .. names[2], prefix .. names[3])
  local room = true
  for i = 1, 3 do
    local sum = tonumber(ARGV[7 + i])
    if values[i] then
      if not string.match(values[i], '^-?%d+$') then
        error('tollgate: ' .. key .. ' ' .. prefix .. names[i] .. ' is no counter')
      end
      sum = sum + tonumber(values[i])
    end
    if sum > limit or sum < -limit then room = false end
  end
  return values[1], room
end

-- The numbers go as text, since a Lua number is a double.
local function add(key, prefix)
  for i = 1, 3 do
    redis.call('HINCRBY', key, prefix .. names[i], ARGV[7 + i])
  end
end

local _, room = ask(KEYS[2], '')
if not room then return 3 end
_, room = ask(KEYS[4], '')
if not room then return 3 end

local prefix = ARGV[7] .. '|'
local known
known, room = ask(KEYS[3], prefix)
if not known and prefix ~= '_other|' then
  local count = redis.call('HLEN', KEYS[3]) / 3
  if redis.call('HEXISTS', KEYS[3], '_other|deliveries') == 1 then count = count - 1 end
  if count >= tonumber(ARGV[6]) then
    prefix = '_other|'
    known, room = ask(KEYS[3], prefix)
  end
end
if not room then return 3 end
redis.call('XLEN', KEYS[5])

redis.call('SADD', KEYS[1], ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[4])
add(KEYS[2], '')
add(KEYS[3], prefix)
add(KEYS[4], '')
redis.call('EXPIRE', KEYS[4], ARGV[5])
redis.call('XADD', KEYS[5], '*', unpack(ARGV, 11))
return 1
