-- ARGV: a worker, how many of its entries cannot be read, each of them with what it begins with and why it cannot, and the queues that
-- they are in. Puts them with what failed.
go_on()
local worker, many = ARGV[2], tonumber(ARGV[3])

local function set_aside(queue, id, begins, why)
    for priority = 0, 2 do
        local key = stream(queue, priority)
        local found = holds(key, worker, id) and redis.call('XRANGE', key, id, id)[1]
        -- Entries of two streams may have the same key.
        if found and found[2][2] == begins then
            local f = fields(found[2])
            drop(key, id)
            give_key(f)
            put_aside(queue, priority, f, why)
            if f.b then end_member(f.b, 'failed') end
        end
    end
end

for queue = 4 + 3 * many, #ARGV do
    for i = 4, 3 + 3 * many, 3 do set_aside(ARGV[queue], ARGV[i], ARGV[i + 1], ARGV[i + 2]) end
end
wake()
