-- Compares pairs of keys in one slot. Before this text stands state.lua. KEYS:
-- (one, other).. ARGV: how many milliseconds their ends may be apart.
-- The answer lists the pairs that are not found equal: number from 1, then what
-- each holds, as canon says, and when it ends.
local call, try, apart = redis.call, redis.pcall, tonumber(ARGV[1])

-- how reads all of a key, by its type; the last says how many values make one that
-- has no place among the others, 0: their order counts.
local how = {
	string = {0, 'GET'}, list = {0, 'LRANGE', 0, -1}, zset = {0, 'ZRANGE', 0, -1, 'WITHSCORES'},
	hash = {2, 'HGETALL'}, set = {1, 'SMEMBERS'},
}

local function all(ask, read, key)
	if read[3] then return ask(read[2], key, unpack(read, 3)) end
	return ask(read[2], key)
end

-- alike compares what was read. Where it is not sure it says no.
local function alike(one, other, n)
	if type(one) ~= 'table' or type(other) ~= 'table' then return one == other end
	if #one ~= #other or other.err then return false end
	if n == 0 then
		for i = 1, #one do
			if one[i] ~= other[i] then return false end
		end
		return true
	end
	local values = {}
	for i = 1, #one, n do values[one[i]] = one[i + n - 1] end
	for i = 1, #other, n do
		if values[other[i]] ~= other[i + n - 1] then return false end
	end
	return true
end

local odd = {}
for i = 1, #KEYS, 2 do
	local one, other = KEYS[i], KEYS[i + 1]
	local read = how[call('TYPE', one).ok]
	local same = read and alike(all(call, read, one), all(try, read, other), read[1])
	if same then
		local first, second = ending(one), ending(other)
		same = first == second or first > 0 and second > 0 and math.abs(first - second) <= apart
	end
	if not same then
		odd[#odd + 1] = {(i + 1) / 2, canon(one), ends(one), canon(other), ends(other)}
	end
end
return odd
