-- Reads what a rewriting looks at. KEYS[1] is the key, ARGV the fields.
-- The answer is the type, then the text or the list of values.
local sort = redis.call('TYPE', KEYS[1])['ok']
if sort == 'string' then return {sort, redis.call('GET', KEYS[1])} end
if sort == 'hash' then return {sort, redis.call('HMGET', KEYS[1], unpack(ARGV))} end
return {sort}
