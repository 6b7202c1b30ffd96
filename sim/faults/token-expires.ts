import { MILLISECOND, SECOND } from '../../core/contract/time.ts';
import { DeviceHost } from '../world/device-host.ts';
import { drawAmount, drawFault } from './draw-fault.ts';
import type { FaultKind } from './fault-kind.ts';
import { deviceNames } from './fault-targets.ts';
import { forHowLong, span } from './fault-words.ts';
import { nothing } from './take-down.ts';

/** Some end while a session opens, some while it is replayed to, some later. */
const LIVES = [3, 10, 30, 100, 300, 3_000].map((ms) => ms * MILLISECOND);
/** How long the application takes for a new token at the most, in a run of ten seconds or more. */
const SLOWEST = 12 * SECOND;

/**
 * A device's token runs out, and what it gets in its place lives `amount` microseconds only. The application takes its
 * time to get one, and may present the old one once more before it does.
 */
export const tokenExpires: FaultKind = {
  kind: 'token-expires',
  classes: ['device'],
  mayBePermanent: false,
  targets: deviceNames,
  describe(fault) {
    return `the token of ${fault.target} expires; ${forHowLong(fault)} new ones live ${span(fault.amount)}`;
  },
  draw(draws, setting) {
    const most = LIVES[draws.int(LIVES.length)]!;
    const life = drawAmount(draws, setting, Math.ceil(most / 20), most);
    return drawFault('token-expires', deviceNames(setting.topology), draws, setting, life);
  },
  prepare(world, fault) {
    const device = world.hostNamed(fault.target);
    if (device instanceof DeviceHost) device.tokens.expireAt(fault.at);
  },
  begin(world, fault, draws) {
    const device = world.hostNamed(fault.target);
    if (!(device instanceof DeviceHost)) return nothing;
    const { tokens } = device;
    const ends = [tokens.shorten(Math.max(1, fault.amount))];
    const most = Math.min(SLOWEST, Math.ceil(1.2 * world.limits.connectTimeout));
    if (draws.perMille(600)) ends.push(tokens.delay.turnUp(1 + draws.int(most)));
    if (draws.perMille(400)) ends.push(tokens.careless.turnUp(1));
    return () => ends.forEach((end) => end());
  },
};
