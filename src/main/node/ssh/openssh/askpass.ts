import { execFile } from 'node:child_process';
import { closeSync, constants, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { Socket } from 'node:net';
import { DisposableStore, toDisposable, type Disposable } from '../../../core/lifecycle.ts';
import type { Clock } from '../../../core/ports.ts';
import type { AskpassRequest } from './askpass-prompt.ts';
import type { PrivateDir } from './private-dir.ts';

/**
 * What ssh runs to ask something (SSH_ASKPASS). The question goes into a file, its number through the pipe `asked`, and the
 * answer comes back through a pipe of its own: it is on no disk, in no argument and in no environment. `3<>` keeps the pipe
 * open before anybody writes to it. `head` and not `printf`, which not every shell has built in.
 */
const HELPER = `#!/bin/sh
umask 077
dir=\${0%/*}
mkfifo "$dir/answer.$$" || exit 1
exec 3<>"$dir/answer.$$"
printf '%s\\n%s\\n' "\${SSH_ASKPASS_PROMPT-}" "$1" >"$dir/question.$$" || exit 1
printf '%s\\n' "$$" >"$dir/asked"
IFS= read -r verdict <&3
[ "$verdict" = yes ] || exit 1
exec head -n 1 <&3
`;

const MAX_QUESTION_CHARS = 16_384;
const MAX_ANSWER_BYTES = 4_096 - 16;
/** How soon it is found that ssh needs no answer any more. */
const LOOK_EVERY_MS = 200;

/** Null: no. `withdrawn` aborts when ssh needs no answer any more. */
export type AskpassHandler = (request: AskpassRequest, withdrawn: AbortSignal) => Promise<string | null>;

/** The questions of one ssh process and of those that it starts, through files of the private folder. */
export class Askpass implements Disposable {
  readonly #dir: PrivateDir;
  readonly #clock: Clock;
  readonly #onRequest: AskpassHandler;
  readonly #resources = new DisposableStore();

  private constructor(dir: PrivateDir, clock: Clock, onRequest: AskpassHandler) {
    this.#dir = dir;
    this.#clock = clock;
    this.#onRequest = onRequest;
  }

  /** Null where the system makes no named pipe there. */
  static async create(dir: PrivateDir, clock: Clock, onRequest: AskpassHandler): Promise<Askpass | null> {
    const asked = dir.file('asked');
    const isMade = await new Promise<boolean>((resolve) => {
      execFile('mkfifo', ['-m', '600', asked], { timeout: 5_000 }, (error) => resolve(error === null));
    });
    if (!isMade) return null;
    const askpass = new Askpass(dir, clock, onRequest);
    writeFileSync(dir.file('askpass'), HELPER, { mode: 0o700 });
    askpass.#listen(asked);
    return askpass;
  }

  /** For ssh's environment; before OpenSSH 8.4 a DISPLAY has to be there as well. */
  get env(): Readonly<Record<string, string>> {
    return {
      SSH_ASKPASS: this.#dir.file('askpass'),
      SSH_ASKPASS_REQUIRE: 'force',
    };
  }

  dispose(): void {
    this.#resources.dispose();
  }

  #listen(path: string): void {
    // For writing too: the pipe does not end when a helper does, and opening it waits for nobody.
    const pipe = new Socket({ fd: openSync(path, constants.O_RDWR | constants.O_NONBLOCK) });
    this.#resources.defer(() => pipe.destroy());
    pipe.on('error', () => undefined);
    let rest = '';
    pipe.on('data', (bytes: Buffer) => {
      const lines = (rest + bytes.toString('latin1')).split('\n');
      rest = (lines.pop() ?? '').slice(0, 16);
      for (const line of lines) if (/^\d{1,10}$/.test(line)) void this.#serve(Number(line));
    });
  }

  async #serve(pid: number): Promise<void> {
    const request = this.#takeQuestion(pid);
    if (request === null) return;
    const withdrawn = new AbortController();
    const watch = this.#watch(pid, withdrawn);
    const reply = await this.#onRequest(request, withdrawn.signal);
    watch.dispose();
    if (!withdrawn.signal.aborted) this.#answer(pid, reply);
  }

  #takeQuestion(pid: number): AskpassRequest | null {
    const file = this.#dir.file(`question.${pid}`);
    try {
      const text = readFileSync(file, 'utf8').slice(0, MAX_QUESTION_CHARS);
      rmSync(file);
      const end = text.indexOf('\n');
      return { hint: text.slice(0, end), text: text.slice(end + 1).replace(/\n$/, '') };
    } catch {
      return null;
    }
  }

  /** ssh kills its helper when the security key has been touched, or when the server has closed. */
  #watch(pid: number, withdrawn: AbortController): Disposable {
    let timer: Disposable;
    const look = (): void => {
      if (isRunning(pid)) timer = this.#clock.setTimer(LOOK_EVERY_MS, look);
      else withdrawn.abort();
    };
    timer = this.#clock.setTimer(LOOK_EVERY_MS, look);
    const watch = toDisposable(() => timer.dispose());
    this.#resources.defer(() => {
      watch.dispose();
      withdrawn.abort();
    });
    return watch;
  }

  #answer(pid: number, reply: string | null): void {
    const line = (reply ?? '').split('\n')[0] ?? '';
    const yes = Buffer.from(`yes\n${line}\n`, 'utf8');
    // One write of a pipe: what is longer than that is no passphrase of ssh's either (1024 bytes).
    const message = reply === null || yes.length > MAX_ANSWER_BYTES ? Buffer.from('no\n') : yes;
    try {
      const fd = openSync(this.#dir.file(`answer.${pid}`), constants.O_WRONLY | constants.O_NONBLOCK);
      writeSync(fd, message);
      closeSync(fd);
    } catch {
      // The helper is gone: nobody needs the answer.
    }
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
