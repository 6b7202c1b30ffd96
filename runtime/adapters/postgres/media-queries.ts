import type { MediaId, UserId } from '../../../core/contract/ids.ts';
import type { Micros } from '../../../core/contract/time.ts';
import type { ChatStore, MediaRecord } from '../../ports/message-store.ts';
import { text } from './message-row.ts';
import { decimalOf, MalformedRequest, requireDecimal } from './postgres-id.ts';
import { reading, writing } from './store-queries.ts';
import type { StoreConnection } from './store-connection.ts';

const SHA256 = /^[0-9a-f]{64}$/;

/** Uploads and downloads begin with one of these each: rare beside messages, so they go by themselves. */
export function mediaQueries(
  control: StoreConnection,
  reader: StoreConnection,
): Pick<ChatStore, 'saveMedia' | 'findMedia' | 'maySeeMedia'> {
  return {
    async saveMedia({ mediaId, owner, size, contentType, sha256, createdAt }) {
      if (!SHA256.test(sha256)) throw new MalformedRequest('sha256 is not 64 hexadecimal digits');
      const values = [
        requireDecimal(mediaId, 'x_'),
        requireDecimal(owner, 'u_'),
        String(size),
        contentType,
        `\\x${sha256}`,
        String(createdAt),
      ];
      const [rows = []] = await writing(control, [{ name: 'save_media', text: SAVE, values }]);
      return rows.length > 0;
    },

    async findMedia(mediaId) {
      const id = decimalOf(mediaId, 'x_');
      if (id === undefined) return undefined;
      const [rows = []] = await reading(reader, [{ name: 'find_media', text: FIND, values: [id] }]);
      const [row] = rows;
      if (row === undefined) return undefined;
      const record: MediaRecord = {
        mediaId: `x_${text(row, 0)}` as MediaId,
        owner: `u_${text(row, 1)}` as UserId,
        size: Number(row[2]),
        contentType: text(row, 3),
        sha256: text(row, 4).slice(2),
        createdAt: Number(row[5]) as Micros,
      };
      return record;
    },

    async maySeeMedia({ mediaId, chatId, userId }) {
      const [media, chat, user] = [
        decimalOf(mediaId, 'x_'),
        decimalOf(chatId, 'c_'),
        decimalOf(userId, 'u_'),
      ];
      if (media === undefined || chat === undefined || user === undefined) return false;
      const values = [media, chat, user];
      const [rows = []] = await reading(reader, [{ name: 'may_see_media', text: MAY_SEE, values }]);
      return rows.length > 0;
    },
  };
}

const SAVE = `
  INSERT INTO media (media_id, owner, size, content_type, sha256, created_at)
  VALUES ($1::bigint, $2::bigint, $3::bigint, $4::text, $5::bytea, $6::bigint)
  ON CONFLICT DO NOTHING RETURNING media_id`;

const FIND =
  'SELECT media_id, owner, size, content_type, sha256, created_at FROM media WHERE media_id = $1::bigint';

/** The seqs of one chat that name the object are few; each is looked for in the member's spans. */
const MAY_SEE = `
  SELECT u.seq FROM media_uses u
    JOIN members m ON m.chat_id = u.chat_id AND m.user_id = $3::bigint
   WHERE u.media_id = $1::bigint AND u.chat_id = $2::bigint
     AND EXISTS (SELECT FROM unnest(m.span_after, m.span_up_to) AS s(after, up_to) WHERE s.after < u.seq AND u.seq <= s.up_to)
   LIMIT 1`;
