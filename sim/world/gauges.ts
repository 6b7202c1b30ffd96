import type { Host } from './host.ts';
import type { World } from './world.ts';

/**
 * Reads every queue, window and buffer that has a limit, and reports the fullest of each kind and node. A machine that has
 * made no step since the last time is passed over: most of a run's samples are taken while it comes to rest.
 */
export function sampleGauges(world: World): void {
  for (const gateway of world.gateways) if (isDue(gateway)) sampleGateway(world, gateway);
  for (const device of world.devices) if (isDue(device)) sampleDevice(world, device);
  for (const service of world.services) if (isDue(service)) sampleService(world, service);
  for (const relay of world.relays) if (isDue(relay)) sampleRelay(world, relay);
}

function isDue(host: Host): boolean {
  const { stirred } = host;
  host.stirred = false;
  return stirred;
}

function sampleGateway(world: World, gateway: World['gateways'][number]): void {
  const { machine, nodeId } = gateway;
  if (machine === undefined) return;
  const { limits, observers } = world;
  let inFlight = 0;
  let requests = 0;
  let syncs = 0;
  let held = 0;
  for (const session of machine.sessions.values()) {
    inFlight = Math.max(inFlight, session.inFlight);
    requests = Math.max(requests, session.requests.size);
    syncs = Math.max(syncs, session.syncs.length);
    held = Math.max(held, session.held.length);
  }
  observers.gauge(nodeId, 'in-flight messages of a session', inFlight, limits.inFlightMessages);
  observers.gauge(nodeId, 'requests of a session', requests, limits.sessionRequests);
  observers.gauge(nodeId, 'SYNCs of a session', syncs, limits.sessionSyncs);
  observers.gauge(nodeId, 'pushes held for a session', held, limits.heldPushes);
  observers.gauge(nodeId, 'sessions', machine.sessions.size, limits.gatewaySessions);
  observers.gauge(nodeId, 'store reads', machine.reads, limits.gatewayFetches);
}

function sampleDevice(world: World, device: World['devices'][number]): void {
  const { machine, nodeId } = device;
  if (machine === undefined) return;
  const { limits, observers } = world;
  let ahead = 0;
  for (const inbox of machine.chats.values()) ahead = Math.max(ahead, inbox.ahead.size);
  observers.gauge(nodeId, 'sends that wait', machine.outbox.waiting.size, limits.deviceOutbox);
  observers.gauge(nodeId, 'sends in flight', machine.outbox.inFlight, limits.deviceSendWindow);
  observers.gauge(nodeId, 'messages ahead of a hole', ahead, limits.deviceAhead);
}

function sampleService(world: World, service: World['services'][number]): void {
  const { machine, nodeId } = service;
  if (machine === undefined) return;
  const { limits, observers } = world;
  observers.gauge(nodeId, 'requests that wait', machine.backlog, limits.serviceBacklog);
  // Chats that are busy with what was admitted stay, whatever the limit.
  const loaded = Math.max(limits.loadedChats, limits.serviceBacklog);
  observers.gauge(nodeId, 'chats loaded', machine.chats.size, loaded);
  const { lanes, share } = machine.receipts;
  for (const { pending } of lanes) observers.gauge(nodeId, 'receipts that wait', pending.size, share);
}

function sampleRelay(world: World, relay: World['relays'][number]): void {
  const { machine, nodeId } = relay;
  if (machine === undefined) return;
  const { limits, observers } = world;
  observers.gauge(nodeId, 'outbox rows in flight', machine.inFlight.size, limits.relayInFlight);
}
