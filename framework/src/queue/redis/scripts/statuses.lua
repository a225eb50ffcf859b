-- ARGV: batches. Answers how far each has come that there is.
local found = {}
for i = 2, #ARGV do
    local there = redis.call('HMGET', batch_key(ARGV[i]), 'name', 'total', 'pending', 'failed', 'cancelled', 'finished', 'lost')
    if there[1] then
        table.insert(there, 1, ARGV[i])
        found[#found + 1] = there
    end
end
return found
