import { resolve } from 'node:path';
import { makeDevelopmentCertificates } from '../adapters/grpc/development-certificates.ts';
import { NODE_ROLES } from '../ports/node-directory.ts';
import { NODE_NAME } from '../ports/process-id.ts';
import { CommandError, EXIT } from './exit-code.ts';
import { flagsHelp, parseFlags } from './parse-flags.ts';
import { required } from './commands.ts';

const FLAGS = {
  folder: { value: 'FOLDER', help: 'where the authority and the certificates go, and are kept' },
  nodes: {
    value: 'LIST',
    help: 'role/name of each: gateway/gateway-1.eu,message-service/message-service-1.eu',
  },
  days: { value: 'N', help: 'a new certificate is good for (default: 14)' },
  json: { help: 'print the files as JSON' },
  help: { help: 'print this', short: 'h' },
};

const ABOUT =
  'Makes an authority of its own and certificates for the links between roles; those with half of their life left stay.\n' +
  'For development and tests: in production your own authority issues them, see docs/links.md.';

/** `parley certificates`: what a deployment by hand or by containers gives its processes as links.tls. */
export async function certificates(argv: readonly string[]): Promise<number> {
  const flags = parseFlags('certificates', FLAGS, argv);
  if (flags.on('help')) {
    console.log(flagsHelp('parley certificates --folder FOLDER --nodes LIST [flags]', ABOUT, FLAGS));
    return EXIT.ok;
  }
  const folder = resolve(required('certificates', 'folder', flags.text('folder')));
  const nodes = required('certificates', 'nodes', flags.text('nodes'))
    .split(/[\s,]+/)
    .filter(Boolean)
    .map(nodeOf);
  const days = flags.integer('days', 1, 3_650);
  const made = await makeDevelopmentCertificates({
    folder,
    nodes,
    now: Date.now(),
    ...(days === undefined ? {} : { days }),
  });
  if (flags.on('json')) console.log(JSON.stringify(Object.fromEntries(made)));
  else for (const [name, { certificate }] of made) console.log(`  ${name.padEnd(30)} ${certificate}`);
  return EXIT.ok;
}

function nodeOf(text: string): { readonly role: (typeof NODE_ROLES)[number]; readonly name: string } {
  const [roleText, name = ''] = text.split('/');
  const role = NODE_ROLES.find((each) => each === roleText);
  if (role !== undefined && NODE_NAME.test(name)) return { role, name };
  throw new CommandError(
    EXIT.usage,
    `--nodes: ${JSON.stringify(text)} is not role/name with a role of ${NODE_ROLES.join(', ')} and a DNS name`,
    'parley certificates --help',
  );
}
