-- ARGV: a batch. Answers whether it could have gone on.
local there = redis.call('HMGET', batch_key(ARGV[2]), 'total', 'finished')
if not there[1] or there[2] then return 0 end
go_on()
return redis.call('HSETNX', batch_key(ARGV[2]), 'cancelled', ARGV[1])
