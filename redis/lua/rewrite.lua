-- Writes what became of a value, if it is still what was read. The time of the
-- key's end stays. ARGV: 'string', old text, new text; or 'hash', count and as
-- many (field, '1' if it was there, value), count and (field, new value), count
-- and fields to be removed. The answer is 'done' or 'changed'.
local at = 0
local function take() at = at + 1 return ARGV[at] end
local sort = take()
if redis.call('TYPE', KEYS[1])['ok'] ~= sort then return 'changed' end
if sort == 'string' then
	if redis.call('GET', KEYS[1]) ~= take() then return 'changed' end
	redis.call('SET', KEYS[1], take(), 'KEEPTTL')
	return 'done'
end
for _ = 1, tonumber(take()) do
	local field, there, value = take(), take(), take()
	local is = redis.call('HGET', KEYS[1], field)
	if there == '1' and is ~= value or there == '0' and is then return 'changed' end
end
local set, gone = {}, {}
for i = 1, 2 * tonumber(take()) do set[i] = take() end
for i = 1, tonumber(take()) do gone[i] = take() end
-- First what is new: a hash without fields would be gone, and its end with it.
if #set > 0 then redis.call('HSET', KEYS[1], unpack(set)) end
if #gone > 0 then redis.call('HDEL', KEYS[1], unpack(gone)) end
return 'done'
