import { pino, type DestinationStream, type Logger } from 'pino';
import { loggableError } from './loggable-error.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';
export const LOG_LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error', 'silent'];

/**
 * The log of a process: JSON lines on standard error, with ids and never with a payload or a token.
 * Written synchronously, because the last line before a death is the one that matters.
 * @param destination somewhere else, for a test that reads what is logged.
 */
export function createLogger(
  level: LogLevel,
  node: string,
  destination: DestinationStream = pino.destination({ dest: 2, sync: true }),
): Logger {
  return pino(
    {
      level,
      base: { node, pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: ['token', 'ciphertext', '*.token', '*.ciphertext', '*.authorization'],
      serializers: { err: (error: unknown) => loggableError(error) },
    },
    destination,
  );
}
