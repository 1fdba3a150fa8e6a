import {
  failureKind,
  type AgentTrouble,
  type ConnectionFailure,
  type FailureFacts,
} from './connection-failure.ts';
import type { GatewayMode } from './gateway-profile.ts';
import { hopLabel } from './hop-label.ts';
import type { Translate } from './i18n/index.ts';
import type { DraftField } from './ipc-contract.ts';
import { assertNever } from './result.ts';
import type { TransportReason } from './ssh-resolution.ts';

/** What the words need to know of the gateway beyond the failure's own facts (see `failureTarget`). */
export interface FailureTarget {
  /** What people call the gateway, e.g. `homelab`. */
  readonly label: string;
  /** SSH user; empty where the target names none. */
  readonly user: string;
  readonly host: string;
  readonly mode: GatewayMode;
}

/** What can be done about a failure, as data: it crosses processes, and each window turns it into a button. */
export type FailureAction = { readonly label: string } & (
  | { readonly type: 'retry' }
  /** Opens Settings with this field focused; null: just opens it. */
  | { readonly type: 'open-settings'; readonly field: DraftField | null }
  /** Connects anew, so that the question that was declined is asked again. */
  | { readonly type: 'review'; readonly question: 'host-key' | 'passphrase' | 'sign-in' }
  /** Asks for the host's name, then takes its changed keys out of known_hosts. */
  | { readonly type: 'remove-host-keys' }
  | { readonly type: 'use-port'; readonly port: number }
  | { readonly type: 'forget-device-token' }
  /** `text` is shown and can be copied; `runsOn` says where it belongs. */
  | {
      readonly type: 'copy-command';
      readonly text: string;
      readonly runsOn: 'this-computer' | 'gateway-host';
    }
  | { readonly type: 'show-log' }
  | { readonly type: 'open-help'; readonly url: string }
);

/** A failure in words: what failed (title), why and the next step (body), and buttons that do it; never without one. */
export interface FailureDescription {
  readonly title: string;
  readonly body: string;
  readonly actions: readonly FailureAction[];
}

export interface FailureWords {
  /** Nothing is tried again by itself, e.g. after a test of a form: then nothing says so. */
  readonly isFinal?: boolean;
  /** The keys of a `host-key-changed` stand beside the words, so that these need not repeat them. */
  readonly isBesideKeys?: boolean;
}

/** What Gangway does by itself after failures that may heal, for those whose words do not say it anyway. */
const GOES_ON: Readonly<
  Partial<Record<ConnectionFailure['code'], 'trying' | 'looking' | 'slowly' | 'approval'>>
> = {
  'host-not-found': 'trying',
  'dns-timeout': 'trying',
  'ssh-refused': 'trying',
  'ssh-unreachable': 'trying',
  'ssh-timeout': 'trying',
  'ssh-handshake-timeout': 'trying',
  'ssh-rejecting': 'slowly',
  'forward-timeout': 'trying',
  'gateway-not-listening': 'looking',
  'gateway-unreachable': 'trying',
  'gateway-silent': 'trying',
  'openssh-failed': 'trying',
  'pairing-required': 'approval',
  'jump-unreachable': 'trying',
  'proxy-command-failed': 'trying',
};

type SettingsField = Exclude<DraftField, 'name'>;

/** OpenClaw's own documentation, where it has a page on the matter. */
const HELP = {
  remote: 'https://docs.openclaw.ai/gateway/remote',
  devices: 'https://docs.openclaw.ai/cli/devices',
  health: 'https://docs.openclaw.ai/gateway/health',
} as const;

/** Commands of OpenClaw's CLI (its docs: cli/gateway, cli/devices, cli/update, gateway/troubleshooting). */
const COMMANDS = {
  runGateway: 'openclaw gateway run',
  restartGateway: 'openclaw gateway restart',
  showToken: 'openclaw gateway auth-token --show',
  listDevices: 'openclaw devices list',
  update: 'openclaw update',
  /** sshd(8): host keys live in /etc/ssh/ssh_host_*_key. */
  listHostKeys: 'for key in /etc/ssh/ssh_host_*_key.pub; do ssh-keygen -lf "$key"; done',
} as const;

/** Keys of the words under `algorithmKinds`. */
const ALGORITHM_KINDS: {
  readonly [K in FailureFacts['ssh-no-common-algorithm']['kind']]: string;
} = {
  'key exchange': 'keyExchange',
  'host key': 'hostKey',
  cipher: 'cipher',
  mac: 'mac',
  compression: 'compression',
};

/** The one place that turns a failure into words and buttons: windows, tray, notifications and tests share it. */
export function describeFailure(
  failure: ConnectionFailure,
  target: FailureTarget,
  t: Translate,
  { isFinal = false, isBesideKeys = false }: FailureWords = {},
): FailureDescription {
  const can = actionsIn(t);
  const retry = isFinal || failureKind(failure.code) === 'blocked' ? can.retry() : can.retryNow();
  const goesOn = isFinal ? undefined : GOES_ON[failure.code];
  const text = (part: string, params: Params = {}): string =>
    t(`failures.${failure.code}.${part}`, withPlainDetails(params, t('failures.noDetail')));
  const aboutAgent = (agent: AgentTrouble | undefined): readonly string[] =>
    agent === undefined ? [] : [t(`failureAgent.${agent}`)];
  const say = (
    params: Params,
    actions: readonly FailureAction[],
    body = 'body',
    more: readonly string[] = [],
    before: readonly string[] = [],
  ): FailureDescription => ({
    title: text('title', params),
    body: [
      ...before,
      ...[body, ...more].map((part) => text(part, params)),
      ...(goesOn === undefined ? [] : [t(`failureGoesOn.${goesOn}`)]),
    ].join(' '),
    actions,
  });
  const list = (items: readonly string[]): string =>
    items.length > 0 ? items.join(', ') : t('failures.none');
  const because = (reasons: readonly TransportReason[]): string =>
    reasons.map(({ code, detail }) => t(`transportReasons.${code}`, { detail })).join(' ');
  const gateway = target.label;
  const portField: SettingsField = target.mode === 'local' ? 'localGatewayPort' : 'gatewayPort';
  const addressField: SettingsField = target.mode === 'direct' ? 'directUrl' : portField;

  switch (failure.code) {
    case 'host-not-found':
      return say(failure.facts, [retry, can.settings('sshTarget')]);
    case 'dns-timeout':
      return say({ host: failure.facts.host, seconds: seconds(failure.facts.limitMs) }, [
        retry,
        can.settings('sshTarget'),
      ]);
    case 'ssh-refused':
    case 'ssh-unreachable':
    case 'ssh-rejecting':
      return say(failure.facts, [retry, can.settings('sshTarget')]);
    case 'ssh-handshake-failed':
      return say(failure.facts, [retry, can.showLog()]);
    case 'ssh-timeout':
    case 'ssh-handshake-timeout':
      return say({ ...failure.facts, seconds: seconds(failure.facts.limitMs) }, [
        retry,
        can.settings('sshTarget'),
      ]);
    case 'not-ssh': {
      const body = failure.facts.received.trim() === '' ? 'bodyUnnamed' : 'body';
      return say(failure.facts, [can.settings('sshTarget'), retry], body);
    }
    case 'link-lost':
      return say(
        failure.facts,
        [retry, can.showLog()],
        failure.facts.detail.trim() === '' ? 'bodySilent' : 'body',
      );
    case 'link-corrupted':
      return say(failure.facts, [retry, can.showLog()]);
    case 'link-dead':
      return say({ host: failure.facts.host, seconds: seconds(failure.facts.silentMs) }, [
        retry,
        can.showLog(),
      ]);

    case 'host-key-changed': {
      const { host, jump, keyType, offeredFingerprint, known } = failure.facts;
      const params = {
        host: hopLabel(jump ?? host, host),
        keyType,
        offered: offeredFingerprint,
        known: list(known.map((key) => key.fingerprint)),
        place: list(known.map((key) => `${key.file}:${key.line}`)),
      };
      const commands = forgetHostKey(failure.facts).map((command) => can.copyHere(command));
      // What is taken out is what keeps the saved connection from being there; a test of a form keeps nothing.
      const remove = isFinal || known.length === 0 ? [] : [can.removeHostKeys()];
      const isNamed = known.every((key) => key.fingerprint !== '');
      const body = isNamed ? 'body' : 'bodyUnnamed';
      const words = isBesideKeys || known.length === 0 ? 'bodyShort' : body;
      return say(params, [...commands, retry, ...remove], words);
    }
    case 'host-key-revoked':
      return say(
        failure.facts,
        [retry, can.settings('sshTarget')],
        failure.facts.file === '' ? 'bodyUnplaced' : 'body',
      );
    case 'host-key-unknown': {
      const { host, jump, port, keyType, fingerprint, file } = failure.facts;
      const keyscan = `ssh-keyscan -p ${port} ${shellQuote(host)}`;
      const body = fingerprint === '' || file === '' ? 'bodyUnnamed' : 'body';
      const params = { host: hopLabel(jump ?? host, host), port, keyType, fingerprint, file };
      return say(params, [can.copyHere(keyscan), can.copyThere(COMMANDS.listHostKeys), retry], body);
    }
    case 'sign-in-declined':
      return say(failure.facts, [can.review('sign-in'), can.settings('sshTarget')]);
    case 'host-key-declined':
      return say(
        failure.facts,
        [can.review('host-key'), can.copyThere(COMMANDS.listHostKeys)],
        failure.facts.fingerprint === '' ? 'bodyUnnamed' : 'body',
      );
    case 'known-hosts-unreadable':
    case 'known-hosts-unwritable':
      return say(failure.facts, [retry, can.copyHere(`ls -l ${shellQuote(failure.facts.path)}`)]);

    case 'auth-rejected': {
      const { user, host, offered, tried, agent, missing = [] } = failure.facts;
      const params = { user, host, offered: list(offered), tried: list(tried), missing: list(missing) };
      const typed = tried.includes('password') ? 'bodyPassword' : 'bodyAnswers';
      if (tried.includes('password') || tried.includes('keyboard-interactive')) {
        return say(params, [can.review('sign-in'), can.settings('sshTarget')], typed);
      }
      const nothing = missing.length > 0 ? 'bodyMissing' : 'bodyNothingTried';
      const actions = [can.settings('identityFile'), can.settings('sshTarget'), retry];
      return say(params, actions, tried.length > 0 ? 'body' : nothing, [], aboutAgent(agent));
    }
    case 'auth-too-many': {
      const { user, host, tried } = failure.facts;
      return say({ user, host, tried: list(tried) }, [can.settings('identityFile'), retry]);
    }
    case 'no-credentials': {
      const { user, host, looked, agent, missing = [] } = failure.facts;
      const params = { user, host, looked: list(looked), missing: list(missing) };
      const actions = [can.settings('identityFile'), can.copyHere('ssh-add'), retry];
      return say(params, actions, missing.length > 0 ? 'bodyMissing' : 'body', [], aboutAgent(agent));
    }
    case 'key-unreadable': {
      const { path, reason } = failure.facts;
      const commands = repairKey(path, reason).map((command) => can.copyHere(command));
      const transport = reason === 'unsupported' ? [can.settings('sshTransport')] : [];
      return say({ path }, [can.settings('identityFile'), ...transport, ...commands, retry], reason);
    }
    case 'passphrase-declined':
    case 'passphrase-wrong':
      return say(failure.facts, [can.review('passphrase'), can.settings('identityFile')]);

    case 'forwarding-disabled':
      return say(failure.facts, [
        can.copyLines(sshdLines(target.user, failure.facts.gatewayPort)),
        retry,
        can.help(HELP.remote),
      ]);
    case 'gateway-not-listening': {
      const run = target.mode === 'local' ? can.copyHere : can.copyThere;
      const body = target.mode === 'local' ? 'bodyLocal' : 'body';
      return say(failure.facts, [retry, run(COMMANDS.runGateway), can.settings(portField)], body);
    }
    case 'forward-timeout': {
      const { host, gatewayPort, limitMs } = failure.facts;
      return say({ host, gatewayPort, seconds: seconds(limitMs) }, [retry, can.showLog()]);
    }
    case 'port-taken': {
      const { port, holder, nextFreePort } = failure.facts;
      const params = {
        port,
        command: holder?.command ?? '',
        pid: holder?.pid ?? 0,
        nextFreePort: nextFreePort ?? 0,
      };
      const actions = [...freePort(nextFreePort, can), can.settings('localPort'), retry];
      return say(params, actions, holder ? 'bodyHolder' : 'body', nextFreePort === null ? [] : ['next']);
    }
    case 'port-forbidden': {
      const { port, nextFreePort } = failure.facts;
      const params = { port, nextFreePort: nextFreePort ?? 0 };
      const actions = [...freePort(nextFreePort, can), can.settings('localPort'), retry];
      return say(params, actions, 'body', nextFreePort === null ? [] : ['next']);
    }
    case 'target-invalid':
      return say(failure.facts, [can.settings('sshTarget')]);
    case 'ssh-config-unsupported':
      return say(failure.facts, [can.settings('sshTransport'), can.settings('sshTarget'), retry]);

    case 'ssh-config-invalid':
      return say(failure.facts, [retry, can.settings('sshTarget')]);
    case 'ssh-config-needs-openssh': {
      const { directives, target: name } = failure.facts;
      return say({ target: name, directives: list(directives) }, [retry, can.settings('sshTarget')]);
    }
    case 'openssh-missing': {
      const { reasons, target: name } = failure.facts;
      const params = { target: name, reasons: because(reasons) };
      return say(params, [can.settings('sshTransport'), retry], reasons.length === 0 ? 'bodyChosen' : 'body');
    }
    case 'openssh-unavailable': {
      const { reasons, platform } = failure.facts;
      const params = { system: platform === 'win32' ? 'Windows' : platform, reasons: because(reasons) };
      return say(params, [can.settings('sshTransport'), retry], reasons.length === 0 ? 'bodyChosen' : 'body');
    }
    case 'openssh-failed':
      return say(
        { host: failure.facts.host, detail: failure.facts.detail },
        [retry, can.showLog(), can.settings('sshTransport')],
        failure.facts.detail.trim() === '' ? 'bodySilent' : 'body',
      );
    case 'ssh-no-common-algorithm': {
      const { host, kind, offered } = failure.facts;
      const body = offered.length === 0 ? 'bodyUnknown' : 'body';
      return say(
        { host, kind: t(`algorithmKinds.${ALGORITHM_KINDS[kind]}`), offered: list(offered) },
        [can.settings('sshTransport'), retry],
        body,
      );
    }
    case 'jump-unreachable':
    case 'jump-forbidden':
    case 'proxy-command-not-found':
      return say(failure.facts, [retry, can.settings('sshTarget')]);
    case 'proxy-command-failed': {
      const { exitCode, detail } = failure.facts;
      const params = { ...failure.facts, exitCode: exitCode ?? 0 };
      const silent = detail.trim() === '' ? 'bodySilent' : 'body';
      return say(params, [retry, can.settings('sshTarget')], exitCode === null ? 'bodySignal' : silent);
    }

    case 'gateway-unreachable':
      return target.mode === 'local'
        ? say(failure.facts, [retry, can.copyHere(COMMANDS.runGateway), can.settings(portField)], 'bodyLocal')
        : say(failure.facts, [retry, can.settings(addressField)]);
    case 'gateway-url-invalid':
    case 'gateway-url-insecure':
      return say(failure.facts, [can.settings('directUrl')]);
    case 'tls-rejected':
    case 'not-a-gateway':
      return say(failure.facts, [can.settings(addressField), retry]);

    case 'gateway-silent':
      return say({ gateway, seconds: seconds(failure.facts.limitMs) }, [
        retry,
        can.copyThere(COMMANDS.restartGateway),
        can.help(HELP.health),
      ]);
    case 'gateway-starting':
    case 'rate-limited': {
      const { retryAfterMs } = failure.facts;
      const params = { gateway, seconds: seconds(retryAfterMs ?? 0) };
      const actions = failure.code === 'rate-limited' ? [can.settings('token'), retry] : [retry];
      return say(params, actions, retryAfterMs === null ? 'body' : 'bodyIn');
    }
    case 'gateway-restarting': {
      const { expectedMs } = failure.facts;
      const params = { gateway, seconds: seconds(expectedMs ?? 0) };
      return say(params, [retry], expectedMs === null ? 'body' : 'bodyIn');
    }
    case 'gateway-closed': {
      const { code, reason } = failure.facts;
      return say(
        { gateway, code, reason },
        [retry, can.showLog()],
        reason.trim() === '' ? 'body' : 'bodyReason',
      );
    }
    case 'token-missing':
    case 'token-mismatch':
      return say({ gateway }, [can.settings('token'), can.copyThere(COMMANDS.showToken), retry]);
    case 'password-missing':
    case 'password-mismatch':
      return say({ gateway }, [can.settings('password'), retry]);
    case 'device-token-rejected':
      return say({ gateway, reason: failure.facts.reason }, [
        can.forgetDeviceToken(),
        retry,
        can.help(HELP.devices),
      ]);
    case 'device-identity-rejected':
      return say({ gateway, reason: failure.facts.reason }, [retry, can.showLog()]);
    case 'pairing-required': {
      const { requestId, deviceId, reason } = failure.facts;
      const command = approveDevice(requestId);
      const actions = [can.copyThere(command ?? COMMANDS.listDevices), retry, can.help(HELP.devices)];
      return say({ gateway, deviceId, reason }, actions, command ? 'body' : 'bodyList');
    }
    case 'scope-missing': {
      const params = { gateway, scopes: list(failure.facts.scopes) };
      return say(params, [can.copyThere(COMMANDS.listDevices), retry, can.help(HELP.devices)]);
    }
    case 'protocol-mismatch': {
      const { ours, theirs, detail } = failure.facts;
      const params = { gateway, ours, theirs: theirs ?? 0, detail };
      if (theirs === null) return say(params, [retry, can.showLog()]);
      return theirs < ours
        ? say(params, [can.copyThere(COMMANDS.update), retry], 'bodyGatewayOlder')
        : say(params, [retry], 'bodyGangwayOlder');
    }
    case 'frame-too-large':
      return say({ gateway, detail: failure.facts.detail }, [retry, can.showLog()]);
    case 'slow-consumer':
      return say({ gateway }, [retry]);
    case 'gateway-rejected':
      return say({ gateway, ...failure.facts }, [retry, can.showLog()]);

    case 'tunnel-process-crashed': {
      const { exitCode } = failure.facts;
      return say(
        { exitCode: exitCode ?? 0 },
        [retry, can.showLog()],
        exitCode === null ? 'body' : 'bodyCode',
      );
    }
    case 'secrets-unavailable':
      return say({ gateway, detail: failure.facts.detail }, [retry, can.settings(null)]);
    case 'storage-failed':
      return say(failure.facts, [retry, can.showLog()]);
    case 'message-not-kept': {
      const { reason, detail } = failure.facts;
      const body = { unwritable: 'body', full: 'bodyFull', newer: 'bodyNewer' } as const;
      return say({ detail }, [can.showLog()], body[reason]);
    }
    case 'bug':
      return say(failure.facts, [can.showLog(), retry]);
    default:
      return assertNever(failure);
  }
}

type Params = Readonly<Record<string, string | number>>;

/** Words of others go into our sentences, which have their own full stop; where there are none, `noDetail` says so. */
function withPlainDetails(params: Params, noDetail: string): Params {
  const plain = Object.entries(params).map(([name, value]): [string, string | number] => {
    if ((name !== 'detail' && name !== 'reason') || typeof value !== 'string') return [name, value];
    const bare = value.trim().replace(/[.\s]+$/, '');
    return [name, bare === '' ? noDetail : bare];
  });
  return Object.fromEntries(plain);
}

const REVIEW_LABELS = {
  'host-key': 'reviewHostKey',
  passphrase: 'enterPassphrase',
  'sign-in': 'signIn',
} as const;

type Can = ReturnType<typeof actionsIn>;

function actionsIn(t: Translate) {
  const label = (key: string, params: Params = {}): { label: string } => ({
    label: t(`failureActions.${key}`, params),
  });
  const copy = (key: string, text: string, runsOn: 'this-computer' | 'gateway-host'): FailureAction => ({
    type: 'copy-command',
    text,
    runsOn,
    ...label(key),
  });
  return {
    retry: (): FailureAction => ({ type: 'retry', ...label('retry') }),
    /** For what is tried again by itself: the button only shortens the wait. */
    retryNow: (): FailureAction => ({ type: 'retry', ...label('retryNow') }),
    settings: (field: SettingsField | null): FailureAction => ({
      type: 'open-settings',
      field,
      ...label(`settings.${field ?? 'any'}`),
    }),
    review: (question: 'host-key' | 'passphrase' | 'sign-in'): FailureAction => ({
      type: 'review',
      question,
      ...label(REVIEW_LABELS[question]),
    }),
    removeHostKeys: (): FailureAction => ({ type: 'remove-host-keys', ...label('removeHostKeys') }),
    usePort: (port: number): FailureAction => ({ type: 'use-port', port, ...label('usePort', { port }) }),
    forgetDeviceToken: (): FailureAction => ({ type: 'forget-device-token', ...label('forgetDeviceToken') }),
    copyHere: (text: string): FailureAction => copy('copyCommand', text, 'this-computer'),
    copyThere: (text: string): FailureAction => copy('copyCommand', text, 'gateway-host'),
    copyLines: (text: string): FailureAction => copy('copyLines', text, 'gateway-host'),
    showLog: (): FailureAction => ({ type: 'show-log', ...label('showLog') }),
    help: (url: string): FailureAction => ({ type: 'open-help', url, ...label('openHelp') }),
  };
}

function freePort(port: number | null, can: Can): readonly FailureAction[] {
  return port === null ? [] : [can.usePort(port)];
}

function seconds(ms: number): number {
  return Math.max(1, Math.ceil(ms / 1_000));
}

/** ssh-keygen(1): -R takes `[host]:port` for ports other than 22, and -f for another file than ~/.ssh/known_hosts. */
function forgetHostKey({ host, port, known }: FailureFacts['host-key-changed']): readonly string[] {
  const name = shellQuote(port === 22 ? host : `[${host}]:${port}`);
  const files = [...new Set(known.map((key) => key.file))];
  return files.map((file) => `ssh-keygen -R ${name} -f ${shellQuote(file)}`);
}

/** chmod for what ssh(1) asks of private keys; puttygen(1) for PuTTY's own format. */
function repairKey(path: string, reason: FailureFacts['key-unreadable']['reason']): readonly string[] {
  const quoted = shellQuote(path);
  if (reason === 'permission') return [`chmod 600 ${quoted}`];
  if (reason === 'ppk') return [`puttygen ${quoted} -O private-openssh -o ${shellQuote(`${path}.openssh`)}`];
  return [];
}

/** sshd_config(5): a Match block overrides the global lines, and stands at the end of the file. */
function sshdLines(user: string, gatewayPort: number): string {
  const lines = ['AllowTcpForwarding local', `PermitOpen 127.0.0.1:${gatewayPort} localhost:${gatewayPort}`];
  if (!/^[\w.@-]+$/.test(user)) return ['Match all', ...lines.map((line) => `    ${line}`)].join('\n');
  return [`Match User ${user}`, ...lines.map((line) => `    ${line}`)].join('\n');
}

/** The id comes from the gateway: only what cannot end or extend a command line becomes part of one. */
function approveDevice(requestId: string | null): string | null {
  return requestId !== null && /^[\w][\w.:-]{0,127}$/.test(requestId)
    ? `openclaw devices approve ${requestId}`
    : null;
}

/** For POSIX shells; a leading `~/` stays outside the quotes, where the shell expands it. */
function shellQuote(text: string): string {
  if (/^[\w@%+=:,./~-]+$/.test(text) && !text.startsWith('-')) return text;
  const home = text.startsWith('~/') ? '~/' : '';
  return `${home}'${text.slice(home.length).replaceAll("'", `'\\''`)}'`;
}
