import type { i18n as I18n } from 'i18next';
import {
  useEffect,
  useLayoutEffect,
  useMemo,
  useState,
  useSyncExternalStore,
  type ReactElement,
} from 'react';
import { I18nextProvider } from 'react-i18next';
import type { AppSnapshot, GatewaySnapshot } from '../shared/app-snapshot.ts';
import { createI18n, languageOf } from '../shared/i18n/index.ts';
import type { CommandError, GangwayApi } from '../shared/ipc-contract.ts';
import type { PageKind, WindowAddress } from '../shared/window-address.ts';
import { ChatScreen } from './chat/chat-screen.tsx';
import { Button } from './design/button.tsx';
import { EmptyState } from './design/empty-state.tsx';
import { Skeleton } from './design/skeleton.tsx';
import { CommandsContext, ShownContext, useTranslate, type Commands, type Shown } from './gangway-context.ts';
import { InboxScreen } from './inbox/inbox-screen.tsx';
import { HealthScreen } from './health/health-screen.tsx';
import { Prompts } from './prompts/prompts.tsx';
import { SettingsScreen } from './settings/settings-screen.tsx';
import { ConnectionHeader } from './shell/connection-header.tsx';
import { ErrorBoundary } from './shell/error-boundary.tsx';
import { Notices } from './shell/notices.tsx';
import { PromptScreen } from './shell/prompt-screen.tsx';
import { WaitingCard } from './shell/waiting-card.tsx';
import { createSnapshotStore } from './state/snapshot-store.ts';

interface AppProps {
  readonly api: GangwayApi;
  /** What this window shows; null where the address names nothing that is known: then it shows the settings. */
  readonly address: WindowAddress | null;
}

/** One window of the app: everything it shows comes from main's snapshots. */
export function App({ api, address }: AppProps): ReactElement {
  const [store] = useState(() => createSnapshotStore(api.app));
  useEffect(() => store.start(), [store]);
  const state = useSyncExternalStore(store.subscribe, store.getState);

  const snapshot = state.type === 'ready' ? state.snapshot : null;
  const language = snapshot?.language ?? languageOf(navigator.language);
  const theme = snapshot?.preferences.theme ?? 'system';
  const platform = snapshot?.platform ?? null;
  const i18n = useMemo<I18n>(() => createI18n(language), [language]);

  useLayoutEffect(() => {
    const root = document.documentElement;
    root.lang = language;
    if (theme === 'system') delete root.dataset['theme'];
    else root.dataset['theme'] = theme;
    if (platform !== null) root.dataset['platform'] = platform;
  }, [language, theme, platform]);

  return (
    <I18nextProvider i18n={i18n}>
      <ErrorBoundary texts={crashTexts(i18n)}>
        {state.type === 'loading' ? (
          <Loading />
        ) : state.type === 'failed' ? (
          <NoAnswer />
        ) : (
          <GatewayWindow api={api} address={address} snapshot={state.snapshot} />
        )}
      </ErrorBoundary>
    </I18nextProvider>
  );
}

function GatewayWindow({
  api,
  address,
  snapshot,
}: AppProps & { readonly snapshot: AppSnapshot }): ReactElement {
  const t = useTranslate();
  const [commandError, setCommandError] = useState<CommandError | null>(null);
  const page = address?.window ?? 'settings';
  const gateway = gatewayOf(snapshot, address);
  const title = t(titleKey(page));
  useEffect(() => {
    document.title = `${title} · Gangway`;
  }, [title]);

  const commands = useMemo<Commands>(() => ({ api, reportCommandError: setCommandError }), [api]);
  const shown = useMemo<Shown | null>(
    () => (gateway === null ? null : { snapshot, gateway }),
    [snapshot, gateway],
  );

  if (shown === null) {
    return (
      <main className="window__screen">
        <EmptyState
          icon="plug"
          title={t('common.unknownGatewayTitle')}
          text={t('common.unknownGatewayText')}
        />
      </main>
    );
  }
  return (
    <CommandsContext value={commands}>
      <ShownContext value={shown}>
        <div className="window" data-page={page}>
          <ConnectionHeader page={page} />
          <Notices commandError={commandError} onDismissError={() => setCommandError(null)} />
          <WaitingCard />
          <main className="window__screen">{screenOf(page)}</main>
        </div>
        <Prompts />
      </ShownContext>
    </CommandsContext>
  );
}

function screenOf(page: PageKind): ReactElement {
  switch (page) {
    case 'settings':
      return <SettingsScreen />;
    case 'chat':
      return <ChatScreen />;
    case 'inbox':
      return <InboxScreen />;
    case 'health':
      return <HealthScreen />;
    case 'prompt':
      return <PromptScreen />;
  }
}

function titleKey(page: PageKind): string {
  switch (page) {
    case 'settings':
      return 'settings.title';
    case 'chat':
      return 'chat.title';
    case 'inbox':
      return 'inbox.title';
    case 'health':
      return 'health.title';
    case 'prompt':
      return 'common.connection';
  }
}

function gatewayOf(snapshot: AppSnapshot, address: WindowAddress | null): GatewaySnapshot | null {
  const wanted = address?.gatewayId ?? snapshot.primaryGatewayId;
  return snapshot.gateways.find((gateway) => gateway.profile.id === wanted) ?? null;
}

function crashTexts(i18n: I18n): { title: string; text: string; reload: string; details: string } {
  return {
    title: i18n.t('common.crashTitle'),
    text: i18n.t('common.crashText'),
    reload: i18n.t('common.reload'),
    details: i18n.t('common.details'),
  };
}

function Loading(): ReactElement {
  const t = useTranslate();
  return (
    <main className="window__screen window__screen--padded">
      <Skeleton label={t('common.loading')} rows={4} />
    </main>
  );
}

function NoAnswer(): ReactElement {
  const t = useTranslate();
  return (
    <main className="window__screen">
      <EmptyState
        icon="plug"
        title={t('common.noAnswerTitle')}
        text={t('common.noAnswerText')}
        actions={
          <Button look="primary" onClick={() => window.location.reload()}>
            {t('common.reload')}
          </Button>
        }
      />
    </main>
  );
}
