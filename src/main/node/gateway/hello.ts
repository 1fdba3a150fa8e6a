import { z } from 'zod';
import type { GatewayHello } from '../../core/chat/gateway-rpc.ts';

/** Limit of the protocol where hello-ok names none (OpenClaw docs, gateway/protocol/transport). */
const DEFAULT_MAX_PAYLOAD_BYTES = 26_214_400;
/** Key of the default session where an older gateway does not name it. */
const DEFAULT_MAIN_SESSION = 'agent:main:main';

const helloSchema = z.looseObject({
  server: z
    .looseObject({ version: z.string().max(128).optional(), bootId: z.string().max(256).optional() })
    .optional(),
  snapshot: z
    .looseObject({
      health: z.unknown().optional(),
      sessionDefaults: z
        .looseObject({ mainSessionKey: z.string().min(1).max(512).optional() })
        .optional()
        .catch(undefined),
    })
    .optional(),
  auth: z.looseObject({ scopes: z.array(z.string().max(128)).max(64) }),
  policy: z.looseObject({ maxPayload: z.number().int().positive().optional().catch(undefined) }).optional(),
});

/** The facts of a hello-ok, or null when it is none that we understand. */
export function readHello(hello: unknown, requestedScopes: readonly string[]): GatewayHello | null {
  const parsed = helloSchema.safeParse(hello);
  if (!parsed.success) return null;
  const { server, snapshot, auth, policy } = parsed.data;
  return {
    gatewayVersion: server?.version ?? null,
    bootId: server?.bootId ?? null,
    mainSessionKey: snapshot?.sessionDefaults?.mainSessionKey ?? DEFAULT_MAIN_SESSION,
    scopes: auth.scopes,
    missingScopes: requestedScopes.filter((scope) => !isGranted(scope, auth.scopes)),
    maxPayloadBytes: policy?.maxPayload ?? DEFAULT_MAX_PAYLOAD_BYTES,
    health: snapshot?.health,
  };
}

/** operator.admin stands for every operator scope (OpenClaw docs, gateway/operator-scopes). */
function isGranted(scope: string, granted: readonly string[]): boolean {
  return granted.includes(scope) || granted.includes('operator.admin');
}
