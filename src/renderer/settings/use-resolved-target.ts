import { useEffect, useState } from 'react';
import type { ConnectionFailure } from '../../shared/connection-failure.ts';
import type { GatewayDraft, SshTargetQuestion } from '../../shared/ipc-contract.ts';
import { parseSshTarget } from '../../shared/ssh-target.ts';
import type { SshResolution } from '../../shared/ssh-resolution.ts';
import { useCommands } from '../gangway-context.ts';
import { settle } from '../settle.ts';

/** How long the typing must rest: `ssh -G` may run programs of the person's configuration (Match exec). */
const REST_MS = 300;

export type ResolvedTarget =
  /** Nothing is typed that could be a target. */
  | { readonly type: 'none' }
  | { readonly type: 'reading'; readonly last: SshResolution | null }
  | { readonly type: 'resolved'; readonly resolution: SshResolution }
  | { readonly type: 'failed'; readonly failure: ConnectionFailure };

interface Answer {
  readonly key: string;
  readonly resolution: SshResolution | null;
  readonly failure: ConnectionFailure | null;
}

/**
 * What the SSH configuration makes of the form's target. An answer to what was typed before is never shown as one. It is
 * asked anew when the person comes back to the window, maybe from an editor, and when `saves` rises; the answer before
 * stands until then.
 */
export function useResolvedTarget(draft: GatewayDraft, saves: number): ResolvedTarget {
  const { api, reportCommandError } = useCommands();
  const [answer, setAnswer] = useState<Answer | null>(null);
  const [returns, setReturns] = useState(0);
  const { gatewayId, sshTarget, identityFile, sshTransport } = draft;
  const isTarget = parseSshTarget(sshTarget).ok;
  const key = JSON.stringify([gatewayId, sshTarget, identityFile, sshTransport]);

  useEffect(() => {
    const note = (): void => setReturns((count) => count + 1);
    window.addEventListener('focus', note);
    return () => window.removeEventListener('focus', note);
  }, []);

  useEffect(() => {
    if (!isTarget) return undefined;
    const question: SshTargetQuestion = { gatewayId, sshTarget, identityFile, sshTransport };
    let isOver = false;
    const timer = setTimeout(() => {
      void settle(api.settings.resolveTarget(question)).then((result) => {
        if (isOver) return;
        if (!result.ok) {
          if (result.error.type !== 'failure') reportCommandError(result.error);
          const failure = result.error.type === 'failure' ? result.error.failure : null;
          setAnswer({ key, resolution: null, failure });
        } else if (result.value.ok) setAnswer({ key, resolution: result.value.value, failure: null });
        else setAnswer({ key, resolution: null, failure: result.value.error });
      });
    }, REST_MS);
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [
    api,
    reportCommandError,
    isTarget,
    key,
    gatewayId,
    sshTarget,
    identityFile,
    sshTransport,
    returns,
    saves,
  ]);

  if (!isTarget) return { type: 'none' };
  if (answer?.key !== key) return { type: 'reading', last: answer?.resolution ?? null };
  if (answer.resolution !== null) return { type: 'resolved', resolution: answer.resolution };
  return answer.failure === null ? { type: 'none' } : { type: 'failed', failure: answer.failure };
}
