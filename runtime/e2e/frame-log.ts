/** A frame as it is on the wire. */
export type WireFrame = { readonly frame: string } & Readonly<Record<string, unknown>>;

/** What came on a connection, and ways to wait for it. */
export interface FrameLog {
  /** Every frame so far, in order. */
  readonly frames: readonly WireFrame[];
  add(frame: WireFrame): void;
  /**
   * Waits for a frame that matches, among those not taken so far.
   * @throws Error, with the frames that came instead, after the time.
   */
  next(match: (frame: WireFrame) => boolean, withinMs?: number): Promise<WireFrame>;
  /** Waits, and returns every frame that came meanwhile and matches. */
  during(ms: number, match: (frame: WireFrame) => boolean): Promise<readonly WireFrame[]>;
}

export function frameLog(): FrameLog {
  const frames: WireFrame[] = [];
  const taken: boolean[] = [];
  /** Of the next frame; whoever waits waits for the same one. */
  let arrival = Promise.withResolvers<void>();
  return {
    frames,
    add(frame) {
      frames.push(frame);
      arrival.resolve();
      arrival = Promise.withResolvers();
    },
    async next(match, withinMs = 5_000) {
      const until = performance.now() + withinMs;
      for (;;) {
        const index = frames.findIndex((frame, i) => taken[i] !== true && match(frame));
        if (index >= 0) {
          taken[index] = true;
          return frames[index] as WireFrame;
        }
        const left = until - performance.now();
        if (left <= 0) {
          const came = JSON.stringify(frames.slice(-8));
          throw new Error(`no such frame within ${withinMs} ms; there came ${came}`);
        }
        const late = Promise.withResolvers<void>();
        const timer = setTimeout(late.resolve, left);
        await Promise.race([arrival.promise, late.promise]);
        clearTimeout(timer);
      }
    },
    async during(ms, match) {
      const from = frames.length;
      await new Promise((resolve) => setTimeout(resolve, ms));
      return frames.slice(from).filter(match);
    },
  };
}

/** A connection with no machine behind it: says exactly what the test says, good or bad. */
export interface RawDevice extends FrameLog {
  /** Close code, once closed. */
  readonly closed: Promise<number>;
  send(frame: object | string): void;
  close(): Promise<void>;
}
