import type { DeliveryQueueNode } from '../world/delivery-queue.ts';
import type { World } from '../world/world.ts';

/** No consumer reaches a topic: what is published stays where it is. @returns what lets them back. */
export function noConsumer(world: World, queue: DeliveryQueueNode): () => void {
  const opens = world.workers.flatMap(({ index }) => [
    world.network.block(index, queue.index, 'lost'),
    world.network.block(queue.index, index, 'lost'),
  ]);
  return () => {
    for (const open of opens) open();
  };
}
