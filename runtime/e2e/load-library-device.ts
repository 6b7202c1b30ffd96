import { chatId as asChatId } from '../../core/contract/ids.ts';
import { createFleetDevice } from './fleet.ts';
import type { LoadDevice, LoadDeviceOptions } from './load-device.ts';

const CONNECT_MS = 20_000;

/** A device of the client library for load: its own machine, sockets and storage; it shows each message once, in order. */
export async function connectLibraryDevice(options: LoadDeviceOptions): Promise<LoadDevice> {
  const { url, user, onAck, onRefused, onMessage } = options;
  const live = Promise.withResolvers<void>();
  const device = await createFleetDevice({
    url,
    user,
    device: options.device,
    ...(onAck === undefined ? {} : { onAcked: onAck }),
    onEffect(effect) {
      if (effect.kind === 'synced') live.resolve();
      if (effect.kind === 'send-failed') onRefused?.(effect.code);
      if (effect.kind === 'show' && effect.message.from !== `u_${user}`)
        onMessage?.(effect.message.ciphertext, effect.message.seq);
    },
  });
  device.start();
  const timer = setTimeout(() => live.reject(new Error(`u_${user} does not get live`)), CONNECT_MS);
  await live.promise;
  clearTimeout(timer);
  return {
    // The library stamps what it sends with the time, as the load does.
    send: (chatId, ciphertext) => void device.send(asChatId(chatId), Math.floor((ciphertext.length * 3) / 4)),
    get waiting() {
      return device.waiting;
    },
    get open() {
      return device.status === 'live';
    },
    close: () => device.stop(),
  };
}
