import { join } from 'node:path';
import type { Engine } from './engine.ts';
import { installNpmPackage } from './npm-package.ts';
import { httpAnswers } from './port-answer.ts';
import { installOnce, programCache } from './program-cache.ts';

const VERSION = '3.7.1';
const PROGRAM = `s3rver-${VERSION}`;

/** What s3rver gives everybody: it is for development. */
export const S3_LOGIN = { bucket: 'parley-media', accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' } as const;

export async function installS3(): Promise<void> {
  await installOnce(PROGRAM, (folder) => installNpmPackage(folder, `s3rver@${VERSION}`));
}

export function s3Engine(name: string, port: number): Engine {
  return {
    name,
    kind: 's3',
    port,
    version: VERSION,
    prepare(folder) {
      const script = join(programCache(), PROGRAM, 'node_modules', 's3rver', 'bin', 's3rver.js');
      const network = ['--address', '127.0.0.1', '--port', String(port)];
      const args = [
        script,
        '--directory',
        join(folder, 'data'),
        ...network,
        '--configure-bucket',
        S3_LOGIN.bucket,
      ];
      return Promise.resolve({ command: process.execPath, args });
    },
    answers: () => httpAnswers(`http://127.0.0.1:${port}/`),
  };
}
