import { z, type ZodType } from 'zod';
import type { CommandName, InputOf } from '../../shared/ipc-contract.ts';
import { preferencesSchema } from '../core/settings/schema.ts';

const id = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/);
const port = z.int().min(0).max(1_000_000);
const sessionKey = z.string().min(1).max(512);
const secret = z.string().max(4096).nullable();

const typedSecret = z.string().max(4096);
const nothing = z.null();
const forGateway = z.strictObject({ gatewayId: id });
/** The gateway's own id of an approval, a question or a part of one. */
const itemId = z.string().min(1).max(256);
const forSession = z.strictObject({ gatewayId: id, sessionKey });
const forMessage = z.strictObject({ gatewayId: id, sessionKey, messageId: id });

// Bounds only: what is right or wrong in a field is said beside the field (src/shared/draft-validation.ts).
const draft = z.strictObject({
  gatewayId: id,
  name: z.string().max(4096),
  mode: z.enum(['local', 'ssh', 'direct']),
  sshTarget: z.string().max(8192),
  gatewayPort: port,
  localPort: port,
  identityFile: z.string().max(8192),
  sshTransport: z.enum(['automatic', 'ssh2', 'openssh']),
  directUrl: z.string().max(8192),
  localGatewayPort: port,
  token: secret,
  password: secret,
});

/** The shape that each command's input must have, to the last key; forgetting a command does not compile. */
export const ipcValidators = {
  'app.getSnapshot': nothing,
  'app.openWindow': z.strictObject({
    window: z.enum(['settings', 'chat', 'inbox', 'health']),
    gatewayId: id.nullable(),
  }),
  'app.openExternal': z.strictObject({ url: z.string().max(2048) }),
  'app.copyText': z.strictObject({ text: z.string().max(512 * 1024) }),
  'app.setPreferences': preferencesSchema,
  'app.showLog': nothing,
  'app.dismissNotice': z.strictObject({ key: z.string().max(256) }),
  'settings.save': draft,
  'settings.saveAndConnect': draft,
  'settings.chooseIdentityFile': forGateway,
  'settings.resolveTarget': z.strictObject({
    gatewayId: id,
    sshTarget: z.string().max(8192),
    identityFile: z.string().max(8192),
    sshTransport: z.enum(['automatic', 'ssh2', 'openssh']),
  }),
  'settings.suggestHosts': nothing,
  'settings.testConnection': draft,
  'settings.forgetSshSecrets': forGateway,
  'settings.cancelTest': z.strictObject({ testId: id }),
  'connection.connect': forGateway,
  'connection.disconnect': forGateway,
  'connection.pause': forGateway,
  'connection.resume': forGateway,
  'connection.reconnectNow': forGateway,
  'connection.answerPrompt': z.strictObject({
    gatewayId: id,
    promptId: z.string().min(1).max(128),
    answer: z.discriminatedUnion('type', [
      z.strictObject({ type: z.literal('trust-host-key'), fingerprint: z.string().min(1).max(128) }),
      z.strictObject({ type: z.literal('passphrase'), passphrase: typedSecret, remember: z.boolean() }),
      z.strictObject({ type: z.literal('password'), password: typedSecret, remember: z.boolean() }),
      z.strictObject({
        type: z.literal('responses'),
        responses: z.array(typedSecret).min(1).max(32),
        remember: z.boolean(),
      }),
      z.strictObject({ type: z.literal('confirm') }),
      z.strictObject({ type: z.literal('cancel') }),
    ]),
  }),
  'connection.attend': forGateway,
  'connection.removeHostKeys': z.strictObject({ gatewayId: id, typedHost: z.string().max(1024) }),
  'connection.usePort': z.strictObject({ gatewayId: id, port: z.int().min(1).max(65535) }),
  'connection.forgetDeviceToken': forGateway,
  'connection.refreshHealth': forGateway,
  'chat.open': forSession,
  'chat.close': forSession,
  'chat.listSessions': forGateway,
  'chat.listCommands': forSession,
  'chat.readDraft': forSession,
  'chat.writeDraft': z.strictObject({ gatewayId: id, sessionKey, text: z.string().max(512 * 1024) }),
  'chat.send': z.strictObject({
    gatewayId: id,
    sessionKey,
    messageId: id,
    text: z
      .string()
      .min(1)
      .max(512 * 1024),
  }),
  'chat.stop': forSession,
  'chat.retry': forMessage,
  'chat.discard': forMessage,
  'chat.loadOlder': forSession,
  'inbox.decide': z.strictObject({
    gatewayId: id,
    type: z.enum(['exec-approval', 'plugin-approval']),
    id: itemId,
    decision: z.enum(['allow-once', 'allow-always', 'deny']),
  }),
  'inbox.answer': z.strictObject({
    gatewayId: id,
    id: itemId,
    answers: z.record(itemId, z.array(z.string().max(16_384)).max(16)),
  }),
  'inbox.dismiss': z.strictObject({ gatewayId: id, id: itemId }),
} satisfies { readonly [N in CommandName]: ZodType<InputOf<N>> };

/** Largest input of any command, in characters of text over all its strings. */
export const MAX_INPUT_CHARS = 1024 * 1024;
const MAX_INPUT_NODES = 10_000;

/** Whether a cloned value is small enough to be looked at more closely; it stops counting when it is not. */
export function isWithinSize(value: unknown): boolean {
  const queue: unknown[] = [value];
  let chars = 0;
  for (let nodes = 0; queue.length > 0; nodes += 1) {
    if (nodes > MAX_INPUT_NODES || chars > MAX_INPUT_CHARS) return false;
    const item = queue.pop();
    if (typeof item === 'string') chars += item.length;
    else if (ArrayBuffer.isView(item) || item instanceof ArrayBuffer) return false;
    else if (typeof item === 'object' && item !== null) {
      for (const [key, member] of Object.entries(item)) {
        chars += key.length;
        queue.push(member);
        if (queue.length > MAX_INPUT_NODES) return false;
      }
    }
  }
  return chars <= MAX_INPUT_CHARS;
}
