-- ARGV: queues. Answers whether anything could be claimed from one of them.
for i = 2, #ARGV do
    if redis.call('SISMEMBER', base .. 'paused', ARGV[i]) == 0 then
        for priority = 0, 2 do
            local key = stream(ARGV[i], priority)
            local length = redis.call('XLEN', key)
            -- Where nobody has read from it, this is an error, and nobody has any of it.
            if length > 0 and (redis.pcall('XPENDING', key, GROUP)[1] or 0) < length then return 1 end
        end
    end
end
return 0
