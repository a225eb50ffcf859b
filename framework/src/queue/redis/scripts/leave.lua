-- ARGV: the worker, and how much it gives back at most. Answers how much that was, and what workers are told.
go_on()
local back = take_back(ARGV[2], 0, tonumber(ARGV[3]))
if back < tonumber(ARGV[3]) then forget(ARGV[2]) end
wake()
return {back, redis.call('GET', base .. 'restart')}
