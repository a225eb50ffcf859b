-- What is pushed, and the batches that it may belong to.
--
-- What is pushed is {batches, batches that grow, messages}. A message is {queue, priority, m, {due, delay, u, b}}, and several that
-- have none of the latter are {queue, priority, {m..}}; a batch is its id, name, total, whether it allows failures, the batch that it is a member of, whether that goes on with it, and
-- what is pushed when it is done, when a member failed, and when it has ended, each packed as it is to be unpacked here, or nothing.

local function batch_key(id)
    return base .. 'b:' .. id
end

-- Whether it begins: what is pushed once more, since its answer was lost, has begun already.
local function begin(batch)
    if redis.call('EXISTS', batch_key(batch[1])) == 1 then return false end
    local id, name, total, lax, outer, goes_on, done, failed, ended = unpack(batch, 1, 9)
    redis.call('ZADD', base .. 'batches', 0, id)
    redis.call('HSET', batch_key(id), 'name', name, 'total', total, 'pending', total, 'failed', 0, 'lax', lax and 1 or 0,
        'outer', outer or '', 'goes_on', goes_on and 1 or 0, 'then', done, 'catch', failed, 'finally', ended)
    return true
end

local function grow(id, members)
    local there = redis.call('HMGET', batch_key(id), 'total', 'finished')
    if there[1] and not there[2] then
        redis.call('HINCRBY', batch_key(id), 'total', members)
        redis.call('HINCRBY', batch_key(id), 'pending', members)
    end
end

-- What became of each message: 1 where it is stored.
local function push(what)
    local begun = {}
    for _, batch in ipairs(what[1]) do begun[batch[1]] = not begin(batch) end
    for _, grown in ipairs(what[2]) do grow(grown[1], grown[2]) end
    local pushed = {}
    for _, message in ipairs(what[3]) do
        local queue, priority, m, more = message[1], message[2], message[3], message[4]
        if more then
            local f = {m = m, u = more[3], b = more[4]}
            local there = f.b and begun[f.b]
            local due = more[1]
            if more[2] then
                due = now + more[2]
                f.d = string.format('%.0f', due)
            end
            local free = there or take_key(f)
            if free and not there then put(queue, priority, f, due) end
            pushed[#pushed + 1] = free and '1' or '0'
        else
            local call, key = redis.call, stream(queue, priority)
            know(queue)
            woken[queue] = true
            for i = 1, #m do call('XADD', key, '*', 'm', m[i]) end
            pushed[#pushed + 1] = string.rep('1', #m)
        end
    end
    return table.concat(pushed)
end

-- Takes what a batch was to push then: once.
local function called(key, when)
    local packed = redis.call('HGET', key, when)
    if packed and packed ~= '' then
        redis.call('HSET', key, when, '')
        push(cmsgpack.unpack(packed))
    end
end

-- How a batch has ended: done is only what has left no member out.
local function how_ended(key)
    local failed, cancelled, lost = unpack(redis.call('HMGET', key, 'failed', 'cancelled', 'lost'), 1, 3)
    return not cancelled and (lost or '0') == '0' and 'done' or failed == '0' and 'cancelled' or 'failed'
end

-- A member has ended: 'done', 'failed' or 'cancelled'.
local function end_member(id, how)
    while id and id ~= '' do
        local key = batch_key(id)
        local there = redis.call('HMGET', key, 'pending', 'finished', 'lax', 'outer', 'goes_on')
        if not there[1] or there[2] then return end
        local pending = math.max(tonumber(there[1]) - 1, 0)
        redis.call('HSET', key, 'pending', pending)
        if how == 'cancelled' then redis.call('HINCRBY', key, 'lost', 1) end
        if how == 'failed' then
            redis.call('HINCRBY', key, 'failed', 1)
            called(key, 'catch')
            if there[3] == '0' then redis.call('HSETNX', key, 'cancelled', ARGV[1]) end
        end
        if pending > 0 then return end
        redis.call('HSET', key, 'finished', ARGV[1])
        redis.call('ZADD', base .. 'ended', now, id)
        how = how_ended(key)
        if how == 'done' then called(key, 'then') end
        called(key, 'finally')
        -- Where the outer one goes on, its member is in what has just been pushed.
        id = (how ~= 'done' or there[5] == '0') and there[4]
    end
end

-- A member that had failed runs again, and so the batch goes on, cancelled though it was. So does the batch that it had ended.
local function rejoin(id)
    local had = 'failed'
    while id and id ~= '' do
        local key = batch_key(id)
        local there = redis.call('HMGET', key, 'pending', 'failed', 'lost', 'finished', 'outer', 'goes_on')
        if not there[1] then return end
        local ended = there[4] and how_ended(key)
        redis.call('HINCRBY', key, 'pending', 1)
        if had == 'failed' and there[2] ~= '0' then redis.call('HINCRBY', key, 'failed', -1) end
        if had == 'cancelled' and (there[3] or '0') ~= '0' then redis.call('HINCRBY', key, 'lost', -1) end
        redis.call('HDEL', key, 'finished', 'cancelled')
        redis.call('ZREM', base .. 'ended', id)
        had, id = ended, ended and (ended ~= 'done' or there[6] == '0') and there[5]
    end
end
