import { randomBytes } from 'node:crypto';
import { mediaId, type MediaId, type UserId } from '../../core/contract/ids.ts';
import type { Limits } from '../../core/contract/limits.ts';
import { systemClock } from '../driver/machine-driver.ts';
import type { MediaObject, MediaStore } from '../ports/media-store.ts';
import type { ChatStore, MediaRecord } from '../ports/message-store.ts';
import { ProblemError } from './http-exchange.ts';
import { problem } from './problem.ts';
import { mediaParams, mediaQuery, newMediaBody, parseInput } from './request-schema.ts';
import type { Route } from './router.ts';
import { answered } from './store-answer.ts';
import { wireTime } from './wire-shape.ts';

export interface MediaRoutesOptions {
  readonly media: MediaStore;
  readonly store: Pick<ChatStore, 'saveMedia' | 'findMedia' | 'maySeeMedia'>;
  readonly limits: Limits;
}

/** Of 2^63 ids, one that is taken is drawn once in ages; twice in a row, the store is not what it should be. */
const DRAWS = 3;

/**
 * Media: URLs to upload and download by. An id is drawn at random from 2^63, and whoever was told it may name it in a
 * message, as he may pass on the content itself. To download one needs to have uploaded it, or to see a message that names it.
 */
export function mediaRoutes({ media, store, limits }: MediaRoutesOptions): Route[] {
  const body = newMediaBody(limits.mediaBytes);
  return [
    {
      method: 'POST',
      path: '/v1/media',
      auth: 'bearer',
      input: { body },
      async handle({ body: input, identity, origin }) {
        const wanted = parseInput(body, input);
        const object = { ...wanted, mediaId: await record(store, wanted, identity.userId) };
        const { url, headers, expiresAt } = await media.signUpload(object, origin, identity.userId);
        return {
          status: 201,
          json: {
            mediaId: object.mediaId,
            uploadUrl: url,
            uploadHeaders: headers,
            expiresAt: wireTime(expiresAt),
          },
          headers: { location: `/v1/media/${object.mediaId}` },
        };
      },
    },
    {
      method: 'GET',
      path: '/v1/media/:mediaId',
      auth: 'bearer',
      input: { params: mediaParams, query: mediaQuery },
      async handle({ params, query, identity, origin }) {
        const { mediaId: id } = parseInput(mediaParams, params);
        const { chatId } = parseInput(mediaQuery, Object.fromEntries(query));
        const found = await answered(store.findMedia(id));
        const { userId } = identity;
        const may =
          found !== undefined &&
          (found.owner === userId ||
            (chatId !== undefined && (await answered(store.maySeeMedia({ mediaId: id, chatId, userId })))));
        if (!may) throw noSuchMedia(chatId === undefined);
        const { url, expiresAt } = await media.signDownload(found, origin);
        const { size, contentType, sha256 } = found;
        return {
          status: 200,
          json: {
            mediaId: id,
            downloadUrl: url,
            expiresAt: wireTime(expiresAt),
            size,
            contentType,
            sha256,
          },
        };
      },
    },
  ];
}

/** Writes down what will be uploaded. @returns its id. */
async function record(
  store: MediaRoutesOptions['store'],
  wanted: Omit<MediaObject, 'mediaId'>,
  owner: UserId,
): Promise<MediaId> {
  for (let draw = 0; draw < DRAWS; draw++) {
    const row: MediaRecord = { ...wanted, mediaId: drawId(), owner, createdAt: systemClock() };
    if (await answered(store.saveMedia(row))) return row.mediaId;
  }
  throw new ProblemError(problem('unavailable', 'no media id could be drawn: try again'));
}

/** Unguessable: 63 bits of a random source that cannot be foreseen. */
function drawId(): MediaId {
  return mediaId(`x_${randomBytes(8).readBigUInt64BE() >> 1n}`);
}

function noSuchMedia(withoutChat: boolean): ProblemError {
  const hint = withoutChat ? ': name the chat of a message that shows it, as chatId' : '';
  const detail = `mediaId: there is no such media, or you see no message with it${hint}`;
  return new ProblemError(problem('bad_frame', detail, { status: 404 }));
}
