-- Performs a sweep's script on one key, while the sweep's guards stand. Before
-- this text stand the function work and held.lua.
-- KEYS: what holds the guards, the key. ARGV: what held.lua takes, then seconds,
-- arguments..
local gone = lost()
if gone then return gone end
local budget = count()
local answer, wrong = perform(work, {KEYS[2]}, part(ARGV, at + 1, #ARGV - at), budget, true)
if wrong then return {'failed', 'work', wrong} end
return {'done', answer}
