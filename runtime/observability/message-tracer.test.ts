import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { clientMsgId } from '../../core/contract/ids.ts';
import { createMessageTracer, type MessageTracer, traceparentOf } from './message-tracer.ts';

interface Exported {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
}

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

/** A collector that keeps what it gets. */
async function collector(): Promise<{ readonly url: string; readonly spans: Exported[] }> {
  const spans: Exported[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = JSON.parse(Buffer.concat(chunks).toString('utf8')) as {
        resourceSpans: { scopeSpans: { spans: Exported[] }[] }[];
      };
      for (const resource of body.resourceSpans)
        for (const scope of resource.scopeSpans) spans.push(...scope.spans);
      response.end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ends.push(() => new Promise((resolve) => server.close(() => resolve())));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces`, spans };
}

function tracer(url: string, role: string, ratio: number): MessageTracer {
  return createMessageTracer({ url, ratio, role, node: `${role}-1`, region: 'eu' });
}

const ID = clientMsgId('0190f3a1-1111-7222-8333-444455556666');

test('roles that know nothing of each other give one message one trace, under the span of its gateway', async () => {
  const { url, spans } = await collector();
  const [gateway, worker] = [tracer(url, 'gateway', 1), tracer(url, 'delivery-worker', 1)];
  expect(gateway.sampled(ID)).toBe(true);
  worker.span('deliver', ID, 2_000, 2_500, {});
  gateway.span('ack', ID, 1_000, 1_900, { 'parley.seq': 3 });
  await gateway.close();
  await worker.close();
  const root = spans.find(({ name }) => name === 'message ack');
  const child = spans.find(({ name }) => name === 'message deliver');
  expect(root?.traceId).toBe('0190f3a1111172228333444455556666');
  expect(root?.parentSpanId ?? '').toBe('');
  expect(child?.traceId).toBe(root?.traceId);
  expect(child?.parentSpanId).toBe(root?.spanId);
  expect(traceparentOf(ID)).toBe(`00-${root?.traceId}-${root?.spanId}-01`);
});

test('every role traces the same share of the messages', () => {
  const [a, b] = [tracer('http://127.0.0.1:9', 'gateway', 0.1), tracer('http://127.0.0.1:9', 'relay', 0.1)];
  ends.push(
    () => a.close(),
    () => b.close(),
  );
  const ids = Array.from({ length: 2_000 }, (_, i) =>
    clientMsgId(`0190f3a1-1111-7222-8333-${i.toString(16).padStart(12, '0')}`),
  );
  const traced = ids.filter((id) => a.sampled(id));
  expect(ids.filter((id) => b.sampled(id))).toEqual(traced);
  expect(traced.length).toBeGreaterThan(100);
  expect(traced.length).toBeLessThan(300);
});
