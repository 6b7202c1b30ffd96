import type { ChatId } from '../../../core/contract/ids.ts';

/**
 * @returns the places of the requests in the numeric order of their chats: two groups that lock the same chats lock them in
 * the same order, and neither waits for the other in a circle.
 */
export function byChat(requests: readonly { readonly chatId: ChatId }[]): readonly number[] {
  return requests
    .map(({ chatId }, at) => ({ chatId, at }))
    .sort(({ chatId: x }, { chatId: y }) => {
      if (x.length !== y.length) return x.length - y.length;
      return x < y ? -1 : Number(x > y);
    })
    .map(({ at }) => at);
}
