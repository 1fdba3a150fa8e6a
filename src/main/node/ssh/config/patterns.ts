/** ssh_config(5), PATTERNS: `*` any run of characters, `?` exactly one. Linear in the text for each star. */
export function matchesPattern(pattern: string, text: string): boolean {
  let p = 0;
  let t = 0;
  let star = -1;
  let resumeAt = 0;
  while (t < text.length) {
    if (pattern[p] === '*') {
      star = p;
      p += 1;
      resumeAt = t;
    } else if (p < pattern.length && (pattern[p] === '?' || pattern[p] === text[t])) {
      p += 1;
      t += 1;
    } else if (star !== -1) {
      p = star + 1;
      resumeAt += 1;
      t = resumeAt;
    } else {
      return false;
    }
  }
  while (pattern[p] === '*') p += 1;
  return p === pattern.length;
}

/** A list with commas (Match); a negated pattern that matches decides at once. */
export function matchesPatternList(list: string, text: string): boolean {
  return matchesPatterns(list.split(','), text);
}

/** The patterns of a Host line. */
export function matchesPatterns(patterns: readonly string[], text: string): boolean {
  let isFound = false;
  for (const pattern of patterns) {
    const isNegated = pattern.startsWith('!');
    if (!matchesPattern(isNegated ? pattern.slice(1) : pattern, text)) continue;
    if (isNegated) return false;
    isFound = true;
  }
  return isFound;
}
