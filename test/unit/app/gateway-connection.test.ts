import { beforeEach, describe, expect, it } from 'vitest';
import { createCommandHandlers } from '../../../src/main/app/command-handlers.ts';
import type { CommandPorts } from '../../../src/main/app/commands/command-ports.ts';
import { GatewayConnection, type ConnectionServices } from '../../../src/main/app/gateway-connection.ts';
import { GatewayRegistry } from '../../../src/main/app/gateway-registry.ts';
import { GatewayPromptMemory } from '../../../src/main/app/prompt-memory.ts';
import { performTrayAction } from '../../../src/main/app/tray-actions.ts';
import type { TrayAction } from '../../../src/main/app/tray-model.ts';
import { secretNames } from '../../../src/main/core/secret-names.ts';
import { defaultSettings, withProfile, type Settings } from '../../../src/main/core/settings/schema.ts';
import type { GatewayProfile } from '../../../src/shared/gateway-profile.ts';
import type { GatewayDraft, WindowKind } from '../../../src/shared/ipc-contract.ts';
import { ok } from '../../../src/shared/result.ts';
import { FakeClock, settle } from '../../support/fakes/fake-clock.ts';
import { FakeRoute, FakeSession, LiveCount, ROUTE_FACTS } from '../../support/fakes/fake-drivers.ts';
import { FakeConnectivity, FakePower, MemoryLogger } from '../../support/fakes/fake-system.ts';
import { MemorySecrets } from '../../support/fakes/memory-secrets.ts';
import { sampleFailure } from '../../support/fakes/sample-failures.ts';
import { samplePasswordPrompt } from '../../support/fakes/sample-prompts.ts';

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
const NOTHING_WAITS = { total: 0, isKnown: true, missingScopes: [] };
const services: ConnectionServices = {
  snapshot: () => ({
    ladder: [],
    health: null,
    mainSessionKey: null,
    sessions: [],
    inbox: [],
    inboxFacts: NOTHING_WAITS,
  }),
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
  readonly memory = new GatewayPromptMemory({
    gatewayId: 'g1',
    secrets: this.secrets,
    logger: new MemoryLogger(),
    noteSecret: () => undefined,
  });
  readonly shown: string[] = [];
  readonly modes: string[] = [];
  readonly opened: WindowKind[] = [];
  readonly noted: string[] = [];
  readonly removed: unknown[] = [];
  readonly forgotten: string[] = [];
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
      inbox: {} as never,
      forgetMessages: () => this.forgotten.push(profile.id),
      connection: new GatewayConnection(profile, {
        clock,
        random: () => 0,
        connectivity: this.connectivity,
        power: new FakePower(),
        logger: new MemoryLogger(),
        secrets: this.secrets,
        sshSecrets: this.memory,
        saveProfile: (changed) => this.store.update((current) => withProfile(current, changed)),
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
      sshConfig: unused,
      removeHostKeys: (keys) => {
        this.removed.push(keys);
        return Promise.resolve(ok(undefined));
      },
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

  tray(mode: GatewayProfile['mode']): Promise<void> {
    return this.trayAction({ type: 'set-mode', mode });
  }

  async trayAction(action: TrayAction): Promise<void> {
    await performTrayAction(action, {
      settings: this.store,
      registry: this.registry,
      handlers: this.handlers(),
      open: (window) => this.opened.push(window),
      showQuestion: (gatewayId) => this.shown.push(gatewayId),
    });
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
  sshTransport: 'automatic',
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

describe('a local port that another program holds', () => {
  const move = { from: 18789, to: 18790, owner: 'perl (4711)' };
  const ports = () => [
    rig.connection.profile.ssh.localPort,
    rig.settings.gateways[0]?.ssh.localPort,
    rig.connection.snapshot().restartNeeded,
  ];

  it('is left for another one that is remembered, while the connection goes on', async () => {
    await rig.connected();
    const { route } = rig;
    rig.connection.portMoved(move);
    expect(ports()).toEqual([18790, 18790, false]);
    expect([rig.status, rig.route === route]).toEqual(['connected', true]);
    rig.connection.portMoved({ from: 18790, to: 18791, owner: null });
    expect(ports()).toEqual([18791, 18791, false]);
  });

  it('does not undo what was typed meanwhile', async () => {
    await rig.connected();
    rig.change(otherPort);
    rig.connection.portMoved(move);
    // Nothing was written.
    expect(ports()).toEqual([19999, 18789, true]);
  });

  it('changes nothing where another one is in use by the time that it is told', async () => {
    await rig.connected();
    rig.change(otherPort);
    rig.connection.reconnectNow();
    rig.connection.portMoved(move);
    expect(ports()).toEqual([19999, 18789, false]);
    expect(rig.connection.notices).toEqual([]);
  });

  it('is told of until the person has put the notice away', async () => {
    await rig.connected();
    expect(rig.connection.notices).toEqual([]);
    rig.connection.portMoved(move);
    const [notice] = rig.connection.notices;
    expect(notice).toEqual({ type: 'port-moved', gatewayId: 'g1', ...move });
    rig.connection.dismissNotice('port-moved/g2');
    expect(rig.connection.notices).toHaveLength(1);
    rig.connection.dismissNotice('port-moved/g1');
    expect(rig.connection.notices).toEqual([]);
  });
});

describe('a keychain that opens late', () => {
  it('has what was refused for want of a secret tried again, and leaves every other refusal', async () => {
    const rig = new Rig();
    rig.connection.connect();
    rig.route.down(sampleFailure('secrets-unavailable'));
    await settle();
    expect(rig.status).toBe('blocked');
    rig.connection.secretsCame();
    await settle();
    expect(rig.status).toBe('connecting');
    rig.route.down(sampleFailure('host-key-changed'));
    await settle();
    rig.connection.secretsCame();
    await settle();
    expect(rig.status).toBe('blocked');
  });
});

describe('a connection that is not wanted for now', () => {
  it('gives back what its route keeps when a person pauses or ends it, and only then', async () => {
    await rig.connected();
    expect(rig.route.rests).toBe(0);
    rig.connectivity.set(false);
    rig.connection.reconnectNow();
    await settle();
    expect(rig.route.rests).toBe(0);
    rig.connection.pause();
    await settle();
    expect([rig.status, rig.route.rests]).toEqual(['paused', 1]);
    rig.connection.resume();
    await settle();
    rig.connection.disconnect();
    await settle();
    expect([rig.status, rig.route.rests]).toEqual(['disconnected', 2]);
  });
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
    for (const answer of [
      { type: 'passphrase', passphrase: 'opens the key', remember: false },
      { type: 'password', password: 'lets me in', remember: true },
      { type: 'responses', responses: ['my cat', '123456'], remember: false },
      { type: 'trust-host-key', fingerprint: 'SHA256:public' },
      { type: 'cancel' },
    ] as const)
      await handlers['connection.answerPrompt'](
        { gatewayId: 'g1', promptId: 'late', answer },
        { windowId: 1 },
      );
    expect(rig.noted).toEqual(['only tried', 'too', 'opens the key', 'lets me in', 'my cat', '123456']);
  });
});

describe('the key that the server accepted', () => {
  const credential = (): string => rig.connection.profile.ssh.lastCredential;

  it('is remembered in the settings, and the connection goes on', async () => {
    await rig.connected();
    expect(credential()).toBe(ROUTE_FACTS.credentialFingerprint);
    expect(rig.settings.gateways[0]?.ssh.lastCredential).toBe(credential());
    expect(rig.connection.snapshot()).toMatchObject({
      restartNeeded: false,
      connection: { status: 'connected', generation: 1 },
    });
    rig.connection.connect();
    await settle();
    expect(rig.route.opens).toHaveLength(1);
  });

  it('is not noted for a server that was typed while the old one was reached', async () => {
    rig.connection.connect();
    await settle();
    rig.change(otherHost);
    rig.route.up();
    expect(credential()).toBe('');
  });

  it('is forgotten with the target that it was for', async () => {
    await rig.connected();
    await rig.handlers()['settings.save']({ ...DRAFT, sshTarget: 'ops@elsewhere.example' }, { windowId: 1 });
    expect(credential()).toBe('');
  });
});

describe('what SSH was answered with', () => {
  const kept = (): boolean => rig.connection.snapshot().hasSshSecrets;
  beforeEach(() =>
    rig.secrets.set('ssh-secrets:g1', JSON.stringify({ 'password ops@h:22': 'a', 'passphrase k': 'b' })),
  );

  it('is forgotten on demand, and the windows hear of it', async () => {
    expect(kept()).toBe(true);
    let changes = 0;
    rig.connection.onChange(() => (changes += 1));
    expect(await rig.handlers()['settings.forgetSshSecrets']({ gatewayId: 'g1' }, { windowId: 1 })).toEqual(
      ok(null),
    );
    expect([kept(), changes]).toEqual([false, 1]);
  });

  it('says so when the keychain does not let go of it', async () => {
    rig.secrets.failWrites = true;
    const result = await rig.handlers()['settings.forgetSshSecrets']({ gatewayId: 'g1' }, { windowId: 1 });
    expect(result).toMatchObject({ ok: false, error: { failure: { code: 'secrets-unavailable' } } });
    expect(kept()).toBe(true);
  });

  it('loses its passwords with another target, and all of it with the gateway', async () => {
    rig.change(otherHost);
    await settle();
    expect(rig.secrets.values.get('ssh-secrets:g1')).toBe('{"passphrase k":"b"}');
    rig.registry.sync([]);
    await settle();
    expect(rig.secrets.has('ssh-secrets:g1')).toBe(false);
    expect(rig.forgotten).toEqual(['g1']);
  });
});

describe('a question that came while nobody was there', () => {
  async function waiting(): Promise<void> {
    rig.connection.connect(false);
    await settle();
    rig.route.ask(samplePasswordPrompt);
    await settle();
  }
  const ask = (): void => rig.route.ask({ ...samplePasswordPrompt, id: 'anew' });

  it('is asked anew from the tray, in a window', async () => {
    await waiting();
    expect(rig.connection.snapshot().connection).toMatchObject({ attended: false });
    await rig.trayAction({ type: 'attend' });
    ask();
    expect(rig.connection.snapshot().connection).toMatchObject({ attended: true, prompt: { id: 'anew' } });
    expect(rig.shown).toEqual(['g1']);
  });

  it('is asked by what was saved meanwhile', async () => {
    await waiting();
    rig.change(otherHost);
    await rig.handlers()['connection.attend']({ gatewayId: 'g1' }, { windowId: 1 });
    await settle();
    ask();
    expect(rig.connection.snapshot().connection).toMatchObject({ attended: true });
  });
});

describe('a changed host key', () => {
  const changed = sampleFailure('host-key-changed');
  const remove = (typedHost: string) =>
    rig.handlers()['connection.removeHostKeys']({ gatewayId: 'g1', typedHost }, { windowId: 1 });

  beforeEach(async () => {
    rig.connection.connect();
    await settle();
    rig.route.down(changed);
  });

  it('is taken off the file only with the name of the host', async () => {
    expect(await remove('yes')).toEqual(ok({ ok: false, error: { type: 'name-differs' } }));
    expect([rig.removed, rig.status]).toEqual([[], 'blocked']);
    expect(await remove(` ${changed.facts.host} `)).toEqual(ok(ok(null)));
    expect([rig.removed, rig.status]).toEqual([[changed.facts.known], 'connecting']);
  });

  it('that is gone meanwhile removes nothing', async () => {
    rig.connection.reconnectNow();
    await settle();
    rig.route.up();
    rig.session.up();
    expect(await remove(changed.facts.host)).toEqual(ok({ ok: false, error: { type: 'nothing-to-remove' } }));
    expect(rig.removed).toEqual([]);
  });
});
