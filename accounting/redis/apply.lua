-- Applies one usage or void record: all of it, or nothing.
--
-- KEYS  1 seen  2 use of the period  3 use of the month (may be the same)
--       4 rcpt  5 day  6 rec  7 acct  8 periods  9 applied; all of one client
-- ARGV   1 own mark     2 the other's mark: of the void, or of the voided record
--        3 "usage", "void"; "find" for a void of which it is not yet known what its record added
--        4 seconds that the seen set has still to live, 5 those of the day
--        6 recipients counted one by one, 7 the recipient's name
--        8 deliveries, 9 size, 10 charged: what to add, decimal
--       11 the client's plans as the caller knows them, 12 those to write, 13 the period's name
--       14 where the client's standing is published, "" for nowhere: 15 client, balance,
--          13 period, charged in it, 16 day, charged on it, name of the entry
--       17 "1" when it has a price; then
--       18 priced bytes; 19 bytes and 20 deliveries: of usage what the tariff
--          includes in all, of a void what to give back
--       21 what a byte costs, in parts of a millionth
--       22-24 what the volume costs: whole millionths, parts, as text; of a void all that its record cost
--       25-27 likewise of the delivery, 28-30 of both
--       31 and on: fields and values of the record, the fifth being gateway, the 22nd tariff, the
--          last six effect, currency, priced, included, included_delivery, amount
--
-- Answers an error where the user lacks a permission; 0 known already; 1 applied, or {1, balance, charged in the period,
-- charged on the day, name of the entry} where it is published; 2 a void that came before its
-- record: remembered; 3 a counter would pass its limit; {4, plans} when the
-- plans are others; 5 what the voided record added is not known; 6 the period
-- is closed; 7 the period has money of another currency. But for 0 to 2 nothing was done.
--
-- Redis undoes nothing when a script fails half way. So all that can fail, a
-- key of another type, a counter that is none, a command or key that the user may
-- not have, is asked before the first write; only lack of memory remains, and that is
-- asked by the server then.
--
-- A Lua number is a double. Sums go through them where all of it is below
-- 2^53, and as text to HINCRBY where it is not. The one product that is needed
-- here, of a record that what is included covers in part, is made by limbs.

local n = #ARGV
local kind = ARGV[3]
local exact = 9007199254740992 -- 2^53
local limit = 4611686018427387904 -- 2^62; beside it a double is off by 1024 at most
local parts = 104857600 -- of a millionth

if redis.call('SISMEMBER', KEYS[1], ARGV[1]) == 1 then return 0 end

-- How many records of each gateway were taken: by it, what was spooled is
-- compared with what is here.
if ARGV[39] ~= 'gateway' then error('tollgate: no gateway') end
local count = redis.call('HGET', KEYS[9], ARGV[40])
if count and not string.match(count, '^%d+$') then error('tollgate: ' .. KEYS[9] .. ' ' .. ARGV[40] .. ' is no counter') end

-- Months need no note: who reads asks for each.
local noted = string.match(ARGV[13], '^%d+-%d+$')

local other = redis.call('SISMEMBER', KEYS[1], ARGV[2]) == 1
if other ~= (kind ~= 'usage') then
  -- A void without its record, or a record that was voided before. What was
  -- sealed gets no line more.
  if redis.call('HEXISTS', KEYS[2], 'closed') == 1 then return 6 end
  redis.call('XLEN', KEYS[6])
  redis.call('SCARD', KEYS[8])
  local no = may({'SADD', KEYS[1], 'EXPIRE', KEYS[1], 'HINCRBY', KEYS[9], 'XADD', KEYS[6], 'SADD', KEYS[8]})
  if no then return no end
  redis.call('SADD', KEYS[1], ARGV[1])
  redis.call('EXPIRE', KEYS[1], ARGV[4])
  redis.call('HINCRBY', KEYS[9], ARGV[40], 1)
  ARGV[n - 10] = 'none'
  redis.call('XADD', KEYS[6], '*', unpack(ARGV, 31))
  if not noted then redis.call('SADD', KEYS[8], ARGV[13]) end
  return 2
end
if kind == 'find' then return 5 end

if ARGV[73] ~= 'tariff' then error('tollgate: no tariff') end
local stored = redis.call('HMGET', KEYS[7], 'plans', 'balance', 'tariff')
-- Which currency the balance has follows from them.
if (stored[1] or '') ~= ARGV[11] then return {4, stored[1] or ''} end

-- Numbers below 2^93 as limbs of seven digits, the lowest first.
local base = 10000000
local function limbs(text)
  local list = {}
  for last = #text, 1, -7 do
    list[#list + 1] = tonumber(string.sub(text, math.max(1, last - 6), last))
  end
  return list
end

local function settle(list) -- carries
  local carry = 0
  local i = 1
  while i <= #list or carry > 0 do
    local v = (list[i] or 0) + carry
    carry = math.floor(v / base)
    list[i] = v - carry * base
    i = i + 1
  end
  return list
end

local function product(a, b)
  local list = {}
  for i = 1, #a + #b do list[i] = 0 end
  for i = 1, #a do
    for k = 1, #b do list[i + k - 1] = list[i + k - 1] + a[i] * b[k] end
  end
  return settle(list)
end

local function text(list)
  local out = ''
  for i = 1, #list do out = string.format('%07.0f', list[i]) .. out end
  out = string.gsub(out, '^0+', '')
  return out == '' and '0' or out
end

local function sum(a, b)
  local x, y = limbs(a), limbs(b)
  for i = 1, math.max(#x, #y) do x[i] = (x[i] or 0) + (y[i] or 0) end
  return text(settle(x))
end

-- whole and parts of list parts
local function divide(list)
  local whole, rest = {}, 0
  for i = #list, 1, -1 do
    local v = rest * base + list[i]
    whole[i] = math.floor(v / parts)
    rest = v - whole[i] * parts
  end
  return text(whole), rest
end

local function fraction(whole, rest)
  if rest == 0 then return whole end
  local digits = text(product(limbs(string.format('%.0f', rest)), limbs('95367431640625')))
  digits = string.rep('0', 22 - #digits) .. digits
  return whole .. '.' .. string.gsub(digits, '0+$', '')
end

-- Reads counters; the values behind them are no numbers.
local function ask(key, names, more)
  local values = redis.call('HMGET', key, unpack(names))
  for i = 1, #names - (more or 0) do
    if values[i] and not string.match(values[i], '^-?%d+$') then
      error('tollgate: ' .. key .. ' ' .. names[i] .. ' is no counter')
    end
  end
  return values
end

-- What is to be written: nothing is until all had room.
local writes = {}
local room = true

-- With names and values of other fields, to be written as they are.
local function add(key, names, values, deltas, more)
  local set, increase = {'HSET', key, unpack(more or {})}, {}
  for i = 1, #deltas do
    local old, delta = tonumber(values[i] or '0'), tonumber(deltas[i])
    local new = old + delta
    if new > limit or new < -limit then room = false end
    if math.abs(old) < exact and math.abs(delta) < exact and math.abs(new) < exact then
      set[#set + 1] = names[i]
      set[#set + 1] = string.format('%.0f', new)
    else
      increase[#increase + 1] = {'HINCRBY', key, names[i], deltas[i]}
    end
  end
  if #set > 2 then writes[#writes + 1] = set end
  for _, w in ipairs(increase) do writes[#writes + 1] = w end
end

local plain = {ARGV[8], ARGV[9], ARGV[10]}
local names = {'deliveries', 'size', 'charged'}
local priced = ARGV[17] == '1'
local used
if priced then
  used = ask(KEYS[2], {'deliveries', 'size', 'charged', 'priced', 'included', 'included_deliveries', 'cost', 'frac', 'closed', 'currency'}, 2)
else
  used = ask(KEYS[2], {'deliveries', 'size', 'charged', 'closed'}, 1)
  used[9] = used[4]
end
if used[9] then return 6 end

if priced then
  if (used[10] or '') ~= '' and ARGV[n - 8] ~= '' and used[10] ~= ARGV[n - 8] then return 7 end
  local volume, included, free, cost, rest, amount = ARGV[18], ARGV[19], ARGV[20], nil, nil, nil
  if kind == 'void' then
    cost, rest = ARGV[22], tonumber(ARGV[23])
  else
    local left = math.max(0, tonumber(included) - tonumber(used[5] or '0'))
    local all = tonumber(volume)
    free = tonumber(used[6] or '0') < tonumber(free) and '1' or '0'
    if left == 0 or all == 0 then
      included = '0'
      if free == '1' then
        cost, rest, amount = ARGV[22], tonumber(ARGV[23]), ARGV[24]
      else
        cost, rest, amount = ARGV[28], tonumber(ARGV[29]), ARGV[30]
      end
    elseif left >= all then
      included = volume
      if free == '1' then
        cost, rest, amount = '0', 0, '0'
      else
        cost, rest, amount = ARGV[25], tonumber(ARGV[26]), ARGV[27]
      end
    else
      included = string.format('%.0f', left)
      cost, rest = divide(product(limbs(string.format('%.0f', all - left)), limbs(ARGV[21])))
      if free == '0' then
        cost, rest = sum(cost, ARGV[25]), rest + tonumber(ARGV[26])
        if rest >= parts then cost, rest = sum(cost, '1'), rest - parts end
      end
      amount = fraction(cost, rest)
    end
    ARGV[n - 6], ARGV[n - 4], ARGV[n - 2], ARGV[n] = volume, included, free, amount
  end
  -- The rest of a void is not above zero, that of usage not below.
  rest = rest + tonumber(used[8] or '0')
  local carry = rest >= parts or rest < 0
  if rest >= parts then rest = rest - parts end
  if rest < 0 then rest = rest + parts end
  if carry then
    if string.sub(cost, 1, 1) == '-' then cost = '-' .. sum(string.sub(cost, 2), '1')
    elseif kind == 'void' then cost = '-' .. sum(cost, '1')
    else cost = sum(cost, '1') end
  end
  local more = {ARGV[8], ARGV[9], ARGV[10], volume, included, free, cost}
  names = {'deliveries', 'size', 'charged', 'priced', 'included', 'included_deliveries', 'cost'}
  local fixed = {'frac', string.format('%.0f', rest)}
  if (used[10] or '') == '' then fixed[3], fixed[4] = 'currency', ARGV[n - 8] end
  add(KEYS[2], names, used, more, fixed)
  local taken = string.sub(cost, 1, 1) == '-' and string.sub(cost, 2) or '-' .. cost
  if cost ~= '0' then
    if stored[2] and not string.match(stored[2], '^-?%d+$') then error('tollgate: ' .. KEYS[7] .. ' balance is no counter') end
    add(KEYS[7], {'balance'}, {stored[2]}, {taken})
  end
  names = {'deliveries', 'size', 'charged'}
else
  add(KEYS[2], names, used, plain)
end
-- Money is counted in the tariff's period alone.
if KEYS[3] ~= KEYS[2] then add(KEYS[3], names, ask(KEYS[3], names), plain) end
add(KEYS[5], names, ask(KEYS[5], names), plain)

local function ofRecipient(name)
  return {name .. '|deliveries', name .. '|size', name .. '|charged'}
end
local mine = ofRecipient(ARGV[7])
local counted = ask(KEYS[4], mine)
if not counted[1] and ARGV[7] ~= '_other' then
  local count = redis.call('HLEN', KEYS[4]) / 3
  if redis.call('HEXISTS', KEYS[4], '_other|deliveries') == 1 then count = count - 1 end
  if count >= tonumber(ARGV[6]) then
    mine = ofRecipient('_other')
    counted = ask(KEYS[4], mine)
  end
end
add(KEYS[4], mine, counted, plain)
if not room then return 3 end
noted = redis.call('XLEN', KEYS[6]) > 0 or noted
redis.call('SCARD', KEYS[8])
if not noted then writes[#writes + 1] = {'SADD', KEYS[8], ARGV[13]} end
if ARGV[12] ~= ARGV[11] then writes[#writes + 1] = {'HSET', KEYS[7], 'plans', ARGV[12]} end
-- For who reads accounts from outside: the tariff of the last usage.
if kind == 'usage' and ARGV[74] ~= (stored[3] or '') then writes[#writes + 1] = {'HSET', KEYS[7], 'tariff', ARGV[74]} end

local asked = {'SADD', KEYS[1], 'EXPIRE', KEYS[1], 'HINCRBY', KEYS[9], 'EXPIRE', KEYS[5], 'XADD', KEYS[6]}
for i = 1, #writes do
  asked[#asked + 1] = writes[i][1]
  asked[#asked + 1] = writes[i][2]
end
if ARGV[14] ~= '' then
  asked[#asked + 1] = 'PUBLISH'
  asked[#asked + 1] = ARGV[14]
end
local no = may(asked)
if no then return no end

redis.call('SADD', KEYS[1], ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[4])
redis.call('HINCRBY', KEYS[9], ARGV[40], 1)
for i = 1, #writes do redis.call(unpack(writes[i])) end
redis.call('EXPIRE', KEYS[5], ARGV[5])
local change = redis.call('XADD', KEYS[6], '*', unpack(ARGV, 31))
if ARGV[14] == '' then return 1 end

-- By the command that read them before: it is allowed.
local balance = redis.call('HMGET', KEYS[7], 'balance')[1] or '0'
local period = redis.call('HMGET', KEYS[2], 'charged')[1]
local day = redis.call('HMGET', KEYS[5], 'charged')[1]
redis.call('PUBLISH', ARGV[14], table.concat({ARGV[15], balance, ARGV[13], period, ARGV[16], day, change}, ' '))
return {1, balance, period, day, change}
