import type { UserId } from '../../core/contract/ids.ts';
import type { SessionEntry } from '../../core/contract/records.ts';
import type { Micros } from '../../core/contract/time.ts';
import type { RegistryCall } from './registry-node.ts';
import type { SessionRegistryModel } from './session-registry.ts';

/** Tells who watches this user that its first session came or its last one went. */
export type Hint = (userId: UserId) => void;

/** Told which epoch the registry held of a device before a call, and which one after it. */
export type LeaseWatch = (entry: SessionEntry, before: number | undefined, after: number | undefined) => void;

/** Carries the call out. @returns the completion event for the machine that asked; undefined for a call without answer. */
export function carryOutRegistryCall(
  model: SessionRegistryModel,
  call: RegistryCall,
  now: Micros,
  at: number,
  hint: Hint,
  watch: LeaseWatch = () => {},
): object | undefined {
  switch (call.kind) {
    case 'claim': {
      const wasOnline = model.isOnline(call.entry.userId, now);
      const before = model.epochOf(call.entry, now);
      const result = model.claim(call.entry, call.ttl, now, at);
      watch(call.entry, before, model.epochOf(call.entry, now));
      if (result.outcome === 'held' && !wasOnline) hint(call.entry.userId);
      return { kind: 'claimed', conn: call.conn, result };
    }
    case 'renew': {
      const outcomes = call.entries.map((entry) => {
        const wasOnline = model.isOnline(entry.userId, now);
        const before = model.epochOf(entry, now);
        const outcome = model.renew(entry, call.ttl, now, at);
        watch(entry, before, model.epochOf(entry, now));
        if (outcome === 'recreated' && !wasOnline) hint(entry.userId);
        return outcome;
      });
      return { kind: 'renewed', conns: call.conns, outcomes };
    }
    case 'release': {
      const before = model.epochOf(call.entry, now);
      const released = model.release(call.entry, now, at);
      watch(call.entry, before, model.epochOf(call.entry, now));
      if (released && !model.isOnline(call.entry.userId, now)) hint(call.entry.userId);
      return undefined;
    }
    case 'read-presence':
      return { kind: 'presence', readings: call.users.map((userId) => model.presence(userId, now)) };
    case 'lookup': {
      const users = call.users.map((userId) => model.lookUp(userId, now, at));
      return { kind: 'sessions', call: call.call, users };
    }
    case 'mark-missed':
      model.markMissed(call.keys, at);
      return { kind: 'marked', call: call.call, ok: true };
  }
}

/** @returns the completion when the registry did not answer. */
export function failedRegistryCall(call: RegistryCall): object | undefined {
  switch (call.kind) {
    case 'claim':
      return { kind: 'claimed', conn: call.conn, result: { outcome: 'failed' } };
    case 'renew':
      return { kind: 'renewed', conns: call.conns, outcomes: undefined };
    case 'release':
      return undefined;
    case 'read-presence':
      return { kind: 'presence', readings: [] };
    case 'lookup':
      return { kind: 'sessions', call: call.call, users: undefined };
    case 'mark-missed':
      return { kind: 'marked', call: call.call, ok: false };
  }
}
