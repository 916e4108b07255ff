-- Gives a value a new time to live if it still is the expected one.
-- KEYS: 1 value   ARGV: 1 expected  2 time to live, ms
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
