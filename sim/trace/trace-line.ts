import type { TraceRecord } from '../run-result.ts';

const LONGEST = 100;

/** One event of a replay as one line: time, lane of the node, where it came from, what it is, what it caused. */
export class TraceLines {
  #widest = 8;

  line(record: TraceRecord): string {
    this.#widest = Math.max(this.#widest, record.node.length);
    const time = (record.at / 1_000_000).toFixed(6).padStart(11);
    const from = record.from === undefined ? '' : ` ← ${record.from}`;
    const details = summary(record.event);
    const effects = record.effects.map(effectName);
    return [
      time,
      ' ',
      record.node.padEnd(this.#widest),
      ' │ ',
      `${record.label}${from}`,
      details === '' ? '' : ` ${details}`,
      effects.length === 0 ? '' : ` → ${counted(effects)}`,
    ].join('');
  }
}

/** "append", "frame ACK", "wake retry" */
function effectName(effect: unknown): string {
  if (typeof effect !== 'object' || effect === null) return String(effect);
  const { kind, frame, timer, reply } = effect as {
    readonly kind?: string;
    readonly frame?: { readonly frame?: string };
    readonly timer?: string;
    readonly reply?: { readonly kind?: string };
  };
  const detail = frame?.frame ?? timer ?? reply?.kind;
  return detail === undefined ? String(kind) : `${String(kind)} ${detail}`;
}

/** "append, frame ACK ×3" */
function counted(names: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].map(([name, count]) => (count === 1 ? name : `${name} ×${count}`)).join(', ');
}

const SHOWN = [
  'chatId',
  'seq',
  'serverMsgId',
  'clientMsgId',
  'userId',
  'status',
  'code',
  'outcome',
  'afterSeq',
];

/** The fields that tell messages apart, wherever the event keeps them. */
function summary(event: unknown): string {
  const found = new Map<string, unknown>();
  gather(event, found, 0);
  const text = SHOWN.filter((name) => found.has(name))
    .map((name) => `${name}=${shorten(found.get(name))}`)
    .join(' ');
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}

function gather(value: unknown, found: Map<string, unknown>, depth: number): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || depth > 3) return;
  for (const [name, field] of Object.entries(value)) {
    if (SHOWN.includes(name) && field !== undefined && typeof field !== 'object' && !found.has(name))
      found.set(name, field);
    else gather(field, found, depth + 1);
  }
}

/** Ids of a run are long and differ at their end. */
function shorten(value: unknown): string {
  const text = String(value);
  return text.length <= 14 ? text : `…${text.slice(-10)}`;
}
