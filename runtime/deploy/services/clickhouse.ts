import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Engine, Program } from './engine.ts';
import { installNpmPackage } from './npm-package.ts';
import { httpAnswers } from './port-answer.ts';
import { installOnce, isInstalled, programCache } from './program-cache.ts';

const VERSION = '3.4.0';
const FOLDER = `chdb-${VERSION}`;
const SERVER = new URL('clickhouse-server/clickhouse-server.ts', import.meta.url);

/** ClickHouse's engine as a library; the program around it is our own, in clickhouse-server/. */
export const CLICKHOUSE: Program = {
  name: `ClickHouse (chdb ${VERSION})`,
  isInstalled: () => isInstalled(FOLDER),
  async install() {
    await installOnce(FOLDER, (folder) => installNpmPackage(folder, `chdb@${VERSION}`));
  },
};

export function clickhouseEngine(name: string, port: number): Engine {
  return {
    name,
    kind: 'clickhouse',
    program: CLICKHOUSE,
    port,
    prepare(folder) {
      const library = join(programCache(), FOLDER, 'package.json');
      const where = ['--port', String(port), '--data', join(folder, 'data'), '--library', library];
      const args = ['--disable-warning=ExperimentalWarning', fileURLToPath(SERVER), ...where];
      return Promise.resolve({ command: process.execPath, args, version: `chdb ${VERSION}` });
    },
    answers: () => httpAnswers(`http://127.0.0.1:${port}/ping`),
  };
}
