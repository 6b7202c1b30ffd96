import { createServer } from 'node:http';
import { expect, test } from 'vitest';
import { pino } from 'pino';
import { closeHttp, listenHttp } from './http-listener.ts';

test('connections that cannot be accepted are logged, each, and end nothing', async () => {
  const lines: string[] = [];
  const log = pino({ level: 'error' }, { write: (line: string) => lines.push(line) });
  const http = createServer((_request, response) => response.end('here'));
  const url = await listenHttp(http, '127.0.0.1', 0, { next: '', log });
  for (let i = 0; i < 2; i++) http.emit('error', new Error('accept EMFILE'));
  expect(lines).toHaveLength(2);
  expect(await (await fetch(url)).text()).toBe('here');
  await closeHttp(http, () => undefined);
});
