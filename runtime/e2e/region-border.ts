import { installDebianPackage } from '../deploy/services/debian-package.ts';
import { runCommand } from '../deploy/services/run-command.ts';
import type { ClusterPlan } from '../cluster/cluster-plan.ts';

/**
 * The border between two regions that share a machine. Every process of a region runs under the region's own group, and the
 * firewall drops what one group sends to the other region's ports: no answer, no refusal, as when a cable is cut.
 */
export interface RegionBorder {
  cut(): Promise<void>;
  heal(): Promise<void>;
}

/** Of groups that Debian assigns to nobody. */
export const REGION_GROUPS = [64_321, 64_322] as const;
const TABLE = 'parley_region_border';

/** Needs root. @throws CommandFailed when the firewall cannot be had. */
export async function openBorder(plan: ClusterPlan): Promise<RegionBorder> {
  await runCommand('nft', ['--version']).catch(() => installDebianPackage('nftables'));
  const ports = plan.regions.map((region, i) => portsOf(plan, region, i));
  const heal = async (): Promise<void> => {
    await runCommand('nft', ['delete', 'table', 'inet', TABLE]).catch(() => undefined);
  };
  return {
    async cut() {
      const rules = REGION_GROUPS.map((group, i) => {
        const others = ports[1 - i]?.join(', ') ?? '';
        return `meta skgid ${group} tcp dport { ${others} } drop`;
      });
      const chain = `chain output {\n type filter hook output priority 0;\n ${rules.join('\n ')}\n}`;
      await runCommand('nft', [`table inet ${TABLE} {\n${chain}\n}`]);
    },
    heal,
  };
}

/** What a region's engines and processes listen on. */
function portsOf(plan: ClusterPlan, region: string, index: number): readonly number[] {
  const { postgres = [], redis = '', kafka = [] } = plan.engines[index] ?? {};
  const engines = [...postgres, redis].map((url) => Number(new URL(url).port));
  const brokers = kafka.map((address) => Number(address.split(':').at(-1)));
  const links = plan.processes.filter((process) => process.region === region).map(({ linkPort }) => linkPort);
  return [...engines, ...brokers, ...links];
}
