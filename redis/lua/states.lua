-- Gives what each key holds and when it expires: value, end, value, end.. Before
-- this text stands state.lua.
local answers = {}
for _, key in ipairs(KEYS) do
	answers[#answers + 1] = canon(key)
	answers[#answers + 1] = ends(key)
end
return answers
