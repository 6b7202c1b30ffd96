import { createHash } from 'node:crypto';

/** All in one hash slot, so that one script may touch them on a cluster. */
const KEYS = {
  /** Sorted set: node by the time of its last heartbeat, milliseconds of the server's clock. */
  seen: '{parley:nodes}:seen',
  /** Hash: node to its record. */
  records: '{parley:nodes}:records',
  /** Sorted set: node by the version at which it last came, changed or went. */
  changes: '{parley:nodes}:changes',
  /** Hash: `version` counts changes; `epoch` names the stretch in which `changes` is complete. */
  state: '{parley:nodes}:state',
} as const;

/**
 * One round trip for a heartbeat and for what changed since the caller's last one, so that ten thousand quiet nodes cost
 * ten thousand small answers. `epoch` is made anew when the server has lost everything, and when the memory of nodes
 * that went has grown too long; the caller then gets everything.
 *
 * ARGV: milliseconds an entry lives; epoch and version that the caller knows ('' and 0: everything is wanted); the caller's
 * node or ''; its record, '' to take it out. Returns epoch, version, 1 when everything follows, then node, record, …
 * with '' for a node that went.
 */
const TEXT = `
local seen, records, changes, state = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local ttl, epoch, known, node, record = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3]), ARGV[4], ARGV[5]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function changed(id)
  redis.call('ZADD', changes, redis.call('HINCRBY', state, 'version', 1), id)
end
local function remove(id)
  redis.call('ZREM', seen, id)
  if redis.call('HDEL', records, id) == 1 then changed(id) end
end

for _, id in ipairs(redis.call('ZRANGEBYSCORE', seen, '-inf', now - ttl)) do remove(id) end
if node ~= '' then
  if record == '' then
    remove(node)
  else
    redis.call('ZADD', seen, now, node)
    if redis.call('HGET', records, node) ~= record then
      redis.call('HSET', records, node, record)
      changed(node)
    end
  end
end

local current = redis.call('HGET', state, 'epoch')
if not current or redis.call('ZCARD', changes) > 2 * redis.call('HLEN', records) + 1000 then
  current = time[1] .. '.' .. time[2]
  redis.call('HSET', state, 'epoch', current)
  redis.call('DEL', changes)
end
local version = tonumber(redis.call('HGET', state, 'version') or '0')
if epoch ~= current or known > version then
  local reply = redis.call('HGETALL', records)
  table.insert(reply, 1, 1)
  table.insert(reply, 1, version)
  table.insert(reply, 1, current)
  return reply
end
local reply = { current, version, 0 }
for _, id in ipairs(redis.call('ZRANGEBYSCORE', changes, '(' .. known, '+inf')) do
  reply[#reply + 1] = id
  reply[#reply + 1] = redis.call('HGET', records, id) or ''
end
return reply
`;

export const NODE_DIRECTORY_SCRIPT = {
  text: TEXT,
  sha: createHash('sha1').update(TEXT).digest('hex'),
  keys: [KEYS.seen, KEYS.records, KEYS.changes, KEYS.state],
} as const;
