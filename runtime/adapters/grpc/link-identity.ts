import type { PeerCertificate } from 'node:tls';
import { NODE_ROLES, type NodeRole } from '../../ports/node-directory.ts';
import { NODE_NAME } from '../../ports/process-id.ts';

/** Who a certificate says its holder is. */
export interface PeerIdentity {
  readonly name: string;
  readonly role: NodeRole;
}

/**
 * The name in a certificate: a URI as SPIFFE writes them (spiffe.io, "SPIFFE-ID", section 2), so that a mesh's authority
 * can issue them. The trust domain is `parley`.
 */
export function identityUri({ name, role }: PeerIdentity): string {
  return `spiffe://parley/${role}/${name}`;
}

/** @returns undefined unless exactly one URI of the certificate names a role and a node of Parley. */
export function identityOf(certificate: PeerCertificate | undefined): PeerIdentity | undefined {
  // The text is OpenSSL's: `URI:…, DNS:…`, entries with commas or quotes are quoted, and no identity of ours has any.
  const uris = (certificate?.subjectaltname ?? '')
    .split(', ')
    .filter((entry) => entry.startsWith('URI:spiffe://parley/'));
  if (uris.length !== 1) return undefined;
  const parts = (uris[0] as string).slice('URI:spiffe://parley/'.length).split('/');
  const [roleText, name] = parts;
  const role = NODE_ROLES.find((each) => each === roleText);
  if (parts.length !== 2 || role === undefined || name === undefined || !NODE_NAME.test(name)) {
    return undefined;
  }
  return { name, role };
}
