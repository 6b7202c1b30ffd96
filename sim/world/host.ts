import type { NodeId } from '../../core/contract/ids.ts';
import type { Micros } from '../../core/contract/time.ts';
import { INBOX } from './event-kind.ts';
import { FaultDial } from './fault-dial.ts';
import { NodeClock } from './node-clock.ts';
import type { Timer } from './timer.ts';
import type { World } from './world.ts';

/**
 * A process that hosts one machine: it may crash at any effect boundary (everything volatile is gone), pause there or
 * between two events (its inbox fills, then everything comes at once), be slow, and have a clock of its own.
 */
export abstract class Host {
  readonly world: World;
  readonly index: number;
  readonly name: string;
  readonly nodeId: NodeId;
  readonly clock = new NodeClock();
  /** Microseconds of work per event; 0: none. */
  readonly serviceTime = new FaultDial();
  /** Index of the region it stands in; a device's says nothing. */
  regionIndex = 0;
  up = false;
  /** It lost power: not even its kernel answers. */
  dark = false;
  /** Its machine has made a step since its gauges were read: else they show what they showed. */
  stirred = false;
  /** Counts crashes and stops; what was meant for an earlier incarnation is void. */
  incarnation = 0;
  paused = false;
  /** Faults that keep it down; it starts again when the last of them is over. */
  downs = 0;
  /** Paused or slow: arrivals wait in the inbox. */
  #stalled = false;
  #busy = false;
  #pauses = 0;
  #inbox: object[] = [];
  /** Effects until it crashes, and until it stands still; below 0: it does not. */
  #effectsToCrash = -1;
  #effectsToPause = -1;
  #onEffectCrash: () => void = () => {};
  #onEffectPause: () => void = () => {};
  /** The rest of the step in whose midst it stands still. */
  #unfinished: (() => void) | undefined;

  constructor(world: World, index: number, name: string) {
    this.world = world;
    this.index = index;
    this.name = name;
    this.nodeId = name as NodeId;
  }

  /** Starts the machine anew from what is durable. */
  protected abstract boot(): void;
  /** Forgets what is volatile and tells peers what their kernels would tell them. @param silent power loss: nobody is told. */
  protected abstract lose(silent: boolean): void;
  /** Steps the machine and carries out the effects. */
  protected abstract handle(event: object): void;

  now(): Micros {
    return this.clock.read(this.world.engine.now);
  }

  start(): void {
    if (this.up || this.downs > 0) return;
    this.up = true;
    this.dark = false;
    this.boot();
  }

  /** Stops the process: a crash, or its regular end. */
  stop(silent: boolean): void {
    if (!this.up) return;
    this.up = false;
    this.dark = silent;
    this.incarnation++;
    this.#inbox = [];
    this.#busy = false;
    this.paused = false;
    this.#pauses = 0;
    this.#effectsToCrash = -1;
    this.#effectsToPause = -1;
    this.#unfinished = undefined;
    this.#stalled = this.serviceTime.value > 0;
    this.lose(silent);
  }

  /** An event arrives for this incarnation. */
  receive(event: object): void {
    if (this.#stalled) this.#wait(event);
    else this.handle(event);
  }

  /** Arranges that `crash` is called after `effects` more effects, possibly in the midst of a step. */
  crashAfter(effects: number, crash: () => void): void {
    this.#effectsToCrash = effects;
    this.#onEffectCrash = crash;
  }

  cancelCrash(): void {
    this.#effectsToCrash = -1;
  }

  /** Arranges that `pause` is called after `effects` more effects, possibly in the midst of a step; it must pause the host. */
  pauseAfter(effects: number, pause: () => void): void {
    this.#effectsToPause = effects;
    this.#onEffectPause = pause;
  }

  cancelPause(): void {
    this.#effectsToPause = -1;
  }

  /** The machine has made a step: its effects are carried out. */
  protected stepped<Effect>(effects: readonly Effect[], apply: (effect: Effect) => void): void {
    this.stirred = true;
    this.world.effected(effects);
    this.#carryOut(effects, apply);
  }

  /** Carries out the effects of a step from `from` on: to the end, to its death, or to the end of a pause in their midst. */
  #carryOut<Effect>(effects: readonly Effect[], apply: (effect: Effect) => void, from: number = 0): void {
    for (let i = from; i < effects.length; i++) {
      apply(effects[i]!);
      if (this.#effectsToCrash < 0 && this.#effectsToPause < 0) continue;
      if (this.#diesHere()) return;
      if (!this.#standsStillHere()) continue;
      if (i + 1 < effects.length) this.#keepForLater(effects, apply, i + 1);
      return;
    }
  }

  /** A function of its own: what a closure takes from its surroundings would be put on the heap at every step. */
  #keepForLater<Effect>(effects: readonly Effect[], apply: (effect: Effect) => void, from: number): void {
    const rest = (): void => this.#carryOut(effects, apply, from);
    this.#unfinished = rest;
  }

  /** Whoever drives several steps in one turn, and finds that the host stands still in the midst of them, goes on behind that. */
  afterPause(rest: () => void): void {
    const first = this.#unfinished;
    const { incarnation } = this;
    const both = (): void => {
      first?.();
      if (this.incarnation !== incarnation) return;
      if (this.paused) this.afterPause(rest);
      else rest();
    };
    this.#unfinished = both;
  }

  #diesHere(): boolean {
    if (this.#effectsToCrash < 0 || --this.#effectsToCrash >= 0) return false;
    this.world.probes.hit('process.crash.mid-step');
    this.#onEffectCrash();
    return true;
  }

  #standsStillHere(): boolean {
    if (this.#effectsToPause < 0 || --this.#effectsToPause >= 0) return false;
    this.world.probes.hit('process.pause.mid-step');
    this.#onEffectPause();
    return true;
  }

  /** @returns what ends the pause; what waited then comes in one burst. */
  pause(): () => void {
    const { incarnation } = this;
    this.#pauses++;
    this.paused = true;
    this.#stalled = true;
    return () => {
      if (this.incarnation !== incarnation) return;
      this.#pauses--;
      if (this.#pauses > 0) return;
      this.paused = false;
      this.#finishStep();
      if (this.incarnation === incarnation && !this.paused) this.#goOn();
    };
  }

  /** @param micros work per event. @returns what ends it. */
  slowDown(micros: number): () => void {
    const end = this.serviceTime.turnUp(micros);
    this.#stalled = true;
    return () => {
      end();
      if (!this.paused) this.#goOn();
    };
  }

  /** The inbox of a slow node hands out its next event. */
  takeFromInbox(): void {
    this.#busy = false;
    if (this.paused) return;
    const event = this.#inbox.shift();
    if (event !== undefined) this.handle(event);
    if (this.up && !this.paused) this.#goOn();
  }

  /** Arms a timer of this host `after` microseconds of its own clock from now. */
  protected arm(timer: Timer, after: number): void {
    const { engine } = this.world;
    timer.due = engine.now + this.clock.trueSpan(after);
    timer.armed = true;
    if (timer.incarnation === this.incarnation && timer.queuedAt <= timer.due) return;
    timer.incarnation = this.incarnation;
    this.world.queueTimer(timer);
  }

  /** What was left of the step comes before anything that waited behind it. */
  #finishStep(): void {
    const rest = this.#unfinished;
    this.#unfinished = undefined;
    if (rest === undefined) return;
    rest();
    if (!this.paused) this.turnEnds();
  }

  /** A step is over, with all that it wanted: what was gathered in it goes out. */
  protected turnEnds(): void {}

  #wait(event: object): void {
    this.#inbox.push(event);
    if (!this.paused) this.#scheduleNext();
  }

  #goOn(): void {
    this.#stalled = this.serviceTime.value > 0;
    if (this.#stalled) {
      if (this.#inbox.length > 0) this.#scheduleNext();
      return;
    }
    // Everything that waited, due timers included, in one burst. A crash in its midst ends it.
    const waiting = this.#inbox;
    this.#inbox = [];
    const { incarnation } = this;
    if (waiting.length > 1) this.world.probes.hit('process.burst');
    for (const event of waiting) {
      if (this.incarnation !== incarnation) return;
      this.world.engine.events++;
      this.receive(event);
    }
  }

  #scheduleNext(): void {
    if (this.#busy) return;
    this.#busy = true;
    this.world.engine.schedule(
      Math.max(1, this.serviceTime.value),
      INBOX,
      this.index,
      this.incarnation,
      undefined,
      undefined,
    );
  }
}
