-- ARGV: a queue, how much to take out at most, and from the second call on what the one before answered last. Answers how much was
-- taken out, how much was seen, and up to where that goes on.
--
-- What batches push that end by it stays: it came after the first call, of which the last entries and the last number are kept.
go_on()
local queue, most, taken, seen = ARGV[2], tonumber(ARGV[3]), 0, 0
local kept, number, last = tonumber(ARGV[4] or 0), ARGV[5], {ARGV[6], ARGV[7], ARGV[8]}
if not number then
    number = redis.call('GET', base .. 'sequence') or '0'
    for priority = 0, 2 do
        local entry = redis.call('XREVRANGE', stream(queue, priority), '+', '-', 'COUNT', 1)[1]
        last[priority + 1] = entry and entry[1] or '0'
    end
end

local function out(f)
    give_key(f)
    if f.b then end_member(f.b, 'cancelled') end
    taken = taken + 1
end

for priority = 0, 2 do
    local key = stream(queue, priority)
    local found = most > seen and redis.call('XRANGE', key, unread(key), last[priority + 1], 'COUNT', most - seen) or {}
    seen = seen + #found
    for _, entry in ipairs(found) do
        redis.call('XDEL', key, entry[1])
        out(fields(entry[2]))
    end
end
local later = base .. 'later:' .. queue
local members = most > seen and redis.call('ZRANGE', later, kept, kept + most - seen - 1) or {}
seen = seen + #members
for _, member in ipairs(members) do
    local _, f = scheduled(member)
    if f and struct.unpack('>I8', member) > tonumber(number) then
        kept = kept + 1
    else
        redis.call('ZREM', later, member)
        out(f or {})
    end
end
wake()
return {taken, seen, {tostring(kept), number, last[1], last[2], last[3]}}
