import { connect } from 'node:net';

const WAIT_MS = 1_000;

/** @returns whether something listens on the port of this machine. */
export function portIsOpen(port: number): Promise<boolean> {
  return exchange(port, undefined, () => true);
}

/**
 * Says something to a port and judges the answer.
 * @param hello undefined: an open connection is enough.
 * @param judge is given all that came so far; true ends the wait.
 */
export function exchange(
  port: number,
  hello: string | Buffer | undefined,
  judge: (answer: string) => boolean,
): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    let answer = '';
    const end = (good: boolean): void => {
      socket.destroy();
      resolve(good);
    };
    socket.setTimeout(WAIT_MS, () => end(false));
    socket.once('error', () => end(false));
    socket.once('close', () => end(false));
    socket.once('connect', () => {
      if (hello === undefined) end(judge(''));
      else socket.write(hello);
    });
    socket.on('data', (chunk: Buffer) => {
      answer += chunk.toString('latin1');
      if (judge(answer)) end(true);
    });
  });
}

/** @returns whether an HTTP request gets an answer below 500. */
export async function httpAnswers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(WAIT_MS) });
    await response.arrayBuffer();
    return response.status < 500;
  } catch {
    return false;
  }
}
