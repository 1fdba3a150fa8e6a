import type { GatewayProfile } from '../../shared/gateway-profile.ts';
import { Emitter } from '../core/emitter.ts';
import type { Closable, Disposable } from '../core/lifecycle.ts';
import type { GatewayConnection } from './gateway-connection.ts';
import type { ChatPort } from './chat-port.ts';
import type { InboxPort } from './inbox-port.ts';

/** A gateway that is live in this run: its connection and its conversations. */
export interface LiveGateway {
  readonly connection: GatewayConnection;
  readonly chat: ChatPort;
  readonly inbox: InboxPort;
  /** Forgets its messages and drafts, also on disk. */
  forgetMessages(): void;
}

/** The gateways of the settings, each with its connection: made when they appear there, ended when they disappear. */
export class GatewayRegistry implements Closable {
  readonly #create: (profile: GatewayProfile) => LiveGateway;
  readonly #gateways = new Map<
    string,
    { readonly gateway: LiveGateway; readonly subscription: Disposable }
  >();
  readonly #changes = new Emitter<string>();
  readonly #closings = new Set<Promise<void>>();

  constructor(create: (profile: GatewayProfile) => LiveGateway) {
    this.#create = create;
  }

  /** Something of a gateway's snapshot changed; the id says whose. */
  onChange(listener: (gatewayId: string) => void): Disposable {
    return this.#changes.on(listener);
  }

  /** Makes what the list has and the registry has not, and ends what is no longer on the list. */
  sync(profiles: readonly GatewayProfile[]): void {
    for (const [id, { gateway, subscription }] of this.#gateways) {
      if (profiles.some((profile) => profile.id === id)) continue;
      this.#gateways.delete(id);
      subscription.dispose();
      // A keychain that does not let go is logged by nobody's connection any more; the id is never used again.
      void gateway.connection.forgetSshSecrets().catch(() => undefined);
      gateway.forgetMessages();
      const closing = gateway.connection.close();
      this.#closings.add(closing);
      void closing.finally(() => this.#closings.delete(closing));
    }
    for (const profile of profiles) {
      if (this.#gateways.has(profile.id)) continue;
      const gateway = this.#create(profile);
      const subscription = gateway.connection.onChange(() => this.#changes.emit(profile.id));
      this.#gateways.set(profile.id, { gateway, subscription });
    }
  }

  get(id: string): LiveGateway | null {
    return this.#gateways.get(id)?.gateway ?? null;
  }

  all(): readonly LiveGateway[] {
    return [...this.#gateways.values()].map(({ gateway }) => gateway);
  }

  /** Ends every connection at once; resolves when all are gone. */
  async close(): Promise<void> {
    await Promise.all([...this.all().map(({ connection }) => connection.close()), ...this.#closings]);
    this.#changes.dispose();
  }
}
