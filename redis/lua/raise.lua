-- Raises the guard of a slot, never lowers it. KEYS: the guard. ARGV: number.
local there = tonumber(redis.call('GET', KEYS[1]) or '0')
if there > tonumber(ARGV[1]) then return 0 end
if there < tonumber(ARGV[1]) then redis.call('SET', KEYS[1], ARGV[1]) end
return 1
