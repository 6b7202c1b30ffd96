import { assertNever } from '../contract/assert.ts';
import { doubled } from '../contract/backoff.ts';
import { addCall, callAt, type CallTable, newCallTable, takeCall } from '../contract/call-table.ts';
import { hasElapsed } from '../contract/elapsed.ts';
import type { DeviceId, NodeId } from '../contract/ids.ts';
import type { Limits } from '../contract/limits.ts';
import type { DeliveryEvent, SessionEntry } from '../contract/records.ts';
import { shortList } from '../contract/short-list.ts';
import type { Micros } from '../contract/time.ts';
import type { PushOutcome } from '../session/push.ts';
import type { DeliveryWorkerEffect } from './delivery-effect.ts';
import type { DeliveryWorkerEvent, QueueRecord, UserSessions } from './delivery-event.ts';
import { begin, finish, newPartitionOffsets, type PartitionOffsets } from './partition-offsets.ts';

/**
 * The delivery worker: takes one recipient's event, finds the recipient's devices, pushes to the gateways that hold them,
 * and finishes the event when every device has it or is certain to read it from the store.
 *
 * Why leaving a device without a push is safe: a session claims its lease before it reads its chats' heads, so a device
 * that the registry did not know at the look-up reads a head that includes the message. A device that the registry did
 * know but that could not be reached is marked `missed` there, and its session reads the heads again at its next renewal.
 */
export interface DeliveryWorker {
  readonly nodeId: NodeId;
  readonly limits: Limits;
  readonly partitions: Map<number, PartitionOffsets>;
  /** Events in progress. *Invariant:* the partitions are paused when at or above `deliveryTasks`. */
  tasks: number;
  paused: boolean;
  /** What waits for an answer, pushes among it: the oldest times out first. */
  readonly calls: CallTable<Call>;
  resting: Task[];
  /** When the armed wake-up comes, roughly; undefined when none is armed. */
  wakeAt: Micros | undefined;
  /** Partitions whose watermark moved in this step. */
  readonly moved: number[];
}

interface Task {
  readonly partition: number;
  readonly generation: number;
  readonly slot: number;
  readonly event: DeliveryEvent;
  attempts: number;
  /** Times that the registry did not answer. */
  silences: number;
  /** Pushes without an answer. */
  open: number;
  /** Devices that could not be reached in this attempt. */
  failed: readonly SessionEntry[];
  /** Devices that have it. */
  settled: readonly DeviceId[];
  restingSince: Micros;
  restFor: number;
}

type Call =
  | { readonly kind: 'lookup'; readonly tasks: readonly Task[] }
  | { readonly kind: 'push'; readonly task: Task; readonly entry: SessionEntry; readonly sentAt: Micros }
  | { readonly kind: 'mark'; readonly task: Task };

export function createDeliveryWorker(options: {
  readonly nodeId: NodeId;
  readonly limits: Limits;
  readonly seed: number;
}): DeliveryWorker {
  return {
    nodeId: options.nodeId,
    limits: options.limits,
    partitions: new Map(),
    tasks: 0,
    paused: false,
    calls: newCallTable(),
    resting: [],
    wakeAt: undefined,
    moved: [],
  };
}

type Out = DeliveryWorkerEffect[];

/** Runs one event through the worker. @returns effects, to be carried out in order. */
export function stepDeliveryWorker(
  worker: DeliveryWorker,
  event: DeliveryWorkerEvent,
  now: Micros,
): readonly DeliveryWorkerEffect[] {
  const out: Out = shortList();
  switch (event.kind) {
    case 'records':
      onRecords(worker, event.partition, event.generation, event.records, now, out);
      break;
    case 'sessions':
      onSessions(worker, event.call, event.users, now, out);
      break;
    case 'pushed':
      onPushed(worker, event.pushId, event.outcome, now, out);
      break;
    case 'assigned':
      worker.partitions.set(event.partition, newPartitionOffsets(event.generation, event.offset));
      break;
    case 'revoked':
      // Work in flight goes on; without the partition its end commits nothing.
      worker.partitions.delete(event.partition);
      break;
    case 'marked':
      onMarked(worker, event.call, event.ok, now, out);
      break;
    case 'wake':
      onWake(worker, now, out);
      break;
    default:
      assertNever(event);
  }
  commitMoved(worker, out);
  return out;
}

const NO_ENTRIES: readonly SessionEntry[] = [];
const NO_DEVICES: readonly DeviceId[] = [];

/** Not the number of any push. */
const UNANSWERED = 0;

/** An answer to something else, from before a restart perhaps, ends nothing. */
function take<Kind extends Call['kind']>(
  worker: DeliveryWorker,
  number: number,
  kind: Kind,
): Extract<Call, { kind: Kind }> | undefined {
  const call = callAt(worker.calls, number);
  if (call?.kind !== kind) return undefined;
  takeCall(worker.calls, number);
  return call as Extract<Call, { kind: Kind }>;
}

function onRecords(
  worker: DeliveryWorker,
  number: number,
  generation: number,
  records: readonly QueueRecord[],
  now: Micros,
  out: Out,
): void {
  const partition = worker.partitions.get(number);
  if (partition === undefined || partition.generation !== generation) return;
  const tasks: Task[] = [];
  for (const record of records) {
    const slot = begin(partition, record.offset);
    if (slot === undefined) continue;
    worker.tasks++;
    tasks.push({
      partition: number,
      generation,
      slot,
      event: record.event,
      attempts: 0,
      silences: 0,
      open: 0,
      failed: NO_ENTRIES,
      settled: NO_DEVICES,
      restingSince: now,
      restFor: 0,
    });
  }
  lookUp(worker, tasks, out);
  if (!worker.paused && worker.tasks >= worker.limits.deliveryTasks) {
    worker.paused = true;
    out.push({ kind: 'pause' });
  }
}

function lookUp(worker: DeliveryWorker, tasks: readonly Task[], out: Out): void {
  for (let at = 0; at < tasks.length; at += worker.limits.lookupBatch) {
    const batch =
      tasks.length <= worker.limits.lookupBatch ? tasks : tasks.slice(at, at + worker.limits.lookupBatch);
    const call = addCall(worker.calls, { kind: 'lookup', tasks: batch });
    out.push({ kind: 'lookup', call, users: batch.map((task) => task.event.recipient) });
  }
}

function onSessions(
  worker: DeliveryWorker,
  call: number,
  users: readonly (UserSessions | undefined)[] | undefined,
  now: Micros,
  out: Out,
): void {
  const tasks = take(worker, call, 'lookup')?.tasks;
  if (tasks === undefined) return;
  for (let i = 0; i < tasks.length; i++) {
    const task = tasks[i] as Task;
    const found = users?.[i];
    // Without the registry nobody is known to be offline: wait for it, however long. The queue holds the event.
    if (found === undefined && task.event.item.kind === 'typing') finishTask(worker, task, out);
    else if (found === undefined) restInSilence(worker, task, now, out);
    else pushAll(worker, task, found.sessions, now, out);
  }
}

function pushAll(
  worker: DeliveryWorker,
  task: Task,
  sessions: readonly SessionEntry[],
  now: Micros,
  out: Out,
): void {
  const { item } = task.event;
  for (const entry of sessions) {
    if (isSender(task.event, entry) || task.settled.includes(entry.deviceId)) continue;
    // Typing is worth one try: nobody waits for its answer.
    const pushId =
      item.kind === 'typing' ? UNANSWERED : addCall(worker.calls, { kind: 'push', task, entry, sentAt: now });
    const push = {
      worker: worker.nodeId,
      pushId,
      userId: entry.userId,
      deviceId: entry.deviceId,
      epoch: entry.epoch,
      item,
    };
    out.push({ kind: 'push', gatewayId: entry.gatewayId, push });
    if (pushId === UNANSWERED) continue;
    task.open++;
    arm(worker, worker.limits.pushTimeout, now, out);
  }
  if (task.open === 0) finishTask(worker, task, out);
}

/** The sending device has its message already; the ACK told it the seq. */
function isSender(event: DeliveryEvent, entry: SessionEntry): boolean {
  return (
    event.item.kind === 'message' &&
    event.item.message.fromDevice === entry.deviceId &&
    event.item.message.from === entry.userId
  );
}

function onPushed(
  worker: DeliveryWorker,
  pushId: number,
  outcome: PushOutcome | 'unreachable',
  now: Micros,
  out: Out,
): void {
  const pushed = take(worker, pushId, 'push');
  if (pushed === undefined) return; // It timed out before, and was taken care of.
  const { task, entry } = pushed;
  task.open--;
  if (outcome !== 'settled') task.failed = [...task.failed, entry];
  // Who has it matters only while others are waited for.
  else if (task.open > 0 || task.failed.length > 0) task.settled = [...task.settled, entry.deviceId];
  if (task.open === 0) endAttempt(worker, task, now, out);
}

function endAttempt(worker: DeliveryWorker, task: Task, now: Micros, out: Out): void {
  if (task.failed.length === 0) {
    finishTask(worker, task, out);
    return;
  }
  task.attempts++;
  if (task.attempts < worker.limits.pushAttempts) {
    // The session may be moving: by the next look-up it is known where it went.
    rest(
      worker,
      task,
      doubled(worker.limits.pushRetry, task.attempts - 1, worker.limits.pushTimeout),
      now,
      out,
    );
  } else mark(worker, task, out);
}

function mark(worker: DeliveryWorker, task: Task, out: Out): void {
  const call = addCall(worker.calls, { kind: 'mark', task });
  out.push({
    kind: 'mark-missed',
    call,
    keys: task.failed.map(({ userId, deviceId }) => ({ userId, deviceId })),
  });
}

function onMarked(worker: DeliveryWorker, call: number, ok: boolean, now: Micros, out: Out): void {
  const task = take(worker, call, 'mark')?.task;
  if (task === undefined) return;
  if (ok) finishTask(worker, task, out);
  else restInSilence(worker, task, now, out);
}

function finishTask(worker: DeliveryWorker, task: Task, out: Out): void {
  worker.tasks--;
  const partition = worker.partitions.get(task.partition);
  if (partition !== undefined && partition.generation === task.generation && finish(partition, task.slot)) {
    if (!worker.moved.includes(task.partition)) worker.moved.push(task.partition);
  }
  if (worker.paused && worker.tasks <= worker.limits.deliveryTasks / 2) {
    worker.paused = false;
    out.push({ kind: 'resume' });
  }
}

function commitMoved(worker: DeliveryWorker, out: Out): void {
  for (let number = worker.moved.pop(); number !== undefined; number = worker.moved.pop()) {
    const partition = worker.partitions.get(number);
    if (partition === undefined) continue;
    out.push({
      kind: 'commit',
      partition: number,
      generation: partition.generation,
      offset: partition.watermark,
    });
  }
}

// ---------------------------------------------------------------- time

/** The registry is away or overloaded, and everybody's tasks wait for it: each asks less and less often. */
function restInSilence(worker: DeliveryWorker, task: Task, now: Micros, out: Out): void {
  const { pushRetry, pushTimeout } = worker.limits;
  rest(worker, task, doubled(pushRetry, task.silences, pushTimeout), now, out);
  task.silences++;
}

function rest(worker: DeliveryWorker, task: Task, span: number, now: Micros, out: Out): void {
  task.failed = NO_ENTRIES;
  task.restingSince = now;
  task.restFor = span;
  worker.resting.push(task);
  arm(worker, span, now, out);
}

/**
 * Arms the timer unless one is due no later. The clock may step, so an armed time that looks far off is not believed. One
 * that is past by less than `span` is: timers come a little late, a push in that moment would put the wake-up off by a
 * whole `pushTimeout`, and under traffic there is always one.
 */
function arm(worker: DeliveryWorker, span: number, now: Micros, out: Out): void {
  const { wakeAt } = worker;
  if (wakeAt !== undefined && wakeAt <= now + span && wakeAt + span >= now) return;
  worker.wakeAt = (now + span) as Micros;
  out.push({ kind: 'wake', timer: 'retry', after: span });
}

function onWake(worker: DeliveryWorker, now: Micros, out: Out): void {
  worker.wakeAt = undefined;
  const due: Task[] = [];
  const resting: Task[] = [];
  let nearest = Number.POSITIVE_INFINITY;
  for (const task of worker.resting) {
    if (hasElapsed(task.restingSince, task.restFor, now)) due.push(task);
    else {
      resting.push(task);
      nearest = Math.min(nearest, task.restingSince + task.restFor - now);
    }
  }
  worker.resting = resting;
  const { calls } = worker;
  for (let number = calls.first; number < calls.next; number++) {
    const call = callAt(calls, number);
    if (call?.kind !== 'push') continue;
    if (!hasElapsed(call.sentAt, worker.limits.pushTimeout, now)) {
      nearest = Math.min(nearest, call.sentAt + worker.limits.pushTimeout - now);
      break;
    }
    onPushed(worker, number, 'unreachable', now, out);
  }
  lookUp(worker, due, out);
  if (nearest !== Number.POSITIVE_INFINITY) arm(worker, nearest, now, out);
}
