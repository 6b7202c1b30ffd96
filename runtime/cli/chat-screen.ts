import { createInterface, type Interface } from 'node:readline';

/** Where a chat is shown: lines above, and on a terminal a prompt below them. */
export interface ChatScreen {
  /** @returns a handle for `update`. */
  print(line: string): number;
  /** Replaces a line that was printed; without a terminal, or when it has scrolled away, prints it again. */
  update(handle: number, line: string): void;
  prompt(text: string): void;
  close(): void;
}

export interface ScreenEvents {
  readonly line: (text: string) => void;
  /** Some key other than Enter was pressed, on a terminal. */
  readonly key: () => void;
  /** End of input, or Ctrl-C. */
  readonly end: () => void;
}

/** How many printed lines can still be changed in place. */
const KEPT = 200;

/** Opens the screen on standard input and output. */
export function openChatScreen(events: ScreenEvents): ChatScreen {
  const terminal = process.stdin.isTTY && process.stdout.isTTY;
  const lines = createInterface({
    input: process.stdin,
    output: terminal ? process.stdout : undefined,
    terminal,
  });
  lines.on('line', (text) => {
    if (terminal) eraseEcho(lines.getPrompt().length + text.length);
    events.line(text);
  });
  lines.on('SIGINT', () => events.end());
  lines.on('close', () => events.end());
  if (!terminal) return plainScreen(lines);
  process.stdin.on('keypress', (_text: string, key: { readonly name?: string }) => {
    if (key.name !== 'return' && key.name !== 'enter') events.key();
  });
  return terminalScreen(lines);
}

/** Takes away the prompt with what was typed: the line is printed again, with its tick. */
function eraseEcho(length: number): void {
  const rows = Math.max(1, Math.ceil(length / Math.max(20, process.stdout.columns)));
  process.stdout.write(`\x1b[${rows}A\r\x1b[J`);
}

function plainScreen(lines: Interface): ChatScreen {
  let last = 0;
  const print = (line: string): number => {
    console.log(line);
    return ++last;
  };
  return {
    print,
    update: (_handle, line) => void print(line),
    prompt: () => undefined,
    close: () => lines.close(),
  };
}

function terminalScreen(lines: Interface): ChatScreen {
  const { stdout } = process;
  /** What is on the screen above the prompt, oldest first. */
  let shown: { readonly handle: number; text: string }[] = [];
  let last = 0;
  let closed = false;
  // The client still speaks while it disconnects; readline throws when it is used after its end.
  lines.once('close', () => {
    closed = true;
    stdout.write('\r\x1b[J');
  });
  const promptAgain = (): void => {
    if (!closed) lines.prompt(true);
  };

  const width = (): number => Math.max(20, stdout.columns);
  /** Longer lines would wrap, and then nobody could say how many rows up a line is. */
  const cut = (text: string): string[] => {
    const rows: string[] = [];
    for (let rest = text; ; rest = rest.slice(width())) {
      rows.push(rest.slice(0, width()));
      if (rest.length <= width()) return rows;
    }
  };
  const clearPrompt = (): void => void stdout.write('\r\x1b[J');

  function print(line: string): number {
    const handle = ++last;
    clearPrompt();
    for (const row of cut(line)) {
      stdout.write(`${row}\n`);
      shown.push({ handle, text: row });
    }
    shown = shown.slice(-KEPT);
    promptAgain();
    return handle;
  }

  return {
    print,
    update(handle, line) {
      const first = shown.findIndex((row) => row.handle === handle);
      const rows = cut(line);
      const up = shown.length - first;
      const same = shown.filter((row) => row.handle === handle).length === rows.length;
      if (first < 0 || !same || up >= stdout.rows - 1) return void print(line);
      clearPrompt();
      stdout.write(`\x1b[${up}A`);
      for (const [i, row] of rows.entries()) {
        stdout.write(`\r\x1b[2K${row}\n`);
        (shown[first + i] as { text: string }).text = row;
      }
      const rest = up - rows.length;
      if (rest > 0) stdout.write(`\x1b[${rest}B`);
      promptAgain();
    },
    prompt(text) {
      if (closed) return;
      lines.setPrompt(text);
      promptAgain();
    },
    close: () => lines.close(),
  };
}
