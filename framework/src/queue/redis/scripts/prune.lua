-- ARGV: before when the batches ended that are deleted, and how many at most. Answers how many that were.
local found = redis.call('ZRANGEBYSCORE', base .. 'ended', '-inf', '(' .. ARGV[2], 'LIMIT', 0, ARGV[3])
for _, id in ipairs(found) do
    redis.call('DEL', batch_key(id))
    redis.call('ZREM', base .. 'batches', id)
    redis.call('ZREM', base .. 'ended', id)
end
return #found
