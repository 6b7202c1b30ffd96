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
  /** `detail` is for people and never contains the token. */
  | { readonly ok: false; readonly detail: string };

/** Checks a bearer token: its signature, `aud`, `exp`, `iat`, `sub` and `did`. Never rejects. */
export interface TokenVerifier {
  verify(token: string | undefined): Promise<Verification>;
}
