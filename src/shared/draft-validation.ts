import type { DraftField, FieldErrorCode, GatewayDraft } from './ipc-contract.ts';
import { parseSshTarget } from './ssh-target.ts';

/** Longest accepted text of each field, in UTF-16 code units; the IPC schema in main uses the same bounds. */
export const DRAFT_LIMITS = {
  name: 80,
  sshTarget: 1024,
  identityFile: 4096,
  directUrl: 2048,
  token: 4096,
  password: 4096,
} as const;

export type DraftErrors = Readonly<Partial<Record<DraftField, FieldErrorCode>>>;

/**
 * What is wrong with a connection form, by field; empty when it can be saved. Only the fields of the chosen mode must
 * be filled, but no field of any mode may hold what could not be stored. The form asks before it sends and main asks
 * again before it saves.
 */
export function validateDraft(draft: GatewayDraft): DraftErrors {
  const errors: Partial<Record<DraftField, FieldErrorCode>> = {};
  const note = (field: DraftField, error: FieldErrorCode | null): void => {
    if (error !== null && errors[field] === undefined) errors[field] = error;
  };

  for (const field of ['name', 'sshTarget', 'identityFile', 'directUrl'] as const) {
    note(field, textError(draft[field], DRAFT_LIMITS[field]));
  }
  for (const field of ['token', 'password'] as const) {
    const secret = draft[field];
    if (secret !== null) note(field, textError(secret, DRAFT_LIMITS[field]));
  }
  for (const field of ['gatewayPort', 'localPort', 'localGatewayPort'] as const) {
    if (!isPort(draft[field])) note(field, 'port-range');
  }

  switch (draft.mode) {
    case 'ssh':
      note('sshTarget', sshTargetError(draft.sshTarget));
      break;
    case 'direct':
      note('directUrl', gatewayUrlError(draft.directUrl));
      break;
    case 'local':
      break;
  }
  return errors;
}

/** Fields that a mode shows; errors elsewhere belong to fields that the person does not see. */
export function fieldsOfMode(mode: GatewayDraft['mode']): readonly DraftField[] {
  switch (mode) {
    case 'ssh':
      return [
        'name',
        'sshTarget',
        'identityFile',
        'sshTransport',
        'gatewayPort',
        'localPort',
        'token',
        'password',
      ];
    case 'direct':
      return ['name', 'directUrl', 'token', 'password'];
    case 'local':
      return ['name', 'localGatewayPort', 'token', 'password'];
  }
}

export function isPort(value: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= 65535;
}

function textError(text: string, limit: number): FieldErrorCode | null {
  if (text.length > limit) return 'too-long';
  return hasControlCharacter(text) ? 'control-characters' : null;
}

function hasControlCharacter(text: string): boolean {
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    if (code < 0x20 || (code >= 0x7f && code <= 0x9f)) return true;
  }
  return false;
}

function sshTargetError(target: string): FieldErrorCode | null {
  if (target.trim() === '') return 'required';
  return parseSshTarget(target.trim()).ok ? null : 'target-invalid';
}

/** As in the dashboard links that gateways print (`?token=…`): an address is stored and shown, a token never. */
const CREDENTIAL_IN_QUERY = /[?&][^=&]*(?:token|password|secret|auth|key)[^=&]*=/i;

/**
 * `ws://` or `wss://`, a host, an optional port and path; credentials belong into the keychain, not into the address.
 * Unencrypted `ws://` is accepted for the same hosts as the official client accepts it for: loopback, private,
 * link-local and carrier-grade ranges, `.local` and `.ts.net` (@openclaw/gateway-client, websocket-transport).
 */
export function gatewayUrlError(url: string): FieldErrorCode | null {
  const text = url.trim();
  if (text === '') return 'required';
  const match = /^(wss?):\/\/(\[[0-9a-f:.]+\]|[^\s/?#@:[\]\\]+)(?::(\d{1,5}))?(?:[/?][^\s#]*)?$/i.exec(text);
  const host = match?.[2];
  if (match === null || host === undefined) return 'url-invalid';
  if (match[3] !== undefined && !isPort(Number(match[3]))) return 'url-invalid';
  if (CREDENTIAL_IN_QUERY.test(text)) return 'url-invalid';
  if (match[1]?.toLowerCase() === 'wss') return null;
  return isTrustedWithoutTls(host.toLowerCase().replace(/\.+$/, '')) ? null : 'url-insecure';
}

function isTrustedWithoutTls(host: string): boolean {
  if (host === 'localhost' || host.endsWith('.local') || host.endsWith('.ts.net')) return true;
  if (host.startsWith('[')) return isPrivateIpv6(host.slice(1, -1));
  return isPrivateIpv4(host);
}

function isPrivateIpv4(host: string): boolean {
  const parts = host.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256)) {
    return false;
  }
  const [first, second] = parts.map(Number) as [number, number];
  return (
    first === 127 ||
    first === 10 ||
    (first === 172 && second >= 16 && second < 32) ||
    (first === 192 && second === 168) ||
    (first === 169 && second === 254) ||
    (first === 100 && second >= 64 && second < 128)
  );
}

function isPrivateIpv6(address: string): boolean {
  // ::1, fe80::/10 (link-local) and fc00::/7 (unique local); every other form has to use wss.
  return /^(?:0{0,4}:){2,7}0{0,3}1$/.test(address) || /^f(?:e[89ab]|[cd][0-9a-f])[0-9a-f]:/.test(address);
}
