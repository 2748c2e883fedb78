-- What a key holds, in words that are the same for equal keys.

-- ending gives when a key expires, in milliseconds since 1970; -1: never; -2:
-- there is no such key.
local function ending(key)
	local when = redis.pcall('PEXPIRETIME', key)
	if type(when) ~= 'table' then return when end
	local left, time = redis.call('PTTL', key), redis.call('TIME') -- a server before 7.0
	if left < 0 then return left end
	return time[1] * 1000 + math.floor(time[2] / 1000) + left
end

-- ends is ending as text.
local function ends(key) return string.format('%.0f', ending(key)) end

local sum = redis.sha1hex

-- joined gives a digest of values in their order, however deep.
local function joined(values)
	if type(values) ~= 'table' then return sum(tostring(values)) end
	local sums = {}
	for i, value in ipairs(values) do sums[i] = joined(value) end
	return sum(table.concat(sums))
end

-- unordered gives a digest of groups of one or two values that does not depend
-- on the order of the groups. It orders digests, not values: how strings are
-- ordered depends on the language of the server's machine.
local function unordered(values, n)
	local sums = {}
	for i = 1, #values, n do
		local first = values[i]
		sums[#sums + 1] = sum(n == 1 and first or #first .. ' ' .. first .. values[i + 1])
	end
	table.sort(sums)
	return sum(table.concat(sums))
end

-- chosen gives some fields of an answer of XINFO.
local function chosen(answer, names)
	local values = {}
	for i = 1, #answer, 2 do
		if names[answer[i]] then values[#values + 1] = tostring(answer[i]) .. '=' .. tostring(answer[i + 1]) end
	end
	return values
end

local function stream(key)
	local all = {redis.call('XRANGE', key, '-', '+')}
	all[2] = chosen(redis.call('XINFO', 'STREAM', key),
		{['length'] = 1, ['last-generated-id'] = 1, ['max-deleted-entry-id'] = 1, ['entries-added'] = 1})
	for _, group in ipairs(redis.call('XINFO', 'GROUPS', key)) do
		local name, pending
		for i = 1, #group, 2 do
			if group[i] == 'name' then name = group[i + 1] end
			if group[i] == 'pending' then pending = group[i + 1] end
		end
		all[#all + 1] = chosen(group, {['name'] = 1, ['pending'] = 1, ['last-delivered-id'] = 1})
		if pending > 0 then
			for _, entry in ipairs(redis.call('XPENDING', key, name, '-', '+', pending)) do
				all[#all + 1] = {entry[1], entry[2], tostring(entry[4])} -- the third is a time that passes
			end
		end
		for _, consumer in ipairs(redis.call('XINFO', 'CONSUMERS', key, name)) do
			all[#all + 1] = chosen(consumer, {['name'] = 1, ['pending'] = 1})
		end
	end
	return joined(all)
end

-- canon gives the type and a digest of what a key holds, '' if it is not there.
local function canon(key)
	local kind = redis.call('TYPE', key).ok
	if kind == 'none' then return '' end
	if kind == 'string' then return 'string ' .. sum(redis.call('GET', key)) end
	if kind == 'list' then return 'list ' .. joined(redis.call('LRANGE', key, 0, -1)) end
	if kind == 'hash' then return 'hash ' .. unordered(redis.call('HGETALL', key), 2) end
	if kind == 'set' then return 'set ' .. unordered(redis.call('SMEMBERS', key), 1) end
	if kind == 'zset' then return 'zset ' .. unordered(redis.call('ZRANGE', key, 0, -1, 'WITHSCORES'), 2) end
	if kind == 'stream' then return 'stream ' .. stream(key) end
	return kind .. ' ' .. sum(redis.call('DUMP', key)) -- of a module
end

-- digest gives 16 bytes of what a key is called, holds, and when it expires.
local function digest(key, holds)
	local hex = string.sub(sum(sum(key) .. holds .. ' ' .. ends(key)), 1, 32)
	return (string.gsub(hex, '..', function(two) return string.char(tonumber(two, 16)) end))
end
