-- ARGV: a queue, where the page begins, how long it is: after an entry of a priority's stream, or so far into what is scheduled.
-- Answers the messages, and where the next page begins.
local queue, place, most = ARGV[2], ARGV[3], tonumber(ARGV[4])
local found = {}
local priority, after = string.match(place, '^([012])%s?(.*)$')
if priority then
    priority = tonumber(priority)
    local entries = redis.call('XRANGE', stream(queue, priority), after == '' and '-' or '(' .. after, '+', 'COUNT', most)
    for i, entry in ipairs(entries) do found[i] = shown(fields(entry[2])) end
    if #entries == most then return {found, priority .. ' ' .. entries[most][1]} end
    return {found, priority < 2 and tostring(priority + 1) or 'later 0'}
end
local from = tonumber(string.match(place, '^later (%d+)$'))
if not from then return redis.error_reply('ERR no page begins there') end
local members = redis.call('ZRANGE', base .. 'later:' .. queue, from, from + most - 1)
for _, member in ipairs(members) do
    local _, f = scheduled(member)
    if f then found[#found + 1] = shown(f) end
end
return {found, #members == most and 'later ' .. (from + most) or false}
