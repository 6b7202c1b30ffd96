import type { Op } from '../scenario.ts';
import { clientMsgIdOf } from '../world/plan-ids.ts';
import type { DeviceHost } from '../world/device-host.ts';
import type { World } from '../world/world.ts';
import { ciphertextOf } from './ciphertext.ts';
import { mediaIdsOf } from './media-ids.ts';

/** Carries out one op of the scenario. What a user cannot do (the device is off) does not happen, and is counted. */
export function performOp(world: World, index: number): void {
  const op = world.scenario.ops[index]!;
  switch (op.op) {
    case 'add-member':
    case 'remove-member':
      world.api.changeMember(op, index);
      return;
    default:
      if (!performOnDevice(world, op, index)) world.probes.hit('op.device-off');
  }
}

type DeviceOp = Exclude<Op, { op: 'add-member' | 'remove-member' }>;
type AppOp = Exclude<DeviceOp, { op: 'offline' | 'online' }>;

function performOnDevice(world: World, op: DeviceOp, index: number): boolean {
  const device = world.devices[op.device];
  if (device === undefined) return false;
  if (op.op === 'offline') {
    device.switchedOn = false;
    device.stop(false);
    return true;
  }
  if (op.op === 'online') {
    device.switchedOn = true;
    device.start();
    return true;
  }
  return device.up && performInApp(world, device, op as AppOp, index);
}

function performInApp(world: World, device: DeviceHost, op: AppOp, index: number): boolean {
  const chatId = world.chatIds[op.chat];
  if (chatId === undefined) return false;
  switch (op.op) {
    case 'send': {
      const clientMsgId = clientMsgIdOf(world.users.countSend(device.userId));
      const ciphertext = ciphertextOf(index, op.bytes);
      return device.act({ kind: 'send', clientMsgId, chatId, ciphertext, mediaIds: mediaIdsOf(index) });
    }
    case 'open':
    case 'close':
      return device.look(chatId, op.op === 'open');
    case 'read':
      if (!device.act({ kind: 'read', chatId })) return false;
      world.observers.read(device.deviceId, chatId);
      return true;
    case 'typing':
      return device.act({ kind: 'typing', chatId });
  }
}
