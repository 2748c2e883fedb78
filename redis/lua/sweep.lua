-- Performs a sweep's script on one key, while the sweep's guards stand. Before
-- this text stands the function work.
-- KEYS: what holds the guards, the key. ARGV: 'books', the format and guards:
-- count, (key, revision)..; or 'slot' and the guard's number; then seconds,
-- arguments..
local at = 0
local function take() at = at + 1 return ARGV[at] end
local function count() return tonumber(take()) end

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
else
	-- The guard only ever goes up: a later holder has a higher one. 0: none.
	local mine = take()
	local there = tonumber(redis.call('GET', KEYS[1]) or '0')
	if mine ~= '0' and there > tonumber(mine) then return {'guard', ''} end
	if there < tonumber(mine) then redis.call('SET', KEYS[1], mine) end
end
local budget = count()
local answer, wrong = perform(work, {KEYS[2]}, part(ARGV, at + 1, #ARGV - at), budget, true)
if wrong then return {'failed', 'work', wrong} end
return {'done', answer}
