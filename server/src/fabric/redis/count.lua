-- Counts one more in a window that begins with the first.
-- KEYS: 1 counter   ARGV: 1 window, ms
-- Why a script: a counter left without a time to live would block its owner for ever.
local count = redis.call('INCR', KEYS[1])
if redis.call('PTTL', KEYS[1]) < 0 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return count
