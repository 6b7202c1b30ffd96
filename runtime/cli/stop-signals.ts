/** Settles at the first SIGINT, SIGTERM or SIGHUP (the terminal was closed). The second one ends the process at once. */
export function stopSignals(): Promise<NodeJS.Signals> {
  const asked = Promise.withResolvers<NodeJS.Signals>();
  let count = 0;
  for (const [signal, number] of [
    ['SIGHUP', 1],
    ['SIGINT', 2],
    ['SIGTERM', 15],
  ] as const) {
    process.on(signal, () => {
      if (++count > 1) process.exit(128 + number);
      asked.resolve(signal);
    });
  }
  return asked.promise;
}
