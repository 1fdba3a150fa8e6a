import type { ConnectionFailure } from './connection-failure.ts';
import { type ConnectionState, personNeededFor, type UserPrompt } from './connection-state.ts';
import { describeFailure, type FailureTarget } from './failure-remedies.ts';
import type { Translate } from './i18n/index.ts';
import { assertNever } from './result.ts';

/** Keys of the first words, in i18n under `status`. Tests and screen readers go by these words. */
export type StatusWord =
  | 'connected'
  | 'connecting'
  | 'reconnecting'
  | 'waitingForUser'
  | 'paused'
  | 'offline'
  | 'needsAttention'
  | 'disconnected';

/** `waiting`: for the person. `offline`: hollow, no connection and none in the making. */
export type TrayIcon = 'connected' | 'connecting' | 'waiting' | 'attention' | 'paused' | 'offline';

/** Commands of ipc-contract `connection` that make sense in a state; the others are hidden or greyed out. */
export type ConnectionCommand = 'connect' | 'disconnect' | 'pause' | 'resume' | 'reconnectNow';

export interface ConnectionPresentation {
  readonly statusWord: StatusWord;
  /** One line: the status word, the gateway, then the number or the reason. */
  readonly line: string;
  readonly trayIcon: TrayIcon;
  readonly allowed: readonly ConnectionCommand[];
  /** When the line changes by itself next, in milliseconds; null while only events change it. */
  readonly refreshInMs: number | null;
}

/** How a connection's state is shown everywhere: menu, tray, windows, status region. `nowMs` is epoch milliseconds. */
export function presentConnection(
  state: ConnectionState,
  target: FailureTarget,
  nowMs: number,
  t: Translate,
): ConnectionPresentation {
  const present = (
    statusWord: StatusWord,
    line: string,
    trayIcon: TrayIcon,
    allowed: readonly ConnectionCommand[],
    params: Readonly<Record<string, string | number>> = {},
    refreshInMs: number | null = null,
  ): ConnectionPresentation => {
    const status = t(`status.${statusWord}`);
    const text = t(`status.lines.${line}`, { status, gateway: target.label, ...params });
    return { statusWord, line: text, trayIcon, allowed, refreshInMs };
  };

  const presentNeed = (failure: ConnectionFailure): ConnectionPresentation => {
    const { title: reason } = describeFailure(failure, target, t);
    const commands = ['reconnectNow', 'pause', 'disconnect'] as const;
    return present('needsAttention', 'blocked', 'attention', commands, { reason });
  };

  const needed = personNeededFor(state);
  if (needed) return presentNeed(needed);
  switch (state.status) {
    case 'unconfigured':
      return present('disconnected', 'unconfigured', 'offline', []);
    case 'disconnected':
      return present('disconnected', 'disconnected', 'offline', ['connect']);
    case 'paused':
      switch (state.reason) {
        case 'user':
          return present('paused', 'plain', 'paused', ['resume', 'reconnectNow', 'disconnect']);
        case 'offline':
          return present('offline', 'waitingForNetwork', 'offline', ['reconnectNow', 'pause', 'disconnect']);
        case 'asleep':
          return present('paused', 'asleep', 'paused', ['reconnectNow', 'pause', 'disconnect']);
        default:
          return assertNever(state.reason);
      }
    case 'connecting': {
      const word = state.reconnecting ? 'reconnecting' : 'connecting';
      const stage = t(`stages.${state.stage}`);
      return present(word, 'stage', 'connecting', ['reconnectNow', 'pause', 'disconnect'], { stage });
    }
    case 'waiting-for-user':
      return present(
        'waitingForUser',
        questionLine(state.prompt, target),
        'waiting',
        ['reconnectNow', 'pause', 'disconnect'],
        questionParams(state.prompt),
      );
    case 'connected':
      return present('connected', 'connected', 'connected', ['reconnectNow', 'pause', 'disconnect']);
    case 'backing-off': {
      const word = state.reconnecting ? 'reconnecting' : 'connecting';
      const waitMs = Math.max(0, state.retryAtMs - nowMs);
      const commands = ['reconnectNow', 'pause', 'disconnect'] as const;
      const reason = describeFailure(state.lastFailure, target, t).title;
      if (waitMs === 0) return present(word, 'retryNow', 'connecting', commands, { reason });
      const params = { seconds: Math.ceil(waitMs / 1_000), reason };
      return present(word, 'retryIn', 'connecting', commands, params, waitMs % 1_000 || 1_000);
    }
    case 'blocked':
      return presentNeed(state.failure);
    case 'disconnecting':
      switch (state.then) {
        case 'reconnect':
          return present('reconnecting', 'closing', 'connecting', ['pause', 'disconnect']);
        case 'sleep':
          return present('paused', 'asleep', 'paused', ['pause', 'disconnect']);
        case 'stay-off':
          return present('disconnected', 'closing', 'offline', ['connect']);
        case 'quit':
          return present('disconnected', 'closing', 'offline', []);
        default:
          return assertNever(state.then);
      }
    default:
      return assertNever(state);
  }
}

/** Where the gateway is called after the host that asks, one name is enough. */
function questionLine(prompt: UserPrompt, target: FailureTarget): string {
  const line = questionOf(prompt);
  return prompt.type !== 'passphrase' && prompt.host === target.label ? `${line}Here` : line;
}

function questionOf(prompt: UserPrompt): string {
  switch (prompt.type) {
    case 'host-key':
      return 'askHostKey';
    case 'passphrase':
      return 'askPassphrase';
    case 'password':
    case 'keyboard-interactive':
    case 'confirm':
      return 'askSignIn';
    case 'notice':
      return 'askTouch';
    default:
      return assertNever(prompt);
  }
}

function questionParams(prompt: UserPrompt): Readonly<Record<string, string>> {
  return prompt.type === 'passphrase' ? { path: prompt.keyPath } : { host: prompt.host };
}
