-- The work of a transaction in Go: what it has read must still be so, then its
-- commands. ARGV: count of reads, (digest, words, words..)..; count of commands,
-- (words, words..)..
local at = 0
local function take() at = at + 1 return ARGV[at] end
local function command()
	local words = {}
	for i = 1, tonumber(take()) do words[i] = take() end
	return words
end
for _ = 1, tonumber(take()) do
	local digest = take()
	if redis.sha1hex(cmsgpack.pack(redis.call(unpack(command())))) ~= digest then
		return redis.error_reply('STOPOVER changed')
	end
end
for _ = 1, tonumber(take()) do
	redis.call(unpack(command()))
end
