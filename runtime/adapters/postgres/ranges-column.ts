import type { UserId } from '../../../core/contract/ids.ts';
import { ArrayColumn } from './array-column.ts';
import { requireDecimal } from './postgres-id.ts';

/**
 * Lists of recipients, one a row, as three arrays: all of them behind each other, and where each row's part begins and
 * ends (counted from 1, the end included, so an empty list ends before it begins).
 */
export class RangesColumn {
  readonly #from = new ArrayColumn();
  readonly #to = new ArrayColumn();
  readonly #all = new ArrayColumn();
  #length = 0;

  /** @param users undefined: too many to list. */
  add(users: readonly UserId[] | undefined): void {
    if (users === undefined) {
      this.#from.digits(undefined);
      this.#to.digits(undefined);
      return;
    }
    this.#from.digits(this.#length + 1);
    for (const user of users) this.#all.digits(requireDecimal(user, 'u_'));
    this.#length += users.length;
    this.#to.digits(this.#length);
  }

  /** Beginnings, ends, everybody. */
  literals(): readonly [string, string, string] {
    return [this.#from.literal(), this.#to.literal(), this.#all.literal()];
  }
}
