/** Whether a layer answers slowly. Three answers in a row change the verdict, so that one slow answer does not. */
export interface Pace {
  readonly isSlow: boolean;
  /** Answers in a row that speak against `isSlow`. */
  readonly against: number;
}

export interface PaceLimits {
  /** An answer that takes this long or longer is slow. */
  readonly slowFromMs: number;
  /** An answer must be faster than this to count as fast again; lower than `slowFromMs`, so that nothing flickers. */
  readonly fastBelowMs: number;
}

export const EVEN_PACE: Pace = { isSlow: false, against: 0 };
const ANSWERS_TO_CHANGE = 3;

export function nextPace(pace: Pace, latencyMs: number, limits: PaceLimits): Pace {
  const isAgainst = pace.isSlow ? latencyMs < limits.fastBelowMs : latencyMs >= limits.slowFromMs;
  if (!isAgainst) return pace.against === 0 ? pace : { ...pace, against: 0 };
  const against = pace.against + 1;
  return against >= ANSWERS_TO_CHANGE ? { isSlow: !pace.isSlow, against: 0 } : { ...pace, against };
}
