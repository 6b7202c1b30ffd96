import type { ChatId, MediaId, ServerMsgId, UserId } from '../../core/contract/ids.ts';
import type { DeviceStatus } from '../../core/device/device-effect.ts';
import { fromBase64 } from '../client/bytes-base64.ts';
import type { ReceivedMessage } from '../client/client-events.ts';
import { SendError, type ParleyClient } from '../client/parley-client.ts';
import { openChatScreen, type ChatScreen } from './chat-screen.ts';
import { saveFile, uploadFile } from './file-transfer.ts';
import { EXIT } from './exit-code.ts';

export interface ConversationOptions {
  readonly client: ParleyClient;
  readonly chatId: ChatId;
  readonly names: ReadonlyMap<UserId, string>;
  /** The name of this user. */
  readonly me: string;
}

/** How often a TYPING frame goes out while keys are pressed, and how long one received counts. */
const TYPING_EVERY_MS = 3_000;
const TYPING_SHOWN_MS = 5_000;
/** How long a pipe's last message may wait for its receipt before the command ends all the same. */
const LAST_RECEIPT_MS = 1_000;

/** How much of the past is shown at the start. */
const PAST_LINES = 10;

type Tick = '…' | '✓ sent' | '✓✓ delivered' | '✓✓ read' | `✗ ${string}`;

interface OwnLine {
  readonly text: string;
  readonly handle: number;
  seq: number | undefined;
  tick: Tick;
}

/** Shows one chat and sends what is typed, until the input ends. @returns the exit code. */
export async function converse(options: ConversationOptions): Promise<number> {
  const { client, chatId } = options;
  const ended = Promise.withResolvers<void>();
  /** The client connects no more, and who writes into a pipe cannot sign in anew. */
  const refused = Promise.withResolvers<'refused'>();
  const typing = throttled(() => client.typing(chatId), TYPING_EVERY_MS);
  const sending = new Set<Promise<void>>();
  const screen: ChatScreen = openChatScreen({
    line: (text) => onLine(text.trimEnd()),
    key: typing,
    end: () => ended.resolve(),
  });
  const view = createView(options, screen);
  client.on('status', (status) => status === 'unauthenticated' && refused.resolve('refused'));
  let failures = 0;

  function onLine(text: string): void {
    if (text === '/quit') return ended.resolve();
    if (text === '/who')
      return void screen.print(`  ${[...options.names.values()].join(', ')} · chat ${chatId}`);
    if (text === '') return screen.prompt(view.promptText());
    const [command, ...words] = text.split(' ');
    if (command === '/send-file') sending.add(transfer(sendFile(words.join(' '))));
    else if (command === '/save') sending.add(transfer(save(words[0] ?? '', words.slice(1).join(' '))));
    else send(text, []);
  }

  function send(text: string, mediaIds: readonly MediaId[]): void {
    const line = view.own(text);
    const sent = client.send(chatId, text, mediaIds).then(
      ({ seq }) => view.sent(line, seq),
      (error: unknown) => {
        failures++;
        view.refused(line, error);
      },
    );
    sending.add(sent);
  }

  async function sendFile(path: string): Promise<void> {
    const { mediaId, text } = await uploadFile(client, path);
    send(text, [mediaId]);
  }

  async function save(id: string, path: string): Promise<void> {
    screen.print(`  saved ${path}, ${await saveFile(client, chatId, id, path)}`);
  }

  async function transfer(work: Promise<void>): Promise<void> {
    try {
      await work;
    } catch (error) {
      failures++;
      screen.print(`  ✗ ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  async function settled(): Promise<void> {
    // A file that was uploaded is a message then, which is waited for too.
    for (const sent of sending) await sent;
  }

  await showPast(client, chatId, view);
  client.open(chatId);
  client.connect();
  screen.prompt(view.promptText());
  await ended.promise;
  // The outbox keeps what is still on its way; from a pipe, wait for it, since nobody will look again.
  if (!process.stdin.isTTY) {
    if ((await Promise.race([settled(), refused.promise])) === 'refused') failures++;
    else await view.allDelivered(LAST_RECEIPT_MS);
  }
  screen.close();
  return failures === 0 ? EXIT.ok : EXIT.failed;
}

/** The last lines of the chat: what this device kept, or, for a new device, what the server has. */
async function showPast(client: ParleyClient, chatId: ChatId, view: View): Promise<void> {
  const kept = client.recent(chatId).slice(-PAST_LINES);
  if (kept.length > 0) {
    for (const { serverMsgId, from, text } of kept) view.past(serverMsgId, from, text());
    return;
  }
  const { head } = await client.chat(chatId);
  const { messages } = await client.history(chatId, Math.max(0, head - PAST_LINES), PAST_LINES);
  for (const { serverMsgId, from, ciphertext } of messages) {
    view.past(serverMsgId, from, new TextDecoder().decode(fromBase64(ciphertext)));
  }
}

interface View {
  own(text: string): OwnLine;
  sent(line: OwnLine, seq: number): void;
  refused(line: OwnLine, error: unknown): void;
  /** A line from before; shown once even if it comes again. */
  past(serverMsgId: ServerMsgId, from: UserId, text: string): void;
  promptText(): string;
  /** Settles when the last own message is delivered, or after the time. */
  allDelivered(withinMs: number): Promise<void>;
}

function createView({ client, chatId, names, me }: ConversationOptions, screen: ChatScreen): View {
  const own: OwnLine[] = [];
  const online = new Map<UserId, boolean>();
  const delivered = Promise.withResolvers<void>();
  let typist: { readonly name: string; readonly until: number } | undefined;
  const nameOf = (userId: UserId): string => names.get(userId) ?? userId;
  /** Own messages that this process sent are on the screen already. */
  const bySeq = new Map<number, OwnLine>();
  const early = new Map<number, ReceivedMessage>();
  const shownBefore = new Set<ServerMsgId>();
  let said = '';

  function render({ text, tick }: OwnLine): string {
    return `${me}: ${text}   ${tick}`;
  }
  function mark(line: OwnLine, tick: Tick): void {
    if (line.tick === tick || line.tick === '✓✓ read') return;
    line.tick = tick;
    screen.update(line.handle, render(line));
  }
  function promptText(): string {
    const { status } = client;
    const present = [...online].filter(([, on]) => on).map(([userId]) => nameOf(userId));
    const typed = typist !== undefined && typist.until > Date.now() ? `${typist.name} types… ` : '';
    const state =
      status === 'live'
        ? present.length > 0
          ? `● ${present.join(', ')} `
          : '○ '
        : `[${statusText(status)}] `;
    return `${typed}${state}> `;
  }
  const refresh = (): void => screen.prompt(promptText());

  client.on('message', (message) => {
    if (message.chatId === chatId) received(message);
  });
  client.on('receipt', ({ chatId: id, seq, type, userId }) => {
    if (id !== chatId || userId === client.userId) return;
    for (const line of own) {
      if (line.seq === undefined || line.seq > seq) continue;
      mark(line, type === 'READ' ? '✓✓ read' : '✓✓ delivered');
    }
    if (own.every((line) => line.tick.startsWith('✓✓'))) delivered.resolve();
  });
  client.on('presence', ({ userId, online: on }) => {
    if (userId === client.userId) return;
    online.set(userId, on);
    refresh();
  });
  client.on('typing', ({ chatId: id, from }) => {
    if (id !== chatId) return;
    typist = { name: nameOf(from), until: Date.now() + TYPING_SHOWN_MS };
    refresh();
    setTimeout(refresh, TYPING_SHOWN_MS + 10).unref();
  });
  client.on('status', (status) => {
    const text = statusText(status);
    if (process.stdin.isTTY) refresh();
    else if (text !== said && status !== 'stopped') screen.print(`  [${text}]`);
    said = text;
  });
  client.on('broken', (error) => void screen.print(`  this device cannot go on: ${String(error)}`));

  function received(message: ReceivedMessage): void {
    if (shownBefore.has(message.serverMsgId)) return;
    const here = message.own && message.fromDevice === client.deviceId;
    if (here && (bySeq.has(message.seq) || own.some((line) => line.seq === undefined))) {
      // Perhaps it is the echo of a line whose ACK is still on its way.
      if (!bySeq.has(message.seq)) early.set(message.seq, message);
      return;
    }
    if (typist?.name === nameOf(message.from)) {
      typist = undefined;
      refresh();
    }
    screen.print(`${nameOf(message.from)}: ${message.text()}`);
    if (!message.own) client.markRead(chatId);
  }

  return {
    own(text) {
      const line: OwnLine = { text, handle: 0, seq: undefined, tick: '…' };
      const shown: OwnLine = { ...line, handle: screen.print(render(line)) };
      own.push(shown);
      return shown;
    },
    sent(line, seq) {
      line.seq = seq;
      bySeq.set(seq, line);
      early.delete(seq);
      mark(line, '✓ sent');
      if (own.some((each) => each.seq === undefined)) return;
      // Every own line has its seq now: what is left came from an earlier run of this device.
      for (const message of early.values()) screen.print(`${me}: ${message.text()}`);
      early.clear();
    },
    refused(line, error) {
      line.seq = 0;
      mark(line, `✗ ${error instanceof SendError ? `${error.code}: ${error.message}` : String(error)}`);
    },
    past(serverMsgId, from, text) {
      shownBefore.add(serverMsgId);
      screen.print(`${nameOf(from)}: ${text}`);
    },
    promptText,
    allDelivered: (withinMs) =>
      Promise.race([
        delivered.promise,
        new Promise<void>((resolve) => setTimeout(resolve, own.length === 0 ? 0 : withinMs)),
      ]),
  };
}

function statusText(status: DeviceStatus): string {
  switch (status) {
    case 'live':
      return 'connected';
    case 'connecting':
    case 'resuming':
      return 'connecting…';
    case 'offline':
      return 'offline, reconnecting…';
    case 'replaced':
      return 'open elsewhere, coming back later';
    case 'unauthenticated':
      return 'the token was refused';
    case 'stopped':
      return 'not connected';
    default:
      return status;
  }
}

function throttled(action: () => void, everyMs: number): () => void {
  let next = 0;
  return () => {
    const now = Date.now();
    if (now < next) return;
    next = now + everyMs;
    action();
  };
}
