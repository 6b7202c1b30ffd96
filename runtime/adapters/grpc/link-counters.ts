import type { Metrics } from '../../observability/metrics.ts';

/** What one item of a link says. */
export type ItemKind = 'request' | 'reply' | 'push' | 'push-result' | 'evict' | 'hint' | 'leaving';

/**
 * Why something was not passed on. Outgoing: `no-service` no message service is known in the chat's region, `unknown-node`
 * nobody of that name, `down` its link is broken, `queue-full` it reads too slowly, `broken` its link broke before the item
 * was written, `too-large`. Incoming: `unknown-kind` of a newer version, `malformed`, `forbidden` what this role may not say or
 * in another's name, `no-receiver` the role it is for has gone.
 */
export type DropReason =
  | 'no-service'
  | 'unknown-node'
  | 'down'
  | 'queue-full'
  | 'broken'
  | 'too-large'
  | 'unknown-kind'
  | 'malformed'
  | 'forbidden'
  | 'no-receiver';

type Counts<Name extends string> = Record<Name, number>;

/** Plain numbers, added to for each item and read when somebody scrapes: a labelled counter would cost more than the item. */
export interface LinkCounters {
  readonly sent: Counts<ItemKind>;
  readonly received: Counts<ItemKind>;
  readonly dropped: Counts<DropReason>;
  readonly batches: Counts<'sent' | 'received'>;
  readonly bytes: Counts<'sent' | 'received'>;
  readonly refused: Counts<'certificate' | 'hello' | 'version'>;
  readonly ends: Counts<'unreachable' | 'reconnects' | 'stalled'>;
}

const noItems = (): Counts<ItemKind> => ({
  request: 0,
  reply: 0,
  push: 0,
  'push-result': 0,
  evict: 0,
  hint: 0,
  leaving: 0,
});

export function createLinkCounters(): LinkCounters {
  return {
    sent: noItems(),
    received: noItems(),
    dropped: {
      'no-service': 0,
      'unknown-node': 0,
      down: 0,
      'queue-full': 0,
      broken: 0,
      'too-large': 0,
      'unknown-kind': 0,
      malformed: 0,
      forbidden: 0,
      'no-receiver': 0,
    },
    batches: { sent: 0, received: 0 },
    bytes: { sent: 0, received: 0 },
    refused: { certificate: 0, hello: 0, version: 0 },
    ends: { unreachable: 0, reconnects: 0, stalled: 0 },
  };
}

/** Shows the counters under their stable names. */
export function exportLinkCounters(
  counters: LinkCounters,
  metrics: Metrics,
  now: { readonly streams: () => number; readonly queued: () => number; readonly unanswered: () => number },
): void {
  const { sent, received, dropped, batches, bytes, refused, ends } = counters;
  metrics.counts('parley_links_items_sent_total', 'Items said to other processes', 'kind', () => sent);
  metrics.counts('parley_links_items_received_total', 'Items heard from others', 'kind', () => received);
  metrics.counts('parley_links_batches_total', 'Messages on link streams', 'direction', () => batches);
  metrics.counts('parley_links_bytes_total', 'Bytes of those messages', 'direction', () => bytes);
  metrics.counts('parley_links_dropped_total', 'Items not passed on, by reason', 'reason', () => dropped);
  metrics.counts('parley_links_refused_total', 'Links refused, by what was wrong', 'reason', () => refused);
  metrics.counts(
    'parley_links_ends_total',
    'Pushes answered unreachable, links made anew, links broken off as stalled',
    'what',
    () => ends,
  );
  metrics.gauge('parley_links_streams', 'Open streams to other processes', now.streams);
  metrics.gauge('parley_links_queue_bytes', 'Said and not yet taken, all peers together', now.queued);
  metrics.gauge('parley_links_unanswered_pushes', 'Pushes whose answer is awaited', now.unanswered);
}
