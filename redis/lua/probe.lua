-- Tries, on no key that exists, what the store needs, and gives what the server
-- answers where it refuses. KEYS: the books, a key that does not exist.
local refused = {}
for _, command in ipairs({
	{'HDEL', KEYS[1], 'note/'}, {'HEXISTS', KEYS[1], 'note/'}, {'COMMAND', 'INFO', 'get'},
	{'DUMP', KEYS[2]}, {'PTTL', KEYS[2]}, {'DEL', KEYS[2]},
}) do
	local answer = redis.pcall(unpack(command))
	if type(answer) == 'table' and answer.err then
		refused[#refused + 1] = command[1]
		refused[#refused + 1] = answer.err
	end
end
return refused
