import { useEffect, useState } from 'react';
import type { ForSession, GangwayApi } from '../../shared/ipc-contract.ts';
import { matchingCommands, type SlashCommand } from '../../shared/slash-commands.ts';
import { settle } from '../settle.ts';

const MAX_OFFERED = 8;
const NONE: readonly SlashCommand[] = [];

/** What is typed when it can still become a command: one word with its slash, and nothing after it. */
function commandWord(text: string): string | null {
  return /^\/\S*$/.test(text) ? text : null;
}

/** The gateway's commands that fit what is typed. They are asked for anew each time a slash begins a message. */
export function useSlashCommands(
  api: GangwayApi['chat'],
  session: ForSession | null,
  text: string,
): readonly SlashCommand[] {
  const [commands, setCommands] = useState<readonly SlashCommand[]>(NONE);
  const word = commandWord(text);
  const isWanted = word !== null && session !== null;
  useEffect(() => {
    if (!isWanted) return undefined;
    let isCurrent = true;
    void settle(api.listCommands(session)).then((result) => {
      // Without a connection nothing is offered; what is typed is sent as it is.
      if (isCurrent) setCommands(result.ok ? result.value : NONE);
    });
    return () => {
      isCurrent = false;
    };
  }, [api, session, isWanted]);
  return word === null ? NONE : matchingCommands(commands, word, MAX_OFFERED);
}
