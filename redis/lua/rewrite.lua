-- Writes what became of values, each if it is still what was read, when the guards
-- were looked at. The time of a key's end stays.
-- KEYS: what holds the guards, the keys, in one slot. ARGV: what held.lua takes;
-- then, packed, a list of lists of fields; then for each key a list, packed: of a
-- string {old text, new text}; of a hash {number of the list of its fields, how many
-- of these follow: (field, new value), what each field of the list was (false: it
-- was not there), (field, new value).., fields to be removed..}.
-- The answer is 1 if all were written. Else it lists those that were not, by their
-- number from 1: '3 changed' if the key is not what was read any more, '3 failed'
-- with what the server says; nothing of that key has changed then.
local call, try, keys = redis.call, redis.pcall, KEYS
local at = ARGV[1] == 'slot' and 2 or 4 + 2 * tonumber(ARGV[3])
local lists = cmsgpack.unpack(ARGV[at + 1])

local function failed(answer)
	return type(answer) == 'table' and answer.err and 'failed ' .. answer.err
end

-- untouched tells whether the fields of a hash are what stands in edit from the
-- third on, and the hash is there.
local function untouched(key, fields, edit)
	local now = try('HMGET', key, unpack(fields))
	if now.err then return false end
	local some = false
	for i = 1, #fields do
		local value = now[i]
		if value ~= edit[i + 2] then return false end
		some = some or value
	end
	return some or call('EXISTS', key) == 1
end

-- may tells whether fields may be removed, by one that is not there: what is set
-- before could not be taken back.
local function may(key)
	local none = '\0stopover'
	while call('HEXISTS', key, none) == 1 do none = none .. '\0' end
	return failed(try('HDEL', key, none))
end

local function rewrite(key, edit)
	if #edit == 2 then
		if try('GET', key) ~= edit[1] then return 'changed' end
		return failed(try('SET', key, edit[2], 'KEEPTTL'))
	end
	local fields = lists[edit[1]]
	if not untouched(key, fields, edit) then return 'changed' end
	local first = 3 + #fields
	local gone = first + 2 * edit[2]
	local wrong = gone > first and gone <= #edit and may(key)
	-- First what is new: a hash without fields would be gone, and its end with it.
	if not wrong and gone > first then wrong = failed(try('HSET', key, unpack(edit, first, gone - 1))) end
	if not wrong and gone <= #edit then wrong = failed(try('HDEL', key, unpack(edit, gone))) end
	return wrong
end

local odd = {}
for i = 2, #keys do
	local word = rewrite(keys[i], cmsgpack.unpack(ARGV[at + i]))
	if word then odd[#odd + 1] = string.format('%d ', i - 1) .. word end
end
if #odd == 0 then return 1 end
return {'done', odd}
