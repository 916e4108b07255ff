-- Adds to the scores of some members of a sorted set, gives it a time to live, and tells the scores.
-- KEYS: 1 sorted set   ARGV: 1 time to live, ms  2 member  3 what to add  4 member  5 what to add …
-- Why a script: all members of one set are counted or none, and a set without a time to live would stay for ever.
local scores = {}
for i = 2, #ARGV, 2 do scores[#scores + 1] = redis.call('ZINCRBY', KEYS[1], ARGV[i + 1], ARGV[i]) end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return scores
