/** Why a server did not start, when the reason lies outside Parley and can be mended. */
export type StartProblem =
  | 'port-in-use'
  | 'port-not-allowed'
  | 'address-unknown'
  | 'data-in-use'
  | 'data-unusable'
  | 'store-unavailable';

export class StartError extends Error {
  override readonly name = 'StartError';
  readonly problem: StartProblem;
  /** A command to type next, when there is one. */
  readonly next: string | undefined;
  constructor(kind: StartProblem, message: string, next?: string, cause?: unknown) {
    super(message, { cause });
    this.problem = kind;
    this.next = next;
  }
}
