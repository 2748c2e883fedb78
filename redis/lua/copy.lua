-- Copies keys to others of the same slot. Before this text stands held.lua.
-- KEYS: what holds the guards, (source, target).. ARGV: what held.lua takes, then
-- '1' if targets are made as the sources are, whatever they were, or '0' if a
-- target that is there is left alone.
-- Each key has an answer: copied, there, absent, or an error of the server.
local gone = lost()
if gone then return gone end
local replace = take() == '1'
local answers = {}
for i = 2, #KEYS, 2 do
	local from, to = KEYS[i], KEYS[i + 1]
	local done = replace and redis.pcall('COPY', from, to, 'REPLACE') or redis.pcall('COPY', from, to)
	local answer
	if type(done) == 'table' then
		answer = 'failed ' .. done.err
	elseif done == 1 then
		answer = 'copied'
	elseif redis.call('EXISTS', from) == 1 then
		answer = 'there'
	else
		if replace then redis.call('UNLINK', to) end
		answer = 'absent'
	end
	answers[#answers + 1] = answer
end
return {'done', answers}
