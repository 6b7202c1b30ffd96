import { faultKind } from '../faults/fault-kinds.ts';
import type { Fault, Op, Scenario } from '../scenario.ts';

/** "t=1.200 s" */
export function timeText(micros: number): string {
  return `t=${(micros / 1_000_000).toFixed(3)} s`;
}

/** "gateway-1 crashes for 800 ms", without the time. */
export function faultText(fault: Fault): string {
  const kind = faultKind(fault.kind);
  const words = kind === undefined ? `${fault.kind} strikes ${fault.target}` : kind.describe(fault);
  return fault.permanent === true ? `${words}, for ever` : words;
}

/** "device-3 sends a message to chat-0", without the time. */
export function opText(op: Op, count = 1): string {
  switch (op.op) {
    case 'send':
      return `device-${op.device} sends ${count === 1 ? 'a message' : `${count} messages`} to chat-${op.chat}`;
    case 'read':
      return `device-${op.device} reads chat-${op.chat}`;
    case 'open':
      return `device-${op.device} opens chat-${op.chat}`;
    case 'close':
      return `device-${op.device} closes chat-${op.chat}`;
    case 'typing':
      return `device-${op.device} types in chat-${op.chat}`;
    case 'offline':
      return `device-${op.device} is switched off`;
    case 'online':
      return `device-${op.device} is switched on`;
    case 'add-member':
      return `user-${op.by} adds user-${op.user} to chat-${op.chat}${op.role === 'admin' ? ' as an admin' : ''}`;
    case 'remove-member':
      return op.by === op.user
        ? `user-${op.user} leaves chat-${op.chat}`
        : `user-${op.by} removes user-${op.user} from chat-${op.chat}`;
  }
}

/** The system and its limits, in one line or two: what the run starts from. */
export function systemText(scenario: Scenario): string[] {
  const { topology, knobs } = scenario;
  const many = (count: number, name: string): string => `${count} ${name}${count === 1 ? '' : 's'}`;
  const chats = topology.chats.map(
    (chat, i) => `chat-${i} ${chat.kind === 'direct' ? 'of' : 'a group of'} users ${chat.members.join(', ')}`,
  );
  const nodes = [
    many(topology.gateways, 'gateway'),
    many(topology.services, 'service'),
    many(topology.relays, 'relay'),
    many(topology.workers, 'worker'),
    many(topology.partitions, 'partition'),
  ];
  const limits = Object.entries(knobs.limits).map(([name, value]) => `${name}=${value}`);
  const lines = [
    `${topology.regions === 2 ? 'two regions: ' : ''}${nodes.join(', ')}; ${many(topology.users, 'user')} with ${many(topology.devices, 'device')}; ${shortList(chats, '; ', 4)}`,
  ];
  const unusual = [
    ...(knobs.network === 'local' ? [] : [`network ${knobs.network}`]),
    ...(knobs.wire ? ['frames encoded'] : []),
    ...(knobs.transports === undefined ? [] : [`devices by ${knobs.transports.join(', ')} in turn`]),
    ...limits,
  ];
  if (unusual.length > 0) lines.push(shortList(unusual, ', ', 10));
  return lines;
}

function shortList(parts: readonly string[], separator: string, most: number): string {
  const shown = parts.slice(0, most).join(separator);
  return parts.length > most ? `${shown}${separator}and ${parts.length - most} more` : shown;
}

interface Line {
  readonly at: number;
  readonly text: string;
}

/** Operations and faults in the order of time; equal sends in a row are one line. At most `most` lines. */
export function eventLines(scenario: Scenario, most: number): string[] {
  const lines: Line[] = scenario.faults.map((fault) => ({ at: fault.at, text: faultText(fault) }));
  lines.push(...opLines(scenario.ops));
  // Faults first where times are equal, as they are begun first.
  const sorted = lines
    .map((line, i) => ({ line, i }))
    .sort((a, b) => (a.line.at === b.line.at ? a.i - b.i : a.line.at - b.line.at));
  const texts = sorted.map(({ line }) => `${timeText(line.at)} ${line.text}`);
  if (texts.length <= most) return texts;
  return [...texts.slice(0, most - 1), `… and ${texts.length - most + 1} more, in the scenario's file`];
}

function opLines(ops: readonly Op[]): Line[] {
  const lines: Line[] = [];
  const sorted = ops
    .map((op, i) => ({ op, i }))
    .sort((a, b) => (a.op.at === b.op.at ? a.i - b.i : a.op.at - b.op.at));
  for (let i = 0; i < sorted.length; ) {
    const { op } = sorted[i]!;
    let count = 1;
    if (op.op === 'send') {
      while (i + count < sorted.length && sameSend(op, sorted[i + count]!.op)) count++;
    }
    lines.push({ at: op.at, text: opText(op, count) });
    i += count;
  }
  return lines;
}

function sameSend(a: Op & { op: 'send' }, b: Op): boolean {
  return b.op === 'send' && a.device === b.device && a.chat === b.chat;
}
