-- ARGV: the worker, for how many milliseconds it lives, what it says of itself. Answers what workers are told.
go_on()
redis.call('SET', base .. 'w:' .. ARGV[2], ARGV[4], 'PX', ARGV[3])
redis.call('SADD', base .. 'workers', ARGV[2])
return redis.call('GET', base .. 'restart')
