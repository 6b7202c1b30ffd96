import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { inspectS3, type S3Report } from '../adapters/s3/inspect-s3.ts';
import type { Config } from '../config/load-config.ts';
import { broken, ok, type Examination, type Finding } from './finding.ts';

type Note = Pick<Finding, 'verdict' | 'detail' | 'next'>;

/** Where media are kept: an object is written, read and removed. Nothing to examine where none are kept. */
export function examineMedia({ media, limits }: Config, timeoutMs: number): readonly Examination[] {
  if (media === undefined) return [];
  if (media.kind === 'filesystem') return [examineFolder(media.folder)];
  const { endpoint, region, bucket, accessKeyId, secretAccessKey = '' } = media;
  const options = {
    endpoint,
    region,
    bucket,
    accessKeyId,
    secretAccessKey,
    urlLifetime: limits.mediaUrlLifetime,
  };
  return [
    {
      subject: `media bucket ${bucket}`,
      region: undefined,
      next: `look whether ${endpoint} may be reached from here, and from the devices. Until then messages go on without media`,
      async run() {
        const report = await inspectS3(options, timeoutMs);
        if (report.refused !== undefined) return [refusedNote(report.refused)];
        if (!report.same)
          return [broken('what was read is not what was written', 'look for a proxy or a cache before S3')];
        return [ok(`takes and gives objects at ${endpoint}, ${report.roundTripMs} ms away`)];
      },
    },
  ];
}

function refusedNote({ step, status, code }: NonNullable<S3Report['refused']>): Note {
  return broken(`refuses to ${step}: ${status} ${code}`, remedyOf(status, code));
}

function remedyOf(status: number, code: string): string {
  switch (code) {
    case 'NoSuchBucket':
      return 'make the bucket, or correct media.bucket';
    case 'RequestTimeTooSkewed':
      return 'let NTP set the clock of this machine';
    case 'SignatureDoesNotMatch':
    case 'InvalidAccessKeyId':
      return 'correct media.accessKeyId and media.secretAccessKey, and media.region, which is part of the signature';
    default:
      return status === 404
        ? 'correct media.endpoint and media.bucket'
        : 'allow the key s3:PutObject and s3:GetObject on the bucket';
  }
}

function examineFolder(folder: string): Examination {
  return {
    subject: `media folder ${folder}`,
    region: undefined,
    next: 'let the user that Parley runs as write there, and mount it in every process that serves HTTP. Until then uploads fail',
    async run() {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const place = join(folder, `doctor-${randomUUID()}`);
      const content = 'written by parley doctor';
      try {
        const file = await open(place, 'wx', 0o600);
        try {
          await file.writeFile(content);
          // An upload counts when it is on the disk, which some shared folders refuse to say.
          await file.sync();
        } finally {
          await file.close();
        }
        if ((await readFile(place, 'utf8')) !== content)
          return [
            broken('what was read is not what was written', 'look at the file system it is mounted from'),
          ];
        return [ok('takes and gives files')];
      } finally {
        await rm(place, { force: true });
      }
    },
  };
}
