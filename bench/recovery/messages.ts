import { randomUUID } from 'node:crypto';
import type { LabGatewayClient } from '../../test/support/lab/gateway-client.ts';
import { delay, waitFor, within } from '../../test/support/lab/wait.ts';
import { textOf } from '../../test/support/core/chat-views.ts';
import type { AutosshSide } from './autossh-side.ts';
import type { GangwaySide } from './gangway-side.ts';
import type { Side } from './side.ts';

/** Row 9: what became of messages that were written while the link failed at random. */
export interface MessageResult {
  readonly sent: number;
  /** Written, and in no row of the gateway's history; without those that the person was asked about. */
  readonly lost: number;
  /** In more than one row. */
  readonly doubled: number;
  /** The person was asked what to do. */
  readonly unconfirmed: number;
}

/** Rows that the gateway gives back at most; a message and its answer are two. */
const MESSAGES_PER_SESSION = 60;
const ANSWER_LIMIT_MS = 60_000;
const SETTLED_LIMIT_MS = 120_000;
const NAIVE_ANSWER_LIMIT_MS = 5_000;
const NOTICE_LIMIT_MS = 30_000;

/** A number generator with a seed (mulberry32), so that a run can be repeated. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/**
 * Cuts the link again and again until `stop`, each time some while after it was usable: at once, orderly, or with what the
 * gateway answers lost first. Resolves with the number of cuts.
 */
export async function spoil(side: Side, random: () => number, stop: AbortSignal): Promise<number> {
  const { proxy, history, name } = side;
  let faults = 0;
  while (!stop.aborted) {
    await history.untilUsable(name);
    await delay(100 + 1_500 * random());
    faults += 1;
    const beganAtMs = performance.now();
    const kind = random();
    if (kind < 0.25) proxy.reset();
    else if (kind < 0.4) proxy.closeAll();
    else {
      proxy.freeze(kind < 0.85 ? 'down' : 'both');
      await delay(50 + 400 * random());
      proxy.reset();
      proxy.thaw();
    }
    // A cut that meets the next connection in the middle of its start is one more of the same.
    if (history.isUsable) await history.lostAfter(beganAtMs, name, NOTICE_LIMIT_MS);
  }
  return faults;
}

/** Writes every message once, as a person does, and leaves the rest to Gangway. */
export async function sendByGangway(
  { core }: GangwaySide,
  reader: LabGatewayClient,
  count: number,
  label: string,
): Promise<MessageResult> {
  const unconfirmed = new Set<string>();
  const tokens: string[] = [];
  for (let start = 0; start < count; start += MESSAGES_PER_SESSION) {
    const sessionKey = `agent:main:${label}-${start}`;
    await core.show(sessionKey);
    for (let index = start; index < Math.min(count, start + MESSAGES_PER_SESSION); index += 1) {
      const token = randomUUID();
      tokens.push(token);
      await core.write(sessionKey, token);
      await waitFor(
        () => {
          const row = core.views.view(sessionKey).rows.find((candidate) => textOf(candidate) === token);
          if (row?.delivery === 'unconfirmed') unconfirmed.add(token);
          // One at a time: what the next one meets shall be the link, not a queue behind the first.
          return row !== undefined && (row.delivery === null || row.delivery === 'unconfirmed');
        },
        { what: `message ${index} to be settled`, timeoutMs: SETTLED_LIMIT_MS },
      );
      // As the person would, who looks whether it is there.
      if (unconfirmed.has(token)) await discard(core, sessionKey, token);
    }
  }
  return await verdict(reader, label, count, tokens, unconfirmed);
}

async function discard(core: GangwaySide['core'], sessionKey: string, token: string): Promise<void> {
  const row = core.views.view(sessionKey).rows.find((candidate) => textOf(candidate) === token);
  if (row?.delivery === 'unconfirmed') await core.gateway.chat.discard(sessionKey, row.id);
}

/** The naive way: whatever is not answered is sent again, under a new key each time. */
export async function sendNaively(
  side: AutosshSide,
  reader: LabGatewayClient,
  count: number,
  label: string,
): Promise<MessageResult> {
  const tokens: string[] = [];
  for (let index = 0; index < count; index += 1) {
    const sessionKey = `agent:main:${label}-${index - (index % MESSAGES_PER_SESSION)}`;
    const token = randomUUID();
    tokens.push(token);
    for (let isSent = false; !isSent;) {
      await side.history.untilUsable(side.name);
      const params = { sessionKey, message: token, idempotencyKey: randomUUID() };
      try {
        await within(
          side.client.request('chat.send', params, { timeoutMs: NAIVE_ANSWER_LIMIT_MS }),
          NAIVE_ANSWER_LIMIT_MS,
          'the answer',
        );
        isSent = true;
      } catch {
        // Not answered, so not sent, it thinks; a short pause, as such loops have.
        await delay(100);
      }
    }
    await answered(reader, sessionKey, token);
  }
  return await verdict(reader, label, count, tokens, new Set());
}

async function answered(reader: LabGatewayClient, sessionKey: string, token: string): Promise<void> {
  await waitFor(
    async () =>
      (await reader.history(sessionKey)).some(
        ({ role, text }) => role === 'assistant' && text.includes(token),
      ),
    { what: 'the answer', timeoutMs: ANSWER_LIMIT_MS, intervalMs: 50 },
  );
}

async function verdict(
  reader: LabGatewayClient,
  label: string,
  sent: number,
  tokens: readonly string[],
  unconfirmed: ReadonlySet<string>,
): Promise<MessageResult> {
  const rows: string[] = [];
  for (let start = 0; start < sent; start += MESSAGES_PER_SESSION) {
    const history = await reader.history(`agent:main:${label}-${start}`);
    rows.push(...history.filter(({ role }) => role === 'user').map(({ text }) => text));
  }
  const times = (token: string): number => rows.filter((text) => text.includes(token)).length;
  return {
    sent,
    lost: tokens.filter((token) => times(token) === 0 && !unconfirmed.has(token)).length,
    doubled: tokens.filter((token) => times(token) > 1).length,
    unconfirmed: unconfirmed.size,
  };
}
