import { useEffect, useRef } from 'react';

/** Letters come closer together than this while somebody types. */
const STILL_TYPING_MS = 1000;

/**
 * Whether letters were typed into this window just now, also where none is taken. Enter, a click or a key that leaves the field ends the typing: what
 * comes after it is expected.
 */
export function useIsTyping(): () => boolean {
  const typedAtMs = useRef(Number.NEGATIVE_INFINITY);
  useEffect(() => {
    const note = (): void => {
      typedAtMs.current = performance.now();
    };
    const forget = (event: Event): void => {
      if (event instanceof KeyboardEvent && event.key !== 'Enter' && event.key !== 'Escape') {
        if (isLetter(event)) note();
        return;
      }
      typedAtMs.current = Number.NEGATIVE_INFINITY;
    };
    document.addEventListener('input', note, true);
    for (const type of ['keydown', 'pointerdown', 'click']) document.addEventListener(type, forget, true);
    return () => {
      document.removeEventListener('input', note, true);
      for (const type of ['keydown', 'pointerdown', 'click']) {
        document.removeEventListener(type, forget, true);
      }
    };
  }, []);
  return () => performance.now() - typedAtMs.current < STILL_TYPING_MS;
}

function isLetter({ key, ctrlKey, metaKey, altKey }: KeyboardEvent): boolean {
  return key.length === 1 && !ctrlKey && !metaKey && !altKey;
}
