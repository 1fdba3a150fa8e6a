import { err, ok, type Result } from '../../../shared/result.ts';
import type { TunnelAnswer } from '../../core/tunnel/tunnel-protocol.ts';
import type { Question } from '../tunnel/tunnel-session.ts';
import { hashOf } from './key-offer.ts';
import { signWithAgent } from './ssh-agent.ts';
import type { Credential } from './ssh-credentials.ts';
import type { KeyFile, KeyRing } from './ssh-keys.ts';

export interface KeySignerDeps {
  readonly keyRing: KeyRing;
  /** How often a passphrase is asked for. */
  readonly passphrasePrompts: number;
  /** Aborts when the session is over. */
  readonly stop: AbortSignal;
  ask(question: Question): Promise<TunnelAnswer | null>;
  /** A person or an agent has to act. */
  onWait(why: 'agent' | 'person'): void;
  /** Its passphrase was asked for, and none that was given opened it. */
  onUnopened(path: string): void;
}

/** Signs with keys of agents and of files. Every result is null when the session ended meanwhile. */
export class KeySigner {
  readonly #deps: KeySignerDeps;

  constructor(deps: KeySignerDeps) {
    this.#deps = deps;
  }

  async sign(
    credential: Credential,
    algorithm: string,
    data: Buffer,
  ): Promise<Result<Buffer, string> | null> {
    if (credential.type === 'agent-key') {
      // Its owner may have to touch or approve something.
      this.#deps.onWait('agent');
      const { socketPath, blob } = credential;
      const signed = await signWithAgent(socketPath, blob, algorithm, data, this.#deps.stop);
      if (this.#deps.stop.aborted) return null;
      return signed.ok ? signed : err(`the agent ${signed.error}`);
    }
    const opened = await this.open(credential.label);
    if (opened?.ok !== true) return opened;
    const signature = opened.value.key.sign(data, hashOf(algorithm)) as Buffer | Error;
    return signature instanceof Error ? err(signature.message) : ok(signature);
  }

  /** Opens a key file, and asks for its passphrase where it has one. */
  async open(path: string): Promise<Result<Extract<KeyFile, { type: 'usable' }>, string> | null> {
    const { keyRing, passphrasePrompts } = this.#deps;
    let file = await keyRing.load(path, null);
    let tries = 0;
    for (; file.type === 'encrypted' && tries < passphrasePrompts; tries += 1) {
      this.#deps.onWait('person');
      const question: Question = { type: 'passphrase', keyPath: file.path, wasWrong: tries > 0 };
      const answer = await this.#deps.ask(question);
      if (answer?.type !== 'passphrase' || this.#deps.stop.aborted) return null;
      file = await keyRing.load(path, answer.passphrase);
    }
    switch (file.type) {
      case 'usable':
        return ok(file);
      case 'encrypted':
        if (tries > 0) this.#deps.onUnopened(file.path);
        return err('no passphrase opened it');
      case 'public':
        return err('its private half is missing');
      case 'unreadable':
        return err(`cannot be read: ${file.failure.facts.reason}`);
    }
  }
}
