import { z } from 'zod';
import type { Preferences } from '../../../shared/app-snapshot.ts';
import { emptyProfile, type GatewayProfile } from '../../../shared/gateway-profile.ts';

/** Version of the settings file that this build writes. A change of shape raises it and adds a step to migrate.ts. */
export const SETTINGS_VERSION = 2;

export const MAX_GATEWAYS = 64;

/** Position and size of a window, in device-independent pixels. */
export interface WindowBounds {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly maximized: boolean;
}

/** Everything that is remembered between runs, but for secrets (keychain) and conversations. */
export interface Settings {
  readonly version: typeof SETTINGS_VERSION;
  /** At least one; the order is the person's. */
  readonly gateways: readonly GatewayProfile[];
  readonly primaryGatewayId: string;
  readonly preferences: Preferences;
  /** By window key (`settings/GATEWAY-ID`). */
  readonly windows: Readonly<Record<string, WindowBounds>>;
}

const port = z.int().min(1).max(65535);
const id = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/);

// Loose objects: a key that this build does not know is kept and written back, never dropped.
export const gatewayProfileSchema = z.looseObject({
  id,
  name: z.string().max(200),
  mode: z.enum(['local', 'ssh', 'direct']),
  ssh: z.looseObject({
    target: z.string().max(1024),
    gatewayPort: port,
    localPort: port,
    identityFile: z.string().max(4096),
    transport: z.enum(['automatic', 'ssh2', 'openssh']),
    lastCredential: z.string().max(128),
  }),
  direct: z.looseObject({ url: z.string().max(2048) }),
  local: z.looseObject({ port }),
  wanted: z.enum(['connected', 'off']),
});

export const preferencesSchema = z.strictObject({
  theme: z.enum(['system', 'light', 'dark']),
  language: z.enum(['system', 'en', 'ko']),
});

const windowBoundsSchema = z.looseObject({
  x: z.int().min(-100_000).max(100_000),
  y: z.int().min(-100_000).max(100_000),
  width: z.int().min(100).max(100_000),
  height: z.int().min(100).max(100_000),
  maximized: z.boolean(),
});

const settingsSchema = z
  .looseObject({
    version: z.literal(SETTINGS_VERSION),
    gateways: z.array(gatewayProfileSchema).min(1).max(MAX_GATEWAYS),
    primaryGatewayId: id,
    preferences: z.looseObject(preferencesSchema.shape),
    windows: z.record(z.string().max(200), windowBoundsSchema),
  })
  .superRefine((settings, context) => {
    const ids = settings.gateways.map((gateway) => gateway.id);
    if (new Set(ids).size !== ids.length)
      context.addIssue({ code: 'custom', path: ['gateways'], message: 'Two gateways have the same id' });
    if (!ids.includes(settings.primaryGatewayId))
      context.addIssue({
        code: 'custom',
        path: ['primaryGatewayId'],
        message: 'It names no gateway of the list',
      });
  });

/** Checks settings of the current version. The detail names the places that are wrong, never their values. */
export function parseSettings(
  value: unknown,
): { readonly ok: true; readonly value: Settings } | { readonly ok: false; readonly detail: string } {
  const parsed = settingsSchema.safeParse(value);
  if (parsed.success) return { ok: true, value: parsed.data };
  const places = parsed.error.issues
    .slice(0, 5)
    .map((issue) => `${issue.path.map(String).join('.') || '(top)'}: ${issue.message}`);
  return { ok: false, detail: places.join('; ').slice(0, 500) };
}

export function defaultSettings(gatewayId: string): Settings {
  return {
    version: SETTINGS_VERSION,
    gateways: [emptyProfile(gatewayId)],
    primaryGatewayId: gatewayId,
    preferences: { theme: 'system', language: 'system' },
    windows: {},
  };
}

/** The settings with one gateway's profile replaced. */
export function withProfile(settings: Settings, profile: GatewayProfile): Settings {
  return {
    ...settings,
    gateways: settings.gateways.map((gateway) => (gateway.id === profile.id ? profile : gateway)),
  };
}
