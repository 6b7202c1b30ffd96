import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { createRedisNodeDirectory } from '../adapters/redis/node-directory-redis.ts';
import type { Config } from '../config/load-config.ts';
import { createMetrics } from '../observability/metrics.ts';
import type { NodeRecord } from '../ports/node-directory.ts';
import { redisEndpoint } from '../roles/engine-addresses.ts';
import { broken, ok, warning, type Examination, type Finding } from './finding.ts';

type Note = Pick<Finding, 'verdict' | 'detail' | 'next'>;

const DAY_MS = 86_400_000;
const SOON_DAYS = 7;

/** The certificate by which other processes know this one. */
export function examineCertificate({ links, nodeName, region }: Config): Examination {
  return {
    subject: 'certificate of the links',
    region,
    next: 'have your authority issue a new one (docs/links.md)',
    run() {
      const certificate = new X509Certificate(readFileSync(links.tls.cert));
      const authority = new X509Certificate(readFileSync(links.tls.ca));
      const ends = Date.parse(certificate.validTo);
      const days = Math.floor((ends - Date.now()) / DAY_MS);
      const notes: Note[] = [
        ok(`${certificate.subjectAltName ?? 'no name'}, valid until ${certificate.validTo}`),
      ];
      const next = 'have your authority issue a new one (docs/links.md)';
      if (
        !new RegExp(`URI:spiffe://parley/[a-z-]+/${nodeName.replaceAll('.', '\\.')}(?:,|$)`).test(
          certificate.subjectAltName ?? '',
        )
      )
        notes.push(broken(`it does not name ${nodeName}: other processes would refuse this one`, next));
      if (days < 0) notes.push(broken('it has run out', next));
      else if (days < SOON_DAYS) notes.push(warning(`it runs out in ${days} days`, next));
      if (!certificate.verify(authority.publicKey))
        notes.push(broken('it was not signed by the authority in links.tls.ca', next));
      return Promise.resolve(notes);
    },
  };
}

/** The processes that the directories know: who is there, and whether their links can be reached from here. */
export function examineNodes(
  config: Config,
  options: { readonly timeoutMs: number; readonly log: Logger },
): Examination {
  return {
    subject: 'processes',
    region: undefined,
    next: 'start the roles',
    async run() {
      const nodes = await readDirectory(config, options);
      const reached = await Promise.all(nodes.map((node) => accepts(node.address, options.timeoutMs)));
      const notes = config.regions.map(({ name }) => roster(name, nodes));
      for (const [i, { nodeId, address }] of nodes.entries())
        if (reached[i] !== true)
          notes.push(
            warning(
              `${nodeId} does not accept links at ${address}`,
              'if it has just ended this passes within seconds; else look at links.advertise and the network',
            ),
          );
      return notes;
    },
  };
}

const NEEDED = ['gateway', 'message-service', 'outbox-relay', 'delivery-worker'] as const;

function roster(region: string, nodes: readonly NodeRecord[]): Note {
  const here = nodes.filter((node) => node.region === region);
  // They are known by that Redis alone, so that where it is away this says nothing of them.
  if (here.length === 0)
    return warning(
      `${region}: its Redis tells of none`,
      `see that Redis of ${region} answers; if it does, start in ${region}: ${NEEDED.join(', ')}`,
    );
  const count = (role: string): number =>
    here.filter((node) => node.role === role || node.role === 'all').length;
  const versions = [...new Set(here.map(({ version }) => version))];
  const missing = NEEDED.filter((role) => count(role) === 0);
  const list = NEEDED.map((role) => `${count(role)} ${role}`).join(', ');
  const text = `${region}: ${list}${versions.length > 1 ? `; versions ${versions.join(' and ')}` : ''}`;
  return missing.length === 0 ? ok(text) : warning(text, `start in ${region}: ${missing.join(', ')}`);
}

async function readDirectory(
  { regions, region }: Config,
  { timeoutMs, log }: { readonly timeoutMs: number; readonly log: Logger },
): Promise<readonly NodeRecord[]> {
  const directory = createRedisNodeDirectory({
    regions: regions.map((each) => ({ region: each.name, endpoint: redisEndpoint(each.redis) })),
    region,
    name: 'parley doctor',
    metrics: createMetrics(false),
    log,
  });
  const read = new Promise<void>((resolve) => {
    const seen = new Set<string>();
    directory.onChange(() => {
      for (const node of directory.view().values()) seen.add(node.region);
      if (seen.size === regions.length) resolve();
    });
  });
  // Not less than a heartbeat: a Redis Cluster whose nodes are not all connected yet fails the first.
  await Promise.race([read, sleep(timeoutMs)]);
  const nodes = [...directory.view().values()];
  await directory.close();
  return nodes;
}

function accepts(address: string, timeoutMs: number): Promise<boolean> {
  const colon = address.lastIndexOf(':');
  const host = address.slice(0, colon).replace(/^\[|\]$/g, '');
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(address.slice(colon + 1)), timeout: timeoutMs });
    const end = (reached: boolean) => (): void => {
      socket.destroy();
      resolve(reached);
    };
    socket.once('connect', end(true)).once('error', end(false)).once('timeout', end(false));
  });
}
