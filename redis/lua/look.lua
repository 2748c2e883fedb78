-- Gives the time, the books' format and the notes under the prefixes, at one
-- moment. KEYS: the books. ARGV: the highest known format, prefixes.
local time = redis.call('TIME')
local format = redis.call('HGET', KEYS[1], 'format')
local found = {}
if format and tonumber(format) <= tonumber(ARGV[1]) then
	for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
		if string.sub(field, 1, 5) == 'note/' then
			for i = 2, #ARGV do
				if string.sub(field, 6, 5 + #ARGV[i]) == ARGV[i] then
					found[#found + 1] = string.sub(field, 6)
					found[#found + 1] = redis.call('HGET', KEYS[1], field)
					break
				end
			end
		end
	end
end
return {time[1], time[2], format or '', found}
