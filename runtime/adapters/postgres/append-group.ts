import type { StoredMessage } from '../../../core/contract/records.ts';
import type { AppendRequest, AppendResult } from '../../../core/contract/store.ts';
import { ArrayColumn, checkedBase64, checkedUuid, elementsOf } from './array-column.ts';
import { byChat } from './chat-order.ts';
import type { GroupKind } from './group-lane.ts';
import { text } from './message-row.ts';
import { MalformedRequest, requireDecimal } from './postgres-id.ts';
import { RangesColumn } from './ranges-column.ts';
import { SendLookup } from './send-lookup.ts';
import type { Statement, StoreConnection } from './store-connection.ts';

const OK = { outcome: 'ok' } as const;
const STALE = { outcome: 'stale' } as const;
const FAILED = { outcome: 'failed' } as const;
const UNKNOWN = { outcome: 'unknown' } as const;

/** Appends to many chats in one transaction, through `append_messages`; each request is decided by itself. */
export const appendGroup: GroupKind<AppendRequest, AppendResult> = {
  name: 'append',
  failed: FAILED,
  unknown: UNKNOWN,
  paceMs: 20,
  items: (request) => request.messages.length,
  bytes: (request) => request.messages.reduce((sum, m) => sum + m.ciphertext.length, 0),
  keys: (request) => [
    request.chatId,
    ...request.messages.map((m) => `${m.from} ${m.clientMsgId.toLowerCase()}`),
  ],
  run(connection, requests, done) {
    const order = byChat(requests);
    const statement = appendStatement(order.map((i) => requests[i] as AppendRequest));
    connection.write([statement], (result) => {
      if (result.kind !== 'committed') {
        done(result);
        return;
      }
      const states = elementsOf(text(result.rows[0]?.[0] ?? [], 0));
      const results = Array.from<AppendResult>({ length: requests.length });
      const duplicates: number[] = [];
      order.forEach((at, i) => {
        if (states[i] === '2') duplicates.push(at);
        results[at] = states[i] === '0' ? OK : STALE;
      });
      if (duplicates.length === 0) done({ kind: 'done', results });
      else nameDuplicates(connection, requests, results, duplicates, () => done({ kind: 'done', results }));
    });
  },
};

/** What is a message once stays that message, so the earlier ones can be read after the transaction that met them. */
function nameDuplicates(
  connection: StoreConnection,
  requests: readonly AppendRequest[],
  results: AppendResult[],
  duplicates: readonly number[],
  done: () => void,
): void {
  const lookup = new SendLookup();
  for (const at of duplicates) for (const message of requests[at]?.messages ?? []) lookup.add(at, message);
  connection.read([lookup.statement()], (result) => {
    const found = result.kind === 'committed' ? lookup.found(result.rows[0] ?? []) : undefined;
    for (const at of duplicates) {
      const messages = found?.get(at);
      results[at] = messages === undefined ? FAILED : { outcome: 'duplicate', found: messages };
    }
    done();
  });
}

function appendStatement(requests: readonly AppendRequest[]): Statement {
  const columns = newColumns();
  const recipients = new RangesColumn();
  requests.forEach((request, i) => {
    columns.chat.digits(requireDecimal(request.chatId, 'c_'));
    columns.head.digits(request.expectHead);
    columns.version.digits(request.expectVersion);
    columns.count.digits(request.messages.length);
    recipients.add(request.recipients);
    let seq = request.expectHead;
    for (const message of request.messages) {
      seq++;
      if (message.seq !== seq) throw new MalformedRequest(`append: seq ${message.seq} where ${seq} belongs`);
      addMessage(columns, i + 1, message);
    }
  });
  const { chat, head, version, count, ...perMessage } = columns;
  const values = [chat, head, version, count].map((column) => column.literal());
  values.push(...recipients.literals(), ...Object.values(perMessage).map((column) => column.literal()));
  return { name: 'append_messages', text: APPEND, values };
}

type Columns = ReturnType<typeof newColumns>;

/** In the order of the function's parameters. */
function newColumns() {
  return {
    chat: new ArrayColumn(),
    head: new ArrayColumn(),
    version: new ArrayColumn(),
    count: new ArrayColumn(),
    request: new ArrayColumn(),
    seq: new ArrayColumn(),
    id: new ArrayColumn(),
    client: new ArrayColumn(),
    from: new ArrayColumn(),
    device: new ArrayColumn(),
    sent: new ArrayColumn(),
    media: new ArrayColumn(),
    body: new ArrayColumn(),
  };
}

function addMessage(columns: Columns, request: number, message: StoredMessage): void {
  columns.request.digits(request);
  columns.seq.digits(message.seq);
  columns.id.digits(requireDecimal(message.serverMsgId, 'm_'));
  columns.client.plain(checkedUuid(message.clientMsgId));
  columns.from.digits(requireDecimal(message.from, 'u_'));
  columns.device.digits(requireDecimal(message.fromDevice, 'd_'));
  columns.sent.digits(message.sentAt);
  if (message.mediaIds.length === 0) columns.media.digits(undefined);
  else columns.media.plain(`{${message.mediaIds.map((id) => requireDecimal(id, 'x_')).join(',')}}`);
  columns.body.plain(checkedBase64(message.ciphertext));
}

const APPEND = `
  SELECT append_messages($1::bigint[], $2::bigint[], $3::bigint[], $4::int[], $5::int[], $6::int[], $7::bigint[],
    $8::int[], $9::bigint[], $10::bigint[], $11::uuid[], $12::bigint[], $13::bigint[], $14::bigint[], $15::text[],
    $16::text[])`;
