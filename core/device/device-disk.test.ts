import { describe, expect, it } from 'vitest';
import { clientMsgId, userId } from '../contract/ids.ts';
import { applyToDisk, diskOf, emptyDisk, newDiskImage } from './device-disk.ts';
import { C, start } from './testing/device-under-test.ts';

describe('the disk', () => {
  // The application is killed at any point, and starts again from what was durable then.
  it('starts the next run where this one stood', () => {
    const s = start().live();
    s.message(6);
    s.message(8);
    s.send('k1');
    const disk = s.disk();
    expect(disk).toMatchObject({ outbox: [{ clientMsgId: 'k1' }], cursors: [[C, 6, 'm_6']] });
    const next = start({}, disk);
    next.start();
    expect(next.welcome('c_1 5')).toEqual(['1 > RESUME c_1 6', 'resuming', '1 > SEND k1']);
    expect(next.message(6)).toEqual([]);
    expect(next.message(7)).toEqual(['show c_1 #7 of u_2']);
    // What READ names is known across the restart.
    next.synced();
    expect(start({}, disk).live().read()).toEqual(['1 > READ c_1 m_6']);
  });

  it('keeps whom READ is to name when the newest message is an own one', () => {
    const s = start().live();
    s.message(6);
    s.send('k7');
    s.ack('k7', 7);
    expect(s.disk().cursors).toEqual([[C, 7, 'm_6']]);
    expect(s.disk().outbox).toEqual([]);
  });

  // The application was killed between the refusal and its telling: it is told at the next start, and nothing is sent.
  it('keeps a refusal that the application may not have heard of', () => {
    const item = { clientMsgId: clientMsgId('k1'), chatId: C, ciphertext: 'AAAA', mediaIds: [] };
    const failed = { code: 'not_a_member', message: 'no' } as const;
    const s = start(
      {},
      {
        outbox: [
          { ...item, failed },
          { ...item, clientMsgId: clientMsgId('k2') },
        ],
        cursors: [],
      },
    );
    expect(s.start().slice(0, 3)).toEqual(['failed k1 not_a_member', 'drop k1', 'connect 1']);
    expect(s.welcome()).toEqual(['1 > RESUME', 'resuming', '1 > SEND k2']);
    expect(s.disk().outbox.map((kept) => kept.clientMsgId)).toEqual(['k2']);
  });

  it('changes with durable effects only', () => {
    const image = newDiskImage(userId('u_1'), emptyDisk());
    const item = { clientMsgId: clientMsgId('k1'), chatId: C, ciphertext: '', mediaIds: [] };
    expect(applyToDisk(image, { kind: 'outbox-put', item })).toBe(true);
    expect(applyToDisk(image, { kind: 'outbox-drop', clientMsgId: item.clientMsgId })).toBe(true);
    expect(applyToDisk(image, { kind: 'outbox-drop', clientMsgId: item.clientMsgId })).toBe(false);
    expect(applyToDisk(image, { kind: 'cursor', chatId: C, seq: 4 })).toBe(true);
    expect(applyToDisk(image, { kind: 'synced' })).toBe(false);
    expect(diskOf(image)).toEqual({ outbox: [], cursors: [[C, 4, undefined]] });
  });
});
