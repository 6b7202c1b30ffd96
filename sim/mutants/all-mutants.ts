import { DELIVERY_MUTANTS } from './delivery-mutants.ts';
import { DEVICE_MUTANTS } from './device-mutants.ts';
import { FENCING_MUTANTS } from './fencing-mutants.ts';
import { LARGE_CHAT_MUTANTS } from './large-chat-mutants.ts';
import type { Mutant } from './mutant.ts';
import { POLL_MUTANTS } from './poll-mutants.ts';
import { RATE_MUTANTS } from './rate-mutants.ts';
import { RECEIPT_MUTANTS } from './receipt-mutants.ts';
import { SERVICE_MUTANTS } from './service-mutants.ts';
import { SESSION_MUTANTS } from './session-mutants.ts';

/** Every planted bug, in the order of the message's way. */
export const ALL_MUTANTS: readonly Mutant[] = [
  ...DEVICE_MUTANTS,
  ...SERVICE_MUTANTS,
  ...DELIVERY_MUTANTS,
  ...SESSION_MUTANTS,
  ...POLL_MUTANTS,
  ...RECEIPT_MUTANTS,
  ...FENCING_MUTANTS,
  ...RATE_MUTANTS,
  ...LARGE_CHAT_MUTANTS,
];
