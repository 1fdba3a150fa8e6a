import { z } from 'zod';
import type { ConnectionFailure } from '../../shared/connection-failure.ts';
import { canRemember, type PromptAnswer, type UserPrompt } from '../../shared/connection-state.ts';
import { hopLabel } from '../../shared/hop-label.ts';
import { Emitter } from '../core/emitter.ts';
import type { Disposable } from '../core/lifecycle.ts';
import type { Logger, SecretStore } from '../core/ports.ts';
import { secretNames } from '../core/secret-names.ts';
import type { SshHop } from '../core/tunnel/ssh-hop.ts';
import type { TunnelConfig } from '../core/tunnel/tunnel-protocol.ts';
import type { PromptMemory } from '../node/tunnel/ssh-route.ts';

export interface PromptMemoryPorts {
  readonly gatewayId: string;
  readonly secrets: SecretStore;
  readonly logger: Logger;
  /** From now on the value must show in no log. */
  readonly noteSecret: (value: string) => void;
}

interface Given {
  readonly name: string;
  readonly text: string;
  readonly remember: boolean;
}

type Kept = Readonly<Record<string, string>>;
const keptSchema = z.record(z.string(), z.string().max(4096));
/** Of all that one gateway keeps: the keychain's file bounds its entries. The oldest go first. */
const MAX_KEPT_CHARS = 12 * 1024;
const PASSWORD = 'password ';

/**
 * What one gateway's SSH questions were answered with. For this run it is kept here, so that a reconnect after sleep asks
 * nothing; in the keychain only where the person said so, all of a gateway's in one entry, so that they can be forgotten
 * together. Only what a connection came up with is kept, and what proves wrong is forgotten in both: no wrong password is
 * sent twice.
 */
export class GatewayPromptMemory implements PromptMemory {
  readonly #ports: PromptMemoryPorts;
  readonly #entry: string;
  readonly #changes = new Emitter<null>();
  readonly #proved = new Map<string, string>();
  #given: readonly Given[] = [];
  /** Passwords that this attempt was answered with from memory. */
  readonly #recalled = new Set<string>();
  #hops: readonly SshHop[] = [];
  /** The keychain's entry is read, changed and written as a whole. */
  #queue: Promise<unknown> = Promise.resolve();

  constructor(ports: PromptMemoryPorts) {
    this.#ports = ports;
    this.#entry = secretNames.sshSecrets(ports.gatewayId);
  }

  /** Whether the keychain keeps anything. */
  get isKept(): boolean {
    return this.#ports.secrets.has(this.#entry);
  }

  /** `isKept` may have changed. */
  onChange(listener: () => void): Disposable {
    return this.#changes.on(() => listener());
  }

  begin(config: TunnelConfig): void {
    this.#hops = [...config.jumps, config.target];
    this.#given = [];
    this.#recalled.clear();
  }

  async recall(prompt: UserPrompt): Promise<PromptAnswer | null> {
    const name = this.#nameOf(prompt);
    if (name === null) return null;
    // A second question for the same account is another method that asks after the first one was refused.
    if (wasWrong(prompt) || this.#recalled.has(name)) {
      await this.#forget((other) => other === name).catch(() => undefined);
      return null;
    }
    const text = this.#proved.get(name) ?? (await this.#enqueue(() => this.#read()))[name];
    if (text === undefined) return null;
    if (name.startsWith(PASSWORD)) this.#recalled.add(name);
    this.#ports.noteSecret(text);
    return answerOf(prompt, text);
  }

  offer(prompt: UserPrompt, answer: PromptAnswer): void {
    if (answer.type === 'trust-host-key') {
      // A server further on is asked for: those before it took what was given, and will be signed in to again.
      for (const { name, text } of this.#given) this.#proved.set(name, text);
      this.#recalled.clear();
      return;
    }
    const name = this.#nameOf(prompt);
    const given = secretOf(answer);
    if (name === null || given === null || given.text === '') return;
    this.#given = [...this.#given.filter((other) => other.name !== name), { name, ...given }];
  }

  async proveRight(): Promise<void> {
    const given = this.#given;
    this.#given = [];
    for (const { name, text } of given) this.#proved.set(name, text);
    const kept = given.filter(({ remember }) => remember).map(({ name, text }) => [name, text] as const);
    if (kept.length === 0) return;
    try {
      await this.#change((before) => ({ ...before, ...Object.fromEntries(kept) }));
    } catch {
      const { logger, secrets } = this.#ports;
      logger.log('warn', 'ssh.secret-not-kept', { backend: secrets.backend });
    }
  }

  async fail(reason: ConnectionFailure): Promise<void> {
    this.#given = [];
    if (reason.code !== 'auth-rejected' && reason.code !== 'auth-too-many') return;
    const name = this.#passwordOf(reason.facts.user, reason.facts.host);
    if (name === null || !this.#recalled.has(name)) return;
    await this.#forget((other) => other === name).catch(() => undefined);
  }

  /** Forgets all, here and in the keychain. Rejects when the keychain does not let go of it. */
  forgetAll(): Promise<void> {
    return this.#forget(() => true);
  }

  /** The account may be another one now; a key's passphrase is still the same. Rejects as `forgetAll`. */
  forgetPasswords(): Promise<void> {
    return this.#forget((name) => name.startsWith(PASSWORD));
  }

  async #forget(isMeant: (name: string) => boolean): Promise<void> {
    for (const name of [...this.#proved.keys()]) if (isMeant(name)) this.#proved.delete(name);
    this.#given = this.#given.filter(({ name }) => !isMeant(name));
    if (!this.isKept) return;
    await this.#change((before) =>
      Object.fromEntries(Object.entries(before).filter(([name]) => !isMeant(name))),
    );
  }

  async #change(change: (before: Kept) => Kept): Promise<void> {
    const { secrets } = this.#ports;
    await this.#enqueue(async () => {
      const before = await this.#read();
      const after = bounded(change(before));
      if (JSON.stringify(after) === JSON.stringify(before) && this.isKept) return;
      if (Object.keys(after).length === 0) await secrets.delete(this.#entry);
      else await secrets.set(this.#entry, JSON.stringify(after));
    });
    this.#changes.emit(null);
  }

  /** What cannot be read is as good as nothing: it is asked for again, and replaced. */
  async #read(): Promise<Kept> {
    if (!this.isKept) return {};
    try {
      return keptSchema.parse(JSON.parse((await this.#ports.secrets.get(this.#entry)) ?? '{}'));
    } catch {
      return {};
    }
  }

  #enqueue<T>(step: () => Promise<T>): Promise<T> {
    const done = this.#queue.then(step);
    this.#queue = done.catch(() => undefined);
    return done;
  }

  #nameOf(prompt: UserPrompt): string | null {
    if (!canRemember(prompt)) return null;
    switch (prompt.type) {
      case 'passphrase':
        return `passphrase ${prompt.keyPath}`;
      case 'password':
      case 'keyboard-interactive':
        return this.#passwordOf(prompt.user, prompt.host);
      default:
        return null;
    }
  }

  /**
   * By where the attempt really leads, not by the name that the question shows: an alias may be pointed elsewhere. Null
   * where the question could be of either of two servers.
   */
  #passwordOf(user: string, host: string): string | null {
    const places = this.#hops.flatMap((hop, index) => {
      const names = [hop.name, hop.host, hop.hostKeyAlias, hopLabel(hop.name, hop.host)];
      const isMeant = hop.user === user && names.includes(host);
      if (!isMeant) return [];
      const via = this.#hops.slice(0, index).map((jump) => ` via ${jump.host}:${jump.port}`);
      return [`${PASSWORD}${user}@${hop.host}:${hop.port}${via.join('')}`];
    });
    const [only, ...others] = places;
    return others.length === 0 ? (only ?? null) : null;
  }
}

function bounded(kept: Kept): Kept {
  const entries = Object.entries(kept);
  while (JSON.stringify(entries).length > MAX_KEPT_CHARS) entries.shift();
  return Object.fromEntries(entries);
}

function wasWrong(prompt: UserPrompt): boolean {
  return 'wasWrong' in prompt && prompt.wasWrong;
}

function answerOf(prompt: UserPrompt, text: string): PromptAnswer | null {
  switch (prompt.type) {
    case 'passphrase':
      return { type: 'passphrase', passphrase: text, remember: false };
    case 'password':
      return { type: 'password', password: text, remember: false };
    case 'keyboard-interactive':
      return { type: 'responses', responses: [text], remember: false };
    default:
      return null;
  }
}

function secretOf(answer: PromptAnswer): { readonly text: string; readonly remember: boolean } | null {
  switch (answer.type) {
    case 'passphrase':
      return { text: answer.passphrase, remember: answer.remember };
    case 'password':
      return { text: answer.password, remember: answer.remember };
    case 'responses':
      return { text: answer.responses[0] ?? '', remember: answer.remember };
    default:
      return null;
  }
}
