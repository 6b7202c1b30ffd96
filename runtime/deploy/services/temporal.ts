import { join } from 'node:path';
import type { Engine } from './engine.ts';
import { portIsOpen } from './port-answer.ts';
import { installOnce, programCache } from './program-cache.ts';
import { runCommand } from './run-command.ts';

const CLI = '1.5.1';
const PROGRAM = `temporal-cli-${CLI}`;

/** Builds the development server from its Go module: minutes the first time. */
export async function installTemporal(): Promise<void> {
  await installOnce(PROGRAM, async (folder) => {
    await runCommand(
      'go',
      ['install', '-ldflags', '-s -w', `github.com/temporalio/cli/cmd/temporal@v${CLI}`],
      {
        environment: { GOBIN: folder, CGO_ENABLED: '0' },
      },
    );
  });
}

export function temporalEngine(name: string, port: number): Engine {
  return {
    name,
    kind: 'temporal',
    port,
    version: `CLI ${CLI}`,
    prepare(folder) {
      const network = ['--ip', '127.0.0.1', '--port', String(port), '--headless', '--log-level', 'warn'];
      const args = ['server', 'start-dev', ...network, '--db-filename', join(folder, 'temporal.db')];
      return Promise.resolve({ command: join(programCache(), PROGRAM, 'temporal'), args });
    },
    answers: () => portIsOpen(port),
  };
}
