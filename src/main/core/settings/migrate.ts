import { SETTINGS_VERSION } from './schema.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

/**
 * Takes settings of one version to the next. It works on plain JSON and imports nothing of the app, so that it still
 * means the same when today's types are gone.
 */
export type MigrationStep = (settings: JsonObject) => JsonObject;

/** Version 2: an SSH transport may be chosen, and the key that worked last is remembered. */
const addTransport: MigrationStep = (settings) => {
  const gateways = settings['gateways'];
  if (!Array.isArray(gateways)) return settings;
  return {
    ...settings,
    gateways: gateways.map((gateway: unknown) => {
      if (!isJsonObject(gateway) || !isJsonObject(gateway['ssh'])) return gateway;
      return { ...gateway, ssh: { transport: 'automatic', lastCredential: '', ...gateway['ssh'] } };
    }),
  };
};

/** `steps[0]` leads from version 1 to 2, and so on. */
const STEPS: readonly MigrationStep[] = [addTransport];

export type MigrationResult =
  | { readonly status: 'current'; readonly settings: JsonObject }
  | { readonly status: 'migrated'; readonly settings: JsonObject; readonly fromVersion: number }
  /** Written by a newer build: it may be read, and must not be written. */
  | { readonly status: 'newer'; readonly settings: JsonObject; readonly version: number }
  | { readonly status: 'broken'; readonly detail: string };

/** Brings settings of any earlier version to the current one. The result is not yet checked against the schema. */
export function migrate(
  raw: unknown,
  steps: readonly MigrationStep[] = STEPS,
  currentVersion: number = SETTINGS_VERSION,
): MigrationResult {
  if (!isJsonObject(raw)) return { status: 'broken', detail: 'The file holds no JSON object' };
  const version = raw['version'];
  if (typeof version !== 'number' || !Number.isInteger(version) || version < 1)
    return { status: 'broken', detail: 'version: not a whole number from 1 on' };
  if (version > currentVersion) return { status: 'newer', settings: raw, version };
  if (version === currentVersion) return { status: 'current', settings: raw };
  let settings: JsonObject = raw;
  for (let from = version; from < currentVersion; from += 1) {
    const step = steps[from - 1];
    if (step === undefined) return { status: 'broken', detail: `No step leads from version ${from}` };
    try {
      settings = { ...step(settings), version: from + 1 };
    } catch {
      return { status: 'broken', detail: `The step from version ${from} did not understand the file` };
    }
  }
  return { status: 'migrated', settings, fromVersion: version };
}

function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
