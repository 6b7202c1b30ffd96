interface Batch {
  text: string;
  items: number;
}

/**
 * What waits for one peer, already as text: items are joined into batches as they come, so that writing one costs nothing
 * per item and the size is known exactly.
 */
export class OutgoingQueue {
  readonly #batchBytes: number;
  /** Oldest first; the last one is still open. */
  #batches: Batch[] = [];
  #size = 0;

  constructor(batchBytes: number) {
    this.#batchBytes = batchBytes;
  }

  /** Characters waiting. */
  get size(): number {
    return this.#size;
  }

  add(item: string): void {
    const open = this.#batches.at(-1);
    if (open === undefined || open.text.length >= this.#batchBytes) {
      this.#batches.push({ text: item, items: 1 });
    } else {
      open.text += `,${item}`;
      open.items++;
    }
    this.#size += item.length;
  }

  /** @returns the next message, undefined when nothing waits. */
  take(): string | undefined {
    const batch = this.#batches.shift();
    if (batch === undefined) return undefined;
    // Without its commas, which were not counted either.
    this.#size -= batch.text.length - (batch.items - 1);
    return `[${batch.text}]`;
  }

  /** @returns how many items were waiting. */
  clear(): number {
    const items = this.#batches.reduce((sum, batch) => sum + batch.items, 0);
    this.#batches = [];
    this.#size = 0;
    return items;
  }
}
