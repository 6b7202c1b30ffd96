import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createHttpCalls } from '../client/http-calls.ts';
import type { ChatId, UserId } from '../../core/contract/ids.ts';
import type { RawDevice, WireFrame } from './frame-log.ts';
import { connectOver, fetchDevToken } from './raw-device.ts';
import { startTestServer, type TestServer } from './test-server.ts';

/** The protocol on real sockets and a real PostgreSQL, frame by frame, over everything that may carry it. */
describe.each(['websocket', 'poll'] as const)('over %s', (transport) => {
  let server: TestServer;
  const open: RawDevice[] = [];
  let lastUser = 100;

  beforeAll(async () => {
    server = await startTestServer();
  });
  afterAll(async () => {
    await Promise.all(open.map((device) => device.close()));
    await server.stop();
  });

  /** A user that no other test knows. */
  const newUser = (): UserId => `u_${++lastUser}` as UserId;

  async function device(
    user: string,
    name = `${user}-phone`,
    cursors?: Record<string, number>,
  ): Promise<RawDevice> {
    const raw = await connectOver(transport, {
      url: server.url,
      user,
      device: name,
      ...(cursors === undefined ? {} : { cursors }),
    });
    open.push(raw);
    return raw;
  }

  const api = (user: string) =>
    createHttpCalls(server.url, () => fetchDevToken(server.url, user, `${user}-api`));
  const is =
    (name: string, fields: Record<string, unknown> = {}) =>
    (frame: WireFrame): boolean =>
      frame.frame === name && Object.entries(fields).every(([key, value]) => frame[key] === value);
  const base64 = (text: string): string => Buffer.from(text).toString('base64');

  async function send(
    from: RawDevice,
    chatId: string,
    text: string,
    clientMsgId = crypto.randomUUID(),
  ): Promise<WireFrame> {
    from.send({ frame: 'SEND', clientMsgId, chatId, ciphertext: base64(text), mediaIds: [] });
    return from.next(
      (frame) => (frame.frame === 'ACK' || frame.frame === 'ERROR') && frame['clientMsgId'] === clientMsgId,
    );
  }

  async function pair(): Promise<{ a: UserId; b: UserId; chatId: ChatId }> {
    const [a, b] = [newUser(), newUser()];
    const { chatId } = await api(a).createChat('direct', [b]);
    return { a, b, chatId };
  }

  describe('a message', () => {
    test('is acknowledged, reaches every other device of both users in order, and its receipts come back', async () => {
      const { a, b, chatId } = await pair();
      const [a1, a2, b1, b2] = await Promise.all([
        device(a),
        device(a, 'a-laptop'),
        device(b),
        device(b, 'b-laptop'),
      ]);
      const texts = ['one', 'two', 'three'];
      for (const [i, text] of texts.entries())
        expect(await send(a1, chatId, text)).toMatchObject({ frame: 'ACK', seq: i + 1 });
      for (const receiver of [a2, b1, b2]) {
        for (const [i, text] of texts.entries()) {
          const message = await receiver.next(is('MESSAGE'));
          expect(message).toMatchObject({
            chatId,
            seq: i + 1,
            from: a,
            ciphertext: base64(text),
            mediaIds: [],
          });
          expect(message['sentAt']).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
          if (i === 2)
            receiver.send({
              frame: 'RECEIPT',
              chatId,
              serverMsgId: message['serverMsgId'],
              type: 'DELIVERED',
            });
        }
      }
      // Cumulative: one receipt stands for all three, and the first of b's devices makes it.
      expect(await a1.next(is('RECEIPT', { userId: b, type: 'DELIVERED' }))).toMatchObject({
        chatId,
        seq: 3,
      });
      const read = b1.frames.find(is('MESSAGE', { seq: 2 }));
      b1.send({ frame: 'RECEIPT', chatId, serverMsgId: read?.['serverMsgId'], type: 'READ' });
      expect(await a1.next(is('RECEIPT', { type: 'READ' }))).toMatchObject({ userId: b, seq: 2 });
      const more = await a1.during(300, is('MESSAGE'));
      expect(more).toEqual([]);
    });

    test('repeated with the same clientMsgId is the same message; with other content it is a conflict', async () => {
      const { a, b, chatId } = await pair();
      const [a1, b1] = await Promise.all([device(a), device(b)]);
      const id = crypto.randomUUID();
      const first = await send(a1, chatId, 'once', id);
      const again = await send(a1, chatId, 'once', id);
      expect(again).toMatchObject({
        frame: 'ACK',
        serverMsgId: first['serverMsgId'],
        seq: first['seq'],
        duplicate: true,
      });
      const a2 = await device(a, 'another');
      expect(await send(a2, chatId, 'once', id)).toMatchObject({
        serverMsgId: first['serverMsgId'],
        duplicate: true,
      });
      expect(await send(a1, chatId, 'changed', id)).toMatchObject({
        frame: 'ERROR',
        code: 'idempotency_conflict',
        retryable: false,
      });
      await b1.next(is('MESSAGE', { serverMsgId: first['serverMsgId'] }));
      expect(await b1.during(200, is('MESSAGE'))).toEqual([]);
    });

    test('of more than 64 KiB is too large, and the connection stays', async () => {
      const { a, chatId } = await pair();
      const a1 = await device(a);
      const id = crypto.randomUUID();
      a1.send({
        frame: 'SEND',
        clientMsgId: id,
        chatId,
        ciphertext: Buffer.alloc(64 * 1024 + 1).toString('base64'),
        mediaIds: [],
      });
      expect(await a1.next(is('ERROR'))).toMatchObject({ code: 'too_large' });
      a1.send({
        frame: 'SEND',
        clientMsgId: id,
        chatId,
        ciphertext: Buffer.alloc(64 * 1024).toString('base64'),
        mediaIds: [],
      });
      expect(await a1.next(is('ACK', { clientMsgId: id }))).toMatchObject({ seq: 1 });
    });
  });

  describe('coming back', () => {
    test('RESUME replays what is newer than its cursors, in order, before SYNCED', async () => {
      const { a, b, chatId } = await pair();
      const [a1, b1] = await Promise.all([device(a), device(b)]);
      for (let i = 1; i <= 5; i++) await send(a1, chatId, `m${i}`);
      await b1.next(is('MESSAGE', { seq: 5 }));
      await b1.close();
      const back = await device(b, undefined, { [chatId]: 2 });
      const seqs = back.frames.filter(is('MESSAGE')).map((frame) => frame['seq']);
      expect(seqs).toEqual([3, 4, 5]);
      expect(back.frames.at(-1)).toMatchObject({ frame: 'SYNCED', heads: { [chatId]: 5 } });
    });

    test('a device seen for the first time starts at the head, or at 0 when it asks', async () => {
      const { a, b, chatId } = await pair();
      const a1 = await device(a);
      for (let i = 1; i <= 3; i++) await send(a1, chatId, `m${i}`);
      const fresh = await device(b, 'fresh');
      expect(fresh.frames.filter(is('MESSAGE'))).toEqual([]);
      const curious = await device(b, 'curious', { [chatId]: 0 });
      expect(curious.frames.filter(is('MESSAGE')).map((frame) => frame['seq'])).toEqual([1, 2, 3]);
    });

    test('SYNC gives a page of history and says where the chat ends', async () => {
      const { a, chatId } = await pair();
      const a1 = await device(a);
      for (let i = 1; i <= 6; i++) await send(a1, chatId, `m${i}`);
      a1.send({ frame: 'SYNC', chatId, afterSeq: 1, limit: 3 });
      expect(await a1.next(is('SYNC_END'))).toMatchObject({ chatId, head: 6 });
      expect(a1.frames.filter(is('MESSAGE')).map((frame) => frame['seq'])).toEqual([2, 3, 4]);
    });

    test('a newer connection of the device takes over: GOAWAY replaced, close 4001, and only the newer gets messages', async () => {
      const { a, b, chatId } = await pair();
      const [a1, older] = await Promise.all([device(a), device(b)]);
      const newer = await device(b);
      expect(await older.next(is('GOAWAY'))).toMatchObject({ reason: 'replaced' });
      expect(await older.closed).toBe(4001);
      await send(a1, chatId, 'to the newer');
      await newer.next(is('MESSAGE', { chatId }));
      expect(older.frames.filter(is('MESSAGE'))).toEqual([]);
    });

    test('nothing flows before RESUME, and another frame first is refused', async () => {
      const { a, b, chatId } = await pair();
      const a1 = await device(a);
      const silent = await connectOver(transport, {
        url: server.url,
        user: b,
        device: 'silent',
        cursors: 'none',
      });
      open.push(silent);
      await silent.next(is('WELCOME'));
      await send(a1, chatId, 'early');
      silent.send({ frame: 'OPEN', chatId });
      expect(await silent.next(is('ERROR'))).toMatchObject({ code: 'bad_frame' });
      expect(await silent.during(200, is('MESSAGE'))).toEqual([]);
      silent.send({ frame: 'RESUME', cursors: { [chatId]: 0 } });
      await silent.next(is('MESSAGE', { seq: 1 }));
    });
  });

  describe('presence and typing', () => {
    test('OPEN shows who is there, and who comes and goes', async () => {
      const { a, b, chatId } = await pair();
      const a1 = await device(a);
      a1.send({ frame: 'OPEN', chatId });
      expect(await a1.next(is('PRESENCE', { userId: b }))).toMatchObject({ status: 'OFFLINE' });
      const b1 = await device(b);
      await a1.next(is('PRESENCE', { userId: b, status: 'ONLINE' }));
      await b1.close();
      const gone = await a1.next(is('PRESENCE', { userId: b, status: 'OFFLINE' }), 12_000);
      expect(Date.parse(String(gone['lastSeen']))).toBeGreaterThan(Date.now() - 60_000);
      a1.send({ frame: 'CLOSE', chatId });
      await device(b);
      expect(await a1.during(500, is('PRESENCE'))).toEqual([]);
    });

    test('a short reconnect does not flap', async () => {
      const { a, b, chatId } = await pair();
      const [a1, b1] = await Promise.all([device(a), device(b)]);
      a1.send({ frame: 'OPEN', chatId });
      await a1.next(is('PRESENCE', { userId: b, status: 'ONLINE' }));
      await b1.close();
      await device(b);
      expect(await a1.during(1_500, is('PRESENCE', { status: 'OFFLINE' }))).toEqual([]);
    });

    test('TYPING reaches who has the chat on screen and is never stored', async () => {
      const { a, b, chatId } = await pair();
      const [a1, b1, elsewhere] = await Promise.all([device(a), device(b), device(b, 'elsewhere')]);
      b1.send({ frame: 'OPEN', chatId });
      await b1.next(is('PRESENCE', { userId: a, status: 'ONLINE' }));
      await send(a1, chatId, 'wakes the chat');
      a1.send({ frame: 'TYPING', chatId });
      expect(await b1.next(is('TYPING'))).toMatchObject({ chatId, from: a });
      expect(elsewhere.frames.some(is('TYPING'))).toBe(false);
      const again = await device(b, 'later', { [chatId]: 0 });
      expect(again.frames.some(is('TYPING'))).toBe(false);
    });
  });

  describe('groups', () => {
    test('who joins gets what comes after, who leaves keeps what came before, by every way of reading', async () => {
      const [owner, joiner, leaver] = [newUser(), newUser(), newUser()];
      const { chatId } = await api(owner).createChat('group', [leaver]);
      const [o1, l1] = await Promise.all([device(owner), device(leaver)]);
      await send(o1, chatId, 'before'); // seq 1
      await l1.next(is('MESSAGE', { seq: 1 }));
      await api(owner).setMember(chatId, joiner);
      const j1 = await device(joiner);
      await send(o1, chatId, 'between'); // seq 2
      await Promise.all([l1.next(is('MESSAGE', { seq: 2 })), j1.next(is('MESSAGE', { seq: 2 }))]);
      await api(leaver).removeMember(chatId, leaver);
      await send(o1, chatId, 'after'); // seq 3
      await j1.next(is('MESSAGE', { seq: 3 }));
      expect(await l1.during(300, is('MESSAGE'))).toEqual([]);
      expect(await send(l1, chatId, 'may not')).toMatchObject({ frame: 'ERROR', code: 'not_a_member' });

      const seen = async (user: UserId): Promise<number[]> => {
        const byHistory = (await api(user).history(chatId, 0, 100)).messages.map(({ seq }) => seq);
        const byResume = (await device(user, 'replay', { [chatId]: 0 })).frames
          .filter(is('MESSAGE'))
          .map((frame) => frame['seq']);
        expect(byResume).toEqual(byHistory);
        return byHistory;
      };
      expect(await seen(owner)).toEqual([1, 2, 3]);
      expect(await seen(joiner)).toEqual([2, 3]);
      expect(await seen(leaver)).toEqual([1, 2]);
      // A member who joined late is told where his sequence begins.
      const first = (await api(joiner).history(chatId, 0, 100)).messages[0];
      expect(first).toMatchObject({ seq: 2, prev: 0 });
    });

    test('only owner and admins change members; a direct chat of two users is one chat', async () => {
      const [owner, member, stranger] = [newUser(), newUser(), newUser()];
      const { chatId } = await api(owner).createChat('group', [member]);
      await expect(api(member).setMember(chatId, stranger)).rejects.toMatchObject({
        status: 403,
        code: 'forbidden',
      });
      await api(owner).setMember(chatId, member, 'admin');
      await api(member).setMember(chatId, stranger);
      expect((await api(owner).chat(chatId)).members).toHaveLength(3);
      const first = await api(owner).createChat('direct', [member]);
      const second = await api(member).createChat('direct', [owner]);
      expect([first.created, second.created, second.chatId]).toEqual([true, false, first.chatId]);
    });
  });

  test('the receipts of a message are listed over HTTP', async () => {
    const { a, b, chatId } = await pair();
    const [a1, b1] = await Promise.all([device(a), device(b)]);
    const ack = await send(a1, chatId, 'seen?');
    const message = await b1.next(is('MESSAGE'));
    b1.send({ frame: 'RECEIPT', chatId, serverMsgId: message['serverMsgId'], type: 'READ' });
    await a1.next(is('RECEIPT', { type: 'READ' }));
    const answer = await api(a).receipts(chatId, ack['serverMsgId'] as never);
    expect(answer).toMatchObject({ seq: 1, receipts: [{ userId: b }] });
    expect(answer.receipts[0]?.readAt).toMatch(/Z$/);
  });
});
