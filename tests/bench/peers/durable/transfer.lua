-- The same transfer: an id that may come once, a debit that checks the funds, a credit.
-- The arguments are the benchmark's random numbers: the first two are the id, the last two choose the accounts.
local source, target = 'a' .. ARGV[2] % 10000, 'a' .. ARGV[3] % 10000
if not redis.call('SET', 't' .. ARGV[1] .. ARGV[2], source .. ' ' .. target .. ' 1', 'NX') then return 0 end
if tonumber(redis.call('GET', source)) < 1 then return redis.error_reply('insufficient funds') end
redis.call('DECR', source)
redis.call('INCR', target)
return 1
