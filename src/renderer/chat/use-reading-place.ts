import { useCallback, useLayoutEffect, useRef, useState, type RefObject } from 'react';

/** Closer to the end than this counts as being at the end. */
const AT_END_PX = 48;
/** Closer to the top than this asks for earlier messages. */
const NEAR_TOP_PX = 240;
/** Frames in which rows that came into view get their real height instead of an estimated one. */
const SETTLING_FRAMES = 3;

export interface ReadingPlace {
  readonly ref: RefObject<HTMLDivElement | null>;
  readonly isAtEnd: boolean;
  readonly onScroll: () => void;
  readonly jumpToEnd: () => void;
}

interface ReadingPlaceInput {
  /** Changes whenever what is shown changes. */
  readonly content: unknown;
  readonly firstRowId: string | null;
  readonly sentCount: number;
  readonly onNearTop: () => void;
}

/** The row that the reader looks at, and how far below the upper edge it begins. */
interface Anchor {
  readonly row: Element;
  readonly offset: number;
}

/**
 * Follows new text while the reader is at the end, and leaves the place alone otherwise: text that arrives below pushes
 * nothing, and after earlier messages arrived above, the row that was looked at is put back where it was.
 */
export function useReadingPlace({
  content,
  firstRowId,
  sentCount,
  onNearTop,
}: ReadingPlaceInput): ReadingPlace {
  const ref = useRef<HTMLDivElement>(null);
  const [isAtEnd, setIsAtEnd] = useState(true);
  const follows = useRef(true);
  const anchor = useRef<Anchor | null>(null);
  const shownFirstRowId = useRef<string | null>(null);

  const goToEnd = useCallback((): void => {
    const box = ref.current;
    follows.current = true;
    if (box !== null) box.scrollTop = box.scrollHeight;
  }, []);

  useLayoutEffect(() => {
    if (sentCount > 0) goToEnd();
  }, [sentCount, goToEnd]);

  useLayoutEffect(() => {
    const isLonger = shownFirstRowId.current !== firstRowId;
    shownFirstRowId.current = firstRowId;
    const box = ref.current;
    if (follows.current) {
      goToEnd();
      return undefined;
    }
    const looked = anchor.current;
    if (!isLonger || box === null || looked === null) return undefined;
    let framesLeft = SETTLING_FRAMES;
    let frame = 0;
    const putBack = (): void => {
      if (!looked.row.isConnected) return;
      box.scrollTop += offsetIn(box, looked.row) - looked.offset;
      framesLeft -= 1;
      if (framesLeft > 0) frame = requestAnimationFrame(putBack);
    };
    putBack();
    return () => cancelAnimationFrame(frame);
  }, [content, firstRowId, goToEnd]);

  // Late layout (fonts, folded cards, a resized window) moves the end as well.
  useLayoutEffect(() => {
    const box = ref.current;
    if (box === null) return undefined;
    const observer = new ResizeObserver(() => {
      if (follows.current) goToEnd();
    });
    observer.observe(box);
    if (box.firstElementChild !== null) observer.observe(box.firstElementChild);
    return () => observer.disconnect();
  }, [goToEnd]);

  return {
    ref,
    isAtEnd,
    onScroll() {
      const box = ref.current;
      if (box === null) return;
      const atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < AT_END_PX;
      follows.current = atEnd;
      setIsAtEnd(atEnd);
      if (box.scrollTop >= NEAR_TOP_PX) return;
      anchor.current = firstRowInView(box);
      if (box.scrollHeight > box.clientHeight) onNearTop();
    },
    jumpToEnd() {
      goToEnd();
      setIsAtEnd(true);
    },
  };
}

function firstRowInView(box: HTMLElement): Anchor | null {
  for (const row of box.querySelectorAll('article')) {
    const offset = offsetIn(box, row);
    if (offset + row.getBoundingClientRect().height > 0) return { row, offset };
  }
  return null;
}

function offsetIn(box: HTMLElement, row: Element): number {
  return row.getBoundingClientRect().top - box.getBoundingClientRect().top;
}
