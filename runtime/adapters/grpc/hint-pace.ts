/** Lets one through at once and then one every `everyMs` at most: a burst of commits is one hint, its last commit is not missed. */
export function createHintPace(everyMs: number, say: () => void): { ask(): void; stop(): void } {
  let resting: NodeJS.Timeout | undefined;
  let asked = false;
  const rest = (): void => {
    resting = setTimeout(() => {
      resting = undefined;
      if (!asked) return;
      asked = false;
      say();
      rest();
    }, everyMs).unref();
  };
  return {
    ask() {
      if (resting !== undefined) {
        asked = true;
        return;
      }
      say();
      rest();
    },
    stop: () => clearTimeout(resting),
  };
}
