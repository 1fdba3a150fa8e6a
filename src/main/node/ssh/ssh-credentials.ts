import { failure, type AgentTrouble, type ConnectionFailure } from '../../../shared/connection-failure.ts';
import type { Clock } from '../../core/ports.ts';
import type { SshHop } from '../../core/tunnel/ssh-hop.ts';
import { listAgentKeys, type AgentKey, type AgentKeys } from './ssh-agent.ts';
import type { KeyFile, KeyRing } from './ssh-keys.ts';

/** A key to prove who the user is with. */
export type Credential =
  | { readonly type: 'agent-key'; readonly label: string; readonly blob: Buffer; readonly socketPath: string }
  | {
      readonly type: 'file-key';
      /** The file's path. */
      readonly label: string;
      /** Null where the public half is locked in with the private one. */
      readonly blob: Buffer | null;
      readonly isLocked: boolean;
    };

export type CredentialPlan =
  | {
      readonly type: 'credentials';
      /** In the order of offering; may be empty. */
      readonly credentials: readonly Credential[];
      /** Where keys were looked for. */
      readonly looked: readonly string[];
      /** Why the agent gave no key; null where it did, where it has keys for OpenSSH alone, or where none is used. */
      readonly agent: AgentTrouble | null;
      /** Key files that the configuration names and that do not exist. */
      readonly missing: readonly string[];
      /** For the log. */
      readonly notes: readonly string[];
    }
  | { readonly type: 'failed'; readonly failure: ConnectionFailure };

/** sshd's MaxAuthTries is 6 by default and the sixth failure ends the connection: one less leaves room for a password. */
export const MAX_OFFERS = 5;
/** Offers kept for key files when an agent alone could use up all. */
const KEPT_FOR_FILES = 2;

/**
 * Collects the keys to offer, as ssh(1) orders them: keys of the agent that an identity file names, then the agent's others
 * (unless IdentitiesOnly), then files. A key that both hold is offered once, by the agent. A file that the settings name goes
 * before the agent's other keys. Nothing is asked here: a passphrase is asked for when the server has accepted the key.
 */
export async function planCredentials(hop: SshHop, keyRing: KeyRing, clock: Clock): Promise<CredentialPlan> {
  const looked: string[] = [];
  const notes: string[] = [];
  const needsKeys = hop.methods.includes('publickey');
  const { keys: agent, trouble } = needsKeys ? await agentKeysOf(hop, clock, looked, notes) : NO_AGENT;
  const files: KeyFile[] = [];
  for (const path of needsKeys ? hop.identityFiles : []) {
    const file = await keyRing.load(path, null);
    looked.push(path);
    if (file.type === 'unreadable' && file.failure.facts.reason !== 'missing') {
      notes.push(`${path}: ${file.failure.facts.reason}`);
    }
    if (!files.some((other) => isSameKey(other, file))) files.push(file);
  }
  const isHeld = (file: KeyFile): boolean => {
    const blob = blobOf(file);
    return blob !== null && agent.some((key) => key.blob.equals(blob));
  };
  if (hop.identityFileIsExplicit) {
    const unusable = files.map((file) => problemOf(file, isHeld(file))).find((problem) => problem !== null);
    if (unusable !== undefined) return { type: 'failed', failure: unusable };
  }
  const blobs = files.map(blobOf);
  const named = agent.filter((key) => blobs.some((blob) => blob?.equals(key.blob)));
  const others = hop.identitiesOnly ? [] : agent.filter((key) => !named.includes(key));
  const namedOffers = named.map((key) => agentCredential(key, hop.agentSocket ?? ''));
  const otherOffers = others.map((key) => agentCredential(key, hop.agentSocket ?? ''));
  const fileOffers = files.filter((file) => !isHeld(file)).flatMap(fileCredential);
  const early = hop.identityFileIsExplicit
    ? 0
    : Math.max(0, MAX_OFFERS - namedOffers.length - Math.min(fileOffers.length, KEPT_FOR_FILES));
  const credentials = [
    ...namedOffers,
    ...otherOffers.slice(0, early),
    ...fileOffers,
    ...otherOffers.slice(early),
  ];
  const isMissing = (path: string): boolean =>
    files.some(
      (file) => file.type === 'unreadable' && file.path === path && file.failure.facts.reason === 'missing',
    );
  const missing = needsKeys ? namedKeyFiles(hop.identityFiles).filter(isMissing) : [];
  return { type: 'credentials', credentials, looked, notes, agent: trouble, missing };
}

/** Names of ssh(1)'s own key files. */
const DEFAULT_NAME = /(?:^|[/\\])id_(?:rsa|dsa|ecdsa|ecdsa_sk|ed25519|ed25519_sk|xmss)$/;

/** The files that the user's configuration names; none where these are the ones that ssh(1) looks for by itself. */
export function namedKeyFiles(identityFiles: readonly string[]): readonly string[] {
  const isDefault = identityFiles.length > 1 && identityFiles.every((path) => DEFAULT_NAME.test(path));
  return isDefault ? [] : identityFiles;
}

interface HeldKeys {
  readonly keys: readonly AgentKey[];
  readonly trouble: AgentTrouble | null;
}

const NO_AGENT: HeldKeys = { keys: [], trouble: null };

async function agentKeysOf(hop: SshHop, clock: Clock, looked: string[], notes: string[]): Promise<HeldKeys> {
  const path = hop.agentSocket;
  if (path === null) return NO_AGENT;
  const listed = await listAgentKeys(path, clock);
  looked.push(`ssh-agent (${path})${listed.ok ? whatIsThere(listed.value) : ''}`);
  if (!listed.ok) {
    notes.push(`ssh-agent: ${listed.error}`);
    return { keys: [], trouble: troubleOf(listed.error) };
  }
  const { keys, unusable } = listed.value;
  if (unusable.length > 0)
    notes.push(`ssh-agent: not for this transport: ${unusable.map(({ type }) => type).join(' ')}`);
  const isEmpty = keys.length + unusable.length === 0;
  if (isEmpty) notes.push('ssh-agent: holds no keys, or is locked');
  return { keys, trouble: isEmpty ? 'empty' : null };
}

/** Of the errors of `listAgentKeys`. */
function troubleOf(error: string): AgentTrouble {
  if (/ENOENT|ENOTDIR|ECONNREFUSED/.test(error)) return 'missing';
  return error.startsWith('refused') ? 'refused' : 'silent';
}

/** Why an agent that is there was of no use; what its keys need is told by their types. */
function whatIsThere({ keys, unusable }: AgentKeys): string {
  if (keys.length > 0) return '';
  return unusable.length > 0
    ? `: ${[...new Set(unusable.map(({ type }) => type))].slice(0, 4).join(', ')}`
    : '';
}

function problemOf(file: KeyFile, isHeld: boolean): ConnectionFailure | null {
  if (file.type === 'unreadable') return file.failure;
  if (file.type !== 'public' || isHeld) return null;
  const path = file.path.replace(/\.pub$/, '');
  return failure('key-unreadable', { path, reason: 'missing' });
}

function blobOf(file: KeyFile): Buffer | null {
  switch (file.type) {
    case 'usable':
      return file.key.getPublicSSH();
    case 'encrypted':
    case 'public':
      return file.blob;
    case 'unreadable':
      return null;
  }
}

function isSameKey(one: KeyFile, other: KeyFile): boolean {
  const blob = blobOf(one);
  return one.path === other.path || (blob !== null && blobOf(other)?.equals(blob) === true);
}

function fileCredential(file: KeyFile): Credential[] {
  if (file.type !== 'usable' && file.type !== 'encrypted') return [];
  const isLocked = file.type === 'encrypted';
  return [{ type: 'file-key', label: file.path, blob: blobOf(file), isLocked }];
}

function agentCredential(key: AgentKey, socketPath: string): Credential {
  const name = key.comment === '' ? key.type : key.comment;
  return { type: 'agent-key', label: `ssh-agent: ${name}`, blob: key.blob, socketPath };
}
