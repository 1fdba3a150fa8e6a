import { useRef, type KeyboardEvent } from 'react';

export interface InputHistory {
  /** Recalls an earlier message, or leads back; true when the key was for it. */
  readonly onKeyDown: (event: KeyboardEvent<HTMLTextAreaElement>) => boolean;
}

/**
 * What was written before, by the arrow keys as in a terminal: up where there is nothing above the caret to go to, down
 * until what was being written is there again. Typing makes a recalled text one's own.
 */
export function useInputHistory(
  earlier: readonly string[],
  text: string,
  onRecall: (text: string) => void,
): InputHistory {
  /** How far back, what stands in the box for it, and what was being written before. */
  const place = useRef<{ readonly back: number; readonly shown: string; readonly own: string } | null>(null);
  return {
    onKeyDown(event) {
      if (event.key !== 'ArrowUp' && event.key !== 'ArrowDown') return false;
      if (event.shiftKey || event.altKey || event.ctrlKey || event.metaKey) return false;
      const box = event.currentTarget;
      const isAtStart = box.selectionStart === 0 && box.selectionEnd === 0;
      const isAtEnd = box.selectionStart === text.length && box.selectionEnd === text.length;
      const browsing = place.current?.shown === text ? place.current : null;
      // An untouched recalled text is walked through whole; one's own only from its very start.
      const mayLeave = browsing === null ? isAtStart : isAtStart || isAtEnd;
      if (!mayLeave || (event.key === 'ArrowDown' && browsing === null)) return false;
      const back = (browsing?.back ?? 0) + (event.key === 'ArrowUp' ? 1 : -1);
      const own = browsing?.own ?? text;
      const recalled = back === 0 ? own : earlier[earlier.length - back];
      if (recalled === undefined) return true;
      place.current = back === 0 ? null : { back, shown: recalled, own };
      onRecall(recalled);
      return true;
    },
  };
}
