import type { ConnectionFailure } from '../../../../shared/connection-failure.ts';
import type { SshHop } from '../../../core/tunnel/ssh-hop.ts';
import type { TunnelConfig } from '../../../core/tunnel/tunnel-protocol.ts';
import type { Question } from '../../tunnel/tunnel-session.ts';
import { failureOfJump, questionOfJump } from '../jump-names.ts';

/** The question, with the jump host that asks it where only one of all hops can be meant. */
export function withJumpName(question: Question, { jumps, target }: TunnelConfig): Question {
  if (!('jump' in question)) return question;
  const [meant, ...others] = [...jumps, target].filter((hop) => isMeant(question, hop));
  if (meant === undefined || others.length > 0 || meant === target) return question;
  return questionOfJump(question, meant);
}

/** `jump`: the first that did not let us in. The failure is its own only where the words of ssh name it. */
export function whyOfJump(why: ConnectionFailure, jump: SshHop): ConnectionFailure {
  if (!('host' in why.facts) || !namesOf(jump).includes(why.facts.host)) return why;
  if (why.code !== 'jump-unreachable' && why.code !== 'jump-forbidden') return failureOfJump(why, jump);
  // ProxyJump names it without the port of its own configuration.
  const { host, port } = jump;
  return failureOfJump({ ...why, facts: { ...why.facts, host, port } }, jump);
}

function isMeant(question: Extract<Question, { readonly jump: unknown }>, hop: SshHop): boolean {
  if (!namesOf(hop).includes(question.host)) return false;
  if (question.type === 'host-key') return hop.hostKeyAlias !== null || question.port === hop.port;
  return question.user === hop.user;
}

function namesOf({ name, host, hostKeyAlias }: SshHop): readonly string[] {
  return [name, host, ...(hostKeyAlias === null ? [] : [hostKeyAlias])];
}
