import { hashText, keyedHash } from '../../core/contract/random.ts';
import { Draws } from '../engine/draws.ts';
import type { FaultKind } from '../faults/fault-kind.ts';
import { faultKind } from '../faults/fault-kinds.ts';
import { suspendedBy } from '../faults/feasibility.ts';
import type { PromiseName } from '../oracles/oracle.ts';
import type { World } from './world.ts';

/** Streams of the faults' own draws lie from here on. */
const FAULT_STREAM = 0x6661_0000;

/** Which faults of the scenario are under way, and how each is ended. */
export class FaultBook {
  readonly #world: World;
  readonly #undo = new Map<number, () => void>();
  /** Faults under way that may be felt, permanent ones included. */
  #felt = 0;
  /** Those among them that hit more than a device or its network. */
  #behind = 0;
  #active = 0;
  /** How many faults under way suspend each promise. */
  readonly #suspensions = new Map<PromiseName, number>();

  constructor(world: World) {
    this.#world = world;
  }

  /** Tells every kind of fault that the run will have it. */
  prepare(): void {
    for (const fault of this.#world.scenario.faults) faultKind(fault.kind)?.prepare?.(this.#world, fault);
  }

  /** @param index of the fault in the scenario. */
  begin(index: number): void {
    const fault = this.#world.scenario.faults[index]!;
    const kind = faultKind(fault.kind);
    // Going on without it would report a run that passed.
    if (kind === undefined) throw new Error(`faults[${index}].kind: there is no fault ${fault.kind}`);
    this.#world.probes.hit(`fault.${fault.kind}`);
    const end = kind.begin(this.#world, fault, new Draws(this.#world.seed, this.#stream(index)));
    if (fault.permanent !== true) this.#undo.set(index, end);
    this.#feel(kind, fault.target, 1);
  }

  #feel(kind: FaultKind, target: string, change: 1 | -1): void {
    this.#active += change;
    const suspended = suspendedBy(kind);
    if (suspended.length > 0) {
      this.#felt += change;
      if (!target.startsWith('device')) this.#behind += change;
    }
    for (const promise of suspended)
      this.#suspensions.set(promise, (this.#suspensions.get(promise) ?? 0) + change);
    const now = [...this.#suspensions].filter(([, count]) => count > 0).map(([promise]) => promise);
    this.#world.observers.fault(this.#felt, this.#behind, this.#active, now);
  }

  /** Named by what the fault is, not by its place: taking another one away must not change this one's draws. */
  #stream(index: number): number {
    const { faults } = this.#world.scenario;
    const { kind, target } = faults[index]!;
    let before = 0;
    for (let i = 0; i < index; i++) if (faults[i]!.kind === kind && faults[i]!.target === target) before++;
    return keyedHash(FAULT_STREAM + before, hashText(kind), hashText(target));
  }

  end(index: number): void {
    const end = this.#undo.get(index);
    if (end === undefined) return;
    this.#undo.delete(index);
    end();
    const { kind, target } = this.#world.scenario.faults[index]!;
    this.#feel(faultKind(kind)!, target, -1);
  }

  /** Ends everything but the permanent faults. */
  heal(): void {
    for (const index of this.#undo.keys()) this.end(index);
  }
}
