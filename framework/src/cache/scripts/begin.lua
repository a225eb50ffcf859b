-- KEYS: the entry, its lease, its tags. ARGV: the owner or nothing, how long the lease lasts, how long the entry will be kept or -1,
-- and for each tag the version that it gets where it has none.
local leased = ARGV[1] ~= '' and redis.call('SET', KEYS[2], ARGV[1], 'NX', 'PX', ARGV[2]) and 1 or 0
local ttl = tonumber(ARGV[3])
local versions = {}
for i = 3, #KEYS do
    local version = redis.call('GET', KEYS[i])
    if not version then
        version = ARGV[i + 1]
        if ttl < 0 then
            redis.call('SET', KEYS[i], version)
        else
            redis.call('SET', KEYS[i], version, 'PX', math.max(ttl, 1))
        end
    elseif ttl < 0 then
        redis.call('PERSIST', KEYS[i])
    else
        -- A version stays for as long as the longest of its entries.
        local left = redis.call('PTTL', KEYS[i])
        if left >= 0 and left < ttl then
            redis.call('PEXPIRE', KEYS[i], ttl)
        end
    end
    versions[#versions + 1] = version
end
return { redis.call('GET', KEYS[1]), leased, versions }
