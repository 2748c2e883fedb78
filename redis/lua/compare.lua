-- Gives what each key holds and when it expires: value, end, value, end.. Before
-- this text stands state.lua. ARGV: 'dump' for a digest of the key as it is
-- stored, which differs for some equal keys but is quick; 'canon' for what is the
-- same for equal keys; 'exists' for only whether it is there.
local answers = {}
for _, key in ipairs(KEYS) do
	if ARGV[1] == 'dump' then
		local dump = redis.call('DUMP', key)
		answers[#answers + 1] = dump and sum(dump) or ''
	elseif ARGV[1] == 'exists' then
		answers[#answers + 1] = redis.call('EXISTS', key) == 1 and '1' or ''
	else
		answers[#answers + 1] = canon(key)
	end
	answers[#answers + 1] = ends(key)
end
return answers
