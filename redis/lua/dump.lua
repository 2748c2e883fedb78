-- Gives a key as bytes with the time of its end: {end, bytes}; {'absent'};
-- {'big', bytes of memory} if it takes more than ARGV[1], 0: no limit. Before
-- this text stands state.lua.
local limit = tonumber(ARGV[1])
if limit > 0 then
	local size = redis.pcall('MEMORY', 'USAGE', KEYS[1])
	if type(size) == 'number' and size > limit then return {'big', string.format('%.0f', size)} end
end
local dump = redis.call('DUMP', KEYS[1])
if not dump then return {'absent'} end
return {ends(KEYS[1]), dump}
