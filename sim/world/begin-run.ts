import { OPEN_END } from '../../core/contract/records.ts';
import { keyedInt } from '../../core/contract/random.ts';
import { MILLISECOND } from '../../core/contract/time.ts';
import { CALL, FAULT_BEGIN, FAULT_END, SAMPLE } from './event-kind.ts';
import type { World } from './world.ts';

const START_STREAM = 0x7374_6172;
/** Devices come up within this time, not all at the same moment. */
const START_SPREAD = 50 * MILLISECOND;
/** Gauges are read this often in the safety phase, and as often after it. */
const SAMPLES = 8;

/** Creates the chats of the plan, starts every host, and puts ops and faults into the queue. */
export function beginRun(world: World): void {
  const { scenario, engine, observers } = world;
  for (const device of world.devices) observers.device(device);
  createChats(world);
  for (const host of world.services) host.start();
  for (const host of world.gateways) host.start();
  for (const host of world.relays) host.start();
  for (const host of world.workers) host.start();
  for (const device of world.devices) {
    const delay = keyedInt(world.seed, START_STREAM, device.index, START_SPREAD);
    engine.schedule(delay, CALL, device.index, 0, () => device.start(), undefined);
  }
  world.faults.prepare();
  world.users.begin();
  scenario.faults.forEach((fault, i) => {
    engine.scheduleAt(fault.at, FAULT_BEGIN, world.api.index, i, undefined, undefined);
    if (fault.permanent === true) return;
    engine.scheduleAt(fault.at + Math.max(1, fault.for), FAULT_END, world.api.index, i, undefined, undefined);
  });
  const period = Math.max(100 * MILLISECOND, Math.floor(scenario.knobs.safetyMicros / SAMPLES));
  engine.schedule(period, SAMPLE, world.api.index, period, undefined, undefined);
}

function createChats(world: World): void {
  const spans = [{ after: 0, upTo: OPEN_END }];
  world.scenario.topology.chats.forEach((plan, i) => {
    const members = plan.members.map((user, place) => ({
      userId: world.userIds[user]!,
      role: place === 0 ? ('owner' as const) : ('member' as const),
      spans,
    }));
    const chatId = world.chatIds[i]!;
    world.stores[world.regions.homeOf(chatId)]!.model.createChat({ chatId, kind: plan.kind, members });
  });
}
