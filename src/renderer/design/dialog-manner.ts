import { createContext } from 'react';

/** How dialogs come and go in one part of the window. */
export interface DialogManner {
  /** It takes the place of one like it: it must not seem to be a new one. */
  readonly comesAtOnce: boolean;
  /** Called once the dialog is gone, with what had the focus before it came. */
  readonly giveFocusBack: (before: Element | null) => void;
}

/** A dialog that the person opened fades in, and gives the focus back to where it was. */
export const DialogMannerContext = createContext<DialogManner>({
  comesAtOnce: false,
  giveFocusBack(before) {
    // Without a jump: what the answer led to may be in sight elsewhere.
    if (before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true });
  },
});
