/**
 * Waits for work, but not for ever: whatever is not done by then is left behind. @returns whether it was done.
 * @throws what `work` rejects with, in time.
 */
export async function within(ms: number, work: Promise<unknown>): Promise<boolean> {
  const late = Promise.withResolvers<boolean>();
  const timer = setTimeout(late.resolve, ms, false);
  try {
    return await Promise.race([work.then(() => true), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
