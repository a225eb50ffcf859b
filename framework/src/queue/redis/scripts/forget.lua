-- ARGV: ids of messages that failed. Answers how many there were.
local forgotten = 0
for i = 2, #ARGV do
    forgotten = forgotten + redis.call('HDEL', base .. 'failed', ARGV[i])
    redis.call('ZREM', base .. 'failures', ARGV[i])
end
return forgotten
