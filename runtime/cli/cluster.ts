import { resolve } from 'node:path';
import { runningEngines } from '../cluster/cluster-engines.ts';
import { planCluster, type ClusterPlan } from '../cluster/cluster-plan.ts';
import { readinessOf } from '../cluster/cluster-process.ts';
import { CLUSTER_FOLDER, living, readClusterState, type ClusterProcess } from '../cluster/cluster-state.ts';
import { residentBytes } from '../cluster/process-memory.ts';
import { startCluster } from '../cluster/start-cluster.ts';
import { stopCluster } from '../cluster/stop-cluster.ts';
import { ServiceError } from '../deploy/services/service-error.ts';
import { CommandError, EXIT } from './exit-code.ts';
import { flagsHelp, parseFlags, type Parsed } from './parse-flags.ts';

const FLAGS = {
  regions: { value: 'N', help: 'complete sets of processes, 1 or 2 (default: 1)' },
  data: { value: 'FOLDER', help: 'where configuration, certificates and logs go (default: ./data/cluster)' },
  port: {
    value: 'N',
    help: 'first port; each region uses the hundred from it, and the same 10,000 above (default: 8100)',
  },
  record: {
    value: 'FOLDER',
    help: 'up: write down what every machine is told, for `parley sim replay FOLDER`',
  },
  json: { help: 'print the table as JSON' },
  help: { help: 'print this', short: 'h' },
};
type FlagName = keyof typeof FLAGS;

const ABOUT =
  'up      start every role as a process of its own, on the engines of `parley services`; what runs already stays\n' +
  'status  what runs, where, whether it is ready and what it weighs\n' +
  'down    drain and end them; data stays';

const REGIONS = [['local'], ['eu', 'us']] as const;

export async function cluster(argv: readonly string[]): Promise<number> {
  const [action = '', ...rest] = argv;
  const flags = parseFlags('cluster', FLAGS, action.startsWith('-') ? argv : rest);
  if (flags.on('help')) {
    console.log(flagsHelp('parley cluster up|status|down [flags]', ABOUT, FLAGS));
    return EXIT.ok;
  }
  switch (action) {
    case 'up':
      return up(flags);
    case 'status':
      return status(flags);
    case 'down':
      return down(flags);
    default:
      throw new CommandError(
        EXIT.usage,
        action === ''
          ? 'cluster needs up, status or down'
          : `cluster: ${JSON.stringify(action)} is not up, status or down`,
        'parley cluster --help',
      );
  }
}

const USUAL_PORT = 8_100;

/**
 * What a cluster has of its own in engines that others use too. The shard map of a database never changes, so each layout
 * has its own; and so has each first port, because two clusters with one topic would deliver each other's messages.
 */
function namesOf(
  regions: readonly string[],
  basePort: number,
): Pick<ClusterPlan, 'regions' | 'database' | 'redisDatabase'> {
  const { length } = regions;
  if (basePort === USUAL_PORT)
    return { regions, database: `parley_cluster_${length}`, redisDatabase: length };
  return {
    regions: regions.map((name) => `${name}-${basePort}`),
    database: `parley_cluster_${length}_${basePort}`,
    // Redis has 16 databases; the first three are taken.
    redisDatabase: 3 + (Math.floor(basePort / 100) % 13),
  };
}

function folderOf(flags: Parsed<FlagName>): string {
  const given = flags.text('data');
  return given === undefined ? CLUSTER_FOLDER : resolve(given);
}

async function up(flags: Parsed<FlagName>): Promise<number> {
  const folder = folderOf(flags);
  const count = flags.integer('regions', 1, 2) ?? 1;
  const basePort = flags.integer('port', 1_024, 50_000) ?? USUAL_PORT;
  const names = namesOf(REGIONS[count - 1] ?? REGIONS[0], basePort);
  const running = living(readClusterState(folder));
  const other = running.find(({ region }) => !names.regions.includes(region));
  if (other !== undefined)
    throw new CommandError(
      EXIT.dataInUse,
      `another cluster runs in ${folder}: ${other.name}, process ${other.pid}`,
      'make cluster-down',
    );
  const json = flags.on('json');
  const say = (line: string): void => (json ? undefined : console.log(line));
  const record = flags.text('record');
  const began = performance.now();
  const members = await runningEngines(count, say)
    .then((engines) => {
      const plan = planCluster({ folder, engines, basePort, ...names });
      return startCluster({ plan, record: record === undefined ? undefined : resolve(record), say });
    })
    .catch((error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error);
      throw new CommandError(
        EXIT.unavailable,
        `the cluster did not start: ${reason}`,
        error instanceof ServiceError ? error.next : 'parley services status',
      );
    });
  say(`All ${members.length} are ready after ${((performance.now() - began) / 1_000).toFixed(1)} s.`);
  const rows = await table(members);
  if (json) console.log(JSON.stringify({ folder, processes: rows }));
  else console.log(`${format(rows)}\n\n${howToChat(members)}`);
  return EXIT.ok;
}

async function status(flags: Parsed<FlagName>): Promise<number> {
  const state = readClusterState(folderOf(flags));
  const rows = await table(state?.processes ?? []);
  if (flags.on('json')) console.log(JSON.stringify({ folder: folderOf(flags), processes: rows }));
  else if (rows.length === 0) console.log(`No cluster runs in ${folderOf(flags)}. Next: make cluster`);
  else console.log(format(rows));
  const wrong = rows.filter(({ state: each }) => each !== 'ready');
  if (wrong.length > 0 && !flags.on('json'))
    console.error(
      `${wrong.length} of ${rows.length} are not ready. Next: make cluster, or look into their logs`,
    );
  return rows.length > 0 && wrong.length === 0 ? EXIT.ok : EXIT.failed;
}

async function down(flags: Parsed<FlagName>): Promise<number> {
  const state = readClusterState(folderOf(flags));
  const json = flags.on('json');
  const running = living(state);
  if (state === undefined || running.length === 0) {
    if (json) console.log(JSON.stringify({ ended: 0, killed: [] }));
    else console.log('No cluster is running.');
    return EXIT.ok;
  }
  if (!json) console.log(`Draining ${running.length} processes …`);
  const killed = (await stopCluster(state)).map(({ name }) => name);
  if (json) console.log(JSON.stringify({ ended: running.length, killed }));
  else if (killed.length === 0) console.log('Stopped. Databases, certificates and logs stay.');
  else
    console.error(`Did not drain in time and were killed: ${killed.join(', ')}. Next: look into their logs`);
  return killed.length === 0 ? EXIT.ok : EXIT.failed;
}

interface Row {
  readonly name: string;
  readonly role: string;
  readonly region: string;
  readonly url: string;
  readonly pid: number;
  readonly memoryMiB: number | undefined;
  readonly state: string;
  readonly detail: string;
  readonly log: string;
}

function table(members: readonly ClusterProcess[]): Promise<readonly Row[]> {
  return Promise.all(
    members.map(async (member): Promise<Row> => {
      const { state, detail } = await readinessOf(member);
      const bytes = state === 'gone' ? undefined : residentBytes(member.pid);
      const { name, role, region, url, pid, log } = member;
      const memoryMiB = bytes === undefined ? undefined : Math.round(bytes / 1024 ** 2);
      return { name, role, region, url, pid, memoryMiB, state, detail, log };
    }),
  );
}

function format(rows: readonly Row[]): string {
  const cells = rows.map(({ role, name, url, pid, memoryMiB, state, detail }) => [
    role,
    name,
    new URL(url).port,
    String(pid),
    memoryMiB === undefined ? '–' : `${memoryMiB} MiB`,
    // Ready, and something is gone: what /readyz calls degraded.
    detail === '' ? state : `${state === 'ready' ? 'degraded' : state}: ${detail}`,
  ]);
  const head = ['role', 'node', 'port', 'pid', 'memory', 'state'];
  const widths = head.map((title, i) => Math.max(title.length, ...cells.map((row) => row[i]?.length ?? 0)));
  return [head, ...cells]
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function howToChat(members: readonly ClusterProcess[]): string {
  const gateways = members.filter(({ role }) => role === 'gateway');
  const first = gateways[0];
  const neighbour = gateways.find(({ name, region }) => region === first?.region && name !== first.name);
  const abroad = gateways.find(({ region }) => region !== first?.region);
  const lines = [
    'Chat through two gateways, in two other terminals:',
    `  ./parley chat --as alice --to bob --url ${first?.url}`,
    `  ./parley chat --as bob --to alice --url ${(neighbour ?? first)?.url}`,
  ];
  if (abroad !== undefined)
    lines.push('or through two regions:', `  ./parley chat --as bob --to alice --url ${abroad.url}`);
  return [...lines, 'Next: make cluster-down ends it.'].join('\n');
}
