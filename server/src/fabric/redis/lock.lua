-- Takes a free lock and gives its holder a token higher than every one before.
-- KEYS: 1 lock (holds the token)  2 fence (the last token)   ARGV: 1 time to live, ms  2 how long the fence stays, ms
-- Why a script: the token must be taken only by who gets the lock. A fence that is not known starts at the time in
-- microseconds, so that tokens do not go back when Redis lost its memory.
if redis.call('EXISTS', KEYS[1]) == 1 then return false end
if redis.call('EXISTS', KEYS[2]) == 0 then
  local now = redis.call('TIME')
  redis.call('SET', KEYS[2], string.format('%.0f', now[1] * 1000000 + now[2]))
end
local token = redis.call('INCR', KEYS[2])
redis.call('PEXPIRE', KEYS[2], ARGV[2])
redis.call('SET', KEYS[1], string.format('%.0f', token), 'PX', ARGV[1])
return token
