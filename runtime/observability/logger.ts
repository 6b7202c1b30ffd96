import { pino, type Logger } from 'pino';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';
export const LOG_LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error', 'silent'];

/**
 * The log of a process: JSON lines on standard error, with ids and never with a payload or a token.
 * Written synchronously, because the last line before a death is the one that matters.
 */
export function createLogger(level: LogLevel, node: string): Logger {
  return pino(
    {
      level,
      base: { node, pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: ['token', 'ciphertext', '*.token', '*.ciphertext', '*.authorization'],
    },
    pino.destination({ dest: 2, sync: true }),
  );
}
