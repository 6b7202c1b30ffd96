import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { isRoot } from '../../adapters/embedded-postgres/unprivileged-user.ts';
import { CommandFailed, runCommand } from './run-command.ts';

/** Debian's way to say that installing a service shall not start it (policy-rc.d, exit code 101). */
const POLICY = '/usr/sbin/policy-rc.d';
const CLUSTER_CONFIG = '/etc/postgresql-common/createcluster.conf';

/** Whether this user may install packages of Debian on this machine. */
export function canInstallDebianPackages(): boolean {
  return isRoot() && existsSync('/usr/bin/apt-get');
}

/**
 * Installs a package of Debian without starting its service or making its cluster. One at a time.
 * @throws CommandFailed that says what to install by hand where this user may not.
 */
export async function installDebianPackage(name: string): Promise<void> {
  if (!canInstallDebianPackages()) {
    throw new CommandFailed(`${name} is not installed. Next: install it (Debian: apt-get install ${name})`);
  }
  const policy = existsSync(POLICY) ? readFileSync(POLICY) : undefined;
  writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  if (!existsSync(CLUSTER_CONFIG)) {
    mkdirSync(dirname(CLUSTER_CONFIG), { recursive: true });
    writeFileSync(CLUSTER_CONFIG, 'create_main_cluster = false\n');
  }
  const environment = { DEBIAN_FRONTEND: 'noninteractive' };
  const options = [
    '-qq',
    '-o',
    'Dpkg::Options::=--force-confold',
    '-o',
    'DPkg::Lock::Timeout=300',
    '--no-install-recommends',
    '-y',
  ];
  try {
    await runCommand('apt-get', ['install', ...options, name], { environment }).catch(async () => {
      await runCommand('apt-get', ['update', '-qq'], { environment });
      await runCommand('apt-get', ['install', ...options, name], { environment });
    });
  } finally {
    if (policy === undefined) rmSync(POLICY, { force: true });
    else writeFileSync(POLICY, policy, { mode: 0o755 });
  }
}
