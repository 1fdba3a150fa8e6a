import { z } from 'zod';
import { UNCONFIRMED } from './delivery-rules.ts';
import type { KnownGateway, OutgoingMessage, OutgoingState } from './outgoing-messages.ts';

/** A message as it is kept, with the gateway that it belongs to. */
export interface StoredMessage extends OutgoingMessage {
  readonly gatewayId: string;
}

export interface StoredDraft {
  readonly gatewayId: string;
  readonly sessionKey: string;
  readonly text: string;
}

export interface StoredGateway extends KnownGateway {
  readonly gatewayId: string;
}

/** Everything that is kept. Messages are in the order in which they were written. */
export interface StoredContent {
  readonly messages: readonly StoredMessage[];
  readonly drafts: readonly StoredDraft[];
  readonly gateways: readonly StoredGateway[];
}

const first = z.strictObject({
  atMs: z.number(),
  uptimeMs: z.number(),
  runId: z.string(),
  bootId: z.string().nullable(),
});
const failure = z.strictObject({ type: z.literal('gateway'), code: z.string(), detail: z.string() });
const stateSchema: z.ZodType<OutgoingState> = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('queued'), first: first.nullable() }),
  z.strictObject({ type: z.literal('sending'), first }),
  z.strictObject({ type: z.literal('in-doubt'), first, insisted: z.boolean() }),
  z.strictObject({ type: z.literal('sent'), first }),
  z.strictObject({ type: z.literal('settled') }),
  z.strictObject({ type: z.literal('failed'), failure }),
  z.strictObject({ type: z.literal('unconfirmed'), failure }),
]);

/**
 * The state that a message of an earlier run of the app is in. What was being sent is in doubt. A state that makes no
 * sense loses no text: the person decides about such a message.
 */
export function stateAfterRestart(json: string): OutgoingState {
  let state: OutgoingState;
  try {
    state = stateSchema.parse(JSON.parse(json));
  } catch {
    return { type: 'unconfirmed', failure: UNCONFIRMED };
  }
  return state.type === 'sending' ? { type: 'in-doubt', first: state.first, insisted: false } : state;
}
