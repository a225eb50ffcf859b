-- ARGV: ids of messages that failed. Answers how many are ready again.
go_on()
local retried = 0
for i = 2, #ARGV do
    local packed = redis.call('HGET', base .. 'failed', ARGV[i])
    local queue, priority, f = unpack(packed and cmsgpack.unpack(packed) or {}, 1, 3)
    if f and take_key(f) then
        redis.call('HDEL', base .. 'failed', ARGV[i])
        redis.call('ZREM', base .. 'failures', ARGV[i])
        -- As if it had never been tried; what it was claimed for is still claimed no more.
        local claims = counts(f)
        f.n = string.format('%d 0 0', claims + 1)
        f.d = string.format('%.0f', now)
        if f.b then rejoin(f.b) end
        ready(queue, priority, f)
        retried = retried + 1
    end
end
wake()
return retried
