import { homedir } from 'node:os';
import { join } from 'node:path';
import { chatId, type ChatId, type UserId } from '../../core/contract/ids.ts';
import { openNodeSocket } from '../client/client-socket-node.ts';
import { createFileStorage, StorageInUseError } from '../client/device-storage-file-node.ts';
import { createMemoryStorage, type DeviceStorage } from '../client/device-storage.ts';
import { createParleyClient, type ParleyClient } from '../client/parley-client.ts';
import { converse } from './conversation.ts';
import { required } from './commands.ts';
import {
  DEFAULT_URL,
  fetchToken,
  fetchUserId,
  orExplain,
  serverUrl,
  type DevelopmentToken,
} from './development-token.ts';
import { CommandError, EXIT } from './exit-code.ts';
import { flagsHelp, parseFlags } from './parse-flags.ts';

const FLAGS = {
  as: { value: 'NAME', help: 'who you are: a name (alice) or an id (u_1)' },
  to: { value: 'NAMES', help: 'whom you talk to: one name, or several with commas for a new group' },
  chat: { value: 'ID', help: 'a chat that exists (c_9), instead of --to' },
  url: { value: 'URL', help: `of the server (default: ${DEFAULT_URL})` },
  device: { value: 'NAME', help: 'which of your devices this is (default: terminal)' },
  state: {
    value: 'FOLDER',
    help: 'where this device keeps its outbox and cursors (default: ~/.parley/devices), or none',
  },
  help: { help: 'print this', short: 'h' },
};

const ABOUT =
  'Talks to somebody from this terminal, on a server in development mode. Lines you type are sent; from a pipe, each\n' +
  'line of input is a message, and the command ends when all of them are delivered to the server.\n' +
  'Ticks: … on its way, ✓ durable on the server, ✓✓ delivered, ✓✓ read.\n' +
  '/send-file PATH sends a file, /save x_12 PATH keeps one that was sent, /who lists who is here, /quit ends.';

export async function chat(argv: readonly string[]): Promise<number> {
  const flags = parseFlags('chat', FLAGS, argv);
  if (flags.on('help')) {
    console.log(flagsHelp('parley chat --as NAME --to NAME [flags]', ABOUT, FLAGS));
    return EXIT.ok;
  }
  const as = required('chat', 'as', flags.text('as'));
  const to =
    flags
      .text('to')
      ?.split(',')
      .map((name) => name.trim())
      .filter((name) => name !== '') ?? [];
  const wanted = flags.text('chat');
  if (wanted === undefined && to.length === 0) required('chat', 'to', undefined);
  if (wanted !== undefined && to.length > 0)
    throw new CommandError(EXIT.usage, '--chat or --to: not both', 'parley chat --help');
  const url = serverUrl('chat', flags.text('url'));
  const device = flags.text('device') ?? 'terminal';

  const token = await fetchToken(url, as, device);
  const names = new Map<UserId, string>([[token.userId, as]]);
  for (const name of to) names.set(await fetchUserId(url, name), name);
  const client = await openClient(url, as, device, token, storageOf(flags.text('state'), url, token));
  try {
    const others = [...names.keys()].filter((userId) => userId !== token.userId);
    const id = wanted === undefined ? await openChat(client, url, others) : chatId(wanted);
    const info = await orExplain(url, client.chat(id));
    for (const { userId } of info.members) if (!names.has(userId)) names.set(userId, userId);
    return await orExplain(url, converse({ client, chatId: id, names, me: as }));
  } finally {
    await client.disconnect();
  }
}

async function openClient(
  url: string,
  as: string,
  device: string,
  first: DevelopmentToken,
  storage: DeviceStorage,
): Promise<ParleyClient> {
  // Tokens last a day; a terminal left open asks for another at its next connection.
  let fetched: { readonly token: string; readonly at: number } | undefined = {
    token: first.token,
    at: Date.now(),
  };
  const token = async (): Promise<string> => {
    if (fetched === undefined || Date.now() - fetched.at > 3_600_000) {
      fetched = { token: (await fetchToken(url, as, device)).token, at: Date.now() };
    }
    return fetched.token;
  };
  try {
    return await createParleyClient({ url, token, storage, openSocket: openNodeSocket });
  } catch (error) {
    if (!(error instanceof StorageInUseError)) throw error;
    throw new CommandError(
      EXIT.failed,
      `${as}'s device ${JSON.stringify(device)} is open in another terminal (process ${error.holder})`,
      `parley chat --as ${as} --device second …`,
    );
  }
}

function storageOf(
  folder: string | undefined,
  url: string,
  { userId, deviceId }: DevelopmentToken,
): DeviceStorage {
  if (folder === 'none') return createMemoryStorage();
  const server = new URL(url).host.replace(/[^\w.-]/g, '-');
  return createFileStorage(
    join(folder ?? join(homedir(), '.parley', 'devices'), server, userId, `${deviceId}.log`),
  );
}

async function openChat(client: ParleyClient, url: string, others: readonly UserId[]): Promise<ChatId> {
  if (others.length === 0)
    throw new CommandError(EXIT.usage, '--to: name somebody other than yourself', 'parley chat --help');
  const kind = others.length === 1 ? 'direct' : 'group';
  return (await orExplain(url, client.createChat(kind, others))).chatId;
}
