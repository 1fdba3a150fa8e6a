import { failure, type ConnectionFailure } from '../../../../shared/connection-failure.ts';
import type { SshSettings } from '../../../../shared/gateway-profile.ts';
import { err, ok, type Result } from '../../../../shared/result.ts';
import type { TransportReason } from '../../../../shared/ssh-resolution.ts';
import { parseSshTarget, type SshTarget } from '../../../../shared/ssh-target.ts';
import { chooseTransport, transportReasons } from '../../../core/ssh/choose-transport.ts';
import type { OpensshCommand, ProxyCommand, SshHop } from '../../../core/tunnel/ssh-hop.ts';
import type { TunnelConfig } from '../../../core/tunnel/tunnel-protocol.ts';
import { proxyEnvironment } from '../proxy-environment.ts';
import { questionArgs, type SshQuestion } from './ask-openssh.ts';
import { resolveChain, type ResolvedHop } from './hop-chain.ts';
import { notHonoured, type DirectiveValue } from './not-honoured.ts';
import { createOptionsReader, type OptionsReader } from './options-reader.ts';
import { configFileArgs, expandHome, type SshEnvironment } from './ssh-environment.ts';
import { passedEnvironment } from './passed-environment.ts';
import { namedValue } from './ssh-options.ts';
import { expandProxyTokens } from './tokens.ts';

const MAX_COMMAND_CHARS = 8_192;
/** All that a target resolves to. */
export interface SshResolved {
  readonly config: TunnelConfig;
  readonly reasons: readonly TransportReason[];
  readonly notHonoured: readonly DirectiveValue[];
  /** The target's key files are named, by a configuration or by the settings. */
  readonly namesKeys: boolean;
  readonly source: OptionsReader['source'];
}

/**
 * Makes the tunnel's configuration of what the form holds and of the user's ssh configuration, as `ssh -G` tells it; what the
 * form names wins. Asked anew for every attempt: the answer depends on files, environment and commands (Match exec).
 */
export async function resolveSsh(
  settings: SshSettings,
  environment: SshEnvironment,
): Promise<Result<TunnelConfig, ConnectionFailure>> {
  const resolved = await resolveSshFully(settings, environment);
  return resolved.ok ? ok(resolved.value.config) : resolved;
}

export async function resolveSshFully(
  settings: SshSettings,
  environment: SshEnvironment,
): Promise<Result<SshResolved, ConnectionFailure>> {
  const parsed = parseSshTarget(settings.target);
  if (!parsed.ok) return err(failure('target-invalid', { target: settings.target.slice(0, 255) }));
  const target = parsed.value;
  const reader = await createOptionsReader(target.original, environment);
  const question: SshQuestion = { host: target.host, user: target.user, port: target.port, jump: null };
  const named = settings.identityFile.trim();
  const identityFile = named === '' ? null : expandHome(named, environment.home);
  const chain = await resolveChain(question, identityFile, target.original, reader, environment);
  if (!chain.ok) return chain;
  const jumps = chain.value.slice(0, -1);
  const last = chain.value.at(-1);
  const first = chain.value[0];
  if (last === undefined || first === undefined) return err(failure('bug', { detail: 'empty chain' }));

  const reasons = chain.value.flatMap(({ facts }) => transportReasons(facts));
  const { platform } = environment;
  // ssh.exe has no ControlMaster (Win32-OpenSSH), by which our transport opens its channels.
  const openssh =
    reader.command === null || platform === 'win32'
      ? null
      : opensshCommand(reader.command, target, identityFile, environment);
  const without = platform === 'win32' ? 'unavailable' : 'missing';
  const presence = openssh === null ? without : 'there';
  const chosen = chooseTransport(settings.transport, withoutRepeats(reasons), presence);
  if (!chosen.ok) {
    const facts = { target: target.original, reasons: chosen.error.filter(({ code }) => code !== 'chosen') };
    return err(
      presence === 'unavailable'
        ? failure('openssh-unavailable', { ...facts, platform })
        : failure('openssh-missing', facts),
    );
  }
  const { transport } = chosen.value;
  const proxyCommand = await proxyCommandOf(first, target);
  if (!proxyCommand.ok) return proxyCommand;
  const hops: SshHop[] = jumps.map(({ hop }) => hop);
  return ok({
    config: {
      transport,
      target: last.hop,
      jumps: hops,
      proxyCommand: proxyCommand.value,
      openssh:
        openssh !== null && (transport === 'openssh' || proxyCommand.value !== null)
          ? await withTerminalPath(openssh)
          : openssh,
      handOver: settings.transport === 'automatic' && transport === 'ssh2' && openssh !== null,
      lastCredential: settings.lastCredential === '' ? null : settings.lastCredential,
      forward: { host: '127.0.0.1', port: settings.gatewayPort },
      localPort: settings.localPort,
    },
    reasons: chosen.value.reasons,
    notHonoured: notHonoured(last.options, last.baseline, transport),
    namesKeys: last.namesKeys,
    source: reader.source,
  });
}

function withoutRepeats(reasons: readonly TransportReason[]): readonly TransportReason[] {
  const seen = new Map(reasons.map((reason) => [`${reason.code} ${reason.detail}`, reason]));
  return [...seen.values()].slice(0, 32);
}

/** ProxyCommand of the first hop; `none` is none. */
async function proxyCommandOf(
  { options, tokens }: ResolvedHop,
  target: SshTarget,
): Promise<Result<ProxyCommand | null, ConnectionFailure>> {
  const value = namedValue(options, 'proxycommand');
  if (value === null) return ok(null);
  const command = expandProxyTokens(value, tokens);
  if (command.length > MAX_COMMAND_CHARS) {
    return err(
      failure('ssh-config-unsupported', {
        target: target.original,
        directive: 'ProxyCommand',
        value: value.slice(0, 200),
      }),
    );
  }
  const { shell, path } = await proxyEnvironment();
  return ok({ command, shell, path });
}

/** A ProxyCommand of ssh's finds what it would find in a terminal. */
async function withTerminalPath(command: OpensshCommand): Promise<OpensshCommand> {
  const { path } = await proxyEnvironment();
  return path === null ? command : { ...command, env: { ...command.env, PATH: path } };
}

function opensshCommand(
  command: string,
  target: SshTarget,
  identityFile: string | null,
  environment: SshEnvironment,
): OpensshCommand {
  const identity = identityFile === null ? [] : ['-i', identityFile, '-o', 'IdentitiesOnly=yes'];
  const { host, user, port } = target;
  const agent: [string, string][] =
    environment.agentSocket === null ? [] : [['SSH_AUTH_SOCK', environment.agentSocket]];
  return {
    command,
    targetArgs: [
      ...configFileArgs(environment),
      ...identity,
      ...questionArgs({ host, user, port, jump: null }),
    ],
    env: { ...passedEnvironment(process.env), ...Object.fromEntries(agent), HOME: environment.home },
  };
}
