import type { ParsedKey } from 'ssh2';
import { failure, type ConnectionFailure } from '../../../shared/connection-failure.ts';
import type { RouteAnswers } from '../../core/connection/ports.ts';
import type { Clock } from '../../core/ports.ts';
import type { TunnelConfig } from '../../core/tunnel/tunnel-protocol.ts';
import { listAgentKeys, type AgentKey } from './ssh-agent.ts';
import type { KeyFile, KeyRing } from './ssh-keys.ts';

/** One thing to prove who the user is with, in the order of offering. */
export type Credential =
  | { readonly type: 'file-key'; readonly label: string; readonly key: ParsedKey }
  | {
      readonly type: 'agent-key';
      readonly label: string;
      readonly key: AgentKey;
      readonly socketPath: string;
    };

export type CredentialPlan =
  | {
      readonly type: 'credentials';
      readonly credentials: readonly Credential[];
      readonly notes: readonly string[];
    }
  | { readonly type: 'needs-passphrase'; readonly keyPath: string; readonly wasWrong: boolean }
  | { readonly type: 'failed'; readonly failure: ConnectionFailure };

/** sshd's MaxAuthTries is 6 by default and the sixth failure ends the connection: one less leaves room to be told. */
export const MAX_OFFERS = 5;
/** Offers kept for key files when an agent alone could use up all. */
const KEPT_FOR_FILES = 2;

/**
 * Collects what to offer: the named identity file, keys of the agent (those that belong to an identity file first), then
 * default key files. A key that both hold is offered once, by the agent. An encrypted file is asked for only when it
 * was named or when there is nothing else.
 */
export async function planCredentials(
  config: TunnelConfig,
  answers: RouteAnswers,
  keyRing: KeyRing,
  clock: Clock,
): Promise<CredentialPlan> {
  const looked: string[] = [];
  const notes: string[] = [];
  const agent = await agentKeysOf(config, clock, looked, notes);
  const files: KeyFile[] = [];
  for (const path of config.identityFiles) {
    const passphrase = answers.passphrase?.keyPath === path ? answers.passphrase.passphrase : null;
    files.push(await keyRing.load(path, passphrase));
    looked.push(path);
  }

  if (config.identityFileIsExplicit) {
    const unreadable = files.find((file) => file.type === 'unreadable');
    if (unreadable?.type === 'unreadable') return { type: 'failed', failure: unreadable.failure };
  }
  const inAgent = (blob: Buffer | null): AgentKey | undefined =>
    blob === null ? undefined : agent.find((key) => key.blob.equals(blob));
  const blobs = files.map(publicBlobOf);
  const preferred = agent.filter((key) => blobs.some((blob) => blob?.equals(key.blob)));
  const others = agent.filter((key) => !preferred.includes(key));
  const usable = files.flatMap((file) =>
    file.type === 'usable' && inAgent(file.key.getPublicSSH()) === undefined ? [fileCredential(file)] : [],
  );
  const locked = files.filter((file) => file.type === 'encrypted' && inAgent(file.blob) === undefined);

  const question = locked[0];
  const nothingElse = agent.length === 0 && usable.length === 0;
  if (question?.type === 'encrypted' && (config.identityFileIsExplicit || nothingElse)) {
    return { type: 'needs-passphrase', keyPath: question.path, wasWrong: question.wasWrong };
  }

  const socketPath = config.agentSocket ?? '';
  const preferredOffers = preferred.map((key) => agentCredential(key, socketPath));
  const roomForOthers = MAX_OFFERS - preferred.length - Math.min(usable.length, KEPT_FOR_FILES);
  const otherOffers = others
    .slice(0, Math.max(0, roomForOthers))
    .map((key) => agentCredential(key, socketPath));
  const credentials = (
    config.identityFileIsExplicit
      ? [...preferredOffers, ...usable, ...otherOffers]
      : [...preferredOffers, ...otherOffers, ...usable]
  ).slice(0, MAX_OFFERS);
  if (credentials.length === 0) {
    const { user, host } = config.target;
    return { type: 'failed', failure: failure('no-credentials', { user, host, looked }) };
  }
  return { type: 'credentials', credentials, notes };
}

async function agentKeysOf(
  config: TunnelConfig,
  clock: Clock,
  looked: string[],
  notes: string[],
): Promise<readonly AgentKey[]> {
  if (config.agentSocket === null) return [];
  looked.push(`ssh-agent (${config.agentSocket})`);
  const keys = await listAgentKeys(config.agentSocket, clock);
  if (keys.ok) return keys.value;
  notes.push(`ssh-agent: ${keys.error}`);
  return [];
}

function publicBlobOf(file: KeyFile): Buffer | null {
  switch (file.type) {
    case 'usable':
      return file.key.getPublicSSH();
    case 'encrypted':
      return file.blob;
    case 'unreadable':
      return null;
  }
}

function fileCredential(file: Extract<KeyFile, { type: 'usable' }>): Credential {
  return { type: 'file-key', label: file.path, key: file.key };
}

function agentCredential(key: AgentKey, socketPath: string): Credential {
  const name = key.comment === '' ? key.type : key.comment;
  return { type: 'agent-key', label: `ssh-agent: ${name}`, key, socketPath };
}
