-- Answers each queue's name, how much of it is ready, scheduled and running, whether it is paused, and the first of each priority.
local names, depths = redis.call('SUNION', base .. 'queues', base .. 'paused'), {}
for i, queue in ipairs(names) do
    local running, length, oldest = 0, 0, {}
    for priority = 0, 2 do
        local key = stream(queue, priority)
        length = length + redis.call('XLEN', key)
        running = running + (redis.pcall('XPENDING', key, GROUP)[1] or 0)
        local first = redis.call('XRANGE', key, unread(key), '+', 'COUNT', 1)[1]
        if first then oldest[#oldest + 1] = shown(fields(first[2])) end
    end
    local later = redis.call('ZCARD', base .. 'later:' .. queue)
    depths[i] = {queue, length - running, later, running, redis.call('SISMEMBER', base .. 'paused', queue), oldest}
end
return depths
