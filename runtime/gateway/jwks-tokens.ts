import { readFile } from 'node:fs/promises';
import { type JSONWebKeySet, jwtVerify } from 'jose';
import type { Logger } from 'pino';
import type { TokenVerifier } from '../ports/token-verifier.ts';
import { createKeySet, KeyError, publicKeys, type KeyAges, type KeySet, type KeySource } from './key-set.ts';
import { AUDIENCE, claimRules, identityOf, refused, refusedFor } from './verified-claims.ts';

/** Signatures of key pairs alone: no secret of the issuer's is here, so nobody here can sign. */
const ALGORITHMS = ['EdDSA', 'ES256', 'RS256'] as const;

export interface JwksOptions {
  /** Where the key set is published, or a file with it, which may be replaced at any time. */
  readonly source: { readonly url: string } | { readonly file: string };
  /** What `iss` must be; not looked at when left out. */
  readonly issuer?: string | undefined;
  /** What `aud` must contain; `parley` when left out. */
  readonly audience?: string | undefined;
  readonly ages?: KeyAges;
  readonly log: Logger;
}

const MINUTE_MS = 60_000;
const URL_AGES: KeyAges = { fresh: 10 * MINUTE_MS, stale: 24 * 60 * MINUTE_MS, cooldown: 10_000 };
/** A file is cheap to read, and somebody waits for what he has just put there. */
const FILE_AGES: KeyAges = { ...URL_AGES, fresh: 10_000, cooldown: 1_000 };

/** Tokens of an identity provider. */
export interface JwksTokens extends TokenVerifier {
  /** Attempts to read the key set, by how they ended. */
  readonly figures: KeySet['figures'];
}

/** Verifies tokens that an identity provider signed with one of the keys it publishes (RFC 7517). Asks nobody until the first. */
export function createJwksTokens(options: JwksOptions): JwksTokens {
  const { source, issuer, audience = AUDIENCE, log } = options;
  const ages = options.ages ?? ('url' in source ? URL_AGES : FILE_AGES);
  const keys = createKeySet(sourceOf(source), ages, log);
  const rules = {
    ...claimRules(ALGORITHMS, audience),
    ...(issuer === undefined ? {} : { issuer }),
  };
  return {
    figures: keys.figures,
    async verify(token) {
      if (token === undefined || token === '') return refused('no bearer token was sent');
      try {
        return identityOf((await jwtVerify(token, keys.keyFor, rules)).payload);
      } catch (error) {
        if (!(error instanceof KeyError)) return refusedFor(error);
        const { message: detail, retryAfterMs } = error;
        return retryAfterMs === undefined ? refused(detail) : { ok: false, detail, retryAfterMs };
      }
    },
  };
}

/** The keys that an issuer publishes now, for people who look for a fault. @throws Error as a verifier would meet it. */
export async function readIssuerKeys(source: JwksOptions['source']): Promise<JSONWebKeySet> {
  return publicKeys(await sourceOf(source)());
}

function sourceOf(source: JwksOptions['source']): KeySource {
  return 'url' in source ? published(source.url) : onDisk(source.file);
}

const TIMEOUT_MS = 3_000;
const MOST_BYTES = 512 * 1024;

/** The address is the operator's; where a redirect would lead is not. */
function published(url: string): KeySource {
  return async () => {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const headers = { accept: 'application/jwk-set+json, application/json' };
    const response = await fetch(url, { signal, headers, redirect: 'error' });
    if (!response.ok) throw new Error(`${url} answered ${response.status}`);
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
      size += chunk.length;
      if (size > MOST_BYTES) throw new Error(`${url} answered with more than ${MOST_BYTES} bytes`);
      chunks.push(chunk);
    }
    return JSON.parse(Buffer.concat(chunks).toString('utf8')) as unknown;
  };
}

function onDisk(file: string): KeySource {
  return async () => JSON.parse(await readFile(file, 'utf8')) as unknown;
}
