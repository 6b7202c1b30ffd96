import type { UserId } from '../../../core/contract/ids.ts';
import { regionOf, type Placement } from '../../../core/contract/placement.ts';
import type { PresenceReading } from '../../../core/presence/presence-reading.ts';
import type { PresenceWatch, SessionRegistry } from '../../ports/session-registry.ts';

export interface RegionalSessionRegistryOptions {
  readonly placement: Placement;
  /** Where this process runs: what `ping` asks, since a role whose neighbours are cut off still serves its own users. */
  readonly ownRegion: string;
  /** By region. */
  readonly registries: ReadonlyMap<string, SessionRegistry>;
}

/**
 * The registries of all regions as one: a user's sessions are kept in the user's home region, wherever the devices are
 * connected. A call about users of several regions is dealt out and joined; a region that does not answer leaves its own
 * users unanswered and nobody else's. The joined answer waits for the slowest region, at most for that region's deadline.
 *
 * @throws Error when a region of the placement, or the own one, has no registry.
 */
export function createRegionalSessionRegistry(options: RegionalSessionRegistryOptions): SessionRegistry {
  const { placement, ownRegion, registries } = options;
  for (const { region } of placement.shards)
    if (!registries.has(region)) throw new Error(`region ${region} has shards and no session registry`);
  const own = registries.get(ownRegion);
  if (own === undefined) throw new Error(`region ${ownRegion} has no session registry`);
  const homeOf = (user: UserId): SessionRegistry =>
    registries.get(regionOf(placement, user)) as SessionRegistry;
  const all = [...registries.values()];

  return {
    claim: (entry, ttl, done) => homeOf(entry.userId).claim(entry, ttl, done),
    renew(entries, ttl, done) {
      const parts = deal(entries, ({ userId }) => homeOf(userId));
      join(parts, entries.length, done, ({ home, items }, answer) => home.renew(items, ttl, answer));
    },
    release: (entry) => homeOf(entry.userId).release(entry),
    lookup(users, done) {
      const parts = deal(users, homeOf);
      join(parts, users.length, done, ({ home, items }, answer) => home.lookup(items, answer));
    },
    markMissed(keys, done) {
      const parts = deal(keys, ({ userId }) => homeOf(userId));
      join(
        parts,
        keys.length,
        (marked) => done(marked.every((ok) => ok === true)),
        ({ home, items }, answer) => home.markMissed(items, (ok) => answer(items.map(() => ok))),
      );
    },
    readPresence(users, done) {
      const parts = deal(users, homeOf);
      const readings: PresenceReading[] = [];
      let left = parts.length;
      if (left === 0) queueMicrotask(() => done(readings));
      for (const { home, items } of parts) {
        home.readPresence(items, (some) => {
          readings.push(...some);
          if (--left === 0) done(readings);
        });
      }
    },
    watchPresence: (onHint) => watchAll(all, homeOf, onHint),
    onChanged(listener) {
      const ends = all.map((registry) => registry.onChanged(listener));
      return () => ends.forEach((end) => end());
    },
    ping: () => own.ping(),
    close: () => all.forEach((registry) => registry.close()),
  };
}

/** What goes to one region, and where in the joined answer its answers belong. */
interface Part<Item> {
  readonly home: SessionRegistry;
  readonly items: Item[];
  readonly places: number[];
}

function deal<Item>(items: readonly Item[], homeOf: (item: Item) => SessionRegistry): Part<Item>[] {
  const parts: Part<Item>[] = [];
  items.forEach((item, place) => {
    const home = homeOf(item);
    let part = parts.find((each) => each.home === home);
    if (part === undefined) parts.push((part = { home, items: [], places: [] }));
    part.items.push(item);
    part.places.push(place);
  });
  return parts;
}

type Answers<Answer> = readonly (Answer | undefined)[];

function join<Answer, Item>(
  parts: readonly Part<Item>[],
  count: number,
  done: (answers: Answers<Answer>) => void,
  ask: (part: Part<Item>, answer: (answers: Answers<Answer> | undefined) => void) => void,
): void {
  const joined: (Answer | undefined)[] = Array.from({ length: count }, () => undefined);
  let left = parts.length;
  if (left === 0) queueMicrotask(() => done(joined));
  for (const part of parts) {
    ask(part, (answers) => {
      part.places.forEach((place, i) => (joined[place] = answers?.[i]));
      if (--left === 0) done(joined);
    });
  }
}

function watchAll(
  all: readonly SessionRegistry[],
  homeOf: (user: UserId) => SessionRegistry,
  onHint: (user: UserId) => void,
): PresenceWatch {
  const watches = new Map(all.map((registry) => [registry, registry.watchPresence(onHint)]));
  return {
    watch: (user) => watches.get(homeOf(user))?.watch(user),
    unwatch: (user) => watches.get(homeOf(user))?.unwatch(user),
    close: () => watches.forEach((watch) => watch.close()),
  };
}
