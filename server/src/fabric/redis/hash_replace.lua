-- Replaces a whole hash, and gives it a time to live.
-- KEYS: 1 hash   ARGV: 1 time to live, ms  2 field  3 value  4 field  5 value …
-- Why a script: a reader must never see half of it, nor a hash without a time to live. The first field is written
-- before the old ones are removed, because a Redis that is full refuses only the first write of a script; then the hash
-- goes, because an older one would be wrong.
local set = redis.pcall('HSET', KEYS[1], ARGV[2], ARGV[3])
if type(set) ~= 'number' then
  redis.call('DEL', KEYS[1])
  return set
end
redis.call('DEL', KEYS[1])
for i = 2, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return #ARGV
