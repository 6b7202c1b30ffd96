import type { ClientMsgId } from '../../../core/contract/ids.ts';
import type { StoredMessage } from '../../../core/contract/records.ts';
import type { SendKey } from '../../../core/contract/store.ts';
import { ArrayColumn, checkedUuid } from './array-column.ts';
import { MESSAGE_BODY, MESSAGE_COLUMNS, messageOf, type Row } from './message-row.ts';
import { requireDecimal } from './postgres-id.ts';
import type { Statement } from './store-connection.ts';

/** Finds the messages that earlier sends became, for many requests at once. */
export class SendLookup {
  readonly #request = new ArrayColumn();
  readonly #from = new ArrayColumn();
  readonly #client = new ArrayColumn();
  readonly #spelled = new Map<string, ClientMsgId>();
  size = 0;

  /** @throws MalformedRequest when the key is none that a message can have. */
  add(request: number, { from, clientMsgId }: SendKey): void {
    const uuid = checkedUuid(clientMsgId);
    this.#request.digits(request);
    this.#from.digits(requireDecimal(from, 'u_'));
    this.#client.plain(uuid);
    this.#spelled.set(uuid.toLowerCase(), clientMsgId);
    this.size++;
  }

  statement(): Statement {
    return {
      name: 'find_sends',
      text: `
        SELECT k.request, ${MESSAGE_COLUMNS}
          FROM unnest($1::int[], $2::bigint[], $3::uuid[]) WITH ORDINALITY AS k(request, sender, client, ord)
         CROSS JOIN LATERAL (
           SELECT * FROM messages x WHERE x.from_user = k.sender AND x.client_msg_id = k.client LIMIT 1
         ) AS m ${MESSAGE_BODY}
         ORDER BY k.ord`,
      values: [this.#request.literal(), this.#from.literal(), this.#client.literal()],
    };
  }

  /** @returns the messages found, by the number of the request. */
  found(rows: readonly Row[]): Map<number, StoredMessage[]> {
    const byRequest = new Map<number, StoredMessage[]>();
    for (const row of rows) {
      const request = Number(row[0]);
      const message = this.#asAsked(messageOf(row, 1));
      const list = byRequest.get(request);
      if (list === undefined) byRequest.set(request, [message]);
      else list.push(message);
    }
    return byRequest;
  }

  /** PostgreSQL prints UUIDs in lower case; who asked with capitals must recognise his own. */
  #asAsked(message: StoredMessage): StoredMessage {
    const spelled = this.#spelled.get(message.clientMsgId);
    return spelled === undefined || spelled === message.clientMsgId
      ? message
      : { ...message, clientMsgId: spelled };
  }
}
