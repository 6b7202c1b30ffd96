import type { CommitFault } from '../../adapters/postgres/testing/fault-proxy.ts';
import { until } from '../../adapters/postgres/testing/fault-rig.ts';
import type { Driver, Observation } from '../script.ts';
import { StoreCalls } from './perform-store-step.ts';
import type { PostgresRig, StoreCaller } from './postgres-rig.ts';
import { ServerFaults } from './server-faults.ts';
import type { CallStep, Fate, StoreStep } from './store-step.ts';

/** What the proxy does to a COMMIT, so that its caller's write has this fate. */
const FAULTS: Readonly<Partial<Record<Fate, CommitFault>>> = {
  'lost-before': 'cut-before',
  'lost-after': 'cut-after',
  mute: 'mute',
  late: 'hold-all',
  open: 'hold-commit',
};

/** The adapter on a real PostgreSQL. */
export class EngineDriver implements Driver<StoreStep> {
  readonly #rig: PostgresRig;
  readonly #faults: ServerFaults;
  readonly #calls = new StoreCalls();
  /** Whose proxies keep something back, in the order in which they began to. */
  readonly #holders: StoreCaller[] = [];
  readonly #started = new Map<string, Promise<Observation>>();

  constructor(rig: PostgresRig) {
    this.#rig = rig;
    this.#faults = new ServerFaults(rig);
  }

  async perform(step: StoreStep): Promise<Observation> {
    switch (step.do) {
      case 'release':
        for (const { proxy } of this.#holders.splice(0)) await proxy.release();
        return undefined;
      case 'settle':
        return this.#started.get(step.as);
      case 'crash':
        await this.#faults.crash();
        this.#holders.length = 0;
        return undefined;
      case 'end-sessions':
        await this.#faults.endSessions();
        this.#holders.length = 0;
        return undefined;
      case 'follow':
        await this.#faults.follow(step.synchronous);
        return undefined;
      case 'fall-behind':
        await this.#faults.fallBehind();
        return undefined;
      case 'fail-over':
        await this.#faults.failOver();
        this.#holders.length = 0;
        return undefined;
      case 'retention':
        await this.#faults.dropContents();
        return undefined;
      case 'block':
        await this.#faults.block(step.chat);
        return undefined;
      case 'unblock':
        await this.#faults.unblock();
        return undefined;
      case 'exhaust':
        await this.#faults.exhaust();
        return undefined;
      case 'relax':
        await this.#faults.relax();
        return undefined;
      case 'conflicts':
        await this.#faults.conflicts(step.state, step.times);
        return undefined;
      case 'deadlock': {
        const { first, second, sends } = step;
        const steps: readonly CallStep[] = [
          { do: 'append', chat: first, sends: [sends[0]], at: [0, 0] },
          { do: 'append', chat: second, sends: [sends[1]], at: [0, 0] },
        ];
        return this.#faults.deadlock(first, second, () => this.#call({ do: 'together', steps }));
      }
      case 'await-replica':
      case 'forget-replica':
        await this.#faults.awaitReplica(step.do === 'await-replica');
        return undefined;
      default:
        return this.#call(step);
    }
  }

  async close(): Promise<void> {
    for (const { proxy } of Object.values(this.#rig.callers)) proxy.cutAll();
    await this.#faults.undo();
    await this.#rig.served();
  }

  async #call(step: CallStep): Promise<Observation> {
    const caller = this.#rig.callers[step.by ?? 's1'];
    const { store, proxy } = caller;
    const fault = step.fate === undefined ? undefined : FAULTS[step.fate];
    const held = proxy.held;
    const answer = this.#calls.perform(store, step, () => {
      if (fault === undefined) return;
      proxy.breakCommits(fault);
      if (fault.startsWith('hold')) this.#holders.push(caller);
    });
    if (step.fate === 'killed') await this.#faults.killCommitted();
    if (step.as === undefined) return answer;
    this.#started.set(step.as, answer);
    if (step.fate === 'open') {
      await until(async () => proxy.held > held);
      await this.#faults.uncommitted();
    } else if (step.fate === 'behind') await this.#faults.waiting();
    return undefined;
  }
}
