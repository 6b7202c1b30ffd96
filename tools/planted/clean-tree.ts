/**
 * A tiny project in the shape of this one that every step must find nothing in. It is also the ground the
 * violations are planted into, and it holds what a careless check would take for one: a clock in a comment, a
 * promise in a string, a key called Date.
 */
export const CLEAN_TREE: Readonly<Record<string, string>> = {
  'package.json': `{
  "name": "planted",
  "private": true,
  "type": "module",
  "dependencies": {
    "fast-check": "*",
    "ws": "*"
  },
  "devDependencies": {
    "@types/node": "*",
    "@types/ws": "*",
    "typescript": "*",
    "vitest": "*"
  }
}
`,
  'core/lamp.ts': `/** A lamp. It never reads Date.now(), Math.random() or process.env, and has no await. */
export type LampEvent = { readonly kind: 'on' } | { readonly kind: 'off' };

export interface Lamp {
  lit: boolean;
  readonly words: { readonly Date: string; readonly process: string };
}

export const newLamp = (): Lamp => ({
  lit: false,
  words: { Date: 'await new Promise(setTimeout)', process: 'Math.log is not exact' },
});

const neverHappens = (event: never): never => {
  throw new Error(\`an event of no known kind: \${JSON.stringify(event)}\`);
};

export const stepLamp = (lamp: Lamp, event: LampEvent): number => {
  switch (event.kind) {
    case 'on':
      lamp.lit = true;
      break;
    case 'off':
      lamp.lit = false;
      break;
    default:
      neverHappens(event);
  }
  return Math.max(lamp.words.Date.length, lamp.words.process.length, 2 ** 3);
};
`,
  'core/lamp.test.ts': `import { expect, test } from 'vitest';
import { newLamp, stepLamp } from './lamp.ts';

test('a lamp goes on', async () => {
  const lamp = newLamp();
  stepLamp(lamp, { kind: 'on' });
  await Promise.resolve();
  expect(lamp.lit).toBe(true);
});
`,
  'sim/engine/flicker.ts': `import fc from 'fast-check';
import { type LampEvent, newLamp, stepLamp } from '../../core/lamp.ts';

const BRIGHTNESS: ReadonlyMap<string, number> = new Map([['on', 1]]);

export const flicker = (events: readonly LampEvent[]): number => {
  const lamp = newLamp();
  for (const event of events) stepLamp(lamp, event);
  return BRIGHTNESS.get(lamp.lit ? 'on' : 'off') ?? fc.sample(fc.constant(0), 1).length;
};
`,
  'sim/commands/flicker-command.ts': `import { readFileSync } from 'node:fs';
import { flicker } from '../engine/flicker.ts';

export const flickerCommand = (file: string): void => {
  console.log(readFileSync(file).length, flicker([{ kind: 'on' }]));
};
`,
  'runtime/client/open-socket.ts': `export const openSocket = (url: string): WebSocket => new WebSocket(url);
`,
  'runtime/client/open-socket-node.ts': `import { WebSocket } from 'ws';

export const openNodeSocket = (url: string): WebSocket => new WebSocket(url);
`,
  'runtime/main.ts': `import { flickerCommand } from '../sim/commands/flicker-command.ts';
import { openSocket } from './client/open-socket.ts';
import { openNodeSocket } from './client/open-socket-node.ts';

flickerCommand('package.json');
openSocket('ws://localhost').close();
openNodeSocket('ws://localhost').close();
`,
  'tools/look.ts': `console.log(process.version);
`,
  'vitest.config.ts': `import { defineConfig } from 'vitest/config';

export default defineConfig({ test: { pool: 'forks' } });
`,
};
