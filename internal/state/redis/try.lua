-- One try of greylisting; state.Try.Judge says what it does, and statetest
-- holds this to it.
--
-- KEYS: the network's passed triplets, the triplet. ARGV: now, delay, window,
-- life (milliseconds), auto white list, the triplet's name.
-- Returns the reason, from 1 in the order of state's constants, and the wait.

-- What is no time of ours is as if it were not there.
local function time(text)
	if text and string.match(text, '^%d+$') and #text <= 15 then
		return tonumber(text)
	end
end

local now, delay, window, life = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local limit = tonumber(ARGV[5])

local passed, fresh = 0, false
if limit > 0 then
	local last = time(redis.call('HGET', KEYS[1], 'last'))
	if last and now - last < life then -- also one in the future
		fresh = true
		passed = redis.call('HLEN', KEYS[1]) - 1
	end
	if passed >= limit then
		redis.call('HSET', KEYS[1], 'last', ARGV[1])
		redis.call('PEXPIRE', KEYS[1], ARGV[4])
		return {5, 0}
	end
end

local text = redis.call('GET', KEYS[2])
local kind, since
if text then
	kind, since = string.sub(text, 1, 1), time(string.sub(text, 2))
end
local future = since and since > now
if future then
	since = now
end
local reason = 1
if since and kind == 'w' and now - since < window then
	reason = 3
	if now - since < delay then
		if future then
			redis.call('SET', KEYS[2], 'w' .. ARGV[1], 'PX', ARGV[3])
		end
		return {2, delay - (now - since)}
	end
elseif since and kind == 'p' and now - since < life then
	reason = 4
end
if reason == 1 then
	redis.call('SET', KEYS[2], 'w' .. ARGV[1], 'PX', ARGV[3])
	return {1, delay}
end

redis.call('SET', KEYS[2], 'p' .. ARGV[1], 'PX', ARGV[4])
if limit > 0 then
	if not fresh then
		redis.call('DEL', KEYS[1])
	end
	redis.call('HSET', KEYS[1], ARGV[6], '', 'last', ARGV[1])
	redis.call('PEXPIRE', KEYS[1], ARGV[4])
end
return {reason, 0}
