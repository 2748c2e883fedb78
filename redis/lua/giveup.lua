-- Makes sure that calls whose outcome is unknown are not performed from now on:
-- they may still be on their way. KEYS: the books. ARGV: the calls' numbers.
-- What was given up a day ago is forgotten.
if redis.call('HEXISTS', KEYS[1], 'format') == 0 then
	return 0
end
local now = tonumber(redis.call('TIME')[1])
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
	if string.sub(field, 1, 9) == 'given-up/' and tonumber(redis.call('HGET', KEYS[1], field)) < now - 86400 then
		redis.call('HDEL', KEYS[1], field)
	end
end
for _, number in ipairs(ARGV) do
	redis.call('HSET', KEYS[1], 'given-up/' .. number, now)
end
return #ARGV
