import type { Logger } from 'pino';
import type { Config } from '../config/load-config.ts';
import { createJwksTokens } from '../gateway/jwks-tokens.ts';
import type { Metrics } from '../observability/metrics.ts';
import { createDevelopmentTokens, type DevelopmentTokens } from '../gateway/development-tokens.ts';
import type { TokenVerifier } from '../ports/token-verifier.ts';
import { developmentSecret } from '../server/development-secret.ts';

/** How this process believes a device. */
export interface Tokens {
  readonly verifier: TokenVerifier;
  /** Issues tokens to anybody; undefined outside development. */
  readonly development: DevelopmentTokens | undefined;
}

/** @throws StartError when the development secret cannot be used. */
export function openTokens({ tokens }: Config, metrics: Metrics, log: Logger): Tokens {
  if (tokens.jwks !== undefined)
    return { verifier: openJwks(tokens.jwks, metrics, log), development: undefined };
  if (tokens.development === undefined) throw new Error('tokens names neither development nor jwks');
  const development = createDevelopmentTokens(developmentSecret(tokens.development.secretFile));
  return { verifier: development, development };
}

function openJwks(jwks: NonNullable<Config['tokens']['jwks']>, metrics: Metrics, log: Logger): TokenVerifier {
  const { url, file, issuer, audience } = jwks;
  if (url === undefined && file === undefined) throw new Error('tokens.jwks names neither url nor file');
  const source = url === undefined ? { file: file ?? '' } : { url };
  const tokens = createJwksTokens({ source, issuer, audience, log });
  metrics.counts(
    'parley_jwks_reads_total',
    'Attempts to read the key set of the issuer',
    'outcome',
    () => tokens.figures,
  );
  return tokens;
}
