import {
  validateChatAbortParams,
  validateChatHistoryParams,
  validateChatSendParams,
  validateConnectParams,
  validateRequestFrame,
  validateSessionsListParams,
  validateSessionsMessagesSubscribeParams,
  validateSessionsMessagesUnsubscribeParams,
} from '@openclaw/gateway-protocol';

interface Validator {
  (value: unknown): boolean;
  readonly errors?: unknown;
}

/** The protocol's own validators of what we send; methods without parameters take an empty object. */
const VALIDATORS: Readonly<Record<string, Validator>> = {
  connect: validateConnectParams,
  'chat.send': validateChatSendParams,
  'chat.abort': validateChatAbortParams,
  'chat.history': validateChatHistoryParams,
  'sessions.list': validateSessionsListParams,
  'sessions.subscribe': validateSessionsListParams,
  'sessions.messages.subscribe': validateSessionsMessagesSubscribeParams,
  'sessions.messages.unsubscribe': validateSessionsMessagesUnsubscribeParams,
  health: isEmpty,
  'exec.approval.list': isEmpty,
  'plugin.approval.list': isEmpty,
  'question.list': isEmpty,
  'gateway.identity.get': isEmpty,
};

/** What is wrong with a frame of ours by the protocol's schema; null when nothing is. */
export function problemOf(frame: unknown): string | null {
  if (!(validateRequestFrame as Validator)(frame))
    return `no request frame: ${JSON.stringify(frame).slice(0, 200)}`;
  const { method, params } = frame as { readonly method: string; readonly params?: unknown };
  const validate = VALIDATORS[method];
  if (!validate) return `${method} has no validator here: add it`;
  return validate(params ?? {})
    ? null
    : `${method}: ${JSON.stringify(validate.errors ?? params).slice(0, 500)}`;
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}
