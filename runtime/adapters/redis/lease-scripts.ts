import { createHash } from 'node:crypto';
import { HOUR } from '../../../core/contract/time.ts';
import { DEFAULT_LIMITS } from '../../../core/contract/limits.ts';

/**
 * The rules of core/session/lease.ts as Lua, so that each call is one atomic step on the server that holds the user, by
 * that server's own clock. A user is one hash: a field for each device (`<epoch> <expiresAt> <missed> <gatewayId>`), and
 * `seen`, the end of the last lease that is not kept any more. Every key of a call carries the user in braces, so a user's
 * hash and hints lie in one slot of a cluster.
 *
 * The scripts declare that they write (no `no-writes`), also those that mostly read: a primary that was demoted or lost its
 * replicas (`min-replicas-to-write`) refuses such a script as a whole, where it would answer a read with what it knows
 * from before. What adds no memory may run when memory is used up (`allow-oom`), so that deliveries go on.
 * Source: Redis documentation, "Scripting with Lua", "Eval flags".
 */
export interface LeaseScript {
  readonly name: string;
  readonly text: string;
  /** By which the server knows the text (EVALSHA). */
  readonly sha: string;
  /** ARGV for each key; a call takes many keys. */
  readonly argsPerKey: number;
}

/**
 * A user's hash lives this long after the last write, for `lastSeen`. Longer than any lease on purpose: an eviction by
 * nearest expiry (`volatile-ttl`) takes those who were away longest, and nobody who is connected.
 */
export const LAST_SEEN = 7 * 24 * HOUR;

const PRELUDE = `
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]

-- Nil also for what is remembered no longer, or was never a lease.
local function read(text)
  if not text then return nil end
  local epoch, expiresAt, missed, gatewayId = string.match(text, '^(%d+) (%d+) ([01]) (.*)$')
  if not epoch then return nil end
  local lease = { epoch = tonumber(epoch), expiresAt = tonumber(expiresAt), missed = missed, gatewayId = gatewayId }
  if lease.expiresAt + ${DEFAULT_LIMITS.leaseMemory} <= now then return nil end
  return lease
end

local function write(key, device, epoch, expiresAt, missed, gatewayId)
  redis.call('HSET', key, device, string.format('%s %.0f %s %s', epoch, expiresAt, missed, gatewayId))
end

local function keep(key)
  redis.call('PEXPIRE', key, ${LAST_SEEN / 1_000})
end

local function online(key)
  local fields = redis.call('HGETALL', key)
  for i = 1, #fields, 2 do
    if fields[i] ~= 'seen' then
      local lease = read(fields[i + 1])
      if lease and lease.expiresAt > now then return true end
    end
  end
  return false
end

local function hint(key)
  redis.call('SPUBLISH', 'parley:presence:' .. string.match(key, '{.*}'), '')
end
`;

/** Replies `{0}` held, `{0, epoch, gateway}` held and taken from that one, `{1, epoch}` fenced. */
const CLAIM = `
local replies = {}
for i, key in ipairs(KEYS) do
  local device, epoch, ttl, gatewayId = unpack(ARGV, i * 4 - 3, i * 4)
  local stored = read(redis.call('HGET', key, device))
  local mine = tonumber(epoch)
  if stored and stored.epoch > mine then
    replies[i] = { 1, stored.epoch }
  else
    local alive = stored and stored.expiresAt > now
    if alive and stored.epoch < mine then
      replies[i] = { 0, stored.epoch, stored.gatewayId }
    else
      replies[i] = { 0 }
    end
    local came = not alive and not online(key)
    write(key, device, epoch, now + ttl, 0, gatewayId)
    keep(key)
    if came then hint(key) end
  end
end
return replies
`;

/** Replies 0 renewed, 1 recreated, 2 fenced. */
const RENEW = `
local replies = {}
for i, key in ipairs(KEYS) do
  local device, epoch, ttl, gatewayId = unpack(ARGV, i * 4 - 3, i * 4)
  local stored = read(redis.call('HGET', key, device))
  local mine = tonumber(epoch)
  if stored and stored.epoch > mine then
    replies[i] = 2
  else
    local alive = stored and stored.expiresAt > now
    local intact = alive and stored.epoch == mine and stored.missed == '0'
    replies[i] = intact and 0 or 1
    local came = not alive and not online(key)
    write(key, device, epoch, now + ttl, 0, gatewayId)
    keep(key)
    if came then hint(key) end
  end
end
return replies
`;

/** Replies whether the entry was there. */
const RELEASE = `
local replies = {}
for i, key in ipairs(KEYS) do
  local device, epoch = unpack(ARGV, i * 2 - 1, i * 2)
  local stored = read(redis.call('HGET', key, device))
  if stored and stored.epoch == tonumber(epoch) then
    redis.call('HDEL', key, device)
    redis.call('HSET', key, 'seen', string.format('%.0f', now))
    keep(key)
    if not online(key) then hint(key) end
    replies[i] = 1
  else
    replies[i] = 0
  end
end
return replies
`;

/** Replies the live sessions of each user as `{device, epoch, gateway, device, …}`; what it passes over is marked missed. */
const LOOKUP = `
local replies = {}
for i, key in ipairs(KEYS) do
  local fields = redis.call('HGETALL', key)
  local found = {}
  local n = 0
  for f = 1, #fields, 2 do
    local device = fields[f]
    if device ~= 'seen' then
      local lease = read(fields[f + 1])
      if not lease then
        local ended = string.match(fields[f + 1], '^%d+ (%d+)')
        local seen = redis.call('HGET', key, 'seen')
        if ended and (not seen or tonumber(seen) < tonumber(ended)) then redis.call('HSET', key, 'seen', ended) end
        redis.call('HDEL', key, device)
      elseif lease.expiresAt > now then
        found[n + 1] = device
        found[n + 2] = lease.epoch
        found[n + 3] = lease.gatewayId
        n = n + 3
      elseif lease.missed == '0' then
        write(key, device, string.format('%.0f', lease.epoch), lease.expiresAt, 1, lease.gatewayId)
      end
    end
  end
  replies[i] = found
end
return replies
`;

/** Replies whether the entry was there. */
const MARK_MISSED = `
local replies = {}
for i, key in ipairs(KEYS) do
  local lease = read(redis.call('HGET', key, ARGV[i]))
  if lease then
    write(key, ARGV[i], string.format('%.0f', lease.epoch), lease.expiresAt, 1, lease.gatewayId)
  end
  replies[i] = lease and 1 or 0
end
return replies
`;

/** Replies -1 online, 0 offline and never seen, or when the last lease ended. */
const PRESENCE = `
local replies = {}
for i, key in ipairs(KEYS) do
  local fields = redis.call('HGETALL', key)
  local seen = 0
  for f = 1, #fields, 2 do
    local ended = fields[f + 1]
    if fields[f] ~= 'seen' then ended = string.match(ended, '^%d+ (%d+)') end
    ended = tonumber(ended) or 0
    if fields[f] ~= 'seen' and ended > now then
      seen = -1
      break
    end
    if ended > seen then seen = ended end
  end
  replies[i] = seen
end
return replies
`;

function script(name: string, body: string, argsPerKey: number, flags: string): LeaseScript {
  const text = `#!lua${flags}\n${PRELUDE.trim()}\n${body}`;
  return { name, text, sha: createHash('sha1').update(text).digest('hex'), argsPerKey };
}

export const LEASE_SCRIPTS = {
  claim: script('claim', CLAIM, 4, ''),
  /** Of entries that are there already, nearly always. */
  renew: script('renew', RENEW, 4, ' flags=allow-oom'),
  release: script('release', RELEASE, 2, ' flags=allow-oom'),
  lookup: script('lookup', LOOKUP, 0, ' flags=allow-oom'),
  markMissed: script('markMissed', MARK_MISSED, 1, ' flags=allow-oom'),
  presence: script('presence', PRESENCE, 0, ' flags=allow-oom'),
} as const;

export const ALL_LEASE_SCRIPTS: readonly LeaseScript[] = Object.values(LEASE_SCRIPTS);
