import type { NodeRole } from '../ports/node-directory.ts';
import { STAGES, type Stage } from '../pipeline-ports.ts';

/**
 * What each role does. The first stage has the process's own node id. A gateway also answers the HTTP API, so that a device
 * needs one URL; `http-api` alone is for apps that never connect.
 */
const STAGES_OF: Record<NodeRole, readonly Stage[]> = {
  gateway: ['gateway', 'http-api'],
  'http-api': ['http-api'],
  'message-service': ['message-service'],
  'outbox-relay': ['outbox-relay'],
  'delivery-worker': ['delivery-worker'],
  all: STAGES,
};

export function stagesOf(role: NodeRole): readonly Stage[] {
  return STAGES_OF[role];
}
