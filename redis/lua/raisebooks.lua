-- Raises the number that the books keep, never lowers it. KEYS: the books. ARGV:
-- number. Books that are not there have no work to be shut out.
if redis.call('HEXISTS', KEYS[1], 'format') == 0 then return 1 end
local there = tonumber(redis.call('HGET', KEYS[1], 'fence') or '0')
if there > tonumber(ARGV[1]) then return 0 end
if there < tonumber(ARGV[1]) then redis.call('HSET', KEYS[1], 'fence', ARGV[1]) end
return 1
