import { createContext, useContext, useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import type { AppSnapshot, GatewaySnapshot } from '../shared/app-snapshot.ts';
import type { Translate } from '../shared/i18n/index.ts';
import type { CommandError, GangwayApi } from '../shared/ipc-contract.ts';
import type { Result } from '../shared/result.ts';
import { settle } from './settle.ts';

/** What never changes in a window's life; parts that use only this are not painted again by a new snapshot. */
export interface Commands {
  readonly api: GangwayApi;
  /** Shows in this window that a command was not carried out. */
  readonly reportCommandError: (error: CommandError) => void;
}

/** What the window shows: the newest snapshot, and the gateway that the window is about. */
export interface Shown {
  readonly snapshot: AppSnapshot;
  readonly gateway: GatewaySnapshot;
}

export const CommandsContext = createContext<Commands | null>(null);
export const ShownContext = createContext<Shown | null>(null);

export function useCommands(): Commands {
  const commands = useContext(CommandsContext);
  if (commands === null) throw new Error('useCommands outside of its provider');
  return commands;
}

export function useShown(): Shown {
  const shown = useContext(ShownContext);
  if (shown === null) throw new Error('useShown outside of its provider');
  return shown;
}

/** Message lookup in the window's language. */
export function useTranslate(): Translate {
  const { t } = useTranslation();
  return useMemo<Translate>(() => (key, params) => t(key, params ?? {}), [t]);
}

/** Runs a command whose only outcome is that it was accepted; a refusal is shown in the window. */
export function useRunCommand(): (command: Promise<Result<unknown, CommandError>>) => void {
  const { reportCommandError } = useCommands();
  return (command) => {
    void settle(command).then((result) => {
      if (!result.ok) reportCommandError(result.error);
    });
  };
}
