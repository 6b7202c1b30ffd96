import { portIsOpen } from './port-answer.ts';
import { ServiceError } from './service-error.ts';

const STEP = 1_000;
const TRIES = 30;

/**
 * @param portsOf the ports of all engines with an offset.
 * @returns the first offset of 0, 1000, 2000, … with which none of them is taken.
 * @throws ServiceError when there is none.
 */
export async function freePortOffset(portsOf: (offset: number) => readonly number[]): Promise<number> {
  for (let offset = 0; offset < STEP * TRIES; offset += STEP) {
    const open = await Promise.all(portsOf(offset).map(portIsOpen));
    if (!open.includes(true)) return offset;
  }
  throw new ServiceError(
    `with each port offset from 0 to ${STEP * (TRIES - 1)} some port is taken`,
    'parley services up --port-offset N',
  );
}
