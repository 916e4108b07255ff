-- Sets one field of a hash and the time to live of all of it.
-- KEYS: 1 hash   ARGV: 1 field  2 value  3 time to live, ms
-- Why a script: a hash left without a time to live would stay for ever. When there is no room the hash goes, because
-- one with the older value would be wrong.
local set = redis.pcall('HSET', KEYS[1], ARGV[1], ARGV[2])
if type(set) ~= 'number' then
  redis.call('DEL', KEYS[1])
  return set
end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return set
