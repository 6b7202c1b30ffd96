import { readFileSync } from 'node:fs';
import { createSecureContext, type PeerCertificate, type SecureContextOptions } from 'node:tls';
import { ChannelCredentials, ServerCredentials } from '@grpc/grpc-js';
import { identityOf, type PeerIdentity } from './link-identity.ts';

/** Paths of PEM files. They are read again while the process runs, so that a renewed certificate needs no restart. */
export interface LinkFiles {
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
}

/** How the two ends of a link know each other. Plaintext believes whatever a hello says: for tests alone. */
export type LinkSecurity =
  | ({ readonly kind: 'mutual-tls' } & LinkFiles)
  | { readonly kind: 'plaintext-for-tests' };

const MIN_VERSION = 'TLSv1.3';

/** @throws Error when a file cannot be read, or key and certificate do not belong together. */
function readContext({ authority, certificate, key }: LinkFiles): SecureContextOptions {
  const context = {
    ca: readFileSync(authority),
    cert: readFileSync(certificate),
    key: readFileSync(key),
    minVersion: MIN_VERSION,
  } as const;
  createSecureContext(context);
  return context;
}

/** Asks every client for a certificate of our authority, and takes on renewed files for connections to come. */
export class MutualTlsServer extends ServerCredentials {
  readonly #files: LinkFiles;

  /** @throws Error as `readContext`. */
  constructor(files: LinkFiles, windowBytes: number) {
    super(
      {
        requestCert: true,
        rejectUnauthorized: true,
        minVersion: MIN_VERSION,
        settings: { initialWindowSize: windowBytes },
      },
      readContext(files),
    );
    this.#files = files;
  }

  override _equals(other: ServerCredentials): boolean {
    return other === this;
  }

  /** @throws Error as `readContext`; what was read before stays in use. */
  reread(): void {
    this.updateSecureContextOptions(readContext(this.#files));
  }
}

/**
 * For one connection, so with the files as they are now.
 * @param expected whom the certificate of the other end must name.
 * @throws Error as `readContext`.
 */
export function channelCredentials(security: LinkSecurity, expected: PeerIdentity): ChannelCredentials {
  if (security.kind === 'plaintext-for-tests') return ChannelCredentials.createInsecure();
  return ChannelCredentials.createFromSecureContext(createSecureContext(readContext(security)), {
    checkServerIdentity: (_host, certificate) => checkIdentity(certificate, expected),
  });
}

function checkIdentity(certificate: PeerCertificate, expected: PeerIdentity): Error | undefined {
  const found = identityOf(certificate);
  if (found?.name === expected.name && found.role === expected.role) return undefined;
  const says = found === undefined ? 'no node of Parley' : `${found.role} ${found.name}`;
  return new Error(`the certificate names ${says}, expected ${expected.role} ${expected.name}`);
}
