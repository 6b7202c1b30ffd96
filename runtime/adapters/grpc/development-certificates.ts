import { X509Certificate } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generate } from 'selfsigned';
import { NODE_NAME } from '../../ports/process-id.ts';
import { identityUri, type PeerIdentity } from './link-identity.ts';
import type { LinkFiles } from './link-security.ts';

export interface CertificateOptions {
  /** Gets `authority.crt`, `authority.key`, and a `.crt` and `.key` for each node. Made when missing, for its owner alone. */
  readonly folder: string;
  readonly nodes: readonly PeerIdentity[];
  /** Days that a new certificate is good for; one with less than half of them left is made anew. At least 1. */
  readonly days?: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

const DAYS = 14;
const DAY_MS = 86_400_000;
/** Clocks of two machines need not agree. */
const CLOCK_SKEW_MS = 3_600_000;
const KEYS = { keyType: 'ec', curve: 'P-256', algorithm: 'sha256' } as const;

/**
 * Makes an authority and one certificate a node for the links of a development cluster, and keeps those that are good for
 * long enough. In production your own authority issues them: the same two extensions, see docs/links.md.
 * @returns the files of each node, by its name.
 * @throws Error when a name is no DNS name or the folder cannot be written.
 */
export async function makeDevelopmentCertificates(
  options: CertificateOptions,
): Promise<ReadonlyMap<string, LinkFiles>> {
  const { folder, nodes, now } = options;
  const lifeMs = (options.days ?? DAYS) * DAY_MS;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const authority = pathsOf(folder, 'authority');
  const isNew = !isGood(authority, now, lifeMs, undefined);
  if (isNew) {
    const made = await generate([{ name: 'commonName', value: 'Parley development authority' }], {
      ...KEYS,
      ...validity(now, 4 * lifeMs),
      extensions: [
        { name: 'basicConstraints', cA: true, critical: true },
        { name: 'keyUsage', keyCertSign: true, critical: true },
      ],
    });
    write(authority, made);
  }
  const ca = { key: readFileSync(authority.key, 'utf8'), cert: readFileSync(authority.crt, 'utf8') };
  const files = new Map<string, LinkFiles>();
  for (const node of nodes) {
    if (!NODE_NAME.test(node.name) || node.name === 'authority') {
      throw new Error(`node name ${JSON.stringify(node.name)}: must be a DNS name such as gateway-1`);
    }
    const paths = pathsOf(folder, node.name);
    if (isNew || !isGood(paths, now, lifeMs, node)) {
      write(paths, await generate([{ name: 'commonName', value: node.name }], leaf(node, now, lifeMs, ca)));
    }
    files.set(node.name, { authority: authority.crt, certificate: paths.crt, key: paths.key });
  }
  return files;
}

interface Paths {
  readonly crt: string;
  readonly key: string;
}

function pathsOf(folder: string, name: string): Paths {
  return { crt: join(folder, `${name}.crt`), key: join(folder, `${name}.key`) };
}

function validity(now: number, lifeMs: number) {
  return { notBeforeDate: new Date(now - CLOCK_SKEW_MS), notAfterDate: new Date(now + lifeMs) };
}

function leaf(
  node: PeerIdentity,
  now: number,
  lifeMs: number,
  ca: { readonly key: string; readonly cert: string },
) {
  return {
    ...KEYS,
    ...validity(now, lifeMs),
    ca,
    extensions: [
      { name: 'basicConstraints' as const, cA: false, critical: true },
      { name: 'keyUsage' as const, digitalSignature: true, critical: true },
      { name: 'extKeyUsage' as const, serverAuth: true, clientAuth: true },
      {
        name: 'subjectAltName' as const,
        altNames: [
          { type: 2 as const, value: node.name },
          { type: 6 as const, value: identityUri(node) },
        ],
      },
    ],
  };
}

/** Whether both files are there, the certificate is the node's and has half of its life left. */
function isGood(paths: Paths, now: number, lifeMs: number, node: PeerIdentity | undefined): boolean {
  if (!existsSync(paths.crt) || !existsSync(paths.key)) return false;
  try {
    const certificate = new X509Certificate(readFileSync(paths.crt));
    const isTheirs =
      node === undefined ||
      (certificate.subjectAltName ?? '').split(', ').includes(`URI:${identityUri(node)}`);
    return isTheirs && certificate.validToDate.getTime() - now > lifeMs / 2;
  } catch {
    return false;
  }
}

/** The key first: whoever finds the new certificate finds its key. */
function write(paths: Paths, made: { readonly private: string; readonly cert: string }): void {
  for (const [path, pem] of [
    [paths.key, made.private],
    [paths.crt, made.cert],
  ] as const) {
    const fresh = `${path}.new`;
    writeFileSync(fresh, pem, { mode: 0o600 });
    chmodSync(fresh, 0o600);
    renameSync(fresh, path);
  }
}
