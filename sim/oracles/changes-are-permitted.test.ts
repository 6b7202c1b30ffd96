import { describe, expect, test } from 'vitest';
import { chatId, userId } from '../../core/contract/ids.ts';
import { OPEN_END, type Role } from '../../core/contract/records.ts';
import { Tale } from './tale.ts';
import { expectRed } from './testing/expect-red.ts';

describe('changes-are-permitted', () => {
  const NAME = 'changes-are-permitted';
  const OPEN = [{ after: 0, upTo: OPEN_END }];
  /** u_1 owns c_1, u_2 is an admin there, u_3 a member; u_4 has left, and u_5 was never in it. */
  const group = (): Tale =>
    new Tale()
      .member('c_1', 'u_1', OPEN, 0, { role: 'owner' })
      .member('c_1', 'u_2', OPEN, 0, { role: 'admin' })
      .member('c_1', 'u_3')
      .member('c_1', 'u_4')
      .member('c_1', 'u_4', [], 0, { by: userId('u_4') });
  const adds = (tale: Tale, by: string, user: string, role: Role = 'member'): Tale =>
    tale.member('c_1', user, OPEN, 0, { by: userId(by), role });
  const removes = (tale: Tale, by: string, user: string): Tale =>
    tale.member('c_1', user, [], 0, { by: userId(by) });

  test('a change is told as made that is not', () => {
    const confirmed = (tale: Tale, user: string, role: Role | undefined): Tale =>
      tale.tell({
        kind: 'change-confirmed',
        chatId: chatId('c_1'),
        userId: userId(user),
        role,
        askedAt: tale.events.at(-1)!.at + 1,
      });
    expectRed(confirmed(group(), 'u_3', undefined), NAME, /that is member/);
    expectRed(confirmed(group(), 'u_3', 'admin'), NAME, /that is member/);
    expectRed(confirmed(group(), 'u_4', 'member'), NAME, /that is no member/);
    expectRed(confirmed(group(), 'u_5', 'member'), NAME, /that is no member/);
    const right = confirmed(
      confirmed(confirmed(group(), 'u_2', 'admin'), 'u_4', undefined),
      'u_5',
      undefined,
    );
    expect(right.judged()).toBeUndefined();
    // It was made, and unmade before that was told.
    const askedAt = 0;
    const names = { chatId: chatId('c_1'), userId: userId('u_3'), role: undefined, askedAt };
    const back = adds(removes(group(), 'u_1', 'u_3'), 'u_1', 'u_3');
    expect(back.tell({ kind: 'change-confirmed', ...names }).judged()).toBeUndefined();
  });

  test('the owner and an admin add, promote and remove, and anybody leaves: nothing is wrong', () => {
    for (const by of ['u_1', 'u_2']) {
      const tale = adds(adds(adds(group(), by, 'u_4'), by, 'u_5', 'admin'), by, 'u_3', 'admin');
      expect(removes(removes(removes(tale, 'u_3', 'u_4'), by, 'u_5'), 'u_3', 'u_3').judged()).toBeUndefined();
    }
    expect(removes(removes(group(), 'u_3', 'u_3'), 'u_1', 'u_1').judged()).toBeUndefined();
  });

  test('a member, who has left, and a stranger add somebody', () => {
    expectRed(adds(group(), 'u_3', 'u_5'), NAME, /u_3 makes u_5 its member, and u_3 is neither/);
    expectRed(adds(group(), 'u_4', 'u_5'), NAME, /u_4 is not in it/);
    expectRed(adds(group(), 'u_5', 'u_5'), NAME, /u_5 is not in it/);
  });

  test('a member promotes himself', () => {
    expectRed(adds(group(), 'u_3', 'u_3', 'admin'), NAME, /u_3 makes u_3 its admin/);
  });

  test('a member and a stranger remove somebody', () => {
    expectRed(removes(group(), 'u_3', 'u_2'), NAME, /u_3 removes u_2/);
    expectRed(removes(group(), 'u_5', 'u_3'), NAME, /u_5 removes u_3/);
  });

  test('an admin removes the owner, takes his role, or gives it to another', () => {
    expectRed(removes(group(), 'u_2', 'u_1'), NAME, /u_1 is its owner/);
    expectRed(adds(group(), 'u_2', 'u_1'), NAME, /u_1 is its owner/);
    expectRed(adds(group(), 'u_2', 'u_3', 'owner'), NAME, /it has its owner/);
  });

  test('who is an admin no longer goes on as one', () => {
    expectRed(removes(adds(group(), 'u_1', 'u_2'), 'u_2', 'u_3'), NAME, /u_2 is neither/);
    const back = adds(removes(group(), 'u_1', 'u_2'), 'u_1', 'u_2');
    expectRed(removes(back, 'u_2', 'u_3'), NAME, /u_2 is neither/);
  });

  test('somebody leaves a direct chat', () => {
    const tale = new Tale().member('c_1', 'u_1').member('c_1', 'u_2');
    const by = userId('u_2');
    expectRed(tale.member('c_1', 'u_2', [], 0, { by, chatKind: 'direct' }), NAME, /the chat is direct/);
  });
});
