import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import { WebSocketServer, type ServerOptions, type WebSocket } from 'ws';
import type { Limits } from '../../core/contract/limits.ts';
import { PROBLEM_TYPE, problem, problemHeaders, tokenProblem, type Problem } from '../http-api/problem.ts';
import { ProblemError } from '../http-api/http-exchange.ts';
import { addressOf } from '../http-api/peer-address.ts';
import type { RequestAdmission } from '../http-api/request-admission.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { Identity, TokenVerifier } from '../ports/token-verifier.ts';
import { SUBPROTOCOL, bearerToken, offeredProtocols } from './bearer-token.ts';

export const CONNECT_PATH = '/ws/connect';

/** How long the peer may take for its half of the closing handshake. */
const CLOSE_TIMEOUT_MS = 3_000;
/** How long a refused peer may take to read why and to close its half. Who never does must not hold a descriptor for it. */
const REFUSED_MS = 1_000;

/** A connection whose upgrade is complete and whose token has been verified. */
export interface AcceptedSocket {
  readonly socket: WebSocket;
  /** The stream under `socket`. */
  readonly raw: Duplex;
  readonly identity: Identity;
  /** Where it comes from, for rate limits; undefined for this machine itself. */
  readonly address: string | undefined;
}

export interface UpgradeOptions {
  /** Whether a proxy in front of this process says who its peers are. */
  readonly trustProxy: boolean;
  readonly limits: Limits;
  readonly admission: RequestAdmission;
  readonly verifier: TokenVerifier;
  readonly metrics: Metrics;
  readonly log: Logger;
  /** Why no connection is taken now, or undefined when they are. */
  readonly unavailable: () => string | undefined;
  readonly accept: (accepted: AcceptedSocket) => void;
}

/** The connections that the HTTP server has handed over and knows nothing of any more. */
export interface Upgrades {
  /** Cuts what is left of them, whatever state they are in. */
  cutAll(): void;
}

/**
 * What is no HTTP from here on. Everything else with an `Upgrade` header (curl and proxies offer `h2c` with any request) is
 * a plain request, as RFC 9110 section 7.8 lets a server take it.
 */
export function isDeviceUpgrade({ headers, url = '' }: IncomingMessage): boolean {
  return headers.upgrade?.toLowerCase() === 'websocket' && url.split('?', 1)[0] === CONNECT_PATH;
}

/**
 * Turns the upgrades that `isDeviceUpgrade` lets through into device connections, or refuses them. No frame is read before
 * the token has been verified.
 */
export function serveUpgrades(server: Server, options: UpgradeOptions): Upgrades {
  const settings: ServerOptions & { closeTimeout: number } = {
    noServer: true,
    // Ciphertext does not compress, and a deflate window a connection is most of the memory of an idle one.
    perMessageDeflate: false,
    clientTracking: false,
    maxPayload: options.limits.frameBytes,
    closeTimeout: CLOSE_TIMEOUT_MS,
    handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
  };
  const sockets = new WebSocketServer(settings);
  const upgraded = new Set<Duplex>();
  server.on('upgrade', (request, raw, head) => {
    upgraded.add(raw);
    raw.once('close', () => upgraded.delete(raw));
    // The peer may leave while its token is being verified; without a listener that would end the process.
    const onError = (): void => void raw.destroy();
    raw.on('error', onError);
    decide(request, options).then(
      (identity) => {
        raw.off('error', onError);
        if (raw.destroyed) return;
        sockets.handleUpgrade(request, raw, head, (socket) => {
          const address = addressOf(request, options.trustProxy);
          options.accept({ socket, raw, identity, address });
        });
      },
      (error: unknown) => {
        raw.off('error', onError);
        const refusal = error instanceof ProblemError ? error.problem : undefined;
        if (!raw.destroyed)
          refuse(raw, refusal ?? problem('internal', 'the token could not be checked'), options);
      },
    );
  });
  return {
    cutAll() {
      for (const raw of upgraded) raw.destroy();
    },
  };
}

/** @throws ProblemError for whoever may not connect. The cheap questions come first: to check a token costs a signature. */
async function decide(request: IncomingMessage, options: UpgradeOptions): Promise<Identity> {
  const unavailable = options.unavailable();
  if (unavailable !== undefined) throw new ProblemError(problem('unavailable', unavailable));
  options.admission.address(addressOf(request, options.trustProxy));
  const offered = offeredProtocols(request.headers);
  const verification = await options.verifier.verify(bearerToken(request.headers));
  if (!verification.ok) throw new ProblemError(tokenProblem(verification));
  if (offered.length > 0 && !offered.includes(SUBPROTOCOL)) {
    const detail = `offer the subprotocol ${SUBPROTOCOL} beside the token`;
    throw new ProblemError(problem('bad_frame', detail));
  }
  return verification.identity;
}

/** Answers with a problem document on the raw stream and closes it: there is no response object in an upgrade. */
function refuse(raw: Duplex, refusal: Problem, { metrics, log }: UpgradeOptions): void {
  metrics.upgradesRefused.inc({ status: refusal.status });
  log.debug({ status: refusal.status, detail: refusal.detail }, 'upgrade refused');
  const body = JSON.stringify(refusal);
  const headers = {
    'content-type': PROBLEM_TYPE,
    'content-length': String(Buffer.byteLength(body)),
    connection: 'close',
    ...problemHeaders(refusal),
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  raw.on('error', () => raw.destroy());
  // Node keeps the half of a peer that does not close its own, for ever. Destroying it at once could take the answer along.
  const late = setTimeout(() => raw.destroy(), REFUSED_MS);
  raw.once('close', () => clearTimeout(late));
  raw.resume();
  raw.end([`HTTP/1.1 ${refusal.status} ${refusal.title}`, ...lines, '', body].join('\r\n'));
}
