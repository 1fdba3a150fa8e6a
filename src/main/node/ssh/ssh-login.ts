import type { AnyAuthMethod } from 'ssh2';
import { OneKeyAgent } from './ssh-agent.ts';
import { MAX_OFFERS, type Credential } from './ssh-credentials.ts';

export interface SshLoginEvents {
  /** A credential is about to be offered, or an agent has answered: the server has to speak next. */
  onStep(): void;
  /** An agent was asked to sign: its owner may have to touch a key or approve in another program. */
  onWaitForAgent(): void;
}

/** Offers the credentials of one attempt, one after the other, and remembers what happened. */
export class SshLogin {
  readonly #user: string;
  readonly #queue: Credential[];
  readonly #events: SshLoginEvents;
  readonly #tried: string[] = [];
  #mayAskForMethods: boolean;
  #offered: readonly string[] | null = null;

  constructor(user: string, credentials: readonly Credential[], events: SshLoginEvents) {
    this.#user = user;
    this.#queue = [...credentials];
    this.#events = events;
    // ssh2 keeps to itself what the server says to an agent's key; a refusal of "none" names the methods.
    const onlyAgent = credentials.every((credential) => credential.type === 'agent-key');
    this.#mayAskForMethods = onlyAgent && credentials.length < MAX_OFFERS;
  }

  /** Labels of what was offered, in order. */
  get tried(): readonly string[] {
    return this.#tried;
  }

  /** Methods that the server named; null when it never did. */
  get offered(): readonly string[] | null {
    return this.#offered;
  }

  /** The next thing to try, or null when there is nothing left that the server would take. */
  next(left: readonly string[] | null): AnyAuthMethod | null {
    if (left !== null) {
      this.#offered = left;
      if (!left.includes('publickey')) return null;
    }
    const credential = this.#queue.shift();
    if (credential !== undefined) {
      this.#tried.push(credential.label);
      this.#events.onStep();
      return this.#methodFor(credential);
    }
    if (!this.#mayAskForMethods) return null;
    this.#mayAskForMethods = false;
    this.#events.onStep();
    return { type: 'none', username: this.#user };
  }

  #methodFor(credential: Credential): AnyAuthMethod {
    const username = this.#user;
    switch (credential.type) {
      case 'file-key':
        return { type: 'publickey', username, key: credential.key };
      case 'agent-key':
        return {
          type: 'agent',
          username,
          agent: new OneKeyAgent(credential.socketPath, credential.key, (isSigning) => {
            if (isSigning) this.#events.onWaitForAgent();
            else this.#events.onStep();
          }),
        };
    }
  }
}
