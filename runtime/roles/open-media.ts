import { createS3MediaStore } from '../adapters/s3/media-store-s3.ts';
import type { Config } from '../config/load-config.ts';
import type { MediaStore } from '../ports/media-store.ts';
import { openMediaFolder } from '../server/open-media-folder.ts';

/** Where this deployment keeps media, or undefined when it keeps none. Opens no connection. */
export function openMedia({ media, limits }: Config): MediaStore | undefined {
  if (media === undefined) return undefined;
  if (media.kind === 'filesystem') return openMediaFolder(media.folder, limits);
  const { endpoint, region, bucket, accessKeyId, secretAccessKey = '' } = media;
  return createS3MediaStore({
    endpoint,
    region,
    bucket,
    accessKeyId,
    secretAccessKey,
    urlLifetime: limits.mediaUrlLifetime,
  });
}
