import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { isRoot } from '../../adapters/embedded-postgres/unprivileged-user.ts';
import { ENGINE_KINDS } from './engine.ts';

/** What runs, and where: written by `parley services up`, read by everything that wants to use it. */
const PROCESS = z.object({
  name: z.string(),
  kind: z.enum(ENGINE_KINDS),
  port: z.int(),
  version: z.string(),
  pid: z.int(),
  /** Start time as the kernel tells it, so that a pid that was given out again is not mistaken. */
  started: z.string().optional(),
});

const REGION = z.object({
  name: z.string(),
  /** One URL a shard. */
  postgres: z.array(z.string()),
  redis: z.string(),
  /** `host:port` of each broker. */
  kafka: z.array(z.string()),
});

const STATE = z.object({
  version: z.literal(1),
  /** How far all ports are from the usual ones. */
  portOffset: z.int().default(0),
  processes: z.array(PROCESS),
  regions: z.array(REGION),
  redisCluster: z.array(z.string()),
  /** `host:port` */
  temporal: z.string(),
  /** Base URL. */
  clickhouse: z.string(),
  s3: z.object({
    endpoint: z.string(),
    bucket: z.string(),
    accessKeyId: z.string(),
    secretAccessKey: z.string(),
  }),
});

export type ServiceProcess = z.infer<typeof PROCESS>;
export type ServiceRegion = z.infer<typeof REGION>;
export type ServiceState = z.infer<typeof STATE>;

/** The state file cannot be used as it is. */
export class ServiceStateError extends Error {
  override readonly name = 'ServiceStateError';
}

/**
 * Where the engines keep their data: the folder that was asked for, else PARLEY_SERVICES_DATA, else one of this user's. Root's
 * own home would not do: PostgreSQL runs under another user, who may not enter it.
 */
export function servicesFolder(asked: string | undefined): string {
  const given = asked ?? process.env['PARLEY_SERVICES_DATA'];
  if (given !== undefined && given !== '') return given;
  return isRoot() ? '/var/lib/parley-services' : join(homedir(), '.local', 'share', 'parley-services');
}

/** @returns undefined when nothing was ever started from this folder. @throws ServiceStateError */
export function readServiceState(folder: string): ServiceState | undefined {
  const path = join(folder, FILE);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
  try {
    return STATE.parse(JSON.parse(text));
  } catch (error) {
    const reason = error instanceof z.ZodError ? z.prettifyError(error) : String(error);
    throw new ServiceStateError(
      `${path} cannot be read: ${reason}. Next: end the processes it names and remove the file`,
    );
  }
}

export function writeServiceState(folder: string, state: ServiceState): void {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, FILE);
  writeFileSync(`${path}.new`, `${JSON.stringify(state, undefined, 2)}\n`);
  renameSync(`${path}.new`, path);
}

const FILE = 'services.json';
