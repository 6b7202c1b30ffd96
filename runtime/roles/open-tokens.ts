import type { Config } from '../config/load-config.ts';
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
export function openTokens({ tokens }: Config): Tokens {
  if (tokens.development === undefined) throw new Error('tokens.jwks is not wired yet');
  const development = createDevelopmentTokens(developmentSecret(tokens.development.secretFile));
  return { verifier: development, development };
}
