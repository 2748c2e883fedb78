-- Makes the books where there are none. KEYS: the books. ARGV: the format.
local format = redis.call('HGET', KEYS[1], 'format')
if not format then
	redis.call('HSET', KEYS[1], 'format', ARGV[1])
	return ARGV[1]
end
return format
