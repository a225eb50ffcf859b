-- What the scripts share: how a message is stored, made ready, scheduled and taken out.
--
-- KEYS: what all keys begin with. ARGV: the present moment in microseconds, then the script's own.
--
-- A message is a table of fields: m as it was pushed, its id first; n how often it was claimed, attempted and how often its worker
-- died; p its payload where it has another by now; d when it became due where that was not known when m was written; u its unique
-- key; b its batch. In a stream these are the entry's fields.
local base, now = KEYS[1], tonumber(ARGV[1])
local GROUP, OTHERS = 'w', {'n', 'p', 'd', 'u', 'b'}
local woken, known = {}, {}

-- Of what takes memory, Redis refuses at `maxmemory` what a script writes first, and nothing after something that takes none. So
-- whoever only hands on what is stored, and has to go on for it to become less, begins with this.
local function go_on()
    redis.call('DEL', base .. 'nothing')
end

local function stream(queue, priority)
    return base .. 's' .. priority .. ':' .. queue
end

local function know(queue)
    if not known[queue] then
        known[queue] = true
        redis.call('SADD', base .. 'queues', queue)
    end
end

local function ready(queue, priority, f)
    know(queue)
    woken[queue] = true
    local entry = {'m', f.m}
    for _, name in ipairs(OTHERS) do
        if f[name] then
            entry[#entry + 1] = name
            entry[#entry + 1] = f[name]
        end
    end
    redis.call('XADD', stream(queue, priority), '*', unpack(entry))
end

-- Ready at that moment. What is due at one moment goes in the order it came in.
local function put(queue, priority, f, due)
    if not due or due <= now then return ready(queue, priority, f) end
    know(queue)
    local sequence = struct.pack('>I8', redis.call('INCR', base .. 'sequence'))
    redis.call('ZADD', base .. 'later:' .. queue, due, sequence .. cmsgpack.pack({priority, f}))
end

-- The priority and the fields of what is scheduled; nothing where that cannot be read.
local function scheduled(member)
    local could, stored = pcall(cmsgpack.unpack, string.sub(member, 9))
    local f = could and type(stored) == 'table' and stored[2]
    if type(f) == 'table' and type(f.m) == 'string' and (stored[1] == 0 or stored[1] == 1 or stored[1] == 2) then return stored[1], f end
end

local function fields(flat)
    local f = {}
    for i = 1, #flat, 2 do f[flat[i]] = flat[i + 1] end
    return f
end

local function read(key, id)
    local found = redis.call('XRANGE', key, id, id)[1]
    return found and fields(found[2])
end

local function drop(key, id)
    redis.call('XACK', key, GROUP, id)
    redis.call('XDEL', key, id)
end

-- An entry is claimed once: what goes back is added anew. So who has it is all there is to see.
local function holds(key, consumer, id)
    -- Where there is no stream any more, this is an error, of no length.
    return #redis.pcall('XPENDING', key, GROUP, id, id, 1, consumer) == 1
end

local function counts(f)
    if not f.n then return 0, 0, 0 end
    local claims, attempts, crashes = string.match(f.n, '^(%d+) (%d+) (%d+)$')
    return tonumber(claims) or 0, tonumber(attempts) or 0, tonumber(crashes) or 0
end

-- Counts a claim, and what came of it.
local function count(f, attempt, crash)
    local claims, attempts, crashes = counts(f)
    f.n = string.format('%d %d %d', claims + 1, attempts + attempt, crashes + crash)
end

local function id_of(f)
    return string.sub(f.m, 1, 16)
end

-- Its unique key, for how long it is taken, and whether it is free from the start on; nothing where it has none.
local function unique(f)
    local start, lasts, key = string.match(f.u or '', '^(%d) (%d+) (.*)$')
    if key then return base .. 'u:' .. key, tonumber(lasts), start == '1' end
end

-- Takes a message's unique key; whether it could.
local function take_key(f)
    local key, lasts = unique(f)
    if not key then return true end
    local taken, id = redis.call('GET', key), id_of(f)
    if taken and string.sub(taken, 1, 16) ~= id and tonumber(string.sub(taken, 17)) > now then return false end
    -- Until when is the application's clock's; the server's only clears up.
    redis.call('SET', key, id .. string.format('%.0f', now + lasts), 'PX', math.ceil(lasts / 1000) + 1)
    return true
end

-- Gives it back, where it is still the message's.
local function give_key(f)
    local key = unique(f)
    if not key then return end
    local taken = redis.call('GET', key)
    if taken and string.sub(taken, 1, 16) == id_of(f) then redis.call('DEL', key) end
end

-- What cannot be read must neither be lost nor come up again and again: it is put with what failed, under a key of its own, which
-- is made as all are, of the moment and of what nobody else has.
local function put_aside(queue, priority, f, why)
    f.m = f.m or cmsgpack.pack(f)
    local hash = redis.sha1hex(f.m .. redis.call('INCR', base .. 'sequence'))
    hash = '7' .. string.sub(hash, 2, 4) .. '8' .. string.sub(hash, 6, 20)
    local random = string.gsub(hash, '..', function(byte) return string.char(tonumber(byte, 16)) end)
    local id = string.sub(struct.pack('>I8', math.floor(now / 1000)), 3) .. random
    local _, attempts = counts(f)
    redis.call('HSET', base .. 'failed', id, cmsgpack.pack({queue, priority, f, why, now, attempts}))
    redis.call('ZADD', base .. 'failures', now, id)
end

-- Makes ready again what a worker has of these entries.
local function go_back(queue, priority, id, crash)
    local key = stream(queue, priority)
    local f = read(key, id)
    drop(key, id)
    if not f then return 0 end
    if not f.m then
        put_aside(queue, priority, f, 'an entry in Redis has no message')
        return 1
    end
    count(f, 0, crash)
    ready(queue, priority, f)
    return 1
end

-- What a worker has, so much of it at most; how much that was.
local function take_back(worker, crash, most)
    local taken = 0
    for _, queue in ipairs(redis.call('SMEMBERS', base .. 'queues')) do
        for priority = 0, 2 do
            -- Of this worker's alone, so that what the others have never fills the page.
            local left = most - taken
            local has = left > 0 and redis.pcall('XPENDING', stream(queue, priority), GROUP, '-', '+', left, worker) or {}
            for _, entry in ipairs(has) do
                go_back(queue, priority, entry[1], crash)
                taken = taken + 1
            end
        end
    end
    return taken
end

-- A worker that has nothing any more is gone.
local function forget(worker)
    for _, queue in ipairs(redis.call('SMEMBERS', base .. 'queues')) do
        for priority = 0, 2 do redis.pcall('XGROUP', 'DELCONSUMER', stream(queue, priority), GROUP, worker) end
    end
    redis.call('SREM', base .. 'workers', worker)
    redis.call('HDEL', base .. 'turns', worker)
    redis.call('DEL', base .. 'w:' .. worker)
end

-- Wakes whoever waits for what is ready now. Last of all, so that they find it.
local function wake()
    for queue in pairs(woken) do redis.call('PUBLISH', base .. 'wake', queue) end
end
