import type { AppSnapshot } from '../../shared/app-snapshot.ts';
import {
  presentConnection,
  type ConnectionCommand,
  type ConnectionPresentation,
  type TrayIcon,
} from '../../shared/connection-presentation.ts';
import type { ConnectionState, UserPrompt } from '../../shared/connection-state.ts';
import { failureTarget } from '../../shared/gateway-label.ts';
import type { GatewayMode } from '../../shared/gateway-profile.ts';
import type { Translate } from '../../shared/i18n/index.ts';
import type { WindowKind } from '../../shared/ipc-contract.ts';
import { assertNever } from '../../shared/result.ts';

/** What a click in the tray's menu asks for. */
export type TrayAction =
  | { readonly type: 'open'; readonly window: WindowKind }
  | { readonly type: 'set-mode'; readonly mode: GatewayMode }
  /** Shows the question that waits. */
  | { readonly type: 'attend' }
  | { readonly type: 'connect' | 'reconnect-now' | 'pause' | 'resume' | 'show-log' | 'restart' | 'quit' };

export type TrayItem =
  | { readonly type: 'separator' }
  | { readonly type: 'text'; readonly label: string }
  | {
      readonly type: 'action';
      readonly label: string;
      readonly action: TrayAction;
      readonly accelerator: string | null;
      readonly enabled: boolean;
    }
  | {
      readonly type: 'radios';
      readonly label: string;
      readonly choices: readonly {
        readonly label: string;
        readonly checked: boolean;
        readonly action: TrayAction;
      }[];
    };

/** The tray as data: plain and comparable, so that the menu is rebuilt only when something in it changed. */
export interface TrayModel {
  readonly icon: TrayIcon;
  readonly tooltip: string;
  readonly items: readonly TrayItem[];
  /** When the words change by themselves next (a countdown), in milliseconds; null while only events change them. */
  readonly refreshInMs: number | null;
}

const MODES: readonly GatewayMode[] = ['local', 'ssh', 'direct'];
/** A menu line longer than this makes the menu wider than a small screen. */
const MAX_LINE_CHARS = 90;

/** The tray for the primary gateway. `hasBug`: an exception was caught in this run, so a restart is offered. */
export function trayModel(
  snapshot: AppSnapshot,
  t: Translate,
  { hasBug, nowMs }: { readonly hasBug: boolean; readonly nowMs: number },
): TrayModel {
  const gateway = snapshot.gateways.find(({ profile }) => profile.id === snapshot.primaryGatewayId);
  const shown = gateway
    ? presentConnection(gateway.connection, failureTarget(gateway.profile, t), nowMs, t)
    : null;
  const line = shorten(shown?.line ?? t('status.disconnected'));
  return {
    icon: shown?.trayIcon ?? 'offline',
    tooltip: `Gangway\n${line}`,
    refreshInMs: shown?.refreshInMs ?? null,
    items: [
      { type: 'text', label: line },
      ...questionItems(gateway?.connection, t),
      ...inboxItems(gateway?.inboxFacts.total ?? 0, t),
      ...(hasBug ? bugItems(t) : []),
      { type: 'separator' },
      action(t('tray.openChat'), { type: 'open', window: 'chat' }, 'CmdOrCtrl+1'),
      action(t('tray.openHealth'), { type: 'open', window: 'health' }, 'CmdOrCtrl+2'),
      action(t('tray.openInbox'), { type: 'open', window: 'inbox' }, 'CmdOrCtrl+3'),
      {
        type: 'radios',
        label: t('tray.mode'),
        choices: MODES.map((mode) => ({
          label: t(`tray.modes.${mode}`),
          checked: gateway?.profile.mode === mode,
          action: { type: 'set-mode', mode },
        })),
      },
      { type: 'separator' },
      ...(shown ? connectionItems(shown, t) : []),
      { type: 'separator' },
      action(t('tray.settings'), { type: 'open', window: 'settings' }, 'CmdOrCtrl+,'),
      action(t('tray.quit'), { type: 'quit' }),
    ],
  };
}

/** A question that waits is the first thing to do. */
function questionItems(state: ConnectionState | undefined, t: Translate): readonly TrayItem[] {
  if (state?.status !== 'waiting-for-user') return [];
  return [action(t(`prompts.waiting.${questionWords(state.prompt)}.button`), { type: 'attend' })];
}

/** What agents wait for comes before everything that one may open. */
function inboxItems(count: number, t: Translate): readonly TrayItem[] {
  return count === 0 ? [] : [action(t('tray.inboxWaits', { count }), { type: 'open', window: 'inbox' })];
}

function questionWords(prompt: UserPrompt): 'hostKey' | 'passphrase' | 'signIn' | 'confirm' | 'touch' {
  switch (prompt.type) {
    case 'host-key':
      return 'hostKey';
    case 'passphrase':
    case 'confirm':
      return prompt.type;
    case 'password':
    case 'keyboard-interactive':
      return 'signIn';
    case 'notice':
      return 'touch';
    default:
      return assertNever(prompt);
  }
}

/** Always the same entries in the same places; what makes no sense now is greyed out. */
function connectionItems({ allowed }: ConnectionPresentation, t: Translate): readonly TrayItem[] {
  const may = (command: ConnectionCommand): boolean => allowed.includes(command);
  return [
    may('connect')
      ? action(t('tray.connect'), { type: 'connect' })
      : action(t('tray.reconnectNow'), { type: 'reconnect-now' }, null, may('reconnectNow')),
    may('resume')
      ? action(t('tray.resume'), { type: 'resume' })
      : action(t('tray.pause'), { type: 'pause' }, null, may('pause')),
  ];
}

function bugItems(t: Translate): readonly TrayItem[] {
  return [
    { type: 'text', label: t('tray.internalError') },
    action(t('tray.showLog'), { type: 'show-log' }),
    action(t('tray.restart'), { type: 'restart' }),
  ];
}

function action(
  label: string,
  does: TrayAction,
  accelerator: string | null = null,
  enabled = true,
): TrayItem {
  return { type: 'action', label, action: does, accelerator, enabled };
}

function shorten(line: string): string {
  return line.length > MAX_LINE_CHARS ? `${line.slice(0, MAX_LINE_CHARS - 1)}…` : line;
}
