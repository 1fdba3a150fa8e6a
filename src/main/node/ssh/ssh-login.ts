import type { AnyAuthMethod, Prompt } from 'ssh2';
import { plainLines, plainText } from '../../core/plain-text.ts';
import type { SshHop } from '../../core/tunnel/ssh-hop.ts';
import type { TunnelAnswer } from '../../core/tunnel/tunnel-protocol.ts';
import type { Question } from '../tunnel/tunnel-session.ts';
import { KeyOffer } from './key-offer.ts';
import { KeySigner } from './key-signer.ts';
import type { LoginHistory, LoginMemory } from './login-history.ts';
import { OfferQueue, type Offer } from './offer-queue.ts';
import { fingerprintOf } from './public-key-blob.ts';
import { MAX_OFFERS, type Credential } from './ssh-credentials.ts';
import type { KeyRing } from './ssh-keys.ts';

export interface SshLoginDeps {
  readonly hop: SshHop;
  readonly credentials: readonly Credential[];
  /** `SHA256:…` of the key that the server accepted last. */
  readonly lastCredential: string | null;
  readonly keyRing: KeyRing;
  readonly memory: LoginMemory;
  /** Shared by all connections of one attempt. */
  readonly history: LoginHistory;
  /** Aborts when the session is over: whoever signs can stop. */
  readonly stop: AbortSignal;
  ask(question: Question): Promise<TunnelAnswer | null>;
  /** Something is about to be sent: the server has to speak next. */
  onStep(): void;
  /** A person or an agent has to act; no limit runs until the next step. */
  onWait(why: 'agent' | 'person'): void;
  /** For the log; holds no secret. */
  onNote(note: string): void;
}

/** What comes next; `again`: over a new connection, where there are tries left for what was not offered yet. */
export type LoginStep =
  | { readonly type: 'method'; readonly method: AnyAuthMethod }
  | { readonly type: 'exhausted' }
  | { readonly type: 'again' }
  /** The session ended while a question was open. */
  | { readonly type: 'over' };

/** What was accepted, for the diagnostics. */
export interface AcceptedLogin {
  /** Path of a key, name of an agent's key, or the method; several where the server wants several. */
  readonly label: string;
  /** `SHA256:…` of the public key that was accepted, if one was. */
  readonly fingerprint: string | null;
}

type Method = SshHop['methods'][number];

type Current =
  | { readonly type: 'none' }
  | { readonly type: 'key'; readonly offer: Offer; wasUnusable: boolean }
  | { readonly type: 'password' }
  | { readonly type: 'keyboard-interactive'; wasAsked: boolean };

/** Connections of one attempt: servers count failed logins of an address (PerSourcePenalties, fail2ban). */
const MAX_CONNECTIONS = 2;
/** Keys of a second connection where a password may follow, so that there are tries left for it. */
const MAX_OFFERS_BEFORE_PASSWORD = 3;
/** Bounds of a server's own words. */
const MAX_NAME_CHARS = 256;
const MAX_INSTRUCTION_CHARS = 4_096;
const MAX_PROMPT_CHARS = 512;
const MAX_PROMPTS = 32;
/** Rounds of one keyboard-interactive exchange: a server that never ends asking is left. */
const MAX_ROUNDS = 16;
const MAX_METHODS = 16;

/** The login over one connection: what is offered in which order, and what the server made of it (RFC 4252). */
export class SshLogin {
  readonly #deps: SshLoginDeps;
  readonly #target: string;
  readonly #queue: OfferQueue;
  readonly #signer: KeySigner;
  #offered: readonly string[] | null = null;
  #current: Current | null = null;
  #partial = false;
  #offersMade = 0;
  #rounds = 0;
  #keyboardIsUseless = false;
  #acceptedKey: Offer | null = null;
  readonly #accepted: string[] = [];

  constructor(deps: SshLoginDeps) {
    this.#deps = deps;
    this.#target = `${deps.hop.user}@${deps.hop.host}:${deps.hop.port}`;
    const { hop, credentials, lastCredential, memory, history, keyRing, stop } = deps;
    history.connections += 1;
    const target = this.#target;
    const onNote = (note: string): void => deps.onNote(note);
    this.#queue = new OfferQueue({ target, credentials, lastCredential, memory, history, onNote });
    this.#signer = new KeySigner({
      keyRing,
      passphrasePrompts: hop.numberOfPasswordPrompts,
      stop,
      ask: (question) => deps.ask(question),
      onWait: (why) => deps.onWait(why),
      onUnopened: (path) => {
        history.unopened = path;
      },
    });
  }

  /** Methods that the server named; null when it never did. */
  get offered(): readonly string[] | null {
    return this.#offered;
  }

  /** Keys were offered on this connection: what failed for want of tries may work over a new one. */
  get mayTryAgain(): boolean {
    const { history, hop } = this.#deps;
    this.#settle();
    if (history.connections >= MAX_CONNECTIONS || this.#offersMade === 0) return false;
    const hasPassword = this.#passwordMethods().some(
      (method) => history.refusals[method] < hop.numberOfPasswordPrompts,
    );
    return this.#queue.hasUntried || hasPassword;
  }

  /** Of a login that the server has accepted. */
  accept(): AcceptedLogin {
    this.#recordAccepted();
    const key = this.#acceptedKey;
    if (key !== null) this.#deps.memory.noteAccepted(this.#target, key.id);
    return {
      label: this.#accepted.join(', '),
      fingerprint: key?.blob == null ? null : fingerprintOf(key.blob),
    };
  }

  /** The server's list of signature algorithms (`server-sig-algs`, RFC 8308). */
  onSignatureAlgorithms(names: readonly string[]): void {
    this.#queue.signatureAlgorithms = names;
  }

  /** SSH_MSG_USERAUTH_FAILURE; `isPartial`: what was shown was right, and more is wanted. */
  onFailure(methods: readonly string[], isPartial: boolean): void {
    this.#offered = methods.slice(0, MAX_METHODS).map((name) => plainText(name, 64));
    this.#partial = isPartial;
  }

  /** The connection ended without a word: what was offered last may be why (some servers count no further). */
  onLost(): void {
    const current = this.#current;
    if (current?.type === 'key') this.#deps.memory.noteRefused(this.#target, current.offer.id);
  }

  async next(): Promise<LoginStep> {
    this.#settle();
    const { hop } = this.#deps;
    for (const method of hop.methods) {
      if (this.#offered === null && !(method === 'publickey' && this.#queue.first?.blob != null)) {
        // Refused for free (RFC 4252, section 5.2), and the refusal says what the server takes.
        this.#current = { type: 'none' };
        return this.#send({ type: 'none', username: hop.user });
      }
      if (this.#offered?.includes(method) === false) continue;
      const step = await this.#nextOf(method);
      if (step !== null) return step;
    }
    return { type: 'exhausted' };
  }

  #nextOf(method: Method): Promise<LoginStep | null> {
    switch (method) {
      case 'publickey':
        return this.#nextKey();
      case 'password':
        return this.#password();
      case 'keyboard-interactive':
        return Promise.resolve(this.#keyboard());
    }
  }

  /** Puts down what became of the last step. */
  #settle(): void {
    const current = this.#current;
    if (current === null) return;
    if (this.#partial) {
      this.#recordAccepted();
      this.#partial = false;
      // The server wants another method, or another key: what it has not refused may be that (AuthenticationMethods).
      this.#queue.refill();
      this.#keyboardIsUseless = false;
      return;
    }
    this.#current = null;
    const { history, memory } = this.#deps;
    switch (current.type) {
      case 'key':
        history.spent.add(current.offer.id);
        if (!current.wasUnusable) memory.noteRefused(this.#target, current.offer.id);
        return;
      case 'password':
        history.refusals.password += 1;
        return;
      case 'keyboard-interactive':
        // Refused without a question: the server lists the method and has nothing behind it.
        if (current.wasAsked) history.refusals['keyboard-interactive'] += 1;
        else this.#keyboardIsUseless = true;
        return;
      case 'none':
        return;
    }
  }

  #recordAccepted(): void {
    const current = this.#current;
    this.#current = null;
    if (current === null) return;
    if (current.type === 'key') {
      this.#acceptedKey = current.offer;
      this.#deps.history.spent.add(current.offer.id);
      this.#accepted.push(current.offer.credential.label);
    } else this.#accepted.push(current.type);
  }

  #send(method: AnyAuthMethod): LoginStep {
    this.#deps.onStep();
    return { type: 'method', method };
  }

  // Keys

  async #nextKey(): Promise<LoginStep | null> {
    const { history } = this.#deps;
    const isLate = history.connections > 1 && this.#passwordMethods().length > 0;
    const limit = isLate ? MAX_OFFERS_BEFORE_PASSWORD : MAX_OFFERS;
    for (;;) {
      if (this.#queue.first === null) return null;
      if (this.#offersMade >= limit) {
        if (!this.#queue.hasUntried) return null;
        if (history.connections < MAX_CONNECTIONS) return { type: 'again' };
        history.hasLeftOver = true;
        return null;
      }
      const offer = this.#queue.take();
      if (offer === null) return null;
      if (offer.blob !== null) {
        const step = this.#offer(offer, offer.blob);
        if (step !== null) return step;
        continue;
      }
      const { label } = offer.credential;
      const opened = await this.#signer.open(label);
      if (opened === null) return { type: 'over' };
      history.spent.add(offer.id);
      if (opened.ok) this.#queue.insert(offer.credential, opened.value.key.getPublicSSH());
      else {
        history.note(label);
        this.#deps.onNote(`${label}: ${opened.error}`);
      }
    }
  }

  #offer(offer: Offer, blob: Buffer): LoginStep | null {
    const { history, hop } = this.#deps;
    const current: Current = { type: 'key', offer, wasUnusable: false };
    const agent = KeyOffer.of(blob, offer.algorithm, async (data) => {
      const signed = await this.#signer.sign(offer.credential, offer.algorithm, data);
      if (signed?.ok === false) {
        current.wasUnusable = true;
        if (offer.credential.type === 'agent-key') history.hasAgentRefused = true;
        this.#deps.onNote(`${offer.credential.label}: ${signed.error}`);
      }
      if (signed !== null) this.#deps.onStep();
      return signed;
    });
    if (agent === null) {
      history.spent.add(offer.id);
      return null;
    }
    history.note(offer.credential.label);
    this.#offersMade += 1;
    this.#current = current;
    return this.#send({ type: 'agent', username: hop.user, agent });
  }

  // What a person types

  #passwordMethods(): ('password' | 'keyboard-interactive')[] {
    const { methods } = this.#deps.hop;
    return methods.filter((method) => method !== 'publickey' && this.#offered?.includes(method) === true) as (
      'password' | 'keyboard-interactive'
    )[];
  }

  async #password(): Promise<LoginStep | null> {
    const { history, hop } = this.#deps;
    const { user, host } = hop;
    const refusals = history.refusals.password;
    if (refusals >= hop.numberOfPasswordPrompts) return null;
    this.#deps.onWait('person');
    const answer = await this.#deps.ask({
      type: 'password',
      jump: null,
      user,
      host,
      wasWrong: refusals > 0,
    });
    if (answer?.type !== 'password' || this.#deps.stop.aborted) return { type: 'over' };
    history.note('password');
    this.#current = { type: 'password' };
    return this.#send({ type: 'password', username: user, password: answer.password });
  }

  #keyboard(): LoginStep | null {
    const { history, hop } = this.#deps;
    const refusals = history.refusals['keyboard-interactive'];
    if (this.#keyboardIsUseless || refusals >= hop.numberOfPasswordPrompts) return null;
    const current: Current = { type: 'keyboard-interactive', wasAsked: false };
    this.#current = current;
    this.#rounds = 0;
    return this.#send({
      type: 'keyboard-interactive',
      username: hop.user,
      prompt: (name, instructions, _language, prompts, finish) => {
        current.wasAsked = true;
        void this.#respond(name, instructions, prompts, refusals > 0, finish);
      },
    });
  }

  async #respond(
    name: string,
    instructions: string,
    prompts: readonly Prompt[],
    wasWrong: boolean,
    finish: (responses: string[]) => void,
  ): Promise<void> {
    const { user, host } = this.#deps.hop;
    const method = 'keyboard-interactive';
    this.#deps.history.note(method);
    this.#rounds += 1;
    if (this.#rounds > MAX_ROUNDS || prompts.length > MAX_PROMPTS) {
      // No sane server asks so much. Empty answers are refused, and the method is over.
      this.#keyboardIsUseless = true;
      this.#deps.onNote(`the server asks too much: ${prompts.length} prompts, round ${this.#rounds}`);
      this.#deps.onStep();
      finish(prompts.map(() => ''));
      return;
    }
    this.#deps.onWait('person');
    const answer = await this.#deps.ask({
      type: method,
      jump: null,
      user,
      host,
      name: plainText(name, MAX_NAME_CHARS),
      instructions: plainLines(instructions, MAX_INSTRUCTION_CHARS).trim(),
      prompts: prompts.map(({ prompt, echo }) => {
        return { text: plainText(prompt, MAX_PROMPT_CHARS), echo: echo === true };
      }),
      wasWrong,
    });
    if (answer?.type !== 'responses' || this.#deps.stop.aborted) return;
    this.#deps.onStep();
    finish(prompts.map((_prompt, index) => answer.responses[index] ?? ''));
  }
}
