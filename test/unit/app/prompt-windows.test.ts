import { describe, expect, it } from 'vitest';
import { PromptWindows } from '../../../src/main/electron/prompt-windows.ts';
import type { AppSnapshot } from '../../../src/shared/app-snapshot.ts';

function snapshot(promptId: string | null): AppSnapshot {
  const connection =
    promptId === null ? { status: 'connected' } : { status: 'waiting-for-user', prompt: { id: promptId } };
  return { gateways: [{ profile: { id: 'g1' }, connection }] } as unknown as AppSnapshot;
}

/** Windows of which only the prompt's is counted; others are in sight or not. */
function promptWindows(otherInSight: boolean) {
  let isOpen = false;
  let opened = 0;
  const prompts = new PromptWindows({
    open: () => {
      isOpen = true;
      opened += 1;
    },
    close: () => {
      isOpen = false;
    },
    isOpen: () => isOpen,
    isInSight: () => otherInSight,
  });
  return { prompts, isOpen: () => isOpen, opened: () => opened, closeByHand: () => (isOpen = false) };
}

describe('a question to the person', () => {
  it('gets a window of its own while no window is in sight, as where the last one is only minimised', () => {
    const { prompts, isOpen } = promptWindows(false);
    prompts.show(snapshot('1'));
    expect(isOpen()).toBe(true);
    prompts.show(snapshot(null));
    expect(isOpen()).toBe(false);
  });

  it('is left to the window that is in sight', () => {
    const { prompts, opened } = promptWindows(true);
    prompts.show(snapshot('1'));
    expect(opened()).toBe(0);
  });

  it('does not come back once its window was closed, but the next question does', () => {
    const { prompts, opened, closeByHand } = promptWindows(false);
    prompts.show(snapshot('1'));
    closeByHand();
    prompts.show(snapshot('1'));
    expect(opened()).toBe(1);
    prompts.show(snapshot('2'));
    expect(opened()).toBe(2);
  });
});
