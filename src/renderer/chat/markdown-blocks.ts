/**
 * Cuts markdown into pieces that can be parsed one by one, so that a growing reply costs only its last piece. A cut is
 * made only where no construct can reach across: at a blank line outside of a code fence, before a line that begins at
 * the margin and continues no list. Texts with link definitions or footnotes stay whole, since those reach everywhere
 * (CommonMark 0.31, sections 4.5, 4.7 and 5.3).
 */
export function markdownBlocks(text: string): readonly string[] {
  if (/^ {0,3}\[[^\]]+\]:/m.test(text)) return [text];
  const blocks: string[] = [];
  let current: string[] = [];
  let fence: string | null = null;
  let isAfterBlank = false;
  for (const line of text.split('\n')) {
    if (fence === null && isAfterBlank && startsBlock(line)) {
      blocks.push(current.join('\n'));
      current = [];
    }
    current.push(line);
    fence = fenceAfter(fence, line);
    isAfterBlank = line.trim() === '';
  }
  blocks.push(current.join('\n'));
  return blocks;
}

/** Begins at the margin and is neither a list item nor a table row or quote that might go on. */
function startsBlock(line: string): boolean {
  return /^\S/.test(line) && !/^(?:[-*+](?:\s|$)|\d{1,9}[.)](?:\s|$)|[|>])/.test(line);
}

/** The fence that is open after this line: backticks or tildes, three or more, closed by at least as many. */
function fenceAfter(open: string | null, line: string): string | null {
  const marks = /^\s*(`{3,}|~{3,})(.*)$/.exec(line);
  const fence = marks?.[1];
  if (fence === undefined) return open;
  if (open === null) return fence.startsWith('`') && marks?.[2]?.includes('`') === true ? null : fence;
  const closes = fence[0] === open[0] && fence.length >= open.length && marks?.[2]?.trim() === '';
  return closes ? null : open;
}
