-- KEYS: a lock. ARGV: who wants it, how long they keep it. Nothing where they have it, else how long another still does.
local there = redis.call('GET', KEYS[1])
if there and there ~= ARGV[1] then return math.max(redis.call('PTTL', KEYS[1]), 0) end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return false
