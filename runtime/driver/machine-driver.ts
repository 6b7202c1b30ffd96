import type { Micros } from '../../core/contract/time.ts';
import type { MachineRecorder } from '../recording/machine-recorder.ts';

/**
 * Runs one machine of the core: an event goes in, the step is taken, its effects are carried out, and events that
 * arrive meanwhile wait their turn. A machine is never re-entered, so a step always sees the state that the step
 * before it left.
 *
 * *Invariant:* after a step has thrown, no machine of the process takes another one: a machine whose invariant is
 * broken must not acknowledge anything, and neither must its neighbours on its word.
 */
export interface MachineDriver<Event> {
  /** Takes the event at once when the machine is idle, else after those before it. Ignored once the process halted. */
  dispatch(event: Event): void;
}

/** Shared by the drivers of one process: the first broken machine stops them all. */
export interface Halt {
  readonly halted: boolean;
  /** @param machine the role, for the log. */
  raise(machine: string, error: unknown): void;
}

export interface MachineDriverOptions<Event, Effect> {
  /** The role, for the log: `gateway`, `relay`, … */
  readonly machine: string;
  step(event: Event, now: Micros): readonly Effect[];
  /** Carries the effects of one step out, in order; must not block. */
  carryOut(effects: readonly Effect[]): void;
  readonly clock: () => Micros;
  readonly halt: Halt;
  /** Sees each step's input and effects, so that an incident can be replayed through the core. */
  readonly recorder?: MachineRecorder | undefined;
}

/** @returns a driver whose `dispatch` never throws and never re-enters the machine. */
export function createMachineDriver<Event, Effect>(
  options: MachineDriverOptions<Event, Effect>,
): MachineDriver<Event> {
  const { machine, step, carryOut, clock, halt, recorder } = options;
  let waiting: Event[] = [];
  let running = false;

  function drain(first: Event): void {
    running = true;
    try {
      take(first);
      // `waiting` grows while it is read: what the effects of one step cause is taken in the same pass.
      for (let i = 0; i < waiting.length && !halt.halted; i++) take(waiting[i] as Event);
    } catch (error) {
      halt.raise(machine, error);
    } finally {
      if (waiting.length > 0) waiting = [];
      running = false;
    }
  }

  function take(event: Event): void {
    const now = clock();
    recorder?.before(event, now);
    const effects = step(event, now);
    recorder?.after(effects);
    if (effects.length > 0) carryOut(effects);
  }

  return {
    dispatch(event) {
      if (halt.halted) return;
      if (running) waiting.push(event);
      else drain(event);
    },
  };
}

/** @returns the clock of this process in the core's unit. It may step back with the system's clock; the core expects that. */
export function systemClock(): Micros {
  return (Date.now() * 1_000) as Micros;
}

/** @param onHalt called once, with the machine that broke. */
export function createHalt(onHalt: (machine: string, error: unknown) => void): Halt {
  let halted = false;
  return {
    get halted() {
      return halted;
    },
    raise(machine, error) {
      if (halted) return;
      halted = true;
      onHalt(machine, error);
    },
  };
}
