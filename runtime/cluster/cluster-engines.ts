import { servicesUp } from '../deploy/services/services.ts';
import { readServiceState, servicesFolder, type ServiceRegion } from '../deploy/services/service-state.ts';
import { isRunning } from '../adapters/embedded-postgres/process-identity.ts';

const NEEDED = ['postgres', 'redis', 'kafka'] as const;

/**
 * The engines of `parley services`, started when they do not run: PostgreSQL, Redis and Kafka of as many regions.
 * @param say told of each thing that was started.
 * @throws ServiceError, which names the next command, when one cannot be had.
 */
export async function runningEngines(
  regions: number,
  say: (line: string) => void,
): Promise<readonly ServiceRegion[]> {
  const folder = servicesFolder(undefined);
  const known = readServiceState(folder);
  const running = (known?.processes ?? []).filter(isRunning).map(({ name }) => name);
  const names = (known?.regions ?? []).slice(0, regions).map(({ name }) => name);
  const complete =
    names.length === regions &&
    names.every((name) =>
      [`postgres-${name}-1`, `postgres-${name}-2`, `redis-${name}`, `kafka-${name}`].every((each) =>
        running.includes(each),
      ),
    );
  if (complete && known !== undefined) return known.regions.slice(0, regions);
  say('Starting PostgreSQL, Redis and Kafka …');
  const state = await servicesUp({
    folder,
    only: NEEDED,
    // Engines of a region that runs already stay known.
    regions: Math.max(regions, known?.regions.length ?? 0),
    // Wherever the engines of this folder are.
    portOffset: undefined,
    progress: (what, seconds) => say(`  ${what} (${seconds.toFixed(1)} s)`),
  });
  return state.regions.slice(0, regions);
}
