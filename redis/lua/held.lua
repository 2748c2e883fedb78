-- Looks at the guards of a sweep. KEYS[1] holds them. ARGV begins with 'books',
-- the format and guards: count, (key, revision)..; or with 'slot'; then the
-- guard's number.
local at = 0
local function take() at = at + 1 return ARGV[at] end
local function count() return tonumber(take()) end

-- lost gives the answer of a sweep whose guards do not stand, else nil.
local function lost()
	if take() == 'books' then
		local format = redis.call('HGET', KEYS[1], 'format')
		if not format then return {'none'} end
		if tonumber(format) > count() then return {'newer', format} end
		for _ = 1, count() do
			local key, wanted = take(), count()
			local line = redis.call('HGET', KEYS[1], 'note/' .. key)
			local is = line and tonumber(string.match(line, '^%d+')) or 0
			if wanted >= 0 and is ~= wanted then return {'guard', key} end
		end
		local number = count()
		if number > 0 and tonumber(redis.call('HGET', KEYS[1], 'fence') or '0') > number then return {'guard', ''} end
		return nil
	end
	-- The guard only ever goes up: a later holder has a higher one. 0: none.
	local mine = take()
	local there = tonumber(redis.call('GET', KEYS[1]) or '0')
	if mine ~= '0' and there > tonumber(mine) then return {'guard', ''} end
	if there < tonumber(mine) then redis.call('SET', KEYS[1], mine) end
end
