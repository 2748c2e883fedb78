-- Makes a key of bytes, when the guards were looked at. KEYS: what holds the
-- guards, the target. ARGV: what held.lua takes, last '1' or '0' as in copy.lua,
-- the time of its end (0: none; '' if the source is absent), bytes. The answer is
-- that of copy.lua.
local key, replace, ends, bytes = KEYS[2], ARGV[#ARGV - 2] == '1', ARGV[#ARGV - 1], ARGV[#ARGV]
if ends == '' then
	if replace then redis.call('UNLINK', key) end
	return {'done', {'1 absent'}}
end
local done
if replace then
	done = redis.pcall('RESTORE', key, ends, bytes, 'ABSTTL', 'REPLACE')
else
	done = redis.pcall('RESTORE', key, ends, bytes, 'ABSTTL')
end
if done.ok then return 1 end
if string.find(done.err, 'BUSYKEY', 1, true) then return {'done', {'1 there'}} end
return {'done', {'1 failed ' .. done.err}}
