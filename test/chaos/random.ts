/** A stream of seeded decisions: the same seed and name give the same stream, whatever other streams do. */
export interface SeededRandom {
  /** In [0, 1). */
  next(): number;
  /** A whole number of `least` to `most`, both included. */
  between(least: number, most: number): number;
  pick<T>(choices: readonly T[]): T;
  /** By the weights, which need not add up to anything. */
  weighted<T>(choices: readonly { readonly weight: number; readonly value: T }[]): T;
  /** So many random bits as lower-case hex. */
  hex(bits: number): string;
}

/** mulberry32 over an FNV-1a hash of seed and name: small, fast, and good enough to choose faults. */
export function seededRandom(seed: number, name: string): SeededRandom {
  let state = 0x811c9dc5;
  for (const char of `${seed}/${name}`) state = Math.imul(state ^ char.charCodeAt(0), 0x01000193) >>> 0;

  function bits32(): number {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }
  const next = (): number => bits32() / 2 ** 32;

  return {
    next,
    between: (least, most) => least + Math.floor(next() * (most - least + 1)),
    pick(choices) {
      const choice = choices[Math.floor(next() * choices.length)];
      if (choice === undefined) throw new Error('Nothing to choose from');
      return choice;
    },
    weighted(choices) {
      let left = next() * choices.reduce((sum, { weight }) => sum + weight, 0);
      for (const { weight, value } of choices) {
        left -= weight;
        if (left < 0) return value;
      }
      const last = choices.at(-1);
      if (last === undefined) throw new Error('Nothing to choose from');
      return last.value;
    },
    hex: (bits) => Array.from({ length: bits / 4 }, () => Math.floor(next() * 16).toString(16)).join(''),
  };
}
