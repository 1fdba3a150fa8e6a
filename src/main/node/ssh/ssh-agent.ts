import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { err, ok, type Result } from '../../../shared/result.ts';
import { plainText } from '../../core/plain-text.ts';
import type { Clock } from '../../core/ports.ts';
import { agentAddress } from './agent-address.ts';
import { SSH2_KEY_TYPES } from './ssh-algorithms.ts';
import { WireReader, wireString, wireUint32 } from './ssh-wire-reader.ts';

/** A key that an ssh-agent holds. */
export interface AgentKey {
  readonly blob: Buffer;
  readonly type: string;
  /** As the agent names it, for people. */
  readonly comment: string;
}

export interface AgentKeys {
  readonly keys: readonly AgentKey[];
  /** Those that only OpenSSH can use: security keys, certificates. */
  readonly unusable: readonly AgentKey[];
}

const LIST_LIMIT_MS = 5_000;
const MAX_COMMENT_CHARS = 128;
/** OpenSSH's own limit of one message (AGENT_MAX_LEN). */
const MAX_REPLY_BYTES = 256 * 1024;
const MAX_KEYS = 256;

const WINDOWS_PIPE = '\\\\.\\pipe\\';

/** Messages of draft-ietf-sshm-ssh-agent, section 6.1. */
const FAILURE = 5;
const REQUEST_IDENTITIES = 11;
const IDENTITIES_ANSWER = 12;
const SIGN_REQUEST = 13;
const SIGN_RESPONSE = 14;
const SIGN_FLAGS = { 'rsa-sha2-256': 2, 'rsa-sha2-512': 4 } as const;

/** Lists an agent's keys. An agent that is gone, refuses or stays silent is an error text, never a reason to stop. */
export async function listAgentKeys(
  socketPath: string,
  clock: Clock,
  limitMs = LIST_LIMIT_MS,
): Promise<Result<AgentKeys, string>> {
  const stop = new AbortController();
  const timer = clock.setTimer(limitMs, () => stop.abort());
  const reply = await request(socketPath, Buffer.from([REQUEST_IDENTITIES]), stop.signal);
  timer.dispose();
  if (!reply.ok) return stop.signal.aborted ? err(`no answer in ${limitMs} ms`) : reply;
  return readIdentities(reply.value) ?? err('an answer that cannot be read');
}

function readIdentities(reply: Buffer): Result<AgentKeys, string> | null {
  const reader = new WireReader(reply);
  const type = reader.byte();
  if (type === FAILURE) return err('refused to list its keys');
  const count = reader.uint32();
  if (type !== IDENTITIES_ANSWER || count === null) return null;
  const keys: AgentKey[] = [];
  const unusable: AgentKey[] = [];
  for (let index = 0; index < Math.min(count, MAX_KEYS); index += 1) {
    const blob = reader.string();
    const comment = reader.string();
    if (blob === null || comment === null) return null;
    const keyType = plainText(new WireReader(blob).string()?.toString('latin1') ?? '', MAX_COMMENT_CHARS);
    const words = plainText(comment.toString('utf8'), MAX_COMMENT_CHARS);
    const key: AgentKey = { blob: Buffer.from(blob), type: keyType, comment: words };
    (SSH2_KEY_TYPES.has(keyType) ? keys : unusable).push(key);
  }
  return ok({ keys, unusable });
}

/**
 * The signature of `data` in the given algorithm, without the algorithm's name. Takes as long as the agent's owner does;
 * `stop` ends it.
 */
export async function signWithAgent(
  socketPath: string,
  blob: Buffer,
  algorithm: string,
  data: Buffer,
  stop: AbortSignal,
): Promise<Result<Buffer, string>> {
  const flags = algorithm in SIGN_FLAGS ? SIGN_FLAGS[algorithm as keyof typeof SIGN_FLAGS] : 0;
  const message = [Buffer.from([SIGN_REQUEST]), wireString(blob), wireString(data), wireUint32(flags)];
  const reply = await request(socketPath, Buffer.concat(message), stop);
  if (!reply.ok) return reply;
  const reader = new WireReader(reply.value);
  const type = reader.byte();
  if (type === FAILURE) return err('refused to sign');
  const signature = reader.string();
  if (type !== SIGN_RESPONSE || signature === null) return err('an answer that cannot be read');
  const inner = new WireReader(signature);
  const name = inner.string()?.toString('latin1');
  const bare = inner.string();
  if (bare === null) return err('a signature that cannot be read');
  // An agent that does not know the flags signs with SHA-1, which no server of today takes.
  if (name !== algorithm) return err(`signed with ${plainText(name ?? '', 32)} instead of ${algorithm}`);
  return ok(Buffer.from(bare));
}

/** One message and its answer over a connection of their own. Never rejects. */
function request(socketPath: string, message: Buffer, stop: AbortSignal): Promise<Result<Buffer, string>> {
  return new Promise((resolve) => {
    let stream: Duplex | null = null;
    let received = Buffer.alloc(0);
    let isOver = false;
    const settle = (result: Result<Buffer, string>): void => {
      if (isOver) return;
      isOver = true;
      stop.removeEventListener('abort', onStop);
      stream?.destroy();
      resolve(result);
    };
    const onStop = (): void => settle(err('stopped'));
    stop.addEventListener('abort', onStop, { once: true });
    if (stop.aborted) {
      onStop();
      return;
    }
    openAgent(agentAddress(socketPath)).then(
      (opened) => {
        if (isOver) {
          opened.destroy();
          return;
        }
        stream = opened;
        opened.on('error', (why: Error) => settle(err(why.message)));
        opened.on('end', () => settle(err('closed the connection')));
        opened.on('close', () => settle(err('closed the connection')));
        opened.on('data', (data: Buffer) => {
          received = Buffer.concat([received, data]);
          if (received.length < 4) return;
          const length = received.readUInt32BE(0);
          if (length === 0 || length > MAX_REPLY_BYTES) settle(err('an answer that cannot be read'));
          else if (received.length >= 4 + length) settle(ok(received.subarray(4, 4 + length)));
        });
        opened.write(wireString(message));
      },
      (error: unknown) => settle(err((error as Error).message)),
    );
  });
}

/** Sockets and named pipes are Node's; Cygwin's sockets and the window of an older Pageant are left to ssh2. */
async function openAgent(address: string): Promise<Duplex> {
  if (process.platform !== 'win32' || address.startsWith(WINDOWS_PIPE)) return connect(address);
  // Loaded only here: the main process lists an agent's keys too, and has no SSH in it.
  const { default: ssh2 } = await import('ssh2');
  return new Promise((resolve, reject) => {
    (ssh2.createAgent(address) as StreamAgent).getStream((error, opened) => {
      if (error || opened === undefined) reject(error ?? new Error('cannot be reached'));
      else resolve(opened);
    });
  });
}

/** `getStream` of ssh2's agents, which its types leave out for the common base. */
interface StreamAgent {
  getStream(callback: (error: Error | null | undefined, stream?: Duplex) => void): void;
}
