import type { ConnectionFailure } from '../../../shared/connection-failure.ts';
import { hopLabel } from '../../../shared/hop-label.ts';
import type { SshHop } from '../../core/tunnel/ssh-hop.ts';
import type { Question } from '../tunnel/tunnel-session.ts';

/** The question of a jump host, which says so. Its `host` stays: trust and what is remembered go by it. */
export function questionOfJump<Q extends Question>(question: Q, { name }: SshHop): Q {
  return 'jump' in question ? { ...question, jump: name } : question;
}

/** The failure of a jump host, under the name that the user's configuration gives it. */
export function failureOfJump(why: ConnectionFailure, { name }: SshHop): ConnectionFailure {
  // Here the words come with a command, or with a name to type, that needs the address.
  if (why.code === 'host-key-changed') return { code: why.code, facts: { ...why.facts, jump: name } };
  if (why.code === 'host-key-unknown') return { code: why.code, facts: { ...why.facts, jump: name } };
  if (!('host' in why.facts)) return why;
  return { ...why, facts: { ...why.facts, host: hopLabel(name, why.facts.host) } } as ConnectionFailure;
}
