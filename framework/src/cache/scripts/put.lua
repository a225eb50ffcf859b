-- KEYS: the entry, its lease. ARGV: the value, how long it is kept or -1, the condition and what it is held against, the channel and
-- what is told there.
local when = ARGV[3]
if when == 'absent' and redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
if when == 'same' and redis.call('GET', KEYS[1]) ~= ARGV[4] then return 0 end
if when == 'leased' and redis.call('GET', KEYS[2]) ~= ARGV[4] then return 0 end
redis.call('DEL', KEYS[2])
local ttl = tonumber(ARGV[2])
if ttl < 0 then
    redis.call('SET', KEYS[1], ARGV[1])
elseif ttl == 0 then
    redis.call('DEL', KEYS[1])
else
    redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
end
-- What was loaded takes nothing's place that anybody could still have.
if when ~= 'leased' then redis.call('PUBLISH', ARGV[5], ARGV[6]) end
return 1
