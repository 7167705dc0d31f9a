-- Names what the user may not run: "XADD, HSET on KEY", "" where it may all or where
-- that cannot be asked, before Redis 7.
--
-- ARGV  commands, each with a key, or "" for any
local list = {}
for i = 1, redis.acl_check_cmd and #ARGV or 0, 2 do
  local call = {ARGV[i], ARGV[i + 1]}
  if ARGV[i + 1] == '' then call[2] = nil end
  if ARGV[i] == 'EVALSHA' then call = {'EVALSHA', '0', '1', ARGV[i + 1]} end
  if not redis.acl_check_cmd(unpack(call)) then
    list[#list + 1] = ARGV[i] .. (ARGV[i + 1] == '' and '' or ' on ' .. ARGV[i + 1])
  end
end
return table.concat(list, ', ')
