import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { runCommand } from './run-command.ts';

/** Installs a package and what it needs into a folder of its own, with the Node that runs this. */
export async function installNpmPackage(folder: string, spec: string): Promise<void> {
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
  const path = `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`;
  await runCommand(
    'npm',
    ['install', '--no-audit', '--no-fund', '--no-update-notifier', '--save-exact', spec],
    {
      cwd: folder,
      environment: { PATH: path },
    },
  );
}
