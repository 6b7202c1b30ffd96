import { existsSync, readFileSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, resolve } from 'node:path';
import { parseDocument } from 'yaml';
import { DEFAULT_LIMITS, type Limits } from '../../core/contract/limits.ts';
import type { Placement } from '../../core/contract/placement.ts';
import { NODE_NAME } from '../ports/process-id.ts';
import { crossFaults } from './check-config.ts';
import { ConfigError } from './config-error.ts';
import { configSchema, type ParsedConfig } from './config-schema.ts';
import { environmentKeys, type EnvironmentKey } from './environment-config.ts';
import { explainIssue, keyOf } from './explain-issue.ts';
import { resolveFiles } from './resolve-files.ts';
import { configJsonSchema, type KeyPath } from './schema-node.ts';
import { placementOf } from './shard-map.ts';

/** A configuration that has passed every check: paths are absolute, passwords in their URLs, limits complete. */
export interface Config extends Omit<ParsedConfig, 'limits'> {
  readonly region: string;
  readonly nodeName: string;
  readonly limits: Limits;
  readonly placement: Placement;
}

export interface ConfigSource {
  /** `--config`; undefined: $PARLEY_CONFIG, else no file. */
  readonly path?: string | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/**
 * Reads the file, lays the environment over it, and checks everything before anything is opened.
 * @throws ConfigError that lists every fault.
 */
export function loadConfig({ path, environment }: ConfigSource): Config {
  const named = environment['PARLEY_CONFIG'];
  const file = path ?? (named === '' ? undefined : named);
  const content = file === undefined ? {} : readConfigFile(file);
  const schema = configJsonSchema();
  const { keys, faults: unknown } = environmentKeys(environment, schema);
  const faults = [...unknown];
  const merged: unknown = structuredClone(content);
  for (const key of keys) put(merged, key, faults);

  const parsed = configSchema.safeParse(merged, { reportInput: true });
  if (!parsed.success) {
    const origin = (at: KeyPath) => keys.find((key) => keyOf(key.path) === keyOf(at))?.variable;
    faults.push(...parsed.error.issues.flatMap((issue) => explainIssue(issue, schema, origin)));
  }
  if (!parsed.success || faults.length > 0) throw new ConfigError(faults);

  const folder = file === undefined ? process.cwd() : dirname(resolve(file));
  const resolved = resolveFiles(parsed.data, folder, faults);
  const limits = limitsOf(resolved);
  faults.push(...crossFaults(resolved, limits));
  const nodeName = resolved.nodeName ?? hostname().toLowerCase();
  if (!NODE_NAME.test(nodeName))
    faults.push(`nodeName: the host name ${JSON.stringify(nodeName)} is not a DNS name; give one`);
  if (faults.length > 0) throw new ConfigError(faults);
  const region = resolved.region ?? (resolved.regions[0] as { readonly name: string }).name;
  const links = { ...resolved.links, advertise: advertisedOf(resolved.links) };
  return { ...resolved, links, region, nodeName, limits, placement: placementOf(resolved.regions) };
}

/** Nobody reaches `0.0.0.0`: who listens everywhere is found by the machine's name. */
function advertisedOf({ advertise, host, port }: ParsedConfig['links']): string | undefined {
  const everywhere = host === '0.0.0.0' || host === '::';
  return advertise ?? (everywhere && port !== 0 ? `${hostname()}:${port}` : undefined);
}

function readConfigFile(path: string): unknown {
  if (!existsSync(path)) throw new ConfigError([`${path}: there is no such file`]);
  if (!statSync(path).isFile()) throw new ConfigError([`${path}: is not a file`]);
  // JSON is YAML, so one parser reads both.
  const document = parseDocument(
    readable(path, () => readFileSync(path, 'utf8')),
    { prettyErrors: true },
  );
  if (document.errors.length > 0)
    throw new ConfigError(document.errors.map(({ message }) => `${path}: ${firstLine(message)}`));
  // Only here aliases are followed: `*name` that is no name of an anchor (a password that was not quoted).
  const content = readable(path, () => document.toJS() as unknown) ?? {};
  if (typeof content !== 'object' || Array.isArray(content))
    throw new ConfigError([`${path}: holds no keys; it starts with lines such as "region: eu"`]);
  return content;
}

/** @throws ConfigError that names the file, when it cannot be read. */
function readable<Content>(path: string, read: () => Content): Content {
  try {
    return read();
  } catch (error) {
    throw new ConfigError([`${path}: ${(error as Error).message}`]);
  }
}

/** What follows it points at a place in the text, which only a monospaced error of several lines could show. */
function firstLine(message: string): string {
  return (message.split('\n')[0] ?? '').replace(/:$/, '');
}

/** Lays one key of the environment over the file, making the sections and list places on its way. */
function put(root: unknown, { path, variable, value }: EnvironmentKey, faults: string[]): void {
  let at = root as Record<string | number, unknown>;
  path.forEach((key, depth) => {
    if (depth === path.length - 1) at[key] = value;
    else {
      at[key] ??= typeof path[depth + 1] === 'number' ? [] : {};
      const next = at[key];
      if (Array.isArray(next) && typeof path[depth + 1] === 'number' && Number(path[depth + 1]) > next.length)
        faults.push(
          `${keyOf(path)} (${variable}): the list has ${next.length} places; the next is ${next.length}`,
        );
      at = (typeof next === 'object' && next !== null ? next : {}) as typeof at;
    }
  });
}

/** A process must be gone in time: what devices get to leave is cut to what the whole drain may take. */
function limitsOf({ limits, drain }: ParsedConfig): Limits {
  const given = Object.fromEntries(
    Object.entries(limits).filter(([, value]) => value !== undefined),
  ) as Partial<Limits>;
  const drainTimeout = Math.min(DEFAULT_LIMITS.drainTimeout, Math.floor(drain.timeoutMs * 1_000 * 0.8));
  const drainSpread = Math.min(DEFAULT_LIMITS.drainSpread, Math.floor(drainTimeout / 2));
  return { ...DEFAULT_LIMITS, drainTimeout, drainSpread, ...given };
}
