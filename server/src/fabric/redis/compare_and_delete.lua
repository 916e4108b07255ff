-- Removes a value if it still is the expected one: a late release must not free what somebody else holds by now.
-- KEYS: 1 value   ARGV: 1 expected
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
