/** A command of `parley`. Its file exports one of these. */
export interface Command {
  readonly name: string;
  /** One line for `parley --help`. */
  readonly summary: string;
  /** @param argv what follows the command's name. @returns the exit code. */
  run(argv: readonly string[]): Promise<number>;
}
