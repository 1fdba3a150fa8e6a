import { createSocket } from 'node:dgram';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Lab } from '../../support/lab/lab.ts';

/** What the resolver says to every question for an address; null: nothing at all. */
export type Answer = 'no such name' | { readonly address: string } | null;

export interface StubResolver {
  /** Address that it listens on; the port is DNS's own. */
  readonly address: string;
  readonly questions: number;
  answer: Answer;
}

const DNS_PORT = 53;
const HEADER_BYTES = 12;
const TYPE_A = 1;
const NAME_ERROR = 3;

/** A name server (RFC 1035) on a loopback address of its own that knows one IPv4 address, no name, or no answer. Needs root. */
export async function startStubResolver(lab: Lab): Promise<StubResolver> {
  const socket = createSocket('udp4');
  const address = `127.53.${Math.floor(process.pid / 256) % 256}.${process.pid % 256 || 1}`;
  let questions = 0;
  const resolver = {
    address,
    get questions() {
      return questions;
    },
    answer: null as Answer,
  };
  socket.on('message', (query, from) => {
    questions += 1;
    const reply = replyTo(query, resolver.answer);
    if (reply !== null) socket.send(reply, from.port, from.address);
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(DNS_PORT, address, resolve);
  });
  lab.own({ close: () => new Promise<void>((resolve) => void socket.close(() => resolve())) });
  return resolver;
}

function replyTo(query: Buffer, answer: Answer): Buffer | null {
  if (answer === null) return null;
  const nameEnd = query.indexOf(0, HEADER_BYTES) + 1;
  const question = query.subarray(HEADER_BYTES, nameEnd + 4);
  const isForAddress = query.readUInt16BE(nameEnd) === TYPE_A;
  const found = answer !== 'no such name' && isForAddress ? answer.address : null;
  const header = Buffer.alloc(HEADER_BYTES);
  query.copy(header, 0, 0, 2);
  // A response, authoritative, recursion available.
  header.writeUInt16BE(0x8480 | (answer === 'no such name' ? NAME_ERROR : 0), 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(found === null ? 0 : 1, 6);
  if (found === null) return Buffer.concat([header, question]);
  // The question's own name, class IN, no time to live.
  const record = Buffer.from([0xc0, HEADER_BYTES, 0, TYPE_A, 0, 1, 0, 0, 0, 0, 0, 4]);
  return Buffer.concat([header, question, record, Buffer.from(found.split('.').map(Number))]);
}

/**
 * A program that runs Node where names are what these files say (mount_namespaces(7)): lines of /etc/hosts, and the name server
 * of /etc/resolv.conf, which is asked once for 30 s.
 */
export function nodeWithNames(lab: Lab, hosts: readonly string[], resolver?: string): string {
  const dir = lab.folder('names');
  const files = {
    hosts: ['127.0.0.1 localhost', '::1 localhost', ...hosts],
    'resolv.conf': [`nameserver ${resolver ?? '127.53.0.0'}`, 'options timeout:30 attempts:1'],
    'nsswitch.conf': ['passwd: files', 'group: files', 'hosts: files dns'],
  };
  const binds = Object.entries(files).map(([name, lines]) => {
    writeFileSync(join(dir, name), `${lines.join('\n')}\n`);
    return `mount --bind '${join(dir, name)}' /etc/${name}`;
  });
  const program = join(dir, 'node');
  const script = `${binds.join(' && ')} && exec '${process.execPath}' "$@"`;
  writeFileSync(
    program,
    `#!/bin/sh\nexec unshare --mount sh -c "$(cat <<'EOS'\n${script}\nEOS\n)" node "$@"\n`,
  );
  chmodSync(program, 0o755);
  return program;
}
