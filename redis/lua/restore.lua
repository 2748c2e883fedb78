-- Makes a key of bytes. Before this text stands held.lua. KEYS: what holds the
-- guards, the target. ARGV: what held.lua takes, then '1' or '0' as in copy.lua,
-- the time of its end (-1: none; '' if the source is absent), bytes.
local gone = lost()
if gone then return gone end
local replace, ends, bytes = take() == '1', take(), take()
if ends == '' then
	if replace then redis.call('UNLINK', KEYS[2]) end
	return {'done', {'absent'}}
end
local call = {'RESTORE', KEYS[2], ends, bytes, 'ABSTTL'}
if ends == '-1' then call = {'RESTORE', KEYS[2], '0', bytes} end
if replace then call[#call + 1] = 'REPLACE' end
local done = redis.pcall(unpack(call))
if done.ok then return {'done', {'copied'}} end
if string.find(done.err, 'BUSYKEY', 1, true) then return {'done', {'there'}} end
return {'done', {'failed ' .. done.err}}
