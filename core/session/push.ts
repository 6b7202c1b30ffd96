import type { DeviceId, NodeId, UserId } from '../contract/ids.ts';
import type { DeliveryItem } from '../contract/records.ts';

/** A delivery worker's request to the gateway that holds a device. */
export interface Push {
  readonly worker: NodeId;
  /** Unique within the worker; the answer repeats it. */
  readonly pushId: number;
  readonly userId: UserId;
  readonly deviceId: DeviceId;
  /** The epoch that the registry named; a gateway whose session is older than it is fenced. */
  readonly epoch: number;
  readonly item: DeliveryItem;
}

/**
 * How a push ended. `settled`: the device has it, or a live connection that answers is responsible for it.
 * `no-session`: this gateway does not hold the device (any more). An answer may be lost or come late.
 */
export type PushOutcome = 'settled' | 'no-session';
