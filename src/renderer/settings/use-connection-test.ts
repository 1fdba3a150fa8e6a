import { useEffect, useRef, useState } from 'react';
import type { GatewayDraft, SaveError, TestProgress } from '../../shared/ipc-contract.ts';
import { settle } from '../settle.ts';
import { useCommands } from '../gangway-context.ts';

export interface ConnectionTest {
  readonly progress: TestProgress | null;
  readonly isRunning: boolean;
  /** Starts a test; resolves with what kept it from starting, or null. */
  readonly start: (draft: GatewayDraft) => Promise<SaveError | null>;
  readonly stop: () => void;
  readonly clear: () => void;
}

/** A test of what the form holds, saved or not. Only the newest test shows; leaving the form ends it. */
export function useConnectionTest(): ConnectionTest {
  const { api, reportCommandError } = useCommands();
  const [progress, setProgress] = useState<TestProgress | null>(null);
  const [isStarting, setIsStarting] = useState(false);
  const testId = useRef<string | null>(null);
  /** Progress that came before the answer that names the test. */
  const early = useRef<TestProgress | null>(null);

  useEffect(() => {
    const unsubscribe = api.settings.onTestProgress((next) => {
      if (testId.current === null) early.current = next;
      else if (next.testId === testId.current) setProgress(next);
    });
    return () => {
      unsubscribe();
      if (testId.current !== null) void settle(api.settings.cancelTest({ testId: testId.current }));
      testId.current = null;
    };
  }, [api]);

  const cancel = (): void => {
    if (testId.current !== null) void settle(api.settings.cancelTest({ testId: testId.current }));
  };
  const isRunning = isStarting || progress?.outcome.type === 'running';
  return {
    progress,
    isRunning,
    async start(draft) {
      testId.current = null;
      early.current = null;
      setProgress(null);
      setIsStarting(true);
      const result = await settle(api.settings.testConnection(draft));
      setIsStarting(false);
      if (!result.ok) {
        reportCommandError(result.error);
        return null;
      }
      if (!result.value.ok) return result.value.error;
      const started = result.value.value.testId;
      testId.current = started;
      // A cast keeps the type: the listener may have filled it while the answer was awaited.
      const arrived = early.current as TestProgress | null;
      if (arrived?.testId === started) setProgress(arrived);
      return null;
    },
    stop: cancel,
    clear() {
      // A test that still runs would hold the local port and the host's attention.
      if (progress?.outcome.type === 'running') cancel();
      testId.current = null;
      setProgress(null);
    },
  };
}
