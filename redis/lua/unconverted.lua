-- Keeps the list of keys that could not be converted. Before this text stands
-- held.lua.
-- KEYS: what holds the guards, the list. ARGV: what held.lua takes, seconds,
-- count and (key, reason).., count and keys that are not to be listed.
local gone = lost()
if gone then return gone end
take()
for _ = 1, count() do
	local key, reason = take(), take()
	redis.call('HSET', KEYS[2], key, reason)
end
for _ = 1, count() do redis.call('HDEL', KEYS[2], take()) end
return {'done', 'listed'}
