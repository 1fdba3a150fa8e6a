import { app, clipboard, dialog, nativeTheme, session, shell } from 'electron';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { AppSnapshot } from '../../shared/app-snapshot.ts';
import {
  createTranslate,
  languageOf,
  LANGUAGES,
  type Language,
  type Translate,
} from '../../shared/i18n/index.ts';
import type { WindowKind } from '../../shared/ipc-contract.ts';
import { gatewayLabel } from '../../shared/gateway-label.ts';
import { isConfigured } from '../../shared/gateway-profile.ts';
import type { WindowAddress } from '../../shared/window-address.ts';
import { AppModel } from '../app/app-model.ts';
import { ChatSubscriptions } from '../app/chat-subscriptions.ts';
import { InboxNotifier } from '../app/inbox-notifier.ts';
import { createCommandHandlers } from '../app/command-handlers.ts';
import { ConnectionTests } from '../app/connection-tests.ts';
import { GatewayFactory } from '../app/gateway-factory.ts';
import { GatewayRegistry } from '../app/gateway-registry.ts';
import type { CommandContext, Desktop } from '../app/ports.ts';
import { performTrayAction } from '../app/tray-actions.ts';
import { trayModel, type TrayAction, type TrayModel } from '../app/tray-model.ts';
import { DisposableStore } from '../core/lifecycle.ts';
import type { Logger, SecretStore } from '../core/ports.ts';
import type { CommandHandlers } from '../../shared/ipc-contract.ts';
import { freePort } from '../node/free-port.ts';
import type { Redactor } from '../node/redact.ts';
import { describeSsh } from '../node/ssh/config/describe-ssh.ts';
import { systemSshEnvironment } from '../node/ssh/config/ssh-environment.ts';
import { suggestHosts } from '../node/ssh/config/suggest-hosts.ts';
import { removeKnownHosts } from '../node/ssh/known-hosts-file.ts';
import { withProfile } from '../core/settings/schema.ts';
import { KeychainSecretStore } from '../node/secrets/keychain-secret-store.ts';
import { SettingsStore } from '../node/settings/settings-store.ts';
import { MessageStore } from '../node/storage/message-store.ts';
import { systemClock } from '../node/system-clock.ts';
import { setAppMenu } from './app-menu.ts';
import { safePageHtml, serveApp } from './app-protocol.ts';
import { SystemConnectivity } from './connectivity.ts';
import { electronStoreSettings } from './electron-store-settings.ts';
import { ExternalLinks } from './external-links.ts';
import { serveIpc } from './ipc-server.ts';
import { SystemPowerEvents } from './power-events.ts';
import { PromptWindows } from './prompt-windows.ts';
import { guardSessions } from './session-guard.ts';
import { StandInWindow } from './stand-in-window.ts';
import { systemKeychain } from './system-keychain.ts';
import { SystemNotifications } from './system-notifications.ts';
import { TrayPresence } from './tray-presence.ts';
import { hasTray } from './tray-support.ts';
import { startTunnelProcess } from './tunnel-process-channel.ts';
import { WindowFactory } from './window-factory.ts';

export interface ApplicationOptions {
  readonly userDataDir: string;
  readonly homeDir: string;
  readonly preloadPath: string;
  readonly rendererDir: string;
  readonly tunnelModulePath: string;
  readonly assetsDir: string;
  readonly allowDevtools: boolean;
  readonly redactor: Redactor;
  readonly logger: Logger;
}

/** Closing everything may take this long; then the app ends anyway. */
const QUIT_LIMIT_MS = 1_500;

/** What exists only once the app is ready. */
interface Parts {
  readonly settings: SettingsStore;
  readonly secrets: SecretStore;
  readonly windows: WindowFactory;
  readonly registry: GatewayRegistry;
  readonly tests: ConnectionTests;
  readonly model: AppModel;
  readonly handlers: CommandHandlers<CommandContext>;
  readonly standIn: StandInWindow;
}

/** Joins the parts, starts them in order and ends them in the opposite one. */
export class Application {
  readonly #options: ApplicationOptions;
  readonly #store = new DisposableStore();
  #parts: Parts | null = null;
  #tray: TrayPresence | null = null;
  #hasBug = false;
  #isQuitting = false;
  #translate: { readonly language: Language; readonly t: Translate } | null = null;
  /** What a second instance asked for before the first was ready. */
  #openLater: WindowKind | null = null;

  constructor(options: ApplicationOptions) {
    this.#options = options;
  }

  /** Signals, exceptions and the order to quit; from the first moment on. */
  handleProcessEvents(): void {
    const quit = (): void => app.quit();
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, quit);
    process.on('uncaughtException', (error) => this.#noteBug(error));
    process.on('unhandledRejection', (reason) => this.#noteBug(reason));
    app.on('before-quit', (event) => {
      event.preventDefault();
      this.#quit(() => app.exit(0));
    });
  }

  /** Another start of the app: its window opens here. */
  secondInstance(window: WindowKind | null): void {
    if (this.#parts === null) {
      this.#openLater = window ?? this.#openLater;
      return;
    }
    this.#openWindow(window ?? this.#defaultWindow(this.#parts));
  }

  /** Runs once the app is ready: makes the parts, connects what was connected, shows what must be seen. */
  async start(openAtStart: WindowKind | null): Promise<void> {
    const { logger, allowDevtools, rendererDir } = this.#options;
    logger.log('info', 'app.starting', {
      version: app.getVersion(),
      electron: process.versions.electron,
      platform: process.platform,
      packaged: app.isPackaged,
    });
    guardSessions(logger, allowDevtools);
    const trayIsLikely = hasTray();
    const safePage = (): string =>
      safePageHtml(this.#t()('tray.safePageTitle'), this.#t()('tray.safePageText'));
    await serveApp(session.defaultSession, rendererDir, safePage);
    const parts = this.#makeParts();
    this.#parts = parts;
    parts.registry.sync(parts.settings.current.gateways);
    this.#applyPreferences(parts);
    this.#watch(parts);
    this.#tray = this.#store.add(this.#makeTray(parts));

    const window = openAtStart ?? this.#openLater;
    const firstRun = !parts.registry.all().some(({ connection }) => isConfigured(connection.profile));
    if (window !== null || firstRun) this.#openWindow(window ?? 'settings');
    for (const { connection } of parts.registry.all())
      if (connection.profile.wanted === 'connected') connection.connect(false);
      else if (isConfigured(connection.profile)) connection.pause();
    await this.#tray.start(await trayIsLikely);
  }

  #makeParts(): Parts {
    const { userDataDir, homeDir, redactor, logger } = this.#options;
    const clock = systemClock;
    const store = this.#store;
    const storage = electronStoreSettings(userDataDir);
    const settings = store.add(new SettingsStore(storage, logger, randomUUID(), clock));
    const messages = store.add(new MessageStore({ path: join(userDataDir, 'messages.db'), clock, logger }));
    const secretsPath = join(userDataDir, 'secrets.json');
    const secrets = store.add(
      new KeychainSecretStore({ path: secretsPath, keychain: systemKeychain(), clock, logger, redactor }),
    );
    const links = new ExternalLinks(clock, logger);
    const windows = store.add(
      new WindowFactory({
        preloadPath: this.#options.preloadPath,
        iconPath: process.platform === 'darwin' ? null : join(this.#options.assetsDir, 'icon-256.png'),
        allowDevtools: this.#options.allowDevtools,
        clock,
        logger,
        readBounds: (key) => settings.current.windows[key] ?? null,
        saveBounds: (key, bounds) =>
          settings.update((current) => ({ ...current, windows: { ...current.windows, [key]: bounds } })),
        titleOf: (address) => this.#titleOf(address),
        onInput: (windowId) => links.noteInput(windowId),
      }),
    );
    store.add(windows.onPageGone((windowId) => links.forget(windowId)));
    const connectivity = store.add(new SystemConnectivity(clock));
    const power = store.add(new SystemPowerEvents());
    const sshEnvironment = systemSshEnvironment({ ...process.env, HOME: homeDir });
    const factory = new GatewayFactory({
      clock,
      random: Math.random,
      logger,
      secrets,
      connectivity,
      power,
      ssh: sshEnvironment,
      clientVersion: app.getVersion(),
      redact: (text) => redactor.redact(text),
      noteSecret: (value) => redactor.addSecret(value),
      saveProfile: (profile) => settings.update((current) => withProfile(current, profile)),
      startTunnelProcess: (gatewayId) =>
        startTunnelProcess(this.#options.tunnelModulePath, gatewayId, logger),
      messages,
    });
    const chats = store.add(new ChatSubscriptions(windows));
    const registry = new GatewayRegistry((profile) => {
      const gateway = factory.create(profile);
      chats.connect(gateway.chat);
      return gateway;
    });
    const tests = new ConnectionTests({
      clock,
      logger,
      secrets,
      freePort,
      createDrivers: (profile, testSecrets) => factory.createTestDrivers(profile, testSecrets),
      onProgress: (progress) => windows.toAll('settings.testProgress', progress),
    });
    const model = store.add(
      new AppModel({
        clock,
        appVersion: app.getVersion(),
        platform: process.platform as AppSnapshot['platform'],
        language: () => this.#language(settings),
        preferences: () => settings.current.preferences,
        gateways: () => registry.all().map(({ connection }) => connection.snapshot()),
        primaryGatewayId: () => settings.current.primaryGatewayId,
        notices: () => [
          ...secrets.notices,
          ...factory.identity.notices,
          ...settings.notices,
          ...messages.notices,
          ...registry.all().flatMap(({ connection }) => connection.notices),
        ],
        secretPersistence: () => secrets.persistence,
      }),
    );
    const handlers = createCommandHandlers({
      model,
      settings,
      registry,
      secrets,
      chats,
      tests,
      desktop: this.#desktop(windows, links),
      sshDir: join(homeDir, '.ssh'),
      sshConfig: {
        describe: (ssh) => describeSsh(ssh, sshEnvironment),
        suggestHosts: () => suggestHosts(sshEnvironment),
      },
      removeHostKeys: (keys) => removeKnownHosts(keys),
      translate: () => this.#t(),
      dismissNotice: (key) => {
        secrets.dismissNotice(key);
        factory.identity.dismissNotice(key);
        settings.dismissNotice(key);
        messages.dismissNotice(key);
        for (const { connection } of registry.all()) connection.dismissNotice(key);
        model.invalidate();
      },
      noteSecret: (value) => redactor.addSecret(value),
    });
    let wasInMemory = false;
    store.add(
      secrets.onChange(() => {
        if (wasInMemory && secrets.persistence === 'keychain')
          for (const { connection } of registry.all()) connection.secretsCame();
        wasInMemory = secrets.persistence === 'memory';
        model.invalidate();
      }),
    );
    store.add(factory.identity.onChange(() => model.invalidate()));
    store.add(serveIpc(handlers, windows, clock, logger));
    const standIn = new StandInWindow(windows);
    return { settings, secrets, windows, registry, tests, model, handlers, standIn };
  }

  #watch({ settings, registry, model, windows, handlers }: Parts): void {
    this.#store.add(
      settings.onChange((current) => {
        registry.sync(current.gateways);
        this.#applyPreferences(this.#parts);
        model.invalidate();
      }),
    );
    this.#store.add(registry.onChange(() => model.invalidate()));
    const prompts = new PromptWindows(windows);
    const inboxNotifier = this.#store.add(
      new InboxNotifier({
        notifications: new SystemNotifications(),
        translate: () => this.#t(),
        openInbox: (gatewayId) => windows.open({ window: 'inbox', gatewayId }),
      }),
    );
    this.#store.add(
      model.onPublished((snapshot) => {
        windows.toAll('app.snapshot', snapshot);
        this.#tray?.refresh();
        prompts.show(snapshot);
        inboxNotifier.update(snapshot);
      }),
    );
    this.#onTrayAction = (action) => {
      const open = (window: WindowKind): void => this.#openWindow(window);
      const showQuestion = (gatewayId: string): void => {
        prompts.want(gatewayId);
        model.invalidate();
      };
      void performTrayAction(action, { settings, registry, handlers, open, showQuestion });
    };
    model.invalidate();
  }

  #onTrayAction: (action: TrayAction) => void = () => undefined;

  #makeTray(parts: Parts): TrayPresence {
    const { assetsDir, logger } = this.#options;
    return new TrayPresence({
      assetsDir,
      clock: systemClock,
      logger,
      model: () => this.#trayModel(parts.model.current()),
      onAction: (action) => this.#trayAction(action),
      onAbsent: () => {
        parts.standIn.enable();
        if (parts.windows.openCount === 0) this.#openWindow(this.#defaultWindow(parts));
      },
      onFound: () => parts.standIn.disable(),
    });
  }

  #trayAction(action: TrayAction): void {
    switch (action.type) {
      case 'quit':
        app.quit();
        return;
      case 'restart':
        this.#restart();
        return;
      case 'show-log':
        this.#showLog();
        return;
      default:
        this.#onTrayAction(action);
    }
  }

  #trayModel(snapshot: AppSnapshot): TrayModel {
    return trayModel(snapshot, this.#t(), { hasBug: this.#hasBug, nowMs: systemClock.nowMs() });
  }

  #desktop(windows: WindowFactory, links: ExternalLinks): Desktop {
    return {
      openWindow: (window, gatewayId) => windows.open({ window, gatewayId }),
      openExternal: (url, windowId) => links.open(url, windowId),
      copyText: (text) => {
        void clipboard.writeText(text);
      },
      chooseFile: async ({ title, startDir, windowId }) => {
        const parent = windows.windowOf(windowId);
        if (parent === null) return null;
        const result = await dialog.showOpenDialog(parent, {
          title,
          defaultPath: startDir,
          properties: ['openFile', 'showHiddenFiles', 'dontAddToRecent'],
        });
        return result.canceled ? null : (result.filePaths[0] ?? null);
      },
      showLog: () => this.#showLog(),
    };
  }

  #showLog(): void {
    void shell.openPath(join(this.#options.userDataDir, 'logs'));
  }

  #openWindow(window: WindowKind): void {
    const gatewayId = this.#parts?.settings.current.primaryGatewayId;
    if (gatewayId !== undefined) this.#parts?.windows.open({ window, gatewayId });
  }

  /** What a start without a request shows: the form while nothing is set up, else how things stand. */
  #defaultWindow({ registry, settings }: Parts): WindowKind {
    const primary = registry.get(settings.current.primaryGatewayId);
    return primary !== null && isConfigured(primary.connection.profile) ? 'health' : 'settings';
  }

  #titleOf({ window, gatewayId }: WindowAddress): string {
    const t = this.#t();
    const gateway = this.#parts?.registry.get(gatewayId);
    const label = gateway ? gatewayLabel(gateway.connection.profile, t) : '';
    const name = t(`tray.windows.${window}`);
    return label === '' ? name : t('tray.windowTitle', { window: name, gateway: label });
  }

  #language(settings: SettingsStore | undefined): Language {
    const chosen = settings?.current.preferences.language ?? 'system';
    if (chosen !== 'system') return chosen;
    const tags = app.getPreferredSystemLanguages();
    const known = tags.find((tag) => LANGUAGES.some((language) => tag.toLowerCase().startsWith(language)));
    return languageOf(known ?? 'en');
  }

  #t(): Translate {
    const language = this.#language(this.#parts?.settings);
    if (this.#translate?.language !== language) this.#translate = { language, t: createTranslate(language) };
    return this.#translate.t;
  }

  #applyPreferences(parts: Parts | null): void {
    if (parts === null) return;
    const { theme } = parts.settings.current.preferences;
    if (nativeTheme.themeSource !== theme) nativeTheme.themeSource = theme;
    const t = this.#t();
    if (this.#menuLanguage !== t) {
      this.#menuLanguage = t;
      const actions = {
        open: (window: WindowKind): void => this.#openWindow(window),
        reconnect: () => this.#trayAction({ type: 'reconnect-now' }),
        showLog: () => this.#showLog(),
        restart: () => this.#restart(),
        quit: () => app.quit(),
      };
      setAppMenu(t, actions, this.#options.allowDevtools);
    }
    parts.windows.refreshTitles();
  }

  #menuLanguage: Translate | null = null;

  /** A bug must neither end the app nor pass unseen: it is logged, and the tray offers a restart. */
  #noteBug(error: unknown): void {
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#options.logger.log('error', 'app.bug', { detail });
    this.#hasBug = true;
    this.#parts?.model.invalidate();
  }

  #restart(): void {
    this.#quit(() => {
      app.relaunch();
      app.exit(0);
    });
  }

  /** Ends connections and windows in order, within a limit, and then the process; the first caller decides how. */
  #quit(exit: () => void): void {
    if (this.#isQuitting) return;
    this.#isQuitting = true;
    void this.#closeAll().then(exit, exit);
  }

  async #closeAll(): Promise<void> {
    const { logger } = this.#options;
    const startedMs = performance.now();
    const parts = this.#parts;
    if (parts !== null) {
      parts.windows.rememberPlaces();
      const closing = Promise.all([parts.tests.close(), parts.registry.close()]).then(() => true);
      const late = new Promise<false>((resolve) => systemClock.setTimer(QUIT_LIMIT_MS, () => resolve(false)));
      const inTime = await Promise.race([closing, late]);
      if (!inTime) logger.log('error', 'app.quit-late');
    }
    this.#store.dispose();
    logger.log('info', 'app.quit', { tookMs: Math.round(performance.now() - startedMs) });
  }
}
