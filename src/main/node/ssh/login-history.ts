const MAX_TARGETS = 64;
const MAX_OFFERS_KEPT = 512;

interface TargetMemory {
  readonly refused: Set<string>;
  accepted: string | null;
}

/**
 * Which offers (a key with its algorithm) each server refused and which one it accepted last, for the life of this process: the next
 * attempt begins with what worked, and goes on with what was not tried.
 */
export class LoginMemory {
  readonly #targets = new Map<string, TargetMemory>();

  isRefused(target: string, offerId: string): boolean {
    return this.#targets.get(target)?.refused.has(offerId) === true;
  }

  isAccepted(target: string, offerId: string): boolean {
    return this.#targets.get(target)?.accepted === offerId;
  }

  noteRefused(target: string, offerId: string): void {
    const memory = this.#of(target);
    if (memory.accepted === offerId) memory.accepted = null;
    if (memory.refused.size < MAX_OFFERS_KEPT) memory.refused.add(offerId);
  }

  noteAccepted(target: string, offerId: string): void {
    const memory = this.#of(target);
    memory.refused.delete(offerId);
    memory.accepted = offerId;
  }

  #of(target: string): TargetMemory {
    const memory = this.#targets.get(target) ?? { refused: new Set(), accepted: null };
    if (this.#targets.size < MAX_TARGETS) this.#targets.set(target, memory);
    return memory;
  }
}

/** What one attempt has tried, over all its connections. */
export class LoginHistory {
  readonly #tried = new Set<string>();
  /** Ids of offers that the server refused or that could not be signed. */
  readonly spent = new Set<string>();
  /** How often the server refused what a person had typed. */
  readonly refusals = { password: 0, 'keyboard-interactive': 0 };
  connections = 0;
  /** The key file whose passphrase was asked for in vain, the last one. */
  unopened: string | null = null;
  /** An agent would not sign with a key that the server had accepted. */
  hasAgentRefused = false;
  /** Keys were left out because the server allows too few tries. */
  hasLeftOver = false;

  /** Labels, in order of their first try. */
  get tried(): readonly string[] {
    return [...this.#tried];
  }

  /** Something that a person typed was shown to the server. */
  get hasTyped(): boolean {
    return this.#tried.has('password') || this.#tried.has('keyboard-interactive');
  }

  note(label: string): void {
    this.#tried.add(label);
  }
}
