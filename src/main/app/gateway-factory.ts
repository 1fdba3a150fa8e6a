import { type ConnectionFailure, failure } from '../../shared/connection-failure.ts';
import type { GatewayMode, GatewayProfile } from '../../shared/gateway-profile.ts';
import { assertNever } from '../../shared/result.ts';
import type { GatewayMessages } from '../core/chat/outgoing-messages.ts';
import type { RouteDriver } from '../core/connection/ports.ts';
import type { Clock, Connectivity, Logger, PowerEvents, Random, SecretStore } from '../core/ports.ts';
import type { PortMove, TunnelChannel } from '../core/tunnel/tunnel-protocol.ts';
import { DeviceIdentityStore } from '../node/gateway/device-identity.ts';
import { GatewaySession } from '../node/gateway/gateway-session.ts';
import { resolveSsh } from '../node/ssh/config/resolve-ssh.ts';
import type { SshEnvironment } from '../node/ssh/config/ssh-environment.ts';
import { DirectRoute } from '../node/tunnel/direct-route.ts';
import { LocalRoute } from '../node/tunnel/local-route.ts';
import { SshRoute } from '../node/tunnel/ssh-route.ts';
import type { ConnectionTestPorts } from './connection-test.ts';
import { GatewayConnection } from './gateway-connection.ts';
import type { LiveGateway } from './gateway-registry.ts';
import { GatewayPromptMemory } from './prompt-memory.ts';
import { GatewayServices } from './gateway-services.ts';

export interface GatewayFactoryPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly secrets: SecretStore;
  readonly connectivity: Connectivity;
  readonly power: PowerEvents;
  readonly ssh: SshEnvironment;
  readonly clientVersion: string;
  readonly redact: (text: string) => string;
  readonly noteSecret: (value: string) => void;
  readonly saveProfile: (profile: GatewayProfile) => void;
  readonly startTunnelProcess: (gatewayId: string) => TunnelChannel;
  readonly messages: {
    forGateway(gatewayId: string): GatewayMessages;
    forget(gatewayId: string): void;
  };
}

/** Whose route it is: what it asks and tells. */
interface RouteOwner {
  /** Asked for at every attempt: it changes while the profile stays. */
  readonly lastCredential: () => string;
  readonly onPortMoved: (move: PortMove) => void;
}

/** Puts the parts of one gateway together: its way, its session, its services. */
export class GatewayFactory {
  readonly #ports: GatewayFactoryPorts;
  /** One for all gateways. */
  readonly identity: DeviceIdentityStore;

  constructor(ports: GatewayFactoryPorts) {
    this.#ports = ports;
    this.identity = new DeviceIdentityStore(ports.secrets, ports.logger);
  }

  /** The connection and conversations of a saved gateway; ended by closing the connection. */
  create(profile: GatewayProfile): LiveGateway {
    const { clock, random, logger, secrets, connectivity, power, saveProfile } = this.#ports;
    let mode = profile.mode;
    const memory = this.#createMemory(profile.id, secrets);
    const session = this.#createSession(profile.id, () => mode, secrets);
    const messages = this.#ports.messages.forGateway(profile.id);
    const services = new GatewayServices(profile, session, { clock, logger, connectivity, messages });
    const connection: GatewayConnection = new GatewayConnection(profile, {
      clock,
      random,
      connectivity,
      power,
      logger,
      secrets,
      sshSecrets: memory,
      saveProfile,
      createRoute: (current) => {
        mode = current.mode;
        return this.#createRoute(current, memory, {
          lastCredential: () => connection.profile.ssh.lastCredential,
          onPortMoved: (move) => connection.portMoved(move),
        });
      },
      session,
      services,
    });
    const forgetMessages = (): void => this.#ports.messages.forget(profile.id);
    return { connection, chat: services.chat, inbox: services.inbox, forgetMessages };
  }

  /** Drivers of their own for "Test connection"; whoever asked disposes them. */
  createTestDrivers(
    profile: GatewayProfile,
    secrets: SecretStore,
  ): Pick<ConnectionTestPorts, 'route' | 'session' | 'askHealth'> {
    const session = this.#createSession(profile.id, () => profile.mode, secrets);
    const { lastCredential } = profile.ssh;
    // A memory of its own, over secrets that are not written: a test neither keeps nor forgets anything for the connection.
    const memory = this.#createMemory(profile.id, secrets);
    const route = this.#createRoute(profile, memory, {
      lastCredential: () => lastCredential,
      onPortMoved: () => undefined,
    });
    return { route, session, askHealth: () => askHealth(session) };
  }

  #createMemory(gatewayId: string, secrets: SecretStore): GatewayPromptMemory {
    const { logger, noteSecret } = this.#ports;
    return new GatewayPromptMemory({ gatewayId, secrets, logger, noteSecret });
  }

  #createSession(gatewayId: string, mode: () => GatewayMode, secrets: SecretStore): GatewaySession {
    const { clock, logger, clientVersion, redact } = this.#ports;
    return new GatewaySession({
      gatewayId,
      mode,
      secrets,
      identity: this.identity,
      clock,
      logger,
      clientVersion,
      platform: process.platform,
      redact,
    });
  }

  #createRoute(
    profile: GatewayProfile,
    memory: GatewayPromptMemory,
    { lastCredential, onPortMoved }: RouteOwner,
  ): RouteDriver {
    const { clock, logger, ssh, startTunnelProcess } = this.#ports;
    switch (profile.mode) {
      case 'local':
        return new LocalRoute(profile.local.port);
      case 'direct':
        return new DirectRoute(profile.direct.url);
      case 'ssh':
        return new SshRoute({
          resolveConfig: () => resolveSsh({ ...profile.ssh, lastCredential: lastCredential() }, ssh),
          memory,
          createChannel: () => startTunnelProcess(profile.id),
          onPortMoved,
          clock,
          logger,
        });
      default:
        return assertNever(profile.mode);
    }
  }
}

const HEALTH_LIMIT_MS = 5_000;

/** Null when the gateway answered. */
async function askHealth(session: GatewaySession): Promise<ConnectionFailure | null> {
  const answer = await session.request('health', {}, { timeoutMs: HEALTH_LIMIT_MS });
  if (answer.ok) return null;
  const { error } = answer;
  switch (error.type) {
    case 'refused':
      return failure('gateway-rejected', { detailCode: error.code, detail: error.message });
    case 'timeout':
      return failure('gateway-silent', { limitMs: error.limitMs });
    case 'not-connected':
    case 'connection-lost':
      return failure('gateway-closed', { code: 1006, reason: '' });
    case 'too-large':
      return failure('frame-too-large', { detail: `${error.bytes} > ${error.maxBytes}` });
    default:
      return assertNever(error);
  }
}
