-- Copies keys to others of the same slot, when the guards were looked at.
-- KEYS: what holds the guards, (source, target).. ARGV: what held.lua takes, last
-- '1' if targets are made as the sources are, whatever they were, or '0' if a
-- target that is there is left alone.
-- The answer is 1 if all were copied. Else it lists those that were not, by their
-- number from 1: '3 there' if the target is there already, '3 absent' if there is
-- no source, '3 failed' with what the server says.
local replace = ARGV[#ARGV] == '1'
local try, keys = redis.pcall, KEYS
local odd = {}
for i = 2, #keys, 2 do
	local from, to = keys[i], keys[i + 1]
	local done
	if replace then done = try('COPY', from, to, 'REPLACE') else done = try('COPY', from, to) end
	if done ~= 1 then
		local word
		if type(done) == 'table' then
			word = 'failed ' .. done.err
		elseif redis.call('EXISTS', from) == 1 then
			word = 'there'
		else
			if replace then redis.call('UNLINK', to) end
			word = 'absent'
		end
		odd[#odd + 1] = string.format('%d ', i / 2) .. word
	end
end
if #odd == 0 then return 1 end
return {'done', odd}
