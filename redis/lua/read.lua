-- Reads, and gives a digest of the answer with it, by which commit.lua tells
-- whether it would still be the same.
local answer = redis.call(unpack(ARGV))
return {answer, redis.sha1hex(cmsgpack.pack(answer))}
