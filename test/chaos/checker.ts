/** A message as the sender knows it. */
export interface WrittenMessage {
  /** 128 random bits in hex, found nowhere else. */
  readonly token: string;
  readonly sessionKey: string;
  /** Since the run began. */
  readonly writtenAtMs: number;
  /** `unknown`: the app was killed before it answered, so that nothing was promised. */
  readonly answer: 'accepted' | 'refused' | 'unknown';
  /** What the person decided about it, in that order. */
  readonly decisions: readonly Decision[];
}

export interface Decision {
  readonly atMs: number;
  /** What the message said of itself when the person decided. */
  readonly about: 'unconfirmed' | 'failed';
  readonly choice: 'retry' | 'discard';
}

/** A time in which the gateway forgot what it had in memory: its process ended. */
export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface RunRecord {
  readonly written: readonly WrittenMessage[];
  /** Tokens of the user's rows in each session, in the order of the gateway's own history. */
  readonly history: ReadonlyMap<string, readonly string[]>;
  /** The same of what the app shows. */
  readonly shown: ReadonlyMap<string, readonly string[]>;
  /** Each time the model was asked to answer this message: token and time. */
  readonly asked: readonly { readonly token: string; readonly atMs: number }[];
  readonly gatewayDown: readonly Span[];
}

export interface Verdict {
  /** Sentences; none expected. */
  readonly violations: readonly string[];
  readonly counts: {
    readonly written: number;
    readonly accepted: number;
    readonly refused: number;
    readonly unanswered: number;
    readonly inHistory: number;
    readonly lost: number;
    readonly doubled: number;
    readonly reordered: number;
    readonly unexpected: number;
    readonly unconfirmed: number;
    readonly failed: number;
    readonly discarded: number;
    /** Twice because the person sent an unconfirmed message again, and the gateway had forgotten it in between. */
    readonly doubledByPerson: number;
    /** Answered anew by the gateway itself, after it was ended in the middle of an answer. */
    readonly resumedByGateway: number;
  };
}

/**
 * What became of every message. Accepted means exactly once, in the order in which its session's messages were written; a
 * message that the person discarded, or whose acceptance nobody heard, at most once; a refused one not at all.
 */
export function checkRun(run: RunRecord): Verdict {
  const violations: string[] = [];
  const counts = {
    lost: 0,
    doubled: 0,
    reordered: 0,
    unexpected: 0,
    doubledByPerson: 0,
    resumedByGateway: 0,
  };
  const byToken = new Map(run.written.map((message) => [message.token, message]));

  for (const message of run.written) {
    const found = occurrences(run.history, message);
    const most = message.answer === 'refused' ? 0 : 1;
    if (found > most) {
      if (message.answer === 'accepted' && isExplainedDouble(message, run.gatewayDown))
        counts.doubledByPerson += 1;
      else {
        counts.doubled += 1;
        violations.push(`${name(message)} is in the gateway's history ${found} times`);
      }
    }
    if (found === 0 && mustBeThere(message)) {
      counts.lost += 1;
      violations.push(`${name(message)} was accepted and is not in the gateway's history`);
    }
  }

  for (const [sessionKey, tokens] of run.history) {
    for (const token of tokens) {
      if (byToken.get(token)?.sessionKey === sessionKey) continue;
      counts.unexpected += 1;
      violations.push(`${sessionKey} has ${token}, which nobody wrote there`);
    }
    for (const [earlier, later] of reversals(tokens, byToken)) {
      counts.reordered += 1;
      violations.push(`${name(later)} was written after ${name(earlier)} and stands before it`);
    }
    const shown = run.shown.get(sessionKey) ?? [];
    if (shown.join() !== tokens.join())
      violations.push(
        `${sessionKey}: the app shows [${shown.map(short).join(' ')}], the gateway has [${tokens.map(short).join(' ')}]`,
      );
  }

  for (const [token, times] of askedTwice(run.asked)) {
    const [first = 0, last = 0] = [times[0], times.at(-1)];
    const message = byToken.get(token);
    if (message && occurrences(run.history, message) > 1) continue;
    if (overlaps(run.gatewayDown, first, last)) counts.resumedByGateway += 1;
    else {
      counts.doubled += 1;
      violations.push(
        `The model was asked ${times.length} times to answer ${short(token)} by one gateway process`,
      );
    }
  }

  const decided = (about: Decision['about']): number =>
    run.written.filter(({ decisions }) => decisions.some((decision) => decision.about === about)).length;
  const answered = (answer: WrittenMessage['answer']): number =>
    run.written.filter((message) => message.answer === answer).length;
  return {
    violations,
    counts: {
      written: run.written.length,
      accepted: answered('accepted'),
      refused: answered('refused'),
      unanswered: answered('unknown'),
      inHistory: [...run.history.values()].reduce((sum, tokens) => sum + tokens.length, 0),
      unconfirmed: decided('unconfirmed'),
      failed: decided('failed'),
      discarded: run.written.filter(isDiscarded).length,
      ...counts,
    },
  };
}

function mustBeThere(message: WrittenMessage): boolean {
  return message.answer === 'accepted' && !isDiscarded(message);
}

function isDiscarded({ decisions }: WrittenMessage): boolean {
  return decisions.some(({ choice }) => choice === 'discard');
}

function occurrences(history: RunRecord['history'], { sessionKey, token }: WrittenMessage): number {
  return (history.get(sessionKey) ?? []).filter((found) => found === token).length;
}

/** Only who insists may double, and only what a gateway process knew that has ended since it was written. */
function isExplainedDouble(
  { decisions, writtenAtMs }: WrittenMessage,
  gatewayDown: readonly Span[],
): boolean {
  const insisted = decisions.find(({ about, choice }) => about === 'unconfirmed' && choice === 'retry');
  return insisted !== undefined && overlaps(gatewayDown, writtenAtMs, insisted.atMs);
}

function overlaps(spans: readonly Span[], fromMs: number, toMs: number): boolean {
  return spans.some((span) => span.fromMs <= toMs && span.toMs >= fromMs);
}

/** Neighbours that stand in the wrong order. A failed message that the person sent again is newer than it was. */
function reversals(
  tokens: readonly string[],
  byToken: ReadonlyMap<string, WrittenMessage>,
): readonly (readonly [WrittenMessage, WrittenMessage])[] {
  const seen = new Set<string>();
  const inOrder = tokens.flatMap((token) => {
    const message = byToken.get(token);
    if (!message || seen.has(token) || message.decisions.some(({ about }) => about === 'failed')) return [];
    seen.add(token);
    return [message];
  });
  return inOrder.flatMap((message, index) => {
    const next = inOrder[index + 1];
    return next !== undefined && next.writtenAtMs < message.writtenAtMs ? [[next, message] as const] : [];
  });
}

function askedTwice(asked: RunRecord['asked']): ReadonlyMap<string, readonly number[]> {
  const times = new Map<string, number[]>();
  for (const { token, atMs } of asked) times.set(token, [...(times.get(token) ?? []), atMs]);
  return new Map([...times].filter(([, list]) => list.length > 1));
}

function name(message: WrittenMessage): string {
  return `${short(message.token)} (${message.sessionKey}, written at ${Math.round(message.writtenAtMs)} ms)`;
}

export function short(token: string): string {
  return token.slice(0, 8);
}

/** Tokens in a text, in order. */
export function tokensOf(text: string): readonly string[] {
  return text.match(/\b[0-9a-f]{32}\b/g) ?? [];
}
