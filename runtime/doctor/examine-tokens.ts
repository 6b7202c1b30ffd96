import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Config } from '../config/load-config.ts';
import { readIssuerKeys } from '../gateway/jwks-tokens.ts';
import { ok, warning, type Examination } from './finding.ts';

/** The keys by which devices are believed: read, and taken apart as a gateway does. */
export function examineTokens({ tokens }: Config): readonly Examination[] {
  const { jwks, development } = tokens;
  if (jwks === undefined) return development === undefined ? [] : [examineSecret(development.secretFile)];
  const { url, file = '' } = jwks;
  const place = url ?? file;
  return [
    {
      subject: 'key set of the issuer',
      region: undefined,
      next: `look whether ${place} can be read from here and is a key set (RFC 7517). Gateways that know its keys go on with them for a day; those that start refuse every device`,
      async run() {
        const { keys } = await readIssuerKeys(url === undefined ? { file } : { url });
        const names = keys.map(({ kid, kty }) => `${kid} (${kty})`);
        const notes = [
          ok(`${keys.length} ${keys.length === 1 ? 'key' : 'keys'} at ${place}: ${names.join(', ')}`),
        ];
        if (jwks.issuer !== undefined) return notes;
        return [
          ...notes,
          warning(
            'tokens.jwks.issuer is left out: a token that the same keys signed for another service counts too, if its audience fits',
            'set tokens.jwks.issuer to what the claim iss of your tokens says',
          ),
        ];
      },
    },
  ];
}

function examineSecret(secretFile: string): Examination {
  return {
    subject: 'development tokens',
    region: undefined,
    next: 'let the user that Parley runs as read it',
    async run() {
      // The first process makes it.
      if (!existsSync(secretFile))
        return [ok('anybody may ask for a token of anybody; no secret is made yet')];
      await readFile(secretFile);
      return [ok('anybody may ask for a token of anybody')];
    },
  };
}
