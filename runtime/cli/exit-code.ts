/** What the exit code of `parley` means; stable, for scripts. 128 + n: ended by signal n. */
export const EXIT = {
  ok: 0,
  /** The command line is wrong: unknown command, flag or value. */
  usage: 1,
  /** The command ran and failed, or found what it was looking for: a violation, a missed target. */
  failed: 2,
  /** The port is taken by another process. */
  portInUse: 3,
  /** Another Parley uses the data folder. */
  dataInUse: 4,
  /** Something outside Parley does not answer: the server, the database. */
  unavailable: 69,
  /** A defect of Parley: an invariant broke. */
  defect: 70,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Ends a command with a message for people: what is wrong, and what to do next. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly exitCode: ExitCode;
  /** A command to type next, when there is one. */
  readonly next: string | undefined;
  constructor(exitCode: ExitCode, message: string, next?: string) {
    super(message);
    this.exitCode = exitCode;
    this.next = next;
  }
}
