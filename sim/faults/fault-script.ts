import type { World } from '../world/world.ts';

/** A fault in several steps: what is still to come when it ends does not come, and what was done is undone. */
export class FaultScript {
  readonly #world: World;
  readonly #undos = new Set<() => void>();
  #ended = false;

  constructor(world: World) {
    this.#world = world;
  }

  later(delay: number, act: () => void): void {
    this.#world.later(Math.max(0, Math.floor(delay)), this.#world.api.index, () => {
      if (!this.#ended) act();
    });
  }

  /** Notes what was begun. @returns what ends it now. */
  hold(undo: () => void): () => void {
    this.#undos.add(undo);
    return () => {
      if (this.#undos.delete(undo)) undo();
    };
  }

  readonly end = (): void => {
    this.#ended = true;
    for (const undo of this.#undos) {
      this.#undos.delete(undo);
      undo();
    }
  };
}
