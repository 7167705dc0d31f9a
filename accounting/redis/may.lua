-- Stands before each script that writes more than once. Redis undoes nothing: so
-- what the user may do is asked before the first write, of each command with its key
-- or channel; may(list of these in turn) is the answer to give where one is denied.
local function may(list)
  local acl, harmless = redis.acl_check_cmd, nil
  if not acl then
    -- Before Redis 7, where a user has the same commands with all its keys. Each of
    -- these fails for what it is given, and so does nothing, where it is allowed. None
    -- does so of SADD: a script writes by it first. What is published is read as the
    -- standing of a client that nobody has, also by gateways of an earlier release.
    harmless = {EXPIRE = {'x'}, HINCRBY = {'x', 'x'}, HSET = {'x', 'x', 'x'}, XADD = {'x', 'x', 'x'}, PUBLISH = {'_may 0 - 0 - 0 0-0'}}
  end
  for i = 1, #list, 2 do
    local denied = false
    if acl then
      denied = not acl(list[i], list[i + 1])
    elseif harmless[list[i]] then
      local answer = redis.pcall(list[i], list[i + 1], unpack(harmless[list[i]]))
      denied = type(answer) == 'table' and answer.err and (string.find(answer.err, "executing the script can't ", 1, true) or string.find(answer.err, 'NOPERM', 1, true))
    end
    if denied then return redis.error_reply('NOPERM may not run ' .. list[i] .. ' on ' .. list[i + 1]) end
  end
end

