-- KEYS: the count, its lease. ARGV: what is added, how long a new count is kept or -1, the channel and what is told there.
local there = redis.call('GET', KEYS[1])
if there and not string.match(there, '^%-?%d+$') then return { 'other', '', -1 } end
local added = redis.pcall('INCRBY', KEYS[1], ARGV[1])
if type(added) == 'table' and added.err then return { 'overflow', '', -1 } end
if not there and tonumber(ARGV[2]) >= 0 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
redis.call('DEL', KEYS[2])
redis.call('PUBLISH', ARGV[3], ARGV[4])
-- As text: a number of Lua would lose digits.
return { 'sum', redis.call('GET', KEYS[1]) or ARGV[1], redis.call('PTTL', KEYS[1]) }
