-- KEYS: the entry, its lease. ARGV: the channel and what is told there.
local value = redis.call('GET', KEYS[1])
redis.call('DEL', KEYS[1], KEYS[2])
redis.call('PUBLISH', ARGV[1], ARGV[2])
return value
