import type { Driver, Observation } from '../script.ts';
import { ModelServer } from './model-server.ts';
import { ModelStore } from './model-store.ts';
import { StoreCalls } from './perform-store-step.ts';
import type { CallStep, Caller, StoreStep } from './store-step.ts';

/** The simulator's store, with everything around it that makes its outcomes. */
export class ModelDriver implements Driver<StoreStep> {
  readonly #server = new ModelServer();
  readonly #stores: Readonly<Record<Caller, ModelStore>> = {
    s1: new ModelStore(this.#server, 's1'),
    s2: new ModelStore(this.#server, 's2'),
    hasty: new ModelStore(this.#server, 'hasty'),
  };
  readonly #calls = new StoreCalls();
  readonly #started = new Map<string, Promise<Observation>>();

  async perform(step: StoreStep): Promise<Observation> {
    switch (step.do) {
      case 'release':
      case 'unblock':
        this.#server.release();
        return undefined;
      case 'settle':
        return this.#started.get(step.as);
      case 'crash':
      case 'fail-over':
        this.#server.crash();
        return undefined;
      case 'end-sessions':
        this.#server.endSessions();
        return undefined;
      case 'retention':
        this.#server.node.dropContents()();
        return undefined;
      case 'exhaust':
        this.#stores.s1.isAway = true;
        return undefined;
      case 'relax':
        this.#stores.s1.isAway = false;
        return undefined;
      case 'deadlock': {
        const { first, second, sends } = step;
        return this.#call({
          do: 'together',
          steps: [
            { do: 'append', chat: first, sends: [sends[0]], at: [0, 0] },
            { do: 'append', chat: second, sends: [sends[1]], at: [0, 0] },
          ],
        });
      }
      // Nobody but the caller named by a fate learns of these. And the model loses no commit: it is a primary whose standby
      // has them all.
      case 'block':
      case 'conflicts':
      case 'await-replica':
      case 'forget-replica':
      case 'follow':
      case 'fall-behind':
        return undefined;
      default:
        return this.#call(step);
    }
  }

  close(): void {
    this.#server.crash();
  }

  async #call(step: CallStep): Promise<Observation> {
    const store = this.#stores[step.by ?? 's1'];
    const { fate } = step;
    const answer = this.#calls.perform(store, step, () => {
      if (fate !== undefined) store.fates.push(fate);
    });
    if (step.as === undefined) return answer;
    this.#started.set(step.as, answer);
    return undefined;
  }
}
