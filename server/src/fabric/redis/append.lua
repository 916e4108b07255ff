-- Adds one committed entry to its stream's cached tail, if it continues it, and publishes it.
-- KEYS: 1 tail (list of sealed entries `seq:check:payload`, oldest first)  2 lease of a refill under way
-- ARGV: 1 seq  2 sealed entry  3 most entries kept  4 time to live, ms  5 topic  6 '1' when the tail must go
--       7 PUBLISH, or SPUBLISH in a cluster, where the topic has the slot of the keys
-- Why a script: two nodes can commit 7 then 8 and reach Redis as 8 then 7. A tail with a hole would be served as the
-- truth, so an entry that does not continue the tail drops it; the next read refills it. A filler that read the
-- database before this entry was committed must not write after it: its lease ends here.
-- Why pcall: whatever becomes of the cache, the entry is published. And RPUSH is the first write, because a Redis
-- that is full refuses only the first write of a script.
local seq, newest, outcome = tonumber(ARGV[1]), redis.pcall('LINDEX', KEYS[1], -1), 'cold'
local head = type(newest) == 'string' and tonumber(string.match(newest, '^(%d+):'))
if ARGV[6] == '1' then
  outcome = 'dropped'
elseif newest then
  if head and seq <= head then
    outcome = 'stale'
  elseif head and seq == head + 1 then
    local pushed = redis.pcall('RPUSH', KEYS[1], ARGV[2])
    outcome = type(pushed) == 'number' and 'extended' or 'full'
  else
    outcome = 'dropped'
  end
end
if outcome == 'extended' then
  redis.pcall('LTRIM', KEYS[1], -tonumber(ARGV[3]), -1)
  redis.pcall('PEXPIRE', KEYS[1], ARGV[4])
elseif outcome == 'dropped' or outcome == 'full' then
  -- A Redis that cannot save, or has too few replicas, refuses this too: then the tail is still to be dropped.
  local gone = redis.pcall('DEL', KEYS[1])
  if type(gone) ~= 'number' then outcome = gone end
end
local void = redis.pcall('DEL', KEYS[2])
redis.call(ARGV[7], ARGV[5], ARGV[2])
return type(void) == 'number' and outcome or void
