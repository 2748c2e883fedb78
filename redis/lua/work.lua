-- Performs a step's work with its notes, under its guards, or nothing at all.
-- Before this text stand the functions proof and work.
-- KEYS: the books, the proof's keys, the work's.
-- ARGV: format, number of the call; guards: count, (key, revision)..;
-- notes: count, (key, revision, 1 or 0 to delete, value)..; seconds;
-- proof: keys, sample, arguments..; work: keys, arguments..
local books, at, keyed = KEYS[1], 0, 1
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]

local function take() at = at + 1 return ARGV[at] end
local function count() return tonumber(take()) end
local function keys()
	local n = count()
	local some = part(KEYS, keyed + 1, n)
	keyed = keyed + n
	return some
end
local function rest()
	local n = count()
	local some = part(ARGV, at + 1, n)
	at = at + n
	return some
end
local function revision(key)
	local line = redis.call('HGET', books, 'note/' .. key)
	return line and tonumber(string.match(line, '^%d+')) or 0
end

local format = redis.call('HGET', books, 'format')
if not format then return {'none'} end
if tonumber(format) > count() then return {'newer', format} end
if redis.call('HEXISTS', books, 'given-up/' .. take()) == 1 then return {'given up'} end
for _ = 1, count() do
	local key, wanted = take(), count()
	if wanted >= 0 and revision(key) ~= wanted then return {'guard', key} end
end
local notes = {}
for i = 1, count() do
	local note = {key = take(), wanted = count(), stays = take() == '1', value = take()}
	if note.wanted >= 0 and revision(note.key) ~= note.wanted then return {'conflict', note.key} end
	notes[i] = note
end
local budget = count()

local rows = -1
if proof then
	local proven, sample = keys(), count()
	local found, wrong = perform(proof, proven, rest(), budget, false)
	if wrong then return {'failed', 'proof', wrong} end
	found = found or {}
	if #found > 0 then return {'violated', #found, part(found, 1, math.min(sample, #found))} end
end

-- The notes come before the work: Redis looks at its memory, its disk and its
-- role at a script's first write only. That is the revision's, which may go up
-- for nothing; then every right is tried on what is not there, so that nothing
-- behind that is refused.
-- The revision follows the clock as well as the last one: were the books lost
-- and made anew, or set back by a failover, no old revision would come again.
local last = math.max(tonumber(redis.call('HGET', books, 'rev') or '0'), now - 1)
local revs, before = {}, {}
local function try()
	local sets = 0
	for _, note in ipairs(notes) do
		if note.stays then sets = sets + 1 end
	end
	if sets > 0 then redis.call('HSET', books, 'rev', string.format('%.0f', last + sets)) end
	redis.call('HDEL', books, 'note/')
end
local function write()
	for i, note in ipairs(notes) do
		local field = 'note/' .. note.key
		before[field] = redis.call('HGET', books, field)
		if note.stays then
			last = last + 1
			revs[i] = string.format('%.0f', last)
			redis.call('HSET', books, field, revs[i] .. string.format(' %.0f ', now) .. note.value)
		else
			revs[i] = '0'
			redis.call('HDEL', books, field)
		end
	end
end
local function unwrite()
	for field, line in pairs(before) do
		if line then
			redis.call('HSET', books, field, line)
		else
			redis.call('HDEL', books, field)
		end
	end
end

if #notes > 0 then
	local may, wrong = pcall(try)
	if not may then return {'refused', type(wrong) == 'table' and wrong.err or tostring(wrong)} end
	write()
end
if work then
	local touched = keys()
	local answer, wrong = perform(work, touched, rest(), budget, true)
	if wrong then
		unwrite()
		return {'failed', 'work', wrong}
	end
	if type(answer) == 'number' then rows = answer end
end
return {'done', string.format('%.0f', now), revs, rows}
