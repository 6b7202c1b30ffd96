import { HOUR } from '../../core/contract/time.ts';
import type { World } from './world.ts';

/** A gateway that looks at the heads of huge groups this seldom does not look at all in a run. */
export const NEVER = HOUR;

/**
 * Where no gateway looks by itself, whoever was inactive in a huge group gets what he has missed when he looks. So in the end
 * everybody looks, and again after a while: what comes once somebody has looked is there when he looks the next time.
 */
export function lookEverywhere(world: World): void {
  if (world.limits.headCheck < NEVER) return;
  for (const device of world.devices) {
    if (!device.up) continue;
    for (const { model } of world.stores) {
      // Who has left looks too: what came before may be missing.
      for (const { chatId } of model.chatsOf(device.userId)) device.look(chatId, true);
    }
  }
}
