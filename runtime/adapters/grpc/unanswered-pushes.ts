import type { NodeId } from '../../../core/contract/ids.ts';

/**
 * Pushes given to one peer whose answer has not come. An answer may be lost for ever, and the worker then times out by
 * itself, so what has seen two turns is forgotten.
 */
export class UnansweredPushes {
  /** By worker; a process has one, as a rule. */
  readonly #workers = new Map<NodeId, { young: Set<number>; old: Set<number> }>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(worker: NodeId, pushId: number): void {
    let sets = this.#workers.get(worker);
    if (sets === undefined) {
      sets = { young: new Set(), old: new Set() };
      this.#workers.set(worker, sets);
    }
    if (sets.young.has(pushId)) return;
    sets.young.add(pushId);
    this.#size++;
  }

  /** @returns whether the push was waited for. */
  answered(worker: NodeId, pushId: number): boolean {
    const sets = this.#workers.get(worker);
    if (sets === undefined) return false;
    if (!sets.young.delete(pushId) && !sets.old.delete(pushId)) return false;
    this.#size--;
    return true;
  }

  /** Forgets what was here at the last turn already. */
  turn(): void {
    for (const [worker, sets] of this.#workers) {
      this.#size -= sets.old.size;
      sets.old = sets.young;
      sets.young = new Set();
      if (sets.old.size === 0) this.#workers.delete(worker);
    }
  }

  /** Takes everything out. */
  takeAll(): { readonly worker: NodeId; readonly pushId: number }[] {
    const all: { worker: NodeId; pushId: number }[] = [];
    for (const [worker, { young, old }] of this.#workers) {
      for (const pushId of old) all.push({ worker, pushId });
      for (const pushId of young) all.push({ worker, pushId });
    }
    this.#workers.clear();
    this.#size = 0;
    return all;
  }
}
