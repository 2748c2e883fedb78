-- Writes a guard as it is, so that a replica which has this has all before it.
-- KEYS: the guard. ARGV: number. 0: a later holder has raised it.
local there = tonumber(redis.call('GET', KEYS[1]) or '0')
if there > tonumber(ARGV[1]) then return 0 end
redis.call('SET', KEYS[1], ARGV[1])
return 1
