import { beforeEach, describe, expect, it } from 'vitest';
import { createCommandHandlers, type CommandPorts } from '../../../src/main/app/command-handlers.ts';
import { GatewayConnection, type ConnectionServices } from '../../../src/main/app/gateway-connection.ts';
import { GatewayRegistry } from '../../../src/main/app/gateway-registry.ts';
import { performTrayAction } from '../../../src/main/app/tray-actions.ts';
import { secretNames } from '../../../src/main/core/secret-names.ts';
import { defaultSettings, type Settings } from '../../../src/main/core/settings/schema.ts';
import type { GatewayProfile } from '../../../src/shared/gateway-profile.ts';
import type { GatewayDraft, WindowKind } from '../../../src/shared/ipc-contract.ts';
import { FakeClock, settle } from '../../support/fakes/fake-clock.ts';
import { FakeRoute, FakeSession, LiveCount } from '../../support/fakes/fake-drivers.ts';
import { FakeConnectivity, FakePower, MemoryLogger } from '../../support/fakes/fake-system.ts';
import { MemorySecrets } from '../../support/fakes/memory-secrets.ts';

/** A session that counts how often its device token was dropped, and while which connection. */
class SessionWithToken extends FakeSession {
  forgotten: (number | null)[] = [];
  failToForget = false;

  forgetDeviceToken(): Promise<void> {
    this.forgotten.push(this.live);
    return this.failToForget ? Promise.reject(new Error('locked')) : Promise.resolve();
  }
}

const idle = { dispose: () => undefined };
const services: ConnectionServices = {
  snapshot: () => ({ ladder: [], health: null, mainSessionKey: null, sessions: [] }),
  onChange: () => idle,
  start: () => undefined,
  setProfile: () => undefined,
  refreshHealth: () => undefined,
  dispose: () => undefined,
};

/** One saved gateway with everything real but its drivers. */
class Rig {
  readonly connectivity = new FakeConnectivity();
  readonly secrets = new MemorySecrets();
  readonly session = new SessionWithToken(new LiveCount());
  readonly modes: string[] = [];
  readonly opened: WindowKind[] = [];
  readonly noted: string[] = [];
  readonly registry: GatewayRegistry;
  route!: FakeRoute;
  settings: Settings;

  constructor() {
    const fresh = defaultSettings('g1');
    const gateways = fresh.gateways.map((profile) => ({
      ...profile,
      wanted: 'connected' as const,
      ssh: { ...profile.ssh, target: 'ops@homelab.example' },
    }));
    this.settings = { ...fresh, gateways };
    const clock = new FakeClock();
    this.registry = new GatewayRegistry((profile) => ({
      chat: {} as never,
      connection: new GatewayConnection(profile, {
        clock,
        random: () => 0,
        connectivity: this.connectivity,
        power: new FakePower(),
        logger: new MemoryLogger(),
        secrets: this.secrets,
        createRoute: (current) => {
          this.modes.push(current.mode);
          this.route = new FakeRoute(new LiveCount());
          return this.route;
        },
        session: this.session,
        services,
      }),
    }));
    this.registry.sync(this.settings.gateways);
  }

  get connection(): GatewayConnection {
    const gateway = this.registry.get('g1');
    if (gateway === null) throw new Error('no gateway');
    return gateway.connection;
  }
  get status(): string {
    return this.connection.snapshot().connection.status;
  }
  get store() {
    const current = (): Settings => this.settings;
    return {
      get current() {
        return current();
      },
      update: (change: (settings: Settings) => Settings) => {
        this.settings = change(this.settings);
      },
    };
  }

  handlers() {
    const unused = {} as never;
    const ports: CommandPorts = {
      model: { invalidate: () => undefined } as never,
      settings: this.store,
      registry: this.registry,
      secrets: this.secrets,
      chats: unused,
      tests: { start: () => Promise.resolve('test') } as never,
      desktop: unused,
      sshDir: '/',
      translate: () => unused,
      dismissNotice: () => undefined,
      noteSecret: (value) => this.noted.push(value),
    };
    return createCommandHandlers(ports);
  }

  async connected(): Promise<void> {
    this.connection.connect();
    await settle();
    this.route.up();
    this.session.up();
    await settle();
  }

  change(change: (profile: GatewayProfile) => GatewayProfile): void {
    this.connection.setProfile(change(this.connection.profile), false);
  }

  async tray(mode: GatewayProfile['mode']): Promise<void> {
    await performTrayAction(
      { type: 'set-mode', mode },
      {
        settings: this.store,
        registry: this.registry,
        handlers: this.handlers(),
        open: (window) => this.opened.push(window),
      },
    );
    await settle();
  }
}

const DRAFT: GatewayDraft = {
  gatewayId: 'g1',
  name: '',
  mode: 'ssh',
  sshTarget: 'ops@homelab.example',
  gatewayPort: 18789,
  localPort: 18789,
  identityFile: '',
  directUrl: '',
  localGatewayPort: 18789,
  token: null,
  password: null,
};

const otherHost = (profile: GatewayProfile): GatewayProfile => ({
  ...profile,
  ssh: { ...profile.ssh, target: 'ops@elsewhere.example' },
});
const otherPort = (profile: GatewayProfile): GatewayProfile => ({
  ...profile,
  ssh: { ...profile.ssh, localPort: 19999 },
});

let rig: Rig;
beforeEach(() => {
  rig = new Rig();
});

describe('a saved gateway', () => {
  it('shows its device token to no other gateway, and drops it after the old session ended', async () => {
    await rig.connected();
    rig.change(otherHost);
    expect(rig.session.forgotten).toEqual([]);
    rig.connection.connect();
    await settle();
    expect(rig.session.forgotten).toEqual([null]);
  });

  it('keeps its device token when only this side of the way changes', async () => {
    await rig.connected();
    rig.change(otherPort);
    rig.connection.connect();
    await settle();
    expect(rig.modes).toHaveLength(2);
    expect(rig.session.forgotten).toEqual([]);
  });

  it('connects anew on "Reconnect now" with changed settings, also while the system says offline', async () => {
    await rig.connected();
    rig.change(otherPort);
    rig.connectivity.isOnline = false;
    rig.connectivity.set(false);
    rig.connection.reconnectNow();
    await settle();
    expect(rig.modes).toHaveLength(2);
    expect(rig.status).toBe('connecting');
    rig.route.up();
    rig.session.up();
    await settle();
    expect(rig.status).toBe('connected');
  });
});

describe('"OpenClaw runs" in the tray', () => {
  it('leaves the old way when the new one is not set up yet, and comes back', async () => {
    await rig.connected();
    await rig.tray('direct');
    expect(rig.status).toBe('unconfigured');
    expect(rig.session.live).toBeNull();
    expect(rig.opened).toEqual(['settings']);
    await rig.tray('ssh');
    expect(rig.status).toBe('connecting');
    expect(rig.modes.at(-1)).toBe('ssh');
  });
});

describe('commands', () => {
  it('say so when the keychain does not let go of a device token, and do not connect again', async () => {
    rig.session.failToForget = true;
    const answer = await rig.handlers()['connection.forgetDeviceToken']({ gatewayId: 'g1' }, { windowId: 1 });
    expect(answer).toMatchObject({ ok: false, error: { failure: { code: 'secrets-unavailable' } } });
    expect(rig.status).toBe('disconnected');
  });

  it('replace a stored token that the keychain cannot read any more', async () => {
    rig.secrets.values.set(secretNames.token('g1', 'ssh'), 'unreadable');
    rig.secrets.failReads = true;
    const answer = await rig
      .handlers()
      ['settings.saveAndConnect']({ ...DRAFT, token: 'typed again' }, { windowId: 1 });
    expect(answer).toEqual({ ok: true, value: { ok: true, value: null } });
    expect(rig.secrets.values.get(secretNames.token('g1', 'ssh'))).toBe('typed again');
  });

  it('keep a token for the way in that it was typed for, and show it at no other', async () => {
    const draft = {
      ...DRAFT,
      mode: 'direct',
      directUrl: 'wss://gateway.example',
      token: 'direct only',
    } as const;
    await rig.handlers()['settings.save'](draft, { windowId: 1 });
    const nothing = { token: false, password: false };
    expect(rig.connection.snapshot().secrets).toEqual({
      direct: { token: true, password: false },
      ssh: nothing,
      local: nothing,
    });
  });

  it('keep out of the log what is typed and never stored', async () => {
    const handlers = rig.handlers();
    await handlers['settings.testConnection'](
      { ...DRAFT, token: 'only tried', password: 'too' },
      { windowId: 1 },
    );
    const answer = { type: 'passphrase', passphrase: 'opens the key' } as const;
    await handlers['connection.answerPrompt']({ gatewayId: 'g1', promptId: 'late', answer }, { windowId: 1 });
    expect(rig.noted).toEqual(['only tried', 'too', 'opens the key']);
  });
});
