import { required } from './commands.ts';
import { DEFAULT_URL, fetchToken, serverUrl } from './development-token.ts';
import { EXIT } from './exit-code.ts';
import { flagsHelp, parseFlags } from './parse-flags.ts';

const FLAGS = {
  user: { value: 'NAME', help: 'a name (alice) or an id (u_1)' },
  device: { value: 'NAME', help: 'a name (phone) or an id (d_7) (default: main)' },
  url: { value: 'URL', help: `of the server (default: ${DEFAULT_URL})` },
  json: { help: 'print {"token", "userId", "deviceId"}' },
  help: { help: 'print this', short: 'h' },
};

export async function token(argv: readonly string[]): Promise<number> {
  const flags = parseFlags('token', FLAGS, argv);
  if (flags.on('help')) {
    console.log(
      flagsHelp('parley token --user NAME [flags]', 'Prints a token of a server in development mode.', FLAGS),
    );
    return EXIT.ok;
  }
  const user = required('token', 'user', flags.text('user'));
  const url = serverUrl('token', flags.text('url'));
  const answer = await fetchToken(url, user, flags.text('device') ?? 'main');
  console.log(flags.on('json') ? JSON.stringify(answer) : answer.token);
  return EXIT.ok;
}
