import { assert, assertNever } from '../contract/assert.ts';
import { addCall, type CallTable, newCallTable, takeCall } from '../contract/call-table.ts';
import type { ChatId, UserId } from '../contract/ids.ts';
import type { Limits } from '../contract/limits.ts';
import type { DeliveryEvent, OutboxRow } from '../contract/records.ts';
import { shortList } from '../contract/short-list.ts';
import type {
  CountReceiptsResult,
  DeleteOutboxResult,
  ReadMembersResult,
  ReadOutboxResult,
} from '../contract/store.ts';
import type { Micros } from '../contract/time.ts';
import { itemOf, planPage, planRecipients } from './fan-out-plan.ts';
import type { RelayEffect } from './relay-effect.ts';
import { newRecounts, noteRow, type Recounts, takeCounted, takeDue } from './recount.ts';
import type { RelayEvent, RelayTimer } from './relay-event.ts';

/**
 * The outbox relay: rows that were committed with their messages become delivery events.
 *
 * A row is deleted only when all of its events are durable in the queue, so a relay that dies anywhere repeats work and
 * loses none; the ends absorb repetition. The outbox is read as a set, not followed by id: ids are given before
 * transactions commit, and a cursor would step over a late one.
 */
export interface Relay {
  readonly limits: Limits;
  reading: boolean;
  /** A hint came while a read was under way: what it announced may not be in that read. */
  readAgain: boolean;
  /** Rows read and not yet deleted. *Invariant:* at most `relayInFlight`. */
  readonly inFlight: Set<number>;
  readonly calls: CallTable<Call>;
  /** Publishes under way. *Invariant:* at most `relayPublishes`. */
  publishing: number;
  /** Publishes that wait until fewer are under way, in order. */
  queued: PublishCall[];
  readonly recounts: Recounts;
  /** Calls that failed, until the retry timer. */
  resting: Work[];
}

type Call = typeof READ | Work;

/** What is started anew when it failed; a read comes again by itself. */
type Work =
  | PublishCall
  | { readonly kind: 'delete'; readonly ids: readonly number[] }
  | { readonly kind: 'members'; readonly page: Page }
  | { readonly kind: 'count'; readonly chatId: ChatId; readonly row: number };

const READ = { kind: 'read' } as const;

interface PublishCall {
  readonly kind: 'publish';
  readonly events: readonly DeliveryEvent[];
  readonly settles: Publication;
}

/** What several publishes settle together: rows to delete, or else a page to go on from. */
interface Publication {
  readonly ids: readonly number[];
  readonly page: Page | undefined;
  /** Publishes that are not durable yet: none of the rows goes before the last of them is. */
  missing: number;
}

/** A large group on its way through its members: the next page starts after `afterUser`. */
interface Page {
  readonly row: Extract<OutboxRow, { kind: 'message' }>;
  readonly afterUser: UserId | undefined;
  /** This page was the last one. */
  readonly last: boolean;
}

export function createRelay(options: { readonly limits: Limits; readonly seed: number }): Relay {
  return {
    limits: options.limits,
    reading: false,
    readAgain: false,
    inFlight: new Set(),
    calls: newCallTable(),
    publishing: 0,
    queued: [],
    recounts: newRecounts(),
    resting: [],
  };
}

type Out = RelayEffect[];

/** Runs one event through the relay. @returns effects, to be carried out in order. */
export function stepRelay(relay: Relay, event: RelayEvent, now: Micros): readonly RelayEffect[] {
  const out: Out = shortList();
  switch (event.kind) {
    case 'hint':
      read(relay, out);
      break;
    case 'outbox':
      take(relay, event.call);
      onOutbox(relay, event.result, now, out);
      break;
    case 'members':
      onMembers(relay, take(relay, event.call), event.result, out);
      break;
    case 'counted':
      onCounted(relay, take(relay, event.call), event.result, now, out);
      break;
    case 'published':
      onPublished(relay, take(relay, event.call), event.outcome, out);
      break;
    case 'deleted':
      onDeleted(relay, take(relay, event.call), event.result, out);
      break;
    case 'wake':
      onWake(relay, event.timer, now, out);
      break;
    default:
      assertNever(event);
  }
  return out;
}

function read(relay: Relay, out: Out): void {
  const room = relay.limits.relayInFlight - relay.inFlight.size;
  if (relay.reading || room <= 0) {
    relay.readAgain = true;
    return;
  }
  relay.reading = true;
  relay.readAgain = false;
  const { outboxBatch, inlineCiphertext } = relay.limits;
  const request = { limit: Math.min(room, outboxBatch), inlineCiphertext, except: [...relay.inFlight] };
  out.push({ kind: 'read-outbox', call: addCall(relay.calls, READ), request });
}

function onOutbox(relay: Relay, result: ReadOutboxResult, now: Micros, out: Out): void {
  relay.reading = false;
  // Armed after each read, so that a store in trouble is asked again once per period and no hint is ever needed.
  out.push({ kind: 'wake', timer: 'poll', after: relay.limits.outboxPoll });
  if (result.outcome === 'failed') return;
  const listed: ListedRow[] = [];
  const spare: number[] = [];
  for (const row of result.rows) {
    if (relay.inFlight.has(row.id)) continue;
    relay.inFlight.add(row.id);
    if (row.kind === 'counts') {
      if (!noteRow(relay.recounts, row.chatId, row.id, relay.limits)) spare.push(row.id);
    } else if (row.kind === 'message' && row.recipients === undefined) {
      start(relay, { kind: 'members', page: { row, afterUser: undefined, last: false } }, out);
    } else listed.push(row);
  }
  publishRows(relay, listed, out);
  if (spare.length > 0) start(relay, { kind: 'delete', ids: spare }, out);
  if (relay.recounts.waiting.size > 0) count(relay, now, out);
  if (relay.readAgain || result.rows.length >= relay.limits.outboxBatch) read(relay, out);
}

type ListedRow = Exclude<OutboxRow, { kind: 'counts' }>;

/** Whole rows to a publish, as many as it may carry, so that one that fails holds up few others. */
function publishRows(relay: Relay, rows: readonly ListedRow[], out: Out): void {
  let ids: number[] = [];
  let events: DeliveryEvent[] = [];
  for (const row of rows) {
    const recipients = row.recipients ?? [];
    if (ids.length > 0 && events.length + recipients.length > relay.limits.publishEvents) {
      publish(relay, { ids, events, page: undefined }, out);
      ids = [];
      events = [];
    }
    ids.push(row.id);
    planRecipients(itemOf(row), recipients, events);
  }
  if (ids.length > 0) publish(relay, { ids, events, page: undefined }, out);
}

interface Publishing {
  readonly ids: readonly number[];
  readonly events: readonly DeliveryEvent[];
  readonly page: Page | undefined;
}

/** A queue refuses for ever what is more than it holds, so a publish has a limit; a row with more recipients takes several. */
function publish(relay: Relay, { ids, events, page }: Publishing, out: Out): void {
  const most = relay.limits.publishEvents;
  const settles: Publication = { ids, page, missing: Math.max(1, Math.ceil(events.length / most)) };
  for (let part = 0, parts = settles.missing; part < parts; part++) {
    const own = parts === 1 ? events : events.slice(part * most, (part + 1) * most);
    start(relay, { kind: 'publish', events: own, settles }, out);
  }
}

/** Counts what is due, and comes back for the rest. */
function count(relay: Relay, now: Micros, out: Out): void {
  const { recounts, limits } = relay;
  for (const due of takeDue(recounts, limits, now)) start(relay, { kind: 'count', ...due }, out);
  if (recounts.armed || recounts.waiting.size === 0) return;
  recounts.armed = true;
  out.push({ kind: 'wake', timer: 'counts', after: limits.countInterval });
}

function onCounted(relay: Relay, call: Call, result: CountReceiptsResult, now: Micros, out: Out): void {
  assert(call.kind === 'count', 'counts answered another call');
  if (result.outcome === 'failed') {
    rest(relay, call, out);
    return;
  }
  const news = takeCounted(relay.recounts, call.chatId, result.counts);
  const events = news.map(
    (each): DeliveryEvent => ({
      recipient: each.from,
      item: { kind: 'counts', count: each },
    }),
  );
  const ids = [call.row];
  if (events.length === 0) start(relay, { kind: 'delete', ids }, out);
  else publish(relay, { ids, events, page: undefined }, out);
  count(relay, now, out);
}

function onMembers(relay: Relay, call: Call, result: ReadMembersResult, out: Out): void {
  assert(call.kind === 'members', 'members answered another call');
  if (result.outcome === 'failed') {
    rest(relay, call, out);
    return;
  }
  const { row } = call.page;
  const last = result.users.length < relay.limits.fanOutPage;
  const afterUser = result.users[result.users.length - 1];
  const events: DeliveryEvent[] = [];
  planPage(row, result, relay.limits, events);
  const page: Page = { row, afterUser, last };
  if (events.length === 0 && last) start(relay, { kind: 'delete', ids: [row.id] }, out);
  else if (events.length === 0) start(relay, { kind: 'members', page }, out);
  else publish(relay, { ids: last ? [row.id] : [], events, page }, out);
}

function onPublished(relay: Relay, call: Call, outcome: 'ok' | 'failed' | 'unknown', out: Out): void {
  assert(call.kind === 'publish', 'published answered another call');
  relay.publishing--;
  if (outcome !== 'ok') rest(relay, call, out);
  else onDurable(relay, call.settles, out);
  const next = relay.queued.shift();
  if (next !== undefined) start(relay, next, out);
}

function onDurable(relay: Relay, settles: Publication, out: Out): void {
  settles.missing--;
  if (settles.missing > 0) return;
  const { ids, page } = settles;
  if (ids.length > 0) start(relay, { kind: 'delete', ids }, out);
  else if (page !== undefined) start(relay, { kind: 'members', page }, out);
}

function onDeleted(relay: Relay, call: Call, result: DeleteOutboxResult, out: Out): void {
  assert(call.kind === 'delete', 'deleted answered another call');
  if (result.outcome !== 'ok') {
    rest(relay, call, out);
    return;
  }
  if (call.ids.length === relay.inFlight.size) relay.inFlight.clear();
  else for (const id of call.ids) relay.inFlight.delete(id);
  if (relay.readAgain) read(relay, out);
}

/** Makes the call; a publish only when few enough are under way, else it waits for its turn. */
function start(relay: Relay, call: Work, out: Out): void {
  if (call.kind === 'publish') {
    if (relay.publishing >= relay.limits.relayPublishes) {
      relay.queued.push(call);
      return;
    }
    relay.publishing++;
  }
  const number = addCall(relay.calls, call);
  switch (call.kind) {
    case 'publish':
      out.push({ kind: 'publish', call: number, events: call.events });
      break;
    case 'delete':
      out.push({ kind: 'delete-outbox', call: number, ids: call.ids });
      break;
    case 'members': {
      const { row, afterUser } = call.page;
      const { chatId, seq } = row.message;
      out.push({
        kind: 'read-members',
        call: number,
        request: {
          chatId,
          seq,
          afterUser,
          limit: relay.limits.fanOutPage,
          positionsAbove: relay.limits.hugeGroup,
          authorsWithin: relay.limits.activeDistance,
        },
      });
      break;
    }
    case 'count': {
      const { chatId } = call;
      const request = { chatId, from: undefined, limit: relay.limits.countedMessages };
      out.push({ kind: 'count-receipts', call: number, request });
      break;
    }
    default:
      assertNever(call);
  }
}

function take(relay: Relay, number: number): Call {
  const call = takeCall(relay.calls, number);
  assert(call !== undefined, 'a call completed twice or was never made');
  return call;
}

/** Repeats the call after a while, for ever: a row is not given up. In-flight room bounds how many can wait. */
function rest(relay: Relay, call: Work, out: Out): void {
  if (relay.resting.length === 0) out.push({ kind: 'wake', timer: 'retry', after: relay.limits.relayRetry });
  relay.resting.push(call);
}

function onWake(relay: Relay, timer: RelayTimer, now: Micros, out: Out): void {
  switch (timer) {
    case 'poll':
      read(relay, out);
      break;
    case 'retry':
      retry(relay, out);
      break;
    case 'counts':
      relay.recounts.armed = false;
      count(relay, now, out);
      break;
    default:
      assertNever(timer);
  }
}

function retry(relay: Relay, out: Out): void {
  const calls = relay.resting;
  relay.resting = [];
  for (const call of calls) start(relay, call, out);
}
