import { describe, expect, it } from 'vitest';
import {
  failure,
  FAILURE_CODES,
  failureKind,
  type ConnectionFailure,
} from '../../../src/shared/connection-failure.ts';
import {
  describeFailure,
  type FailureAction,
  type FailureTarget,
} from '../../../src/shared/failure-remedies.ts';
import { createTranslate, LANGUAGES, type Language } from '../../../src/shared/i18n/index.ts';
import { enFailures } from '../../../src/shared/i18n/en-failures.ts';
import { SAMPLE_FAILURES, sampleFailure } from '../../support/fakes/sample-failures.ts';

const target: FailureTarget = { label: 'homelab', user: 'ops', host: 'homelab.example', mode: 'ssh' };
const translate = { en: createTranslate('en'), ko: createTranslate('ko') };

function inWords(failed: ConnectionFailure, language: Language = 'en', where: FailureTarget = target) {
  return describeFailure(failed, where, translate[language]);
}

function commands(actions: readonly FailureAction[]): readonly string[] {
  return actions.flatMap((action) => (action.type === 'copy-command' ? [action.text] : []));
}

describe('every failure', () => {
  const cases = LANGUAGES.flatMap((language) =>
    (['ssh', 'local', 'direct'] as const).flatMap((mode) =>
      SAMPLE_FAILURES.map((failed) => ({
        language,
        mode,
        failed,
        name: `${failed.code} ${language} ${mode}`,
      })),
    ),
  );

  it.each(cases)('says what failed, why, and what to do: $name', ({ language, mode, failed }) => {
    const { title, body, actions } = inWords(failed, language, { ...target, mode });
    for (const words of [title, body, ...actions.map((action) => action.label)]) {
      expect(words.trim()).not.toBe('');
      expect(words).not.toMatch(/\{\{|\}\}|undefined|\[object|NaN/);
      expect(words).not.toMatch(/failures?\.|failureActions|failureAgent|transportReasons|algorithmKinds/);
      expect(words, 'has one full stop').not.toMatch(/\.\.|: \./);
      expect(words, 'names no fact that is unknown').not.toMatch(/ {2}| [.,:;)]|“”|\(\)|line 0|\s0행/);
    }
    expect(actions.length).toBeGreaterThanOrEqual(1);
    expect(title).not.toBe(body);
  });

  it('has a sample of every code, and no words without a code', () => {
    expect(new Set(SAMPLE_FAILURES.map((failed) => failed.code))).toEqual(new Set(FAILURE_CODES));
    expect(new Set(Object.keys(enFailures))).toEqual(new Set([...FAILURE_CODES, 'none', 'noDetail']));
  });

  it('says in the language itself what OpenSSH is needed for, and which kind of algorithm is not shared', () => {
    const reasons = [{ code: 'agent-certificate', detail: 'me@work' } as const];
    const missing = failure('openssh-missing', { target: 'homelab', reasons });
    expect(inWords(missing).body).toContain('The agent holds a certificate: me@work. Install OpenSSH');
    expect(inWords(missing, 'ko').body).toContain('에이전트에 인증서가 있습니다: me@work.');
    const facts = { host: 'homelab', kind: 'key exchange', offered: [] } as const;
    expect(inWords(failure('ssh-no-common-algorithm', facts), 'ko').title).toBe(
      'homelab: 공통 키 교환 알고리즘이 없음',
    );
  });

  it('says that Gangway goes on only where it does', () => {
    const refused = failure('ssh-refused', { host: 'homelab.example', port: 22 });
    expect(inWords(refused).body).toMatch(/ Gangway keeps trying\.$/);
    for (const failed of SAMPLE_FAILURES) {
      if (failureKind(failed.code) === 'blocked')
        expect(inWords(failed).body).not.toMatch(/keeps trying|keeps looking/);
      const final = describeFailure(failed, target, translate.en, { isFinal: true });
      expect(final.body).not.toMatch(/keeps trying|keeps looking|tries again, slowly/);
      expect(final.actions.map((action) => action.label)).not.toContain('Try now');
    }
  });

  it('is written in Korean, not left in English', () => {
    for (const failed of SAMPLE_FAILURES) {
      expect(inWords(failed, 'ko').body).toMatch(/[가-힣]/);
      expect(inWords(failed, 'ko').title).toMatch(/[가-힣]/);
    }
  });

  it('uses every variant of the words', () => {
    const said = new Set(
      (['ssh', 'local', 'direct'] as const).flatMap((mode) =>
        SAMPLE_FAILURES.map((failed) => ({ failed, keys: keysUsed(failed, { ...target, mode }) })).flatMap(
          ({ failed, keys }) => keys.map((key) => `${failed.code}.${key}`),
        ),
      ),
    );
    const written = Object.entries(enFailures).flatMap(([code, parts]) =>
      typeof parts === 'string' ? [] : Object.keys(parts).map((part) => `${code}.${part}`),
    );
    expect(written.filter((key) => !said.has(key))).toEqual([]);
  });

  it('never sends a person to a page that is not https', () => {
    for (const failed of SAMPLE_FAILURES) {
      for (const action of inWords(failed).actions) {
        if (action.type === 'open-help') expect(action.url).toMatch(/^https:\/\/docs\.openclaw\.ai\//);
      }
    }
  });
});

/** Which parts of a code's words were asked for. */
function keysUsed(failed: ConnectionFailure, where: FailureTarget): readonly string[] {
  const keys: string[] = [];
  const note = (key: string): string => {
    const [section, code, part] = key.split('.');
    if (section === 'failures' && code === failed.code && part !== undefined) keys.push(part);
    return key;
  };
  for (const isBesideKeys of [false, true]) describeFailure(failed, where, note, { isBesideKeys });
  return keys;
}

describe('facts', () => {
  it('names user, host, key and what the server offers', () => {
    const { title, body } = inWords(sampleFailure('auth-rejected'));
    expect(title).toBe('homelab.example refused the login for ops');
    expect(body).toContain('~/.ssh/id_ed25519');
    expect(body).toContain('The server offers: publickey.');
  });

  it('says which secret was wrong, and asks for it again first', () => {
    const wrong = inWords(sampleFailure('passphrase-wrong'));
    expect(wrong.title).toBe('The passphrase did not open ~/.ssh/id_ed25519');
    expect(wrong.actions[0]).toMatchObject({ type: 'review', question: 'passphrase' });
    const facts = { user: 'ops', host: 'homelab', offered: ['publickey', 'password'], tried: ['password'] };
    const refused = inWords(failure('auth-rejected', facts));
    expect(refused.body).toMatch(/^homelab did not accept the password for ops\./);
    expect(refused.body).not.toContain('authorized_keys');
    expect(refused.actions[0]).toMatchObject({ type: 'review', question: 'sign-in' });
  });

  it('says why the agent was of no use, and which key file is missing', () => {
    const facts = { user: 'ops', host: 'homelab', looked: ['/k'] } as const;
    expect(inWords(failure('no-credentials', { ...facts, agent: 'empty' })).body).toMatch(
      /^The SSH agent holds no key: it may be locked\. Neither/,
    );
    expect(inWords(failure('no-credentials', { ...facts, missing: ['/k'] })).body).toMatch(
      /^There is no file \/k, /,
    );
  });

  it('puts words of others into its own sentences', () => {
    const lost = (detail: string) => inWords(failure('link-lost', { host: 'homelab', detail })).body;
    expect(lost('closed.\n')).toContain('ended: closed. Gangway');
    expect(lost(' ')).toBe('The SSH connection ended without a reason. Gangway reconnects by itself.');
  });

  it('names both fingerprints and the line when a host key changed', () => {
    const { body } = inWords(sampleFailure('host-key-changed'));
    expect(body).toContain('SHA256:newnewnew');
    expect(body).toContain('SHA256:oldoldold (~/.ssh/known_hosts:3)');
  });

  it('offers to remove no host key where no line is named', () => {
    const changed = sampleFailure('host-key-changed');
    const types = ({ actions }: { readonly actions: readonly FailureAction[] }): readonly string[] =>
      actions.map(({ type }) => type);
    expect(types(inWords(changed))).toContain('remove-host-keys');
    const unnamed = inWords(failure('host-key-changed', { ...changed.facts, known: [] }));
    expect(types(unnamed)).not.toContain('remove-host-keys');
    expect(commands(unnamed.actions)).toEqual([]);
    expect(unnamed.body).not.toContain('()');
  });

  it('offers the free port, and names who has the taken one', () => {
    const { body, actions } = inWords(sampleFailure('port-taken'));
    expect(body).toBe(
      'ssh (process 4711) listens on 127.0.0.1:18789. End it, or let Gangway use another local port. Port 18790 is free.',
    );
    expect(actions[0]).toEqual({ type: 'use-port', port: 18790, label: 'Use port 18790' });
  });

  it('blames the side that is older', () => {
    const older = inWords(failure('protocol-mismatch', { ours: 4, theirs: 3, detail: '' }));
    expect(older.body).toContain('Update the Gateway');
    expect(commands(older.actions)).toEqual(['openclaw update']);
    const newer = inWords(failure('protocol-mismatch', { ours: 4, theirs: 5, detail: '' }));
    expect(newer.body).toContain('Update Gangway');
  });

  it('opens the field that the failure is about', () => {
    const field = (failed: ConnectionFailure, where = target) =>
      inWords(failed, 'en', where).actions.flatMap((action) =>
        action.type === 'open-settings' ? [action.field] : [],
      )[0];
    expect(field(sampleFailure('token-mismatch'))).toBe('token');
    expect(field(sampleFailure('key-unreadable'))).toBe('identityFile');
    expect(field(sampleFailure('target-invalid'))).toBe('sshTarget');
    expect(field(sampleFailure('gateway-not-listening'))).toBe('gatewayPort');
    expect(field(sampleFailure('gateway-not-listening'), { ...target, mode: 'local' })).toBe(
      'localGatewayPort',
    );
    expect(field(sampleFailure('not-a-gateway'), { ...target, mode: 'direct' })).toBe('directUrl');
  });

  it('says "try now" for what is tried anyway and "try again" for what waits', () => {
    const label = (failed: ConnectionFailure) =>
      inWords(failed).actions.find((action) => action.type === 'retry')?.label;
    expect(label(sampleFailure('ssh-refused'))).toBe('Try now');
    expect(label(sampleFailure('token-mismatch'))).toBe('Try again');
  });

  it('fills no placeholder and follows no reference that a hostile peer sends', () => {
    const detail = '{{host}} $t(failures.bug.title) <b>';
    const { body } = inWords(failure('gateway-rejected', { detailCode: 'X', detail }));
    expect(body).toContain(detail);
  });
});

describe('commands to copy', () => {
  it('removes a changed host key from the file that has it', () => {
    expect(commands(inWords(sampleFailure('host-key-changed')).actions)).toEqual([
      'ssh-keygen -R homelab.example -f ~/.ssh/known_hosts',
    ]);
    const [, other] = SAMPLE_FAILURES.filter((failed) => failed.code === 'host-key-changed');
    if (!other) throw new Error('no second sample');
    expect(commands(inWords(other).actions)).toEqual([
      "ssh-keygen -R '[homelab.example]:2222' -f ~/.ssh/known_hosts",
      "ssh-keygen -R '[homelab.example]:2222' -f '/home/a b/known_hosts'",
    ]);
  });

  it('allows exactly the forward that is needed, for exactly this user', () => {
    expect(commands(inWords(sampleFailure('forwarding-disabled')).actions)).toEqual([
      'Match User ops\n    AllowTcpForwarding local\n    PermitOpen 127.0.0.1:18789 localhost:18789',
    ]);
    const unnamed = inWords(sampleFailure('forwarding-disabled'), 'en', { ...target, user: '' });
    expect(commands(unnamed.actions)[0]).toMatch(/^Match all\n/);
  });

  it('approves a pairing by its id, and lists requests when the id could be more than an id', () => {
    const approve = (requestId: string | null) =>
      commands(
        inWords(failure('pairing-required', { requestId, deviceId: 'd', reason: 'not-paired' })).actions,
      );
    expect(approve('a1b2-c3')).toEqual(['openclaw devices approve a1b2-c3']);
    for (const hostile of [null, 'x; rm -rf ~', '--latest', '$(id)', 'a\nb']) {
      expect(approve(hostile)).toEqual(['openclaw devices list']);
    }
  });

  it('quotes paths as a shell needs it', () => {
    const fix = (path: string, reason: 'permission' | 'ppk') =>
      commands(inWords(failure('key-unreadable', { path, reason })).actions)[0];
    expect(fix('~/.ssh/id_ed25519', 'permission')).toBe('chmod 600 ~/.ssh/id_ed25519');
    expect(fix("~/my 'key'", 'permission')).toBe(`chmod 600 ~/'my '\\''key'\\'''`);
    expect(fix('/k/a.ppk', 'ppk')).toBe('puttygen /k/a.ppk -O private-openssh -o /k/a.ppk.openssh');
  });
});
