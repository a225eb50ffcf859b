-- ARGV: ids. Answers each that failed: its key, its queue, the message, why, when, and after how many attempts.
local found = {}
for i = 2, #ARGV do
    local packed = redis.call('HGET', base .. 'failed', ARGV[i])
    if packed then
        local queue, _, f, why, at, attempts = unpack(cmsgpack.unpack(packed), 1, 6)
        found[#found + 1] = {ARGV[i], queue, shown(f), why, at, attempts}
    end
end
return found
