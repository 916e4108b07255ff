-- Stores a value under a rank unless one of the same or a higher rank is there, and says what was there.
-- KEYS: 1 value (`rank:value`)   ARGV: 1 rank  2 `rank:value`  3 time to live, ms
-- Why a script: of two nodes that set it at the same time, the one with the higher rank must win in either order.
local current = redis.pcall('GET', KEYS[1])
local rank = type(current) == 'string' and tonumber(string.match(current, '^(-?%d+):'))
if rank and rank >= tonumber(ARGV[1]) then return { 0, current } end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return { 1, rank and current or '' }
