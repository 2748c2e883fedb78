-- Performs a query by itself. Before this text stands the function proof.
-- KEYS: the query's. ARGV: seconds, sample, arguments..
local found, wrong = perform(proof, KEYS, part(ARGV, 3, #ARGV - 2), tonumber(ARGV[1]), false)
if wrong then return {'failed', 'query', wrong} end
found = found or {}
return {'found', #found, part(found, 1, math.min(tonumber(ARGV[2]), #found))}
