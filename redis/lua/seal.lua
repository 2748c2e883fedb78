-- Keeps a digest of a source that is still what its target was found to be.
-- Before this text stand held.lua and state.lua.
-- KEYS: what holds the guards, the digests, the source. ARGV: what held.lua takes,
-- then what the target holds (as canon says), when it ends, and how many
-- milliseconds the ends may be apart.
-- The answer is kept, absent (there is no source), or differs.
local gone = lost()
if gone then return gone end
local wanted, wantedEnd, apart = take(), count(), count()
local holds, is = canon(KEYS[3]), tonumber(ends(KEYS[3]))
if holds == '' then return {'done', {'absent'}} end
if holds ~= wanted or (is < 0) ~= (wantedEnd < 0) or math.abs(is - wantedEnd) > apart then
	return {'done', {'differs'}}
end
redis.call('HSET', KEYS[2], digest(KEYS[3], holds), '')
return {'done', {'kept'}}
