import type { DeviceId, UserId } from '../../core/contract/ids.ts';
import type { Micros } from '../../core/contract/time.ts';

/** Who a verified token speaks for. */
export interface Identity {
  readonly userId: UserId;
  readonly deviceId: DeviceId;
  /** When the token ends, on this node's clock. */
  readonly expiresAt: Micros;
}

export type Verification =
  | { readonly ok: true; readonly identity: Identity }
  | {
      readonly ok: false;
      /** For people; never contains the token. */
      readonly detail: string;
      /**
       * Set when nobody can say now whether the token is good: ask again after this long. Left out, it is refused for
       * good, and a device does not come back with it.
       */
      readonly retryAfterMs?: number;
    };

/** Checks a bearer token: its signature, `aud`, `exp`, `iat`, `sub` and `did`. Never rejects. */
export interface TokenVerifier {
  verify(token: string | undefined): Promise<Verification>;
}
