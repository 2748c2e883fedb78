-- Deletes a source, if a digest proves that it is what was carried over. Before
-- this text stand held.lua and state.lua.
-- KEYS: what holds the guards, the digests, the source. ARGV: what held.lua takes,
-- then '1' if it is to be deleted without a proof, else '0'.
-- The answer is deleted, absent, or unproven.
local gone = lost()
if gone then return gone end
local holds = canon(KEYS[3])
if holds == '' then return {'done', {'absent'}} end
if take() == '0' and redis.call('HEXISTS', KEYS[2], digest(KEYS[3], holds)) == 0 then
	return {'done', {'unproven'}}
end
redis.call('UNLINK', KEYS[3])
return {'done', {'deleted'}}
