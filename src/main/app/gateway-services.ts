import type { GatewaySnapshot } from '../../shared/app-snapshot.ts';
import type { GatewayProfile } from '../../shared/gateway-profile.ts';
import { MemoryOutgoingMessages } from '../core/chat/outgoing-messages.ts';
import { connectionTarget, isSameGateway } from '../core/connection/connection-target.ts';
import { Emitter } from '../core/emitter.ts';
import { LadderMonitor, type LadderSource } from '../core/health/ladder-monitor.ts';
import { type Disposable, DisposableStore } from '../core/lifecycle.ts';
import type { Clock, Connectivity, Logger } from '../core/ports.ts';
import { ChatService } from '../node/gateway/chat-service.ts';
import type { GatewaySession } from '../node/gateway/gateway-session.ts';
import { HealthMonitor } from '../node/gateway/health-monitor.ts';

export interface GatewayServicesPorts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly connectivity: Connectivity;
}

/** What health and chat make of one gateway's connection and session. */
export class GatewayServices implements Disposable {
  readonly chat: ChatService;
  readonly #store = new DisposableStore();
  readonly #changes: Emitter<null>;
  readonly #health: HealthMonitor;
  readonly #ladder: LadderMonitor;
  #profile: GatewayProfile;
  #mainSessionKey: string | null = null;

  constructor(profile: GatewayProfile, session: GatewaySession, ports: GatewayServicesPorts) {
    const { clock, logger, connectivity } = ports;
    this.#profile = profile;
    const store = this.#store;
    this.#changes = store.add(
      new Emitter<null>((error) =>
        logger.log('error', 'services.listener-failed', { detail: String(error).slice(0, 200) }),
      ),
    );
    this.#ladder = store.add(new LadderMonitor(connectionTarget(profile), { clock, connectivity }));
    this.#health = store.add(new HealthMonitor({ rpc: session, clock, logger }));
    const messages = new MemoryOutgoingMessages();
    this.chat = store.add(new ChatService({ gatewayId: profile.id, rpc: session, messages, clock, logger }));

    const changed = (): void => this.#changes.emit(null);
    store.add(this.#ladder.onChange(changed));
    store.add(this.chat.onSessions(changed));
    store.add(
      this.#health.onChange((health) => {
        this.#ladder.takeHealth(health);
        changed();
      }),
    );
    store.add(
      session.onHello(({ mainSessionKey }) => {
        this.#mainSessionKey = mainSessionKey;
        changed();
      }),
    );
  }

  snapshot(): Pick<GatewaySnapshot, 'ladder' | 'health' | 'mainSessionKey' | 'sessions'> {
    return {
      ladder: this.#ladder.ladder,
      health: this.#health.health,
      // It stays known while the connection is away: the conversation can be read and written to then too.
      mainSessionKey: this.#mainSessionKey,
      sessions: this.chat.sessions,
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
    if (!isSameGateway(this.#profile, profile)) this.chat.gatewayChanged();
    this.#profile = profile;
    this.#ladder.setTarget(connectionTarget(profile));
  }

  refreshHealth(): void {
    void this.#health.refresh();
  }

  dispose(): void {
    this.#store.dispose();
  }
}
