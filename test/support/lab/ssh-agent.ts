import { chmodSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runChild, sendSignal, startChild, type Child } from './child.ts';
import type { KeyPair } from './keys.ts';
import { needProgram } from './programs.ts';
import { waitFor } from './wait.ts';

export interface SshAgentOptions {
  readonly keys?: readonly AgentKey[];
  /** Every signature needs a yes (`ssh-add -c`): see `asked` and `confirm`. */
  readonly asksFirst?: boolean;
  /** Lock it with this password once the keys are in. */
  readonly lock?: string;
}

export interface AgentKey extends Pick<KeyPair, 'privateKey' | 'publicKey'> {
  /** A line as in `id_ed25519-cert.pub`: the agent then holds the certificate as well. */
  readonly certificate?: string;
}

/** OpenSSH's own ssh-agent(1) on a socket of its own. */
export interface SshAgent {
  /** What SSH_AUTH_SOCK would say. */
  readonly socket: string;
  readonly pid: number;
  add(keys: readonly AgentKey[]): Promise<void>;
  removeAll(): Promise<void>;
  lock(password: string): Promise<void>;
  unlock(password: string): Promise<void>;
  /** Fingerprints of what it shows: none while it is locked. */
  fingerprints(): Promise<string[]>;
  /** With `asksFirst`: how often it has asked whether it may sign. */
  asked(): number;
  /** With `asksFirst`: the answer to the question that is open, or to the next one. */
  confirm(answer: 'yes' | 'no'): void;
  /** SIGSTOP, SIGCONT: it takes connections and does not answer. */
  pause(): void;
  resume(): void;
  /** SIGKILL. The socket file stays, as after a crash. */
  kill(): Promise<void>;
  close(): Promise<void>;
}

export async function startSshAgent(dir: string, options: SshAgentOptions = {}): Promise<SshAgent> {
  const socket = join(dir, 'agent.sock');
  const askedFile = join(dir, 'asked');
  const answerFile = join(dir, 'answer');
  const confirm = join(dir, 'confirm');
  writeFileSync(askedFile, '');
  writeFileSync(
    confirm,
    [
      '#!/bin/sh',
      `echo asked >> '${askedFile}'`,
      `while [ ! -e '${answerFile}' ]; do sleep 0.02; done`,
      `mv '${answerFile}' "${answerFile}.$$" && grep -q yes "${answerFile}.$$"`,
      '',
    ].join('\n'),
    { mode: 0o755 },
  );
  const child: Child = await startChild({
    command: needProgram('ssh-agent', 'openssh-client'),
    args: ['-D', '-a', socket],
    env: { PATH: process.env['PATH'], SSH_ASKPASS: confirm, SSH_ASKPASS_REQUIRE: 'force' },
    name: 'ssh-agent',
  });
  await child.waitForLine(/^SSH_AUTH_SOCK=/);
  let number = 0;

  /** `-x` and `-X` ask for their password by this helper: ssh-add reads none from its standard input. */
  const askpass = join(dir, 'askpass');
  writeFileSync(askpass, '#!/bin/sh\nprintf "%s\\n" "$GANGWAY_LAB_ANSWER"\n');
  chmodSync(askpass, 0o755);

  async function add1(key: AgentKey): Promise<void> {
    number += 1;
    const file = join(dir, `key${number}`);
    writeFileSync(file, key.privateKey, { mode: 0o600 });
    writeFileSync(`${file}.pub`, `${key.publicKey}\n`);
    if (key.certificate !== undefined) writeFileSync(`${file}-cert.pub`, `${key.certificate}\n`);
    await sshAdd(['-q', ...(options.asksFirst === true ? ['-c'] : []), file]);
  }

  async function sshAdd(args: readonly string[], answer?: string): Promise<string> {
    const { code, output } = await runChild({
      command: 'ssh-add',
      args,
      env: {
        PATH: process.env['PATH'],
        SSH_AUTH_SOCK: socket,
        ...(answer === undefined
          ? {}
          : { SSH_ASKPASS: askpass, SSH_ASKPASS_REQUIRE: 'force', GANGWAY_LAB_ANSWER: answer }),
      },
    });
    const isEmptyList = args[0] === '-l' && code === 1;
    if (code !== 0 && !isEmptyList) throw new Error(`ssh-add ${args.join(' ')} failed: ${output}`);
    return output;
  }

  const agent: SshAgent = {
    socket,
    pid: child.pid,
    async add(keys) {
      for (const key of keys) await add1(key);
    },
    async removeAll() {
      await sshAdd(['-q', '-D']);
    },
    async lock(password) {
      await sshAdd(['-x'], password);
    },
    async unlock(password) {
      await sshAdd(['-X'], password);
    },
    async fingerprints() {
      const output = await sshAdd(['-l', '-E', 'sha256']);
      return [...output.matchAll(/SHA256:\S+/g)].map((match) => match[0]);
    },
    asked: () => readFileSync(askedFile, 'utf8').split('\n').length - 1,
    confirm(answer) {
      // Renamed into place, so that it is never read half written.
      writeFileSync(`${answerFile}.new`, `${answer}\n`);
      renameSync(`${answerFile}.new`, answerFile);
    },
    pause() {
      child.signal('SIGSTOP');
    },
    resume() {
      child.signal('SIGCONT');
    },
    async kill() {
      // With the question that it may be asking: that process has inherited the agent's connections.
      for (const info of child.descendants()) sendSignal(info.pid, 'SIGKILL');
      await waitFor(() => child.exited() !== null, { what: 'ssh-agent to be gone' });
    },
    close: () => child.close(),
  };
  if (options.keys !== undefined) await agent.add(options.keys);
  if (options.lock !== undefined) await agent.lock(options.lock);
  return agent;
}
