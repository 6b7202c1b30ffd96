import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Engine } from './engine.ts';
import { installNpmPackage } from './npm-package.ts';
import { httpAnswers } from './port-answer.ts';
import { installOnce, programCache } from './program-cache.ts';

const VERSION = '3.4.0';
const PROGRAM = `chdb-${VERSION}`;

/** ClickHouse's engine as a library, with its own program around it: `clickhouse-server.ts`. */
export async function installClickhouse(): Promise<void> {
  await installOnce(PROGRAM, (folder) => installNpmPackage(folder, `chdb@${VERSION}`));
}

export function clickhouseEngine(name: string, port: number): Engine {
  return {
    name,
    kind: 'clickhouse',
    port,
    version: `chdb ${VERSION}`,
    prepare(folder) {
      const script = fileURLToPath(new URL('clickhouse-server.ts', import.meta.url));
      const args = [script, '--port', String(port), '--data', join(folder, 'data')];
      const library = join(programCache(), PROGRAM, 'package.json');
      return Promise.resolve({ command: process.execPath, args: [...args, '--library', library] });
    },
    answers: () => httpAnswers(`http://127.0.0.1:${port}/ping`),
  };
}
