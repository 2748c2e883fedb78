-- Keeps a digest of a source, or forgets the one of what it holds now. Before this
-- text stand held.lua and state.lua.
-- KEYS: what holds the guards, the digests, the source. ARGV: what held.lua takes,
-- then '1' to keep or '0' to forget.
-- The answer is kept, forgotten, or absent (there is no source).
local gone = lost()
if gone then return gone end
local holds = canon(KEYS[3])
if holds == '' then return {'done', {'absent'}} end
if take() == '1' then
	redis.call('HSET', KEYS[2], digest(KEYS[3], holds), '')
	return {'done', {'kept'}}
end
redis.call('HDEL', KEYS[2], digest(KEYS[3], holds))
return {'done', {'forgotten'}}
