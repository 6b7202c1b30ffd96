import { MalformedRequest } from './postgres-id.ts';

/**
 * One column of a group's rows as a PostgreSQL array literal: a statement takes a few arrays, however many rows they
 * have. Appending text is several times faster than letting the driver build arrays of values.
 */
export class ArrayColumn {
  #text = '{';
  #empty = true;

  /** Decimal digits only; undefined is NULL. */
  digits(value: string | number | undefined): void {
    this.#put(value === undefined ? 'NULL' : String(value));
  }

  /** Text without quotes and backslashes, which the callers have checked. Quoted, since NULL is also four letters of base64. */
  plain(value: string): void {
    this.#put(`"${value}"`);
  }

  literal(): string {
    return `${this.#text}}`;
  }

  #put(element: string): void {
    if (this.#empty) {
      this.#text += element;
      this.#empty = false;
    } else this.#text += `,${element}`;
  }
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** @throws MalformedRequest when the text is not padded base64. */
export function checkedBase64(text: string): string {
  if (!BASE64.test(text)) throw new MalformedRequest('ciphertext is not base64');
  return text;
}

/** @throws MalformedRequest when the text is not a UUID. */
export function checkedUuid(text: string): string {
  if (!UUID.test(text)) throw new MalformedRequest(`not a UUID: ${JSON.stringify(text)}`);
  return text;
}

/** @returns the elements of an array of numbers as PostgreSQL prints it. */
export function elementsOf(literal: string): readonly string[] {
  return literal.length <= 2 ? [] : literal.slice(1, -1).split(',');
}
