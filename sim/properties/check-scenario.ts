import { DEFAULT_LIMITS } from '../../core/contract/limits.ts';
import { faultKind } from '../faults/fault-kinds.ts';
import type { Scenario, Topology } from '../scenario.ts';

export type ScenarioCheck =
  | { readonly ok: true; readonly scenario: Scenario }
  /** Each names the field and says what would be right. */
  | { readonly ok: false; readonly problems: readonly string[] };

const MOST_PROBLEMS = 20;
const MOST_NODES = 1_000;
const MOST_MICROS = 24 * 3_600 * 1_000_000;
const OPS_OF_DEVICES: ReadonlySet<string> = new Set([
  'send',
  'read',
  'open',
  'close',
  'typing',
  'offline',
  'online',
]);
const OPS_OF_MEMBERS: ReadonlySet<string> = new Set(['add-member', 'remove-member']);
const TRANSPORTS: readonly string[] = ['websocket', 'auto', 'poll', 'proxied'];
const NETWORKS: readonly string[] = ['local', 'region', 'mobile'];

/** Checks that a value, such as a file that was read, is a scenario that can be run. */
export function checkScenario(value: unknown): ScenarioCheck {
  const check = new Check();
  const root = check.record('', value);
  if (root === undefined) return { ok: false, problems: check.problems };
  check.one('version', root['version'], [1]);
  check.integer('seed', root['seed'], 0, 2 ** 32 - 1);
  const topology = checkTopology(check, root['topology']);
  checkKnobs(check, root['knobs']);
  if (topology !== undefined) {
    check.each('ops', root['ops'], (name, op) => checkOp(check, name, op, topology));
    check.each('faults', root['faults'], (name, fault) => checkFault(check, name, fault, topology));
  }
  return check.problems.length === 0
    ? { ok: true, scenario: value as Scenario }
    : { ok: false, problems: check.problems.slice(0, MOST_PROBLEMS) };
}

/** Gathers problems; each method returns undefined, or false, when it added one. */
class Check {
  readonly problems: string[] = [];

  fail(name: string, wanted: string, value: unknown): void {
    const text = JSON.stringify(value) ?? 'missing';
    this.problems.push(`${name === '' ? 'the scenario' : name}: must be ${wanted}, is ${text.slice(0, 60)}`);
  }

  record(name: string, value: unknown): Readonly<Record<string, unknown>> | undefined {
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return value as Readonly<Record<string, unknown>>;
    }
    this.fail(name, 'an object', value);
    return undefined;
  }

  integer(name: string, value: unknown, low: number, high: number): boolean {
    if (typeof value === 'number' && Number.isInteger(value) && value >= low && value <= high) return true;
    this.fail(name, `an integer from ${low} to ${high}`, value);
    return false;
  }

  one(name: string, value: unknown, allowed: readonly unknown[]): boolean {
    if (allowed.includes(value)) return true;
    this.fail(name, allowed.map((a) => JSON.stringify(a)).join(' or '), value);
    return false;
  }

  each(name: string, value: unknown, item: (name: string, value: unknown) => void): void {
    if (!Array.isArray(value)) this.fail(name, 'a list', value);
    else value.forEach((entry, i) => item(`${name}[${i}]`, entry));
  }
}

function checkTopology(check: Check, value: unknown): Topology | undefined {
  const topology = check.record('topology', value);
  if (topology === undefined) return undefined;
  const before = check.problems.length;
  const { regions } = topology;
  if (regions !== undefined) check.one('topology.regions', regions, [1, 2]);
  // Each region needs somebody of every role.
  for (const name of ['gateways', 'services', 'relays', 'workers'] as const) {
    check.integer(`topology.${name}`, topology[name], regions === 2 ? 2 : 1, MOST_NODES);
  }
  for (const name of ['partitions', 'users'] as const) {
    check.integer(`topology.${name}`, topology[name], 1, MOST_NODES);
  }
  check.integer('topology.devices', topology['devices'], 0, 100 * MOST_NODES);
  const users = Number(topology['users']);
  check.each('topology.chats', topology['chats'], (name, chat) => checkChat(check, name, chat, users));
  return check.problems.length === before ? (value as Topology) : undefined;
}

function checkChat(check: Check, name: string, value: unknown, users: number): void {
  const chat = check.record(name, value);
  if (chat === undefined) return;
  check.one(`${name}.kind`, chat['kind'], ['direct', 'group']);
  check.each(`${name}.members`, chat['members'], (field, user) => check.integer(field, user, 0, users - 1));
  const members = chat['members'];
  if (!Array.isArray(members)) return;
  if (members.length === 0 || new Set(members).size !== members.length) {
    check.fail(`${name}.members`, 'at least one user, each named once', members);
  }
  if (chat['kind'] === 'direct' && members.length !== 2) {
    check.fail(`${name}.members`, 'two users: the chat is direct', members);
  }
}

function checkKnobs(check: Check, value: unknown): void {
  const knobs = check.record('knobs', value);
  if (knobs === undefined) return;
  check.one('knobs.network', knobs['network'], NETWORKS);
  check.one('knobs.wire', knobs['wire'], [true, false]);
  if (knobs['transports'] !== undefined) {
    check.each('knobs.transports', knobs['transports'], (name, transport) =>
      check.one(name, transport, TRANSPORTS),
    );
    if (Array.isArray(knobs['transports']) && knobs['transports'].length === 0)
      check.fail('knobs.transports', 'one transport or more', []);
  }
  check.integer('knobs.safetyMicros', knobs['safetyMicros'], 0, MOST_MICROS);
  const limits = check.record('knobs.limits', knobs['limits']);
  for (const [name, limit] of Object.entries(limits ?? {})) {
    if (!(name in DEFAULT_LIMITS))
      check.fail(`knobs.limits.${name}`, 'the name of a limit (core/contract/limits.ts)', name);
    else check.integer(`knobs.limits.${name}`, limit, 0, Number.MAX_SAFE_INTEGER);
  }
}

function checkOp(check: Check, name: string, value: unknown, topology: Topology): void {
  const op = check.record(name, value);
  if (op === undefined) return;
  check.integer(`${name}.at`, op['at'], 0, MOST_MICROS);
  const kind = String(op['op']);
  if (OPS_OF_MEMBERS.has(kind)) {
    check.integer(`${name}.by`, op['by'], 0, topology.users - 1);
    check.integer(`${name}.user`, op['user'], 0, topology.users - 1);
    if (op['role'] !== undefined) check.one(`${name}.role`, op['role'], ['admin', 'member']);
  } else if (OPS_OF_DEVICES.has(kind)) check.integer(`${name}.device`, op['device'], 0, topology.devices - 1);
  else check.one(`${name}.op`, op['op'], [...OPS_OF_DEVICES, ...OPS_OF_MEMBERS]);
  if (kind === 'offline' || kind === 'online') return;
  check.integer(`${name}.chat`, op['chat'], 0, topology.chats.length - 1);
  if (kind === 'send') check.integer(`${name}.bytes`, op['bytes'], 0, 2 ** 20);
}

function checkFault(check: Check, name: string, value: unknown, topology: Topology): void {
  const fault = check.record(name, value);
  if (fault === undefined) return;
  check.integer(`${name}.at`, fault['at'], 0, MOST_MICROS);
  check.integer(`${name}.for`, fault['for'], 0, MOST_MICROS);
  check.integer(`${name}.amount`, fault['amount'], -MOST_MICROS, MOST_MICROS);
  if (fault['permanent'] !== undefined) check.one(`${name}.permanent`, fault['permanent'], [true, false]);
  const kind = faultKind(String(fault['kind']));
  if (kind === undefined) {
    check.fail(`${name}.kind`, 'the name of a file of sim/faults/', fault['kind']);
    return;
  }
  if (!kind.targets(topology).includes(String(fault['target']))) {
    check.fail(`${name}.target`, `one of ${kind.targets(topology).slice(0, 8).join(', ')}`, fault['target']);
  }
}
