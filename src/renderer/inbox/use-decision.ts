import { useState, type MouseEvent } from 'react';
import type { InboxOutcome } from '../../shared/inbox.ts';
import type { CommandError } from '../../shared/ipc-contract.ts';
import type { Result } from '../../shared/result.ts';
import { settle } from '../settle.ts';

/** What a list lets its cards do. */
export interface Deciding {
  /** False without a connection, and while the list has just changed under the pointer. */
  readonly isPossible: boolean;
  readonly onBegun: () => void;
  readonly onDecided: (outcome: InboxOutcome, saying: string) => void;
}

export interface Decision {
  /** False from an act until the gateway refused it: there is no second one while it is under way or after it was taken. */
  readonly isReady: boolean;
  readonly error: CommandError | null;
  readonly decide: (command: () => Promise<Result<InboxOutcome, CommandError>>, saying: string) => void;
  /** For buttons: the second click of a double click was meant for what was there before. */
  readonly ifMeant: (act: () => void) => (event: MouseEvent) => void;
  readonly dismissError: () => void;
}

/** One act on one item. */
export function useDecision({ isPossible, onBegun, onDecided }: Deciding): Decision {
  const [isDeciding, setIsDeciding] = useState(false);
  const [error, setError] = useState<CommandError | null>(null);
  const isReady = isPossible && !isDeciding;
  return {
    isReady,
    error,
    ifMeant: (act) => (event) => {
      if (isReady && event.detail <= 1) act();
    },
    decide(command, saying) {
      if (!isReady) return;
      setIsDeciding(true);
      setError(null);
      onBegun();
      void settle(command()).then((result) => {
        if (result.ok) onDecided(result.value, saying);
        else {
          setIsDeciding(false);
          setError(result.error);
        }
      });
    },
    dismissError: () => setError(null),
  };
}
