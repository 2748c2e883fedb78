-- What a step's script gets as `redis`: commands that touch declared keys only,
-- that end when time is up, and whose effects can be taken back. Redis itself
-- takes nothing back.
local kept, ends, traits = {}, {}, {}
local fault, wrote
local free = {time = true, echo = true, ping = true}

local function refuse(sentence)
	fault = fault or sentence
	error(fault, 0)
end

-- While a script runs, TIME stands still in newer servers, and older ones have
-- no os.clock.
local timed, clock = pcall(function() return os.clock end)
if not timed or not clock then
	clock = function()
		local time = redis.call('TIME')
		return time[1] + time[2] / 1000000
	end
end

local function trait(name, second)
	local known = traits[name]
	if known then return known end
	local info = redis.call('COMMAND', 'INFO', name)[1]
	if info and info[10] and #info[10] > 0 and second then
		name = name .. '|' .. string.lower(second)
		info = redis.call('COMMAND', 'INFO', name)[1]
	end
	if not info then refuse("unknown command '" .. name .. "'") end
	known = {keyed = info[4] ~= 0}
	for _, flag in ipairs(info[3]) do
		local word = type(flag) == 'table' and flag.ok or flag
		if word == 'write' then known.writes = true end
		if word == 'movablekeys' then known.keyed = true end
	end
	traits[name] = known
	return known
end

-- keep remembers a key as it was before the first write to it.
local function keep(key)
	if kept[key] ~= nil then return end
	kept[key] = redis.call('DUMP', key)
	local at = redis.pcall('PEXPIRETIME', key)
	if type(at) == 'table' then -- a server before 7.0
		local left, time = redis.call('PTTL', key), redis.call('TIME')
		at = left < 0 and left or time[1] * 1000 + math.floor(time[2] / 1000) + left
	end
	ends[key] = at
end

-- undo restores what was kept. Where the server refused the very first write
-- it would refuse this as well, and there is nothing to be done.
local function undo()
	if not wrote then return end
	for key, dump in pairs(kept) do
		redis.call('DEL', key)
		if dump and ends[key] > 0 then
			redis.call('RESTORE', key, string.format('%.0f', ends[key]), dump, 'ABSTTL')
		elseif dump then
			redis.call('RESTORE', key, 0, dump)
		end
	end
end

-- guarded makes the table. budget is in seconds, 0: no limit.
local function guarded(keys, budget, writable)
	local declared, till = {}, budget > 0 and clock() + budget
	for _, key in ipairs(keys) do declared[key] = true end
	local r = setmetatable({}, {__index = function(_, name) return redis[name] end})
	r.call = function(...)
		if fault then error(fault, 0) end
		if till and clock() > till then refuse('STOPOVER late') end
		local args = {...}
		local name = string.lower(tostring(args[1]))
		local known = trait(name, args[2])
		if known.writes and not writable then refuse("'" .. name .. "' writes, and a query changes nothing") end
		if not known.keyed and not free[name] then refuse("'" .. name .. "' names no key: a step touches the keys that it declares") end
		if known.keyed then
			for _, key in ipairs(redis.call('COMMAND', 'GETKEYS', ...)) do
				if not declared[key] then refuse("the key '" .. key .. "' was not declared") end
				if known.writes then keep(key) end
			end
		end
		local answer = redis.call(...)
		if known.writes then wrote = true end
		return answer
	end
	r.pcall = function(...)
		local answers = {pcall(r.call, ...)}
		if fault then error(fault, 0) end
		if answers[1] then return answers[2] end
		return type(answers[2]) == 'table' and answers[2] or {err = tostring(answers[2])}
	end
	return r
end

-- takenBack undoes all, and says so where that was not possible.
local function takenBack(wrong)
	local undone, why = pcall(undo)
	if undone then return wrong end
	return 'STOPOVER stuck ' .. wrong .. '; ' .. (type(why) == 'table' and why.err or tostring(why))
end

-- perform runs a step's function. It gives its answer, or nil and what was
-- wrong; then nothing of it has stayed.
local function perform(action, keys, args, budget, writable)
	local ran, answer = pcall(action, keys, args, guarded(keys, budget, writable))
	local wrong = fault
	if not wrong and not ran then
		wrong = type(answer) == 'table' and answer.err or tostring(answer)
	elseif not wrong and type(answer) == 'table' and answer.err then
		wrong = answer.err
	end
	if not wrong then return answer end
	return nil, takenBack(wrong)
end

local function part(list, from, n)
	local some = {}
	for i = 1, n do some[i] = list[from + i - 1] end
	return some
end
