import { join } from 'node:path';
import { installOnce } from '../services/program-cache.ts';
import { runCommand } from '../services/run-command.ts';

const VERSION = '3.19.0';

/** Builds Helm from its Go module, minutes the first time. @returns the path of the program. */
export async function helm(): Promise<string> {
  const folder = await installOnce(`helm-${VERSION}`, async (into) => {
    await runCommand('go', ['install', '-ldflags', '-s -w', `helm.sh/helm/v3/cmd/helm@v${VERSION}`], {
      environment: { GOBIN: into, CGO_ENABLED: '0' },
      hint: 'install Go 1.24 or newer',
    });
  });
  return join(folder, 'helm');
}
