import ssh2, { type ParsedKey, type SignCallback, type SigningRequestOptions } from 'ssh2';
import type { Clock } from '../../core/ports.ts';
import { err, ok, type Result } from '../../../shared/result.ts';

/** A key that an ssh-agent holds. */
export interface AgentKey {
  readonly blob: Buffer;
  readonly type: string;
  /** As the agent names it, for people. */
  readonly comment: string;
  readonly key: ParsedKey;
}

const LIST_LIMIT_MS = 5_000;
const MAX_COMMENT_CHARS = 128;

/** Lists an agent's keys. An agent that is gone, refuses or stays silent is an error text, never a reason to stop. */
export function listAgentKeys(
  socketPath: string,
  clock: Clock,
): Promise<Result<readonly AgentKey[], string>> {
  return new Promise((resolve) => {
    const timer = clock.setTimer(LIST_LIMIT_MS, () => resolve(err(`no answer in ${LIST_LIMIT_MS} ms`)));
    ssh2.createAgent(socketPath).getIdentities((error, keys) => {
      timer.dispose();
      if (error) resolve(err(error.message));
      else resolve(ok((keys ?? []).flatMap((key) => toAgentKey(key as unknown as ParsedKey))));
    });
  });
}

function toAgentKey(key: ParsedKey): AgentKey[] {
  if (key.type === 'ssh-dss') return [];
  // eslint-disable-next-line no-control-regex -- a comment is foreign text
  const comment = key.comment.replace(/[\u0000-\u001f\u007f]/g, '').slice(0, MAX_COMMENT_CHARS);
  return [{ blob: key.getPublicSSH(), type: key.type, comment, key }];
}

/**
 * An agent that knows one key only, so that each key of the real one is an offer of its own, in our order.
 * `onSigning` tells when the agent is asked and has answered: the person may have to touch or approve something.
 */
export class OneKeyAgent extends ssh2.BaseAgent<ParsedKey> {
  readonly #socketPath: string;
  readonly #key: AgentKey;
  readonly #onSigning: (isSigning: boolean) => void;

  constructor(socketPath: string, key: AgentKey, onSigning: (isSigning: boolean) => void) {
    super();
    this.#socketPath = socketPath;
    this.#key = key;
    this.#onSigning = onSigning;
  }

  override getIdentities(callback: (error: Error | undefined, keys?: ParsedKey[]) => void): void {
    callback(undefined, [this.#key.key]);
  }

  override sign(
    _key: ParsedKey,
    data: Buffer,
    options: SigningRequestOptions | SignCallback,
    callback?: SignCallback,
  ): void {
    const done = typeof options === 'function' ? options : callback;
    const hash = typeof options === 'function' ? undefined : (options as { hash?: string }).hash;
    if (this.#key.type === 'ssh-rsa' && hash !== 'sha256' && hash !== 'sha512') {
      done?.(new Error('The server takes RSA keys with SHA-1 signatures only'));
      return;
    }
    this.#onSigning(true);
    ssh2
      .createAgent(this.#socketPath)
      .sign(this.#key.key, data, options as SigningRequestOptions, (error, signature) => {
        this.#onSigning(false);
        done?.(error, signature);
      });
  }
}
