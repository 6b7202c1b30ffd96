import type { Admin } from 'kafkajs';
import { createKafkaClient, type KafkaClient } from './kafka-client.ts';
import type { KafkaRegion } from './kafka-options.ts';
import { withDeadline } from './producer-session.ts';

/** Questions to one region's Kafka. The connection is made when it is needed and given up when a question fails. */
export interface KafkaAdmin {
  /** @throws Error when the answer is an error or does not come in time. */
  ask<T>(question: (admin: Admin) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export function createKafkaAdmin(
  region: KafkaRegion,
  options: Parameters<typeof createKafkaClient>[1],
): KafkaAdmin {
  let open:
    | { readonly client: KafkaClient; readonly admin: Admin; readonly connected: Promise<void> }
    | undefined;

  function connect(): NonNullable<typeof open> {
    const client = createKafkaClient(region, options);
    const admin = client.kafka.admin({ retry: { retries: 1 } });
    return { client, admin, connected: admin.connect() };
  }

  return {
    async ask(question) {
      const asked = (open ??= connect());
      const answer = asked.connected.then(() => question(asked.admin));
      try {
        return await withDeadline(answer, options.tuning.requestTimeoutMs, 'no broker answers');
      } catch (error) {
        if (open === asked) open = undefined;
        asked.client.sockets.cut();
        throw error;
      }
    },
    async close() {
      const closing = open;
      open = undefined;
      await closing?.admin.disconnect().catch(() => undefined);
      closing?.client.sockets.cut();
    },
  };
}
