import { createHash } from 'node:crypto';
import type { ClientMsgId } from '../../../core/contract/ids.ts';
import type { AskedSend, FoundSend } from '../../../core/contract/store.ts';
import { ArrayColumn, checkedUuid } from './array-column.ts';
import { MESSAGE_FIELDS, messageFieldsOf, type Row, text } from './message-row.ts';
import { requireDecimal } from './postgres-id.ts';
import type { Statement } from './store-connection.ts';

/** Of the SHA-256 of a ciphertext, as `append_messages` keeps it. */
const DIGEST_BYTES = 16;

interface Asked {
  readonly request: number;
  readonly clientMsgId: ClientMsgId;
  readonly ciphertext: string;
}

/**
 * Finds the messages that earlier sends became, for many requests at once. What was said is compared by digest: the body
 * may be gone for years, and one that is there need not be read.
 */
export class SendLookup {
  readonly #from = new ArrayColumn();
  readonly #client = new ArrayColumn();
  readonly #asked: Asked[] = [];

  /** @throws MalformedRequest when the key is none that a message can have. */
  add(request: number, { from, clientMsgId, ciphertext }: AskedSend): void {
    this.#client.plain(checkedUuid(clientMsgId));
    this.#from.digits(requireDecimal(from, 'u_'));
    this.#asked.push({ request, clientMsgId, ciphertext });
  }

  statement(): Statement {
    return {
      name: 'find_sends',
      text: `
        SELECT k.ord, encode(m.digest, 'hex'), ${MESSAGE_FIELDS}
          FROM unnest($1::bigint[], $2::uuid[]) WITH ORDINALITY AS k(sender, client, ord)
         CROSS JOIN LATERAL (
           SELECT * FROM messages x WHERE x.from_user = k.sender AND x.client_msg_id = k.client LIMIT 1
         ) AS m
         ORDER BY k.ord`,
      values: [this.#from.literal(), this.#client.literal()],
    };
  }

  /** @returns the messages found, by the number of the request. */
  found(rows: readonly Row[]): Map<number, FoundSend[]> {
    const byRequest = new Map<number, FoundSend[]>();
    for (const row of rows) {
      const asked = this.#asked[Number(row[0]) - 1] as Asked;
      const sameCiphertext = text(row, 1) === digestOf(asked.ciphertext);
      // PostgreSQL prints UUIDs in lower case; who asked with capitals must recognise his own.
      const message = { ...messageFieldsOf(row, 2), clientMsgId: asked.clientMsgId, sameCiphertext };
      const list = byRequest.get(asked.request);
      if (list === undefined) byRequest.set(asked.request, [message]);
      else list.push(message);
    }
    return byRequest;
  }
}

function digestOf(ciphertext: string): string {
  const sha256 = createHash('sha256').update(ciphertext, 'base64').digest();
  return sha256.subarray(0, DIGEST_BYTES).toString('hex');
}
