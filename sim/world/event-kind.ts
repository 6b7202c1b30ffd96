/** What the engine's events are; `dispatch` in `world.ts` carries them out. The comment says what the fields hold. */

/** A wake-up is due. target: host; detail: stamp of the timer; payload: Timer. */
export const TIMER = 1;
/** Something for a machine arrives. target: host; detail: incarnation it is for; payload: machine event; context: sender's name. */
export const STEP = 2;
/** A device's connection attempt arrives. target: gateway; payload: Connection. */
export const CONNECT = 3;
/** From a device, in order. target: gateway; payload: gateway event; context: Connection. */
export const UP = 4;
/** To a device, in order. target: device; payload: device event; context: Connection. */
export const DOWN = 5;
/** A call arrives at the message store. detail: caller's incarnation; payload: the effect; context: calling host. */
export const STORE = 6;
/** A write whose caller was told `unknown` takes effect after all. payload: the effect. */
export const STORE_LATE = 7;
/** A call arrives at the session registry; fields as for STORE. */
export const REGISTRY = 8;
/** A call arrives at the delivery queue; fields as for STORE. */
export const QUEUE = 9;
/** The queue hands out records. detail: partition. */
export const QUEUE_POLL = 10;
/** The queue looks who of its consumers is there. */
export const GROUP_CHECK = 11;
/** A slow node takes the next thing from its inbox. target: host; detail: incarnation. */
export const INBOX = 12;
/** Something users do. detail: index of the op. */
export const OP = 13;
/** detail: index of the fault. */
export const FAULT_BEGIN = 14;
export const FAULT_END = 15;
/** A step inside a fault, or another rare thing. payload: () => void. */
export const CALL = 16;
/** Gauges are read. */
export const SAMPLE = 17;
/** A request of a poll session arrives. target: gateway; payload: PollStep; context: Connection. */
export const POLL_UP = 18;
/** Its answer arrives. target: device; detail: incarnation it is for; payload: PollStep; context: Connection. */
export const POLL_DOWN = 19;

export const EVENT_NAMES: readonly string[] = [
  '',
  'wake',
  'step',
  'connect',
  'up',
  'down',
  'store',
  'store late',
  'registry',
  'queue',
  'queue poll',
  'group check',
  'inbox',
  'op',
  'fault begins',
  'fault ends',
  'fault step',
  'sample',
  'poll up',
  'poll down',
];
