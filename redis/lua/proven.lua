-- Tells whether a digest of a source is kept. Before this text stands state.lua.
-- KEYS: the digests, the source. The answer is proven, unproven or absent.
local holds = canon(KEYS[2])
if holds == '' then return 'absent' end
if redis.call('HEXISTS', KEYS[1], digest(KEYS[2], holds)) == 1 then return 'proven' end
return 'unproven'
