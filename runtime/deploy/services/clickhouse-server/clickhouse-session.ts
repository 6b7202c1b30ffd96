/** What is used of chdb. */
export interface ChdbLibrary {
  readonly Session: new (path: string) => ChdbSession;
}

export interface ChdbSession {
  queryAsync(query: string, options: { readonly format: string }): Promise<ChdbResult>;
  queryBindAsync(
    query: string,
    parameters: Readonly<Record<string, unknown>>,
    options: { readonly format: string },
  ): Promise<ChdbResult>;
  close(): void;
}

export interface ChdbResult {
  /** Seconds. */
  readonly elapsed: number;
  readonly rowsRead: number;
  readonly bytesRead: number;
  bytes(): Uint8Array;
}

/** What chdb throws: `clickhouseCode` when it is the engine's word. */
export type EngineError = Error & { readonly clickhouseCode?: number };

export interface EngineQuery {
  readonly query: string;
  readonly database: string | undefined;
  /** When the query itself names none. */
  readonly format: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly settings: Readonly<Record<string, string>>;
}

const NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
const NUMBER = /^-?\d+(\.\d+)?$/;

/** One query at a time on one session of the engine: settings and the database are the session's, and are taken back. */
export class ClickhouseSession {
  readonly #session: ChdbSession;
  #last: Promise<unknown> = Promise.resolve();

  constructor(session: ChdbSession) {
    this.#session = session;
  }

  run(query: EngineQuery): Promise<ChdbResult> {
    const next = this.#last.then(() => this.#runAlone(query));
    this.#last = next.catch(() => undefined);
    return next;
  }

  async close(): Promise<void> {
    await this.#last;
    this.#session.close();
  }

  async #runAlone({ query, database, format, parameters, settings }: EngineQuery): Promise<ChdbResult> {
    const names = Object.keys(settings);
    for (const name of [...names, ...(database === undefined ? [] : [database])])
      if (!NAME.test(name)) throw new Error(`${JSON.stringify(name)} is no name`);
    if (database !== undefined) await this.#say(`USE ${database}`);
    try {
      for (const name of names) await this.#say(`SET ${name} = ${literal(settings[name] as string)}`);
      return Object.keys(parameters).length === 0
        ? await this.#session.queryAsync(query, { format })
        : await this.#session.queryBindAsync(query, parameters, { format });
    } finally {
      for (const name of names) await this.#say(`SET ${name} = DEFAULT`).catch(() => undefined);
      if (database !== undefined) await this.#say('USE default');
    }
  }

  async #say(statement: string): Promise<void> {
    await this.#session.queryAsync(statement, { format: 'TabSeparated' });
  }
}

function literal(value: string): string {
  return NUMBER.test(value) ? value : `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
