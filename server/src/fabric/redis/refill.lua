-- Stores a tail that was read from the database, if nothing was appended since the reading began.
-- KEYS: 1 tail  2 lease
-- ARGV: 1 token of the lease  2 time to live, ms  3… sealed entries, oldest first, the last one being the head
-- Why a script: between looking at the lease and writing, an append must not come in.
-- The new entries are pushed behind the old ones, which are then trimmed off: a Redis that is full refuses only the
-- first write of a script, so the first one has to be the one that needs memory.
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 'void' end
local old = redis.pcall('LLEN', KEYS[1])
local outcome = type(old) == 'number' and 'filled' or 'full'
for i = 3, #ARGV do
  if outcome == 'filled' and type(redis.pcall('RPUSH', KEYS[1], ARGV[i])) ~= 'number' then outcome = 'full' end
end
if outcome == 'filled' then
  redis.call('LTRIM', KEYS[1], old, -1)
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
else
  redis.call('DEL', KEYS[1])
end
redis.call('DEL', KEYS[2])
return outcome
