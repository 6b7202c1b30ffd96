import type { Redis } from 'ioredis';

/**
 * To a server whose clock is ahead by so much, everything that it stored lies back by so much; that is what this does, since the
 * clock itself belongs to the machine. Keys expire as they would.
 */
const MOVE = `
local micros = ARGV[1] * 1000000
for _, key in ipairs(redis.call('KEYS', 'parley:session:*')) do
  local fields = redis.call('HGETALL', key)
  for i = 1, #fields, 2 do
    local field, value = fields[i], fields[i + 1]
    if field == 'seen' then
      value = string.format('%.0f', value - micros)
    else
      local epoch, expiresAt, rest = string.match(value, '^(%d+) (%d+) (.*)$')
      value = string.format('%s %.0f %s', epoch, expiresAt - micros, rest)
    end
    redis.call('HSET', key, field, value)
  end
  redis.call('PEXPIRE', key, redis.call('PTTL', key) - ARGV[1] * 1000)
end
`;

export async function moveClock(admin: Redis, seconds: number): Promise<void> {
  await admin.eval(MOVE, 0, seconds);
}
