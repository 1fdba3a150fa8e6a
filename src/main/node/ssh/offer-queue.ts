import { algorithmsFor } from './key-offer.ts';
import type { LoginHistory, LoginMemory } from './login-history.ts';
import { fingerprintOf } from './public-key-blob.ts';
import type { Credential } from './ssh-credentials.ts';
import { WireReader } from './ssh-wire-reader.ts';

/** A key with the algorithm that it would sign with. */
export interface Offer {
  readonly id: string;
  readonly credential: Credential;
  /** Null where the public half is locked in: then it is opened first. */
  readonly blob: Buffer | null;
  readonly algorithm: string;
  /** The key's second algorithm: only worth a try that is left over. */
  readonly isFallback: boolean;
}

export interface OfferQueueDeps {
  /** The server's name in `memory`. */
  readonly target: string;
  readonly credentials: readonly Credential[];
  /** `SHA256:…` of the key that the server accepted last. */
  readonly lastCredential: string | null;
  readonly memory: LoginMemory;
  readonly history: LoginHistory;
  onNote(note: string): void;
}

/**
 * The keys that are still to be offered over one connection: the one that worked last time, then what this server has not refused
 * before, then the rest; each part in the order of the plan. Made when it is first looked at, because the server says only
 * during the login which signature algorithms it knows (RFC 8308).
 */
export class OfferQueue {
  readonly #deps: OfferQueueDeps;
  #offers: Offer[] | null = null;
  #signatureAlgorithms: readonly string[] | null = null;

  constructor(deps: OfferQueueDeps) {
    this.#deps = deps;
  }

  get first(): Offer | null {
    return this.#all()[0] ?? null;
  }

  /** Keys are left, and not only other algorithms of keys that were offered. */
  get hasUntried(): boolean {
    return this.#all().some((offer) => !offer.isFallback && !this.#deps.history.spent.has(offer.id));
  }

  /** The server's list, once. */
  set signatureAlgorithms(names: readonly string[]) {
    this.#signatureAlgorithms ??= names;
  }

  take(): Offer | null {
    return this.#all().shift() ?? null;
  }

  /** What became known of a key by opening it. */
  insert(credential: Credential, blob: Buffer): void {
    const { spent } = this.#deps.history;
    const offers = this.#offersOf(credential, blob).filter(({ id }) => !spent.has(id));
    const isFirst = ({ isFallback }: Offer): boolean => !isFallback;
    const rest = this.#all();
    this.#offers = [...offers.filter(isFirst), ...rest, ...offers.filter((offer) => !isFirst(offer))];
  }

  /** Everything that is not spent once more: the server wants another key after the first. */
  refill(): void {
    this.#offers = null;
  }

  #all(): Offer[] {
    if (this.#offers !== null) return this.#offers;
    const { target, credentials, lastCredential, history, memory } = this.#deps;
    const rank = (offer: Offer): number => {
      if (memory.isAccepted(target, offer.id)) return 0;
      if (offer.isFallback) return 3;
      if (memory.isRefused(target, offer.id)) return 2;
      return offer.blob !== null && fingerprintOf(offer.blob) === lastCredential ? 0 : 1;
    };
    const offers = credentials
      .flatMap((credential) => this.#offersOf(credential, credential.blob))
      .filter((offer) => !history.spent.has(offer.id))
      .toSorted((one, other) => rank(one) - rank(other));
    this.#offers = offers;
    return offers;
  }

  #offersOf(credential: Credential, blob: Buffer | null): Offer[] {
    if (blob === null) {
      return [{ id: credential.label, credential, blob, algorithm: '', isFallback: false }];
    }
    const keyType = new WireReader(blob).string()?.toString('latin1') ?? '';
    const known = this.#signatureAlgorithms;
    const algorithms = algorithmsFor(keyType).filter(
      (name) => keyType !== 'ssh-rsa' || known === null || known.includes(name),
    );
    if (algorithms.length === 0) {
      this.#deps.onNote(`${credential.label}: the server takes RSA keys with SHA-1 signatures only`);
    }
    const name = fingerprintOf(blob);
    return algorithms.map((algorithm, index) => {
      return { id: `${name} ${algorithm}`, credential, blob, algorithm, isFallback: index > 0 };
    });
  }
}
