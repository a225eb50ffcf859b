-- What the scripts of those who look into the queue share.

-- From where on nobody has read a stream.
local function unread(key)
    local groups = redis.pcall('XINFO', 'GROUPS', key)
    for _, flat in ipairs(groups) do
        local group = fields(flat)
        if group.name == GROUP then return '(' .. group['last-delivered-id'] end
    end
    return '-'
end

-- A message as it is read elsewhere.
local function shown(f)
    return {f.m, f.p or false, f.d or false}
end
