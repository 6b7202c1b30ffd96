/** @returns a function that acts once, whoever calls it and however often. */
export function onceOnly(action: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined;
  return () => (done ??= action());
}
