import { failure, type ConnectionFailure } from '../../../../shared/connection-failure.ts';
import { err, ok, type Result } from '../../../../shared/result.ts';
import { parseSshTarget } from '../../../../shared/ssh-target.ts';
import type { TransportFacts } from '../../../core/ssh/choose-transport.ts';
import type { SshQuestion } from './ask-openssh.ts';
import { hopOfOptions, type HopOfOptions } from './hop-of-options.ts';
import { mayMention, type OptionsReader } from './options-reader.ts';
import type { SshEnvironment } from './ssh-environment.ts';
import { firstValue, flagValue, namedValue, type SshOptions } from './ssh-options.ts';
import { SpecialAgentKeys } from './special-agent-keys.ts';
import { expandProxyTokens, hasUnsetVariable } from './tokens.ts';
import { gatherTransportFacts } from './transport-facts.ts';

/** As the tunnel's contract has it. */
const MAX_JUMPS = 16;

export interface ResolvedHop extends HopOfOptions {
  readonly options: SshOptions;
  /** What the system's file, or OpenSSH itself, says without the user's own file. */
  readonly baseline: SshOptions;
  /** A configuration or the settings name its key files; else they are OpenSSH's default ones. */
  readonly namesKeys: boolean;
  readonly facts: TransportFacts;
}

interface Chain {
  readonly target: string;
  readonly reader: OptionsReader;
  readonly environment: SshEnvironment;
  readonly agentKeys: SpecialAgentKeys;
}

/**
 * Resolves a host and the jump hosts before it, in the order of connecting. As OpenSSH does: `ssh -J a,b host` goes to host
 * through `ssh -J a b`, so b's own ProxyJump and ProxyCommand do not count and those of a do.
 */
export async function resolveChain(
  question: SshQuestion,
  identityFile: string | null,
  target: string,
  reader: OptionsReader,
  environment: SshEnvironment,
): Promise<Result<readonly ResolvedHop[], ConnectionFailure>> {
  const chain: Chain = { target, reader, environment, agentKeys: new SpecialAgentKeys() };
  let hop = await resolveHop(question, identityFile, chain);
  const hops: ResolvedHop[] = [];
  for (;;) {
    if (!hop.ok) return hop;
    hops.unshift(hop.value);
    const jump = namedValue(hop.value.options, 'proxyjump');
    if (jump === null) return ok(hops);
    const questions = jumpQuestions(expandProxyTokens(jump, hop.value.tokens));
    // A configuration whose jumps lead back to themselves has no end.
    if (questions === null || hops.length + questions.length > MAX_JUMPS + 1)
      return err(badJump(jump, target));
    const [first, ...rest] = questions;
    if (first === undefined) return err(badJump(jump, target));
    const [nextFirst, ...others] = await Promise.all([
      resolveHop(first, null, chain),
      ...rest.map((other) => resolveHop(other, null, chain)),
    ]);
    const known: ResolvedHop[] = [];
    for (const other of others) {
      if (!other.ok) return other;
      known.push(other.value);
    }
    hops.unshift(...known);
    hop = nextFirst;
  }
}

/** One question for each name of a ProxyJump list, each with what comes before it as its own `-J`. Null where it is none. */
function jumpQuestions(list: string): readonly SshQuestion[] | null {
  const names = list.split(',');
  const questions: SshQuestion[] = [];
  for (const [index, name] of names.entries()) {
    const parsed = parseSshTarget(name.trim());
    if (!parsed.ok) return null;
    const { host, user, port } = parsed.value;
    questions.push({ host, user, port, jump: index === 0 ? null : names.slice(0, index).join(',') });
  }
  return questions;
}

function badJump(value: string, target: string): ConnectionFailure {
  return failure('ssh-config-unsupported', { target, directive: 'ProxyJump', value: value.slice(0, 200) });
}

async function resolveHop(
  question: SshQuestion,
  identityFile: string | null,
  { target, reader, environment, agentKeys }: Chain,
): Promise<Result<ResolvedHop, ConnectionFailure>> {
  const [options, baseline, defaults] = await Promise.all([
    reader.read(question, 'all'),
    reader.read(question, 'system'),
    reader.read(question, 'none'),
  ]);
  if (!options.ok) return options;
  if (!baseline.ok) return baseline;
  if (!defaults.ok) return defaults;
  for (const directive of ['UserKnownHostsFile', 'GlobalKnownHostsFile']) {
    const value = firstValue(options.value, directive.toLowerCase());
    // ssh ends there, also with -G. Without that file a changed key would look like a new one.
    if (value !== null && hasUnsetVariable(value, environment)) {
      return err(failure('ssh-config-unsupported', { target, directive, value: value.slice(0, 200) }));
    }
  }
  const read = hopOfOptions(question, options.value, defaults.value, environment);
  const hop: HopOfOptions =
    identityFile === null
      ? read
      : { ...read, hop: { ...read.hop, identityFiles: [identityFile], identityFileIsExplicit: true } };
  const chosen = await chosenOptions(question, options.value, baseline.value, reader, environment);
  if (!chosen.ok) return chosen;
  const facts = await gatherTransportFacts(hop, options.value, chosen.value, agentKeys);
  const filesIn = (from: SshOptions): string | undefined => from.get('identityfile')?.join('\n');
  const namesKeys = identityFile !== null || filesIn(options.value) !== filesIn(defaults.value);
  return ok({ ...hop, options: options.value, baseline: baseline.value, namesKeys, facts });
}

/**
 * The options without what the system's file sets for everybody: Debian's, for one, switches GSSAPI on. What both say the same of counts
 * as the system's, but for GSSAPI, where the user's own file is looked at.
 */
async function chosenOptions(
  question: SshQuestion,
  options: SshOptions,
  baseline: SshOptions,
  reader: OptionsReader,
  environment: SshEnvironment,
): Promise<Result<SshOptions, ConnectionFailure>> {
  const chosen = new Map(
    [...options].filter(([keyword, values]) => values.join('\n') !== baseline.get(keyword)?.join('\n')),
  );
  const keyword = 'gssapiauthentication';
  const isBoth = flagValue(options, keyword) === true && !chosen.has(keyword);
  if (isBoth && (await mayMention(/gssapiauthentication/i, environment))) {
    const own = await reader.read(question, 'user');
    if (!own.ok) return own;
    if (flagValue(own.value, keyword) === true) chosen.set(keyword, ['yes']);
  }
  return ok(chosen);
}
