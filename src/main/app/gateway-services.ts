import type { GatewaySnapshot } from '../../shared/app-snapshot.ts';
import type { GatewayProfile } from '../../shared/gateway-profile.ts';
import type { GatewayRpc } from '../core/chat/gateway-rpc.ts';
import type { GatewayMessages } from '../core/chat/outgoing-messages.ts';
import { connectionTarget, gatewayIdentity } from '../core/connection/connection-target.ts';
import { Emitter } from '../core/emitter.ts';
import { LadderMonitor, type LadderSource } from '../core/health/ladder-monitor.ts';
import { type Disposable, DisposableStore } from '../core/lifecycle.ts';
import type { Clock, Connectivity, Logger } from '../core/ports.ts';
import { ChatService } from '../node/gateway/chat-service.ts';
import { Inbox } from '../node/gateway/inbox.ts';
import { HealthMonitor } from '../node/gateway/health-monitor.ts';

export interface GatewayServicesPorts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly connectivity: Connectivity;
  readonly messages: GatewayMessages;
}

/** Of the inbox, in one snapshot; the next ones come as these are decided. */
const MAX_SHOWN = 50;

/** What health and chat make of one gateway's connection and session. */
export class GatewayServices implements Disposable {
  readonly chat: ChatService;
  readonly inbox: Inbox;
  readonly #store = new DisposableStore();
  readonly #changes: Emitter<null>;
  readonly #health: HealthMonitor;
  readonly #ladder: LadderMonitor;
  readonly #messages: GatewayMessages;
  #profile: GatewayProfile;

  constructor(profile: GatewayProfile, session: GatewayRpc, ports: GatewayServicesPorts) {
    const { clock, logger, connectivity, messages } = ports;
    this.#profile = profile;
    this.#messages = messages;
    const store = this.#store;
    this.#changes = store.add(
      new Emitter<null>((error) =>
        logger.log('error', 'services.listener-failed', { detail: String(error).slice(0, 200) }),
      ),
    );
    this.#ladder = store.add(new LadderMonitor(connectionTarget(profile), { clock, connectivity }));
    this.#health = store.add(new HealthMonitor({ rpc: session, clock, logger }));
    this.chat = store.add(new ChatService({ gatewayId: profile.id, rpc: session, messages, clock, logger }));

    this.inbox = new Inbox(session, this.#health.pending);

    const changed = (): void => this.#changes.emit(null);
    store.add(this.#ladder.onChange(changed));
    store.add(this.chat.onSessions(changed));
    store.add(this.#health.pending.onChange(changed));
    store.add(
      this.#health.onChange((health) => {
        this.#ladder.takeHealth(health);
        changed();
      }),
    );
    store.add(
      session.onHello(({ mainSessionKey }) => {
        void messages.setKnown({ identity: gatewayIdentity(this.#profile), mainSessionKey });
        messages.adoptStrays();
        changed();
      }),
    );
    store.add(
      messages.onRecovered(() => {
        void this.#compareGateway();
        if (session.hello) messages.adoptStrays();
        changed();
      }),
    );
    void this.#compareGateway();
  }

  snapshot(): Pick<
    GatewaySnapshot,
    'ladder' | 'health' | 'mainSessionKey' | 'sessions' | 'inbox' | 'inboxFacts'
  > {
    return {
      ladder: this.#ladder.ladder,
      health: this.#health.health,
      // It stays known while the connection is away, and over restarts of the app: the conversation can be read and written to then too.
      mainSessionKey: this.#messages.known?.mainSessionKey ?? null,
      sessions: this.chat.sessions,
      inbox: this.inbox.items.slice(0, MAX_SHOWN),
      inboxFacts: this.inbox.facts,
    };
  }

  onChange(listener: () => void): Disposable {
    return this.#changes.on(() => listener());
  }

  /** Joins the services to the connection, once. */
  start(source: LadderSource): void {
    this.#ladder.start(source);
  }

  /** The connection now goes by this profile. */
  setProfile(profile: GatewayProfile): void {
    this.#profile = profile;
    void this.#compareGateway();
    this.#ladder.setTarget(connectionTarget(profile));
  }

  refreshHealth(): void {
    void this.#health.refresh();
  }

  dispose(): void {
    this.#store.dispose();
  }

  /** The profile may lead to another gateway than the one that the messages were written for, in this run or an earlier one. */
  async #compareGateway(): Promise<void> {
    const identity = gatewayIdentity(this.#profile);
    const { known } = this.#messages;
    if (known?.identity === identity) return;
    if (known !== null) {
      this.#health.pending.forget();
      await this.chat.gatewayChanged();
    }
    await this.#messages.setKnown({ identity, mainSessionKey: known?.mainSessionKey ?? null });
  }
}
