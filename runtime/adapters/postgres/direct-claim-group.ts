import type { ChatId } from '../../../core/contract/ids.ts';
import type { Member } from '../../../core/contract/records.ts';
import type { StoreFailure } from '../../../core/contract/store.ts';
import type { GroupKind } from './group-lane.ts';
import { text } from './message-row.ts';
import { MalformedRequest, requireDecimal } from './postgres-id.ts';

/** The two users of a direct chat, as decimal ids in text order. */
export interface DirectPair {
  readonly low: string;
  readonly high: string;
}

/** @throws MalformedRequest when these are not two. */
export function directPairOf(members: readonly Member[]): DirectPair {
  const ids = members.map((member) => requireDecimal(member.userId, 'u_')).sort();
  const [low, high] = ids;
  if (low === undefined || high === undefined || ids.length > 2) {
    throw new MalformedRequest('a direct chat has two members');
  }
  return { low, high };
}

/** What `slotOf` takes for a pair: its slot's shard keeps the claim. */
export function pairKey({ low, high }: DirectPair): string {
  return `u_${low} u_${high}`;
}

/** Says that a pair's direct chat is to be `chatId`, unless somebody said another before. */
export interface DirectClaim extends DirectPair {
  readonly chatId: ChatId;
}
export type DirectClaimResult = { readonly outcome: 'ok'; readonly chatId: ChatId } | StoreFailure;

export const directClaimGroup: GroupKind<DirectClaim, DirectClaimResult> = {
  name: 'claim-direct',
  failed: { outcome: 'failed' },
  unknown: { outcome: 'unknown' },
  items: () => 1,
  bytes: () => 0,
  keys: (claim) => [pairKey(claim)],
  run(connection, claims, done) {
    // Two transactions that claim the same pairs lock them in the same order.
    const order = claims.map((_, i) => i).sort((a, b) => compare(claims[a], claims[b]));
    const requests = order.map((at) => claimOf(claims[at] as DirectClaim));
    const values = [JSON.stringify(requests)];
    const statement = {
      name: 'claim_directs',
      text: 'SELECT chat FROM claim_directs($1::jsonb) ORDER BY request',
      values,
    };
    connection.write([statement], (result) => {
      if (result.kind !== 'committed') {
        done(result);
        return;
      }
      const results = claims.map((): DirectClaimResult => ({ outcome: 'failed' }));
      (result.rows[0] ?? []).forEach((row, i) => {
        results[order[i] as number] = { outcome: 'ok', chatId: `c_${text(row, 0)}` as ChatId };
      });
      done({ kind: 'done', results });
    });
  },
};

function claimOf({ low, high, chatId }: DirectClaim): object {
  return { chat: requireDecimal(chatId, 'c_'), low, high };
}

function compare(a: DirectClaim | undefined, b: DirectClaim | undefined): number {
  const [x, y] = [a === undefined ? '' : pairKey(a), b === undefined ? '' : pairKey(b)];
  return x < y ? -1 : Number(x > y);
}
