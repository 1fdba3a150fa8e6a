import { describe, expect, it } from 'vitest';
import { PromptWindows } from '../../../src/main/electron/prompt-windows.ts';
import type { AppSnapshot } from '../../../src/shared/app-snapshot.ts';

function snapshot(promptId: string | null, attended = true): AppSnapshot {
  const connection =
    promptId === null
      ? { status: 'connected' }
      : { status: 'waiting-for-user', prompt: { id: promptId }, attended };
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

  it('that came while nobody was there opens nothing, and takes its window away when nobody answered', () => {
    const { prompts, opened, isOpen } = promptWindows(false);
    prompts.show(snapshot('1', false));
    expect(opened()).toBe(0);
    prompts.show(snapshot('2'));
    prompts.show(snapshot('2', false));
    expect([opened(), isOpen()]).toEqual([1, false]);
  });

  it('that the person asked for gets a window in any case, also once more', () => {
    const { prompts, opened, closeByHand } = promptWindows(true);
    prompts.want('g1');
    prompts.show(snapshot('1', false));
    expect(opened()).toBe(0);
    prompts.show(snapshot('2'));
    closeByHand();
    prompts.want('g1');
    prompts.show(snapshot('2'));
    expect(opened()).toBe(2);
  });

  it('that the person asked for and that never came does not open a window later', () => {
    const { prompts, opened } = promptWindows(true);
    prompts.want('g1');
    prompts.show(snapshot(null));
    prompts.show(snapshot('1'));
    expect(opened()).toBe(0);
  });
});
