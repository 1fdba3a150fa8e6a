import type { GatewaySnapshot } from '../../shared/app-snapshot.ts';
import { fieldsOfMode, isPort, validateDraft, type DraftErrors } from '../../shared/draft-validation.ts';
import {
  DEFAULT_GATEWAY_PORT,
  type GatewayMode,
  type SshTransportChoice,
} from '../../shared/gateway-profile.ts';
import type { DraftField, GatewayDraft } from '../../shared/ipc-contract.ts';

/** The form as the person sees it: text in every box. A secret of null means "leave what is stored". */
export interface FormValues {
  readonly mode: GatewayMode;
  readonly name: string;
  readonly sshTarget: string;
  readonly gatewayPort: string;
  readonly localPort: string;
  readonly identityFile: string;
  readonly sshTransport: SshTransportChoice;
  readonly directUrl: string;
  readonly localGatewayPort: string;
  readonly token: string | null;
  readonly password: string | null;
}

/** What the person changed and did not save; the rest of the form follows what main says. */
export type FormEdits = Partial<FormValues>;

export function savedValues({ profile }: GatewaySnapshot): FormValues {
  return {
    mode: profile.mode,
    name: profile.name,
    sshTarget: profile.ssh.target,
    gatewayPort: String(profile.ssh.gatewayPort),
    localPort: String(profile.ssh.localPort),
    identityFile: profile.ssh.identityFile,
    sshTransport: profile.ssh.transport,
    directUrl: profile.direct.url,
    localGatewayPort: String(profile.local.port),
    token: null,
    password: null,
  };
}

/** Edits without those that say what is saved anyway. */
export function pruneEdits(edits: FormEdits, saved: FormValues): FormEdits {
  return Object.fromEntries(
    Object.entries(edits).filter(([field, value]) => value !== saved[field as keyof FormValues]),
  );
}

/**
 * What is sent to main. A port that belongs to another mode and makes no sense falls back to what is saved: the person
 * cannot see it, so it must not stand in the way.
 */
export function draftOf(gatewayId: string, values: FormValues, saved: FormValues): GatewayDraft {
  const shown = new Set(fieldsOfMode(values.mode));
  const port = (field: 'gatewayPort' | 'localPort' | 'localGatewayPort'): number => {
    const typed = parsePort(values[field]);
    if (isPort(typed) || shown.has(field)) return typed;
    const kept = parsePort(saved[field]);
    return isPort(kept) ? kept : DEFAULT_GATEWAY_PORT;
  };
  return {
    gatewayId,
    mode: values.mode,
    name: values.name.trim(),
    sshTarget: values.sshTarget.trim(),
    gatewayPort: port('gatewayPort'),
    localPort: port('localPort'),
    identityFile: values.identityFile.trim(),
    sshTransport: values.sshTransport,
    directUrl: values.directUrl.trim(),
    localGatewayPort: port('localGatewayPort'),
    token: values.token,
    password: values.password,
  };
}

/** Errors of the fields that the chosen mode shows. */
export function visibleErrors(draft: GatewayDraft): DraftErrors {
  const shown: ReadonlySet<DraftField> = new Set(fieldsOfMode(draft.mode));
  return Object.fromEntries(
    Object.entries(validateDraft(draft)).filter(([field]) => shown.has(field as DraftField)),
  );
}

function parsePort(text: string): number {
  return /^\s*\d{1,5}\s*$/.test(text) ? Number(text) : Number.NaN;
}
