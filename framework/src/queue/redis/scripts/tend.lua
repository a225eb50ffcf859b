-- ARGV: how many messages to move at most; whether the dead are looked for; the queues. Answers how many became due, how many were left
-- by the dead, when the next becomes due, and the server's time in microseconds.
go_on()
local most, due, rescued, following = tonumber(ARGV[2]), 0, 0, false

for i = 4, #ARGV do
    local queue = ARGV[i]
    local later = base .. 'later:' .. queue
    local members = redis.call('ZRANGEBYSCORE', later, '-inf', ARGV[1], 'LIMIT', 0, most - due)
    for _, member in ipairs(members) do
        local priority, f = scheduled(member)
        if f then
            ready(queue, priority, f)
        else
            put_aside(queue, 1, {m = member}, 'what was scheduled in Redis cannot be read')
        end
    end
    if #members > 0 then redis.call('ZREMRANGEBYRANK', later, 0, #members - 1) end
    due = due + #members
    local first = tonumber(redis.call('ZRANGE', later, 0, 0, 'WITHSCORES')[2])
    if first and (not following or first < following) then following = first end
end

local time = redis.call('TIME')
if ARGV[3] == '1' then
    for _, worker in ipairs(redis.call('SMEMBERS', base .. 'workers')) do
        if due + rescued < most and redis.call('EXISTS', base .. 'w:' .. worker) == 0 then
            local left = most - due - rescued
            local back = take_back(worker, 1, left)
            rescued = rescued + back
            if back < left then forget(worker) end
        end
    end
end
wake()
return {due, rescued, following, time[1] * 1000000 + time[2]}
