import { describe, expect, it } from 'vitest';
import { chatId, type NodeId, nodeId, userId } from '../contract/ids.ts';
import { createPlacement, onePlacement, regionOf, SLOTS } from '../contract/placement.ts';
import type { ServiceRequest } from './service-call.ts';
import { createServiceRoutes, serviceFor } from './service-routes.ts';

const HERE = onePlacement('here');
const CHATS = Array.from({ length: 300 }, (_, i) => `c_${i}`);

function typingIn(chat: string): ServiceRequest {
  const replyTo = { node: nodeId('gateway'), conn: 1 as never };
  return { kind: 'typing', replyTo, userId: userId('u_1'), chatId: chatId(chat) };
}

function services(names: readonly string[], region = 'here') {
  return names.map((name) => ({ nodeId: nodeId(name), region }));
}

const all = (): boolean => true;

describe('the message service that a request goes to', () => {
  it('is the same for all requests of a chat, and each service has a share of the chats', () => {
    const routes = createServiceRoutes(HERE, services(['a', 'b', 'c']));
    const chosen = CHATS.map((chat) => serviceFor(routes, typingIn(chat), all));
    expect(CHATS.map((chat) => serviceFor(routes, typingIn(chat), all))).toEqual(chosen);
    for (const name of ['a', 'b', 'c'])
      expect(chosen.filter((node) => node === name).length).toBeGreaterThan(CHATS.length / 6);
  });

  it('changes only for the chats of a service that comes or goes', () => {
    const before = createServiceRoutes(HERE, services(['a', 'b', 'c']));
    const after = createServiceRoutes(HERE, services(['c', 'a']));
    for (const chat of CHATS) {
      const then = serviceFor(before, typingIn(chat), all);
      const now = serviceFor(after, typingIn(chat), all);
      if (then !== 'b') expect(now).toBe(then);
      else expect(['a', 'c']).toContain(now);
    }
  });

  it('is the next best while the best cannot be reached, and the best again when none can', () => {
    const routes = createServiceRoutes(HERE, services(['a', 'b', 'c']));
    const without = createServiceRoutes(HERE, services(['a', 'c']));
    const notB = (node: NodeId): boolean => node !== 'b';
    for (const chat of CHATS) {
      expect(serviceFor(routes, typingIn(chat), notB)).toBe(serviceFor(without, typingIn(chat), all));
      expect(serviceFor(routes, typingIn(chat), () => false)).toBe(serviceFor(routes, typingIn(chat), all));
    }
  });

  it('is in the home region of the chat, or of who creates one; a region without a service has none', () => {
    const placement = createPlacement([
      { name: 'one', region: 'east', slots: [[0, SLOTS / 2 - 1]] },
      { name: 'two', region: 'west', slots: [[SLOTS / 2, SLOTS - 1]] },
    ]);
    const routes = createServiceRoutes(placement, [...services(['e'], 'east'), ...services(['w'], 'west')]);
    const eastOnly = createServiceRoutes(placement, services(['e'], 'east'));
    for (const id of CHATS) {
      const home = regionOf(placement, id);
      expect(serviceFor(routes, typingIn(id), all)).toBe(home === 'east' ? 'e' : 'w');
      expect(serviceFor(eastOnly, typingIn(id), all)).toBe(home === 'east' ? 'e' : undefined);
      const creation: ServiceRequest = {
        kind: 'create-chat',
        replyTo: { node: nodeId('api'), conn: 1 as never },
        userId: userId(id),
        chatKind: 'group',
        members: [],
      };
      expect(serviceFor(routes, creation, all)).toBe(home === 'east' ? 'e' : 'w');
    }
  });
});
