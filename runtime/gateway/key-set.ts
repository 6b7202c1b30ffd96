import { createLocalJWKSet, errors, type JSONWebKeySet, type JWK, type JWTVerifyGetKey } from 'jose';
import type { Logger } from 'pino';

/** Where keys come from. @returns what is published there, as parsed JSON. @throws Error when nobody answers. */
export type KeySource = () => Promise<unknown>;

/** How old keys may be, milliseconds. */
export interface KeyAges {
  /** Until then nobody asks again, but for an unknown key. A key that was taken back is refused at the latest after this. */
  readonly fresh: number;
  /** Keys that cannot be had anew are believed until then: an issuer that is away must not lock everybody out. */
  readonly stale: number;
  /** Between two attempts, whatever asks for them: tokens with invented key ids must not become requests to the issuer. */
  readonly cooldown: number;
}

/** The public keys of an issuer, read again as they grow old and when a token names one that is not known. */
export interface KeySet {
  /** For `jwtVerify`. Rejects with a `KeyError` when there is no such key. */
  readonly keyFor: JWTVerifyGetKey;
  readonly figures: Readonly<Record<'read' | 'failed', number>>;
}

/** The token cannot be checked: its key is not known, or none is. */
export class KeyError extends Error {
  override readonly name = 'KeyError';
  /** Set when the keys could be had anew then, and may tell otherwise; left out, the token is refused for good. */
  readonly retryAfterMs: number | undefined;

  constructor(message: string, retryAfterMs?: number) {
    super(message);
    this.retryAfterMs = retryAfterMs;
  }
}

interface Keys {
  readonly find: JWTVerifyGetKey;
  readonly ids: ReadonlySet<string>;
  readonly readAt: number;
}

/** @param clock milliseconds, never going back. */
export function createKeySet(source: KeySource, ages: KeyAges, log: Logger, clock = monotonic): KeySet {
  const figures = { read: 0, failed: 0 };
  let keys: Keys | undefined;
  let reading: Promise<void> | undefined;
  let triedAt = -Infinity;
  /**
   * When each key id was first asked for and not found. Only keys that were read after that say that there is no such key:
   * a token of a key that is newer than ours must not be refused for good because it is not yet time to read again.
   */
  const missedSince = new Map<string, number>();

  async function read(): Promise<void> {
    triedAt = clock();
    try {
      const set = publicKeys(await source());
      keys = {
        find: createLocalJWKSet(set),
        ids: new Set(set.keys.map(({ kid }) => kid ?? '')),
        readAt: triedAt,
      };
      figures.read++;
    } catch (error) {
      figures.failed++;
      log.warn({ err: error, keys: keys?.ids.size ?? 0 }, 'the key set of the issuer could not be read');
    }
  }

  /** Many tokens wait for one attempt. */
  function readOnce(): Promise<void> {
    reading ??= read().finally(() => (reading = undefined));
    return reading;
  }

  const age = (): number => (keys === undefined ? Infinity : clock() - keys.readAt);
  const mayTry = (): boolean => reading !== undefined || clock() - triedAt >= ages.cooldown;
  const retryAfter = (): number => Math.max(LEAST_RETRY_MS, Math.ceil(ages.cooldown - (clock() - triedAt)));

  /** @returns why there is no such key. @param askedAt before the keys were read for it, if they were. */
  function missed(kid: string, readAt: number, askedAt: number): KeyError {
    const since = missedSince.get(kid) ?? askedAt;
    missedSince.delete(kid);
    if (readAt >= since || kid.length > LONGEST_ID)
      return new KeyError('the key of the token (kid) is not one of the issuer’s');
    // The oldest makes room: whoever floods us with invented ids is told to come back, and so are others for a while.
    const [oldest] = missedSince.size < MOST_KEYS ? [] : missedSince.keys();
    if (oldest !== undefined) missedSince.delete(oldest);
    missedSince.set(kid, since);
    return new KeyError('the key of the token (kid) is not known yet', retryAfter());
  }

  return {
    figures,
    async keyFor(header, token) {
      const { kid } = header;
      if (kid === undefined) throw new KeyError('the token does not name its key (kid)');
      const askedAt = clock();
      const missing = keys !== undefined && !keys.ids.has(kid);
      if ((missing || age() >= ages.fresh) && mayTry()) await readOnce();
      // Not waited for: the next tokens find fresh keys without a pause.
      else if (age() >= ages.fresh / 2 && mayTry()) readOnce().catch(() => undefined);
      if (keys === undefined || age() >= ages.stale)
        throw new KeyError('the keys of the issuer cannot be had now', retryAfter());
      if (!keys.ids.has(kid)) throw missed(kid, keys.readAt, askedAt);
      try {
        return await keys.find(header, token);
      } catch (error) {
        if (error instanceof errors.JWKSNoMatchingKey)
          throw new KeyError('the key of the token (kid) is not for its algorithm');
        // Damaged, or there twice: a mistake of the issuer's, who may mend it, and nothing that the token says.
        const detail = 'the key of the token (kid) cannot be used as the issuer published it';
        throw new KeyError(detail, retryAfter());
      }
    },
  };
}

function monotonic(): number {
  return performance.now();
}

/** No device is told to come back sooner. */
const LEAST_RETRY_MS = 1_000;
/** Characters of a key id that is worth remembering. */
const LONGEST_ID = 256;
/** A set of any size would be a way to fill this process's memory. */
const MOST_KEYS = 100;
const KINDS: readonly (string | undefined)[] = ['OKP', 'EC', 'RSA'];

/**
 * Leaves out what cannot sign tokens: symmetric keys (whoever can check with them can sign), keys for encryption, and keys
 * without a name. @throws Error when it is not a key set (RFC 7517 section 5), or has no key left.
 */
export function publicKeys(published: unknown): JSONWebKeySet {
  const list = (published as Partial<JSONWebKeySet> | undefined)?.keys;
  if (!Array.isArray(list)) throw new Error('what the issuer published is not a key set');
  if (list.length > MOST_KEYS) throw new Error(`the issuer published more than ${MOST_KEYS} keys`);
  const keys = (list as readonly JWK[]).filter(
    ({ kty, use, kid }) =>
      KINDS.includes(kty) && (use === undefined || use === 'sig') && typeof kid === 'string',
  );
  if (keys.length === 0) throw new Error('the issuer published no key that can check a token');
  return { keys: keys.map(({ d: _private, ...key }) => key) };
}
