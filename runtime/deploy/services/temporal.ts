import { join } from 'node:path';
import type { Engine, Program } from './engine.ts';
import { grpcServing } from './grpc-health.ts';
import { installOnce, isInstalled, programCache } from './program-cache.ts';
import { runCommand } from './run-command.ts';

const CLI = '1.5.1';
const FOLDER = `temporal-cli-${CLI}`;
const SERVICE = 'temporal.api.workflowservice.v1.WorkflowService';

export const TEMPORAL: Program = {
  name: `Temporal (CLI ${CLI}, built from its Go module: minutes)`,
  isInstalled: () => isInstalled(FOLDER),
  async install() {
    await installOnce(FOLDER, async (folder) => {
      const module = `github.com/temporalio/cli/cmd/temporal@v${CLI}`;
      await runCommand('go', ['install', '-ldflags', '-s -w', module], {
        environment: { GOBIN: folder, CGO_ENABLED: '0' },
        hint: 'install Go 1.23 or newer (Debian: apt-get install golang-go)',
      });
    });
  },
};

export function temporalEngine(name: string, port: number): Engine {
  return {
    name,
    kind: 'temporal',
    program: TEMPORAL,
    port,
    prepare(folder) {
      const network = ['--ip', '127.0.0.1', '--port', String(port), '--headless', '--log-level', 'warn'];
      const args = ['server', 'start-dev', ...network, '--db-filename', join(folder, 'temporal.db')];
      const command = join(programCache(), FOLDER, 'temporal');
      return Promise.resolve({ command, args, version: `CLI ${CLI}` });
    },
    answers: () => grpcServing(`127.0.0.1:${port}`, SERVICE),
  };
}
