/** An engine could not be had. `next`: what to do. */
export class ServiceError extends Error {
  override readonly name = 'ServiceError';
  readonly next: string;

  constructor(message: string, next: string) {
    super(message);
    this.next = next;
  }
}
