-- ARGV: how many to claim at most; whose turn it is, its number, and the number of the last that is known to have been answered; the
-- ends; the queues. Answers what became of the ends, and for each claim the entry's id, m, and where there is more of it {n, p, d,
-- whether its batch was cancelled}.
local most, worker, number, heard = tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local settled = {}

-- Of these entries of a worker's, which it still has: {first, last, ids..}, in no order.
local function held(key, consumer, run)
    local has = {}
    if #run <= 6 then
        for i = 3, #run do has[run[i]] = holds(key, consumer, run[i]) or nil end
        return has
    end
    local from, last = run[1], run[2]
    repeat
        local page = redis.pcall('XPENDING', key, GROUP, from, last, 1000, consumer)
        for _, entry in ipairs(page) do has[entry[1]] = true end
        from = #page == 1000 and '(' .. page[1000][1]
    until not from
    return has
end

-- Those that are done, and that is all.
local function finish(key, consumer, run)
    local has, gone = held(key, consumer, run), {}
    for i = 3, #run do
        local id = run[i]
        settled[#settled + 1] = has[id] and '1' or '0'
        if has[id] then
            has[id] = nil
            gone[#gone + 1] = id
        end
    end
    for i = 1, #gone, 5000 do
        local last = math.min(i + 4999, #gone)
        redis.call('XACK', key, GROUP, unpack(gone, i, last))
        redis.call('XDEL', key, unpack(gone, i, last))
    end
end

local function fail(queue, priority, f, why, at)
    local id, _, attempts = id_of(f), counts(f)
    redis.call('HSET', base .. 'failed', id, cmsgpack.pack({queue, priority, f, why, at, attempts + 1}))
    redis.call('ZADD', base .. 'failures', at, id)
end

local function settle(queue, priority, consumer, id, how, one, other, batch, ended)
    local key = stream(queue, priority)
    local f = holds(key, consumer, id) and read(key, id)
    settled[#settled + 1] = f and '1' or '0'
    if not f then return end
    drop(key, id)
    if how == 'retry' or how == 'release' then
        count(f, how == 'retry' and 1 or 0, 0)
        f.p = other or f.p
        put(queue, priority, f, one)
    else
        give_key(f)
        if how == 'fail' then fail(queue, priority, f, one, other) end
        if how == 'done' and one then push(one) end
    end
    if batch then end_member(batch, ended) end
end

-- What was claimed for this worker, and answered, but not heard: it goes back, since nobody would run it.
local function recover()
    local last = redis.call('HGET', base .. 'turns', worker)
    if not last then return true end
    last = cmsgpack.unpack(last)
    -- This turn was overtaken, and its answer is waited for no more.
    if last[1] >= number then return false end
    if last[1] ~= heard then
        for _, from in ipairs(last[2]) do
            local key = stream(from[1], from[2])
            for _, id in ipairs(from[3]) do
                if holds(key, worker, id) then go_back(from[1], from[2], id, 0) end
            end
        end
    end
    return true
end

local claimed, taken = {}, {}

local function fetch(key, left)
    local ask = function() return redis.pcall('XREADGROUP', 'GROUP', GROUP, worker, 'COUNT', left, 'STREAMS', key, '>') end
    local got = ask()
    -- Nobody has read from it yet.
    if got and got.err and string.find(got.err, 'NOGROUP', 1, true) then
        redis.call('XGROUP', 'CREATE', key, GROUP, '0')
        got = ask()
    end
    if got and got.err then error(got) end
    return got and got[1][2] or {}
end

local function more_of(flat)
    local f = fields(flat)
    if f.u then
        local _, _, start = unique(f)
        if start then give_key(f) end
    end
    local cancelled = f.b and redis.call('HEXISTS', batch_key(f.b), 'cancelled') or 0
    return {f.n or false, f.p or false, f.d or false, cancelled}
end

local function claim(queue)
    if redis.call('SISMEMBER', base .. 'paused', queue) == 1 then return end
    for priority = 0, 2 do
        local key = stream(queue, priority)
        if most > 0 and redis.call('EXISTS', key) == 1 then
            local ids = {}
            for i, entry in ipairs(fetch(key, most)) do
                local id, flat = entry[1], entry[2]
                ids[i] = id
                local at = #claimed
                claimed[at + 1], claimed[at + 2], claimed[at + 3] = id, flat[2], #flat > 2 and more_of(flat)
            end
            most = most - #ids
            if #ids > 0 then taken[#taken + 1] = {queue, priority, ids} end
        end
    end
end

go_on()
if ARGV[6] ~= '' then
    for _, done in ipairs(cmsgpack.unpack(ARGV[6])) do
        if done[4] then
            settle(unpack(done, 1, 9))
        else
            finish(stream(done[1], done[2]), done[3][1], done[3][2])
        end
    end
end
if most > 0 and recover() then
    redis.call('SADD', base .. 'workers', worker)
    for i = 7, #ARGV do claim(ARGV[i]) end
    redis.call('HSET', base .. 'turns', worker, cmsgpack.pack({number, taken}))
end
wake()
return {table.concat(settled), claimed}
