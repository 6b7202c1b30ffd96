import type { Draws } from '../engine/draws.ts';
import type { Topology } from '../scenario.ts';
import { engineName, enginesOf } from '../world/engine-names.ts';
import { deviceNames, named, processNames } from './fault-targets.ts';

/**
 * Ways that carry something, by what is at their ends. A fault of links strikes each kind of way as often as another, but the
 * way of pushes three times as often: there a worker gives up by a decision of its own.
 */
const INSIDE = [
  ['gateway', 'service'],
  ['worker', 'gateway'],
  ['worker', 'gateway'],
  ['worker', 'gateway'],
  ['gateway', 'store'],
  ['gateway', 'registry'],
  ['service', 'store'],
  ['relay', 'store'],
  ['relay', 'queue'],
  ['worker', 'queue'],
  ['worker', 'registry'],
  ['gateway', 'gateway'],
] as const;
const TO_DEVICES = [['device', 'gateway']] as const;

type End = (typeof INSIDE)[number][number] | 'device';

/** `links`: between devices and gateways too. `nodes`: those inside, and single nodes, for all that is around them. */
export type LinkTargets = 'links' | 'nodes' | 'links-and-nodes';

/** Names of every such link, and of nodes where they are meant too. */
export function linkNames(topology: Topology, wanted: LinkTargets): readonly string[] {
  const names = waysOf(wanted).flatMap(([one, other]) =>
    endNames(topology, one).flatMap((from) =>
      endNames(topology, other).flatMap((to) => (from === to ? [] : [`${from}~${to}`])),
    ),
  );
  if (wanted === 'links') return names;
  const devices = wanted === 'nodes' ? deviceNames(topology) : [];
  return [...names, ...devices, ...processNames(topology)];
}

/** Draws one of those names without making them all: there are as many as devices times gateways. */
export function drawLink(draws: Draws, topology: Topology, wanted: LinkTargets): readonly string[] {
  if (wanted !== 'links' && draws.perMille(300)) {
    const devices = wanted === 'nodes' ? deviceNames(topology) : [];
    const node = draws.pick([...devices, ...processNames(topology)]);
    return node === undefined ? [] : [node];
  }
  const way = draws.pick(waysOf(wanted))!;
  const counts = way.map((end) => endCount(topology, end));
  if (counts.includes(0)) return [];
  const [from, to] = way.map((end, i) => endName(end, draws.int(counts[i]!)));
  return from === to ? [] : [`${from}~${to}`];
}

function waysOf(wanted: LinkTargets): readonly (readonly [End, End])[] {
  return wanted === 'nodes' ? INSIDE : [...INSIDE, ...TO_DEVICES];
}

function endNames(topology: Topology, end: End): readonly string[] {
  return isEngine(end) ? enginesOf(end, topology) : named(end, endCount(topology, end));
}

function endName(end: End, index: number): string {
  return isEngine(end) ? engineName(end, index) : `${end}-${index}`;
}

function endCount(topology: Topology, end: End): number {
  switch (end) {
    case 'gateway':
      return topology.gateways;
    case 'service':
      return topology.services;
    case 'relay':
      return topology.relays;
    case 'worker':
      return topology.workers;
    case 'device':
      return topology.devices;
    default:
      return topology.regions ?? 1;
  }
}

function isEngine(end: End): end is 'store' | 'registry' | 'queue' {
  return end === 'store' || end === 'registry' || end === 'queue';
}
