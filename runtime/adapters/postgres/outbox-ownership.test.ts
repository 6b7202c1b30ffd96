import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { OutboxOwnership } from '../../ports/outbox.ts';
import { postgresOutbox } from './outbox-ownership.ts';
import { FaultRig, until } from './testing/fault-rig.ts';

let rig: FaultRig;
beforeAll(async () => {
  rig = await FaultRig.start();
});
afterAll(() => rig.stop());

const competitors: Competitor[] = [];
afterEach(async () => {
  await Promise.all(competitors.splice(0).map((each) => each.ownership.close()));
});

interface Competitor {
  readonly ownership: OutboxOwnership;
  /** What it was told, in order. */
  readonly told: ('owned' | 'lost')[];
  /** The warnings it logged. */
  readonly warnings: string[];
}

function compete(throughProxy = false): Competitor {
  const told: ('owned' | 'lost')[] = [];
  const warnings: string[] = [];
  const connectionString = throughProxy
    ? `postgresql://parley@127.0.0.1:${rig.proxy.port}/parley`
    : rig.database.connectionString;
  const outbox = postgresOutbox({
    shard: 's0',
    connectionString,
    store: undefined as never,
    log: pino({ level: 'warn' }, { write: (line: string) => warnings.push(line) }),
    beatMs: 20,
    patienceMs: 200,
  });
  const ownership = outbox.compete(
    () => told.push('owned'),
    () => told.push('lost'),
  );
  const competitor = { ownership, told, warnings };
  competitors.push(competitor);
  return competitor;
}

const oneOf = (all: readonly Competitor[]) => all.filter(({ ownership }) => ownership.owned).length === 1;

test('of many one owns the outbox, and when it closes another takes over', async () => {
  const all = Array.from({ length: 4 }, () => compete());
  for (let round = 0; round < 3; round++) {
    await until(async () => oneOf(all));
    const owner = all.find(({ ownership }) => ownership.owned)!;
    await owner.ownership.close();
    expect(owner.told).toEqual(['owned', 'lost']);
    // A drain is no reason to wake anybody.
    expect(owner.warnings).toEqual([]);
  }
  await until(async () => oneOf(all));
});

test('an owner whose session PostgreSQL ended says so, and competes again', async () => {
  const [first, second] = [compete(), compete()];
  await until(async () => oneOf([first, second]));
  const [owner, other] = first.ownership.owned ? [first, second] : [second, first];
  await rig.sql(
    `SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted AND pid <> pg_backend_pid()`,
  );
  await until(async () => owner.told.includes('lost'));
  await until(async () => oneOf([owner, other]));
  const told = [...owner.told, ...other.told];
  expect(told.filter((each) => each === 'owned').length).toBe(2);
});

test('an owner that is cut off gives up by itself', async () => {
  const owner = compete(true);
  await until(async () => owner.ownership.owned);
  rig.proxy.mute(true);
  await until(async () => owner.told.includes('lost'));
  rig.proxy.mute(false);
  await until(async () => owner.ownership.owned);
  expect(owner.told).toEqual(['owned', 'lost', 'owned']);
});

test('the outbox is owned again after PostgreSQL was killed', async () => {
  const all = [compete(), compete()];
  await until(async () => oneOf(all));
  process.kill(rig.database.postgres.pid(), 'SIGKILL');
  await until(async () => all.some(({ told }) => told.includes('lost')));
  await until(async () => oneOf(all));
});
