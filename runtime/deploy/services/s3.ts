import { join } from 'node:path';
import type { Engine, Program } from './engine.ts';
import { installNpmPackage } from './npm-package.ts';
import { httpAnswers } from './port-answer.ts';
import { installOnce, isInstalled, programCache } from './program-cache.ts';

const VERSION = '3.7.1';
const FOLDER = `s3rver-${VERSION}`;

/** What s3rver gives everybody: it is for development. */
export const S3_LOGIN = { bucket: 'parley-media', accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' } as const;

export const S3: Program = {
  name: `S3 (s3rver ${VERSION})`,
  isInstalled: () => isInstalled(FOLDER),
  async install() {
    await installOnce(FOLDER, (folder) => installNpmPackage(folder, `s3rver@${VERSION}`));
  },
};

export function s3Engine(name: string, port: number): Engine {
  return {
    name,
    kind: 's3',
    program: S3,
    port,
    prepare(folder) {
      const script = join(programCache(), FOLDER, 'node_modules', 's3rver', 'bin', 's3rver.js');
      const network = ['--address', '127.0.0.1', '--port', String(port)];
      const data = ['--directory', join(folder, 'data'), '--configure-bucket', S3_LOGIN.bucket];
      return Promise.resolve({
        command: process.execPath,
        args: [script, ...network, ...data],
        version: `s3rver ${VERSION}`,
      });
    },
    answers: () => httpAnswers(`http://127.0.0.1:${port}/`),
  };
}
