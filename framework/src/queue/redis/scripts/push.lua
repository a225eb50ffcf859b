-- ARGV: what is pushed.
local pushed = push(cmsgpack.unpack(ARGV[2]))
wake()
return pushed
