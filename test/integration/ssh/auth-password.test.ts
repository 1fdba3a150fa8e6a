import type { AuthContext } from 'ssh2';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TunnelAnswer } from '../../../src/main/core/tunnel/tunnel-protocol.ts';
import { accountsUnavailable, createAccounts, type Accounts } from '../../support/lab/accounts.ts';
import { createKeyPair } from '../../support/lab/keys.ts';
import { createLab, type Lab } from '../../support/lab/lab.ts';
import { startEcho, tunnelTo, type EchoServer, type TunnelFixture } from './tunnel-fixture.ts';

let lab: Lab;
let echo: EchoServer;

beforeEach(async () => {
  lab = await createLab({ label: 'auth-password' });
  echo = await startEcho(lab);
});
afterEach(() => lab.close());

const PASSWORD = 'correct horse battery';
const password = (text: string): TunnelAnswer => ({ type: 'password', password: text });
const responses = (...texts: string[]): TunnelAnswer => ({ type: 'responses', responses: texts });

function questionsOf(tunnel: TunnelFixture): readonly string[] {
  return tunnel.reports.flatMap((report) => (report.type === 'needs-user' ? [report.prompt.type] : []));
}

/** No key at all. */
function withoutKeys(tunnel: TunnelFixture): TunnelFixture {
  tunnel.setTarget({ identityFiles: [], identityFileIsExplicit: false });
  return tunnel;
}

describe('the password of an account of a real sshd', () => {
  let accounts: Accounts;

  beforeEach((context) => {
    const reason = accountsUnavailable();
    if (reason !== null) context.skip(reason);
    accounts = createAccounts(lab.folder('accounts'), [{ name: 'alice', password: PASSWORD }]);
  });

  it('is asked for, asked for again where it was wrong, and logs in', async () => {
    const sshd = await lab.startSshd({ accounts, config: ['PasswordAuthentication yes'] });
    const tunnel = withoutKeys(await tunnelTo(lab, sshd, echo.port));
    const first = await tunnel.openPrompt('password');
    expect(first).toMatchObject({ user: 'alice', host: '127.0.0.1', wasWrong: false });
    const second = await tunnel.answerPrompt(first, password('wrong horse'), 'password');
    expect(second.wasWrong).toBe(true);
    const up = await tunnel.answerUp(second, password(PASSWORD));
    expect(up.facts).toMatchObject({ authenticatedWith: 'password', credentialFingerprint: null });
    expect(JSON.stringify(tunnel.reports)).not.toContain('horse');
    expect(sshd.counts().connections).toBe(1);
  });

  it('is asked for as often as NumberOfPasswordPrompts says, then the server has refused', async () => {
    const sshd = await lab.startSshd({ accounts, config: ['PasswordAuthentication yes'] });
    const tunnel = withoutKeys(await tunnelTo(lab, sshd, echo.port));
    tunnel.setTarget({ numberOfPasswordPrompts: 2 });
    const first = await tunnel.openPrompt('password');
    const second = await tunnel.answerPrompt(first, password('no'), 'password');
    const facts = await tunnel.answerFailed(second, password('no again'), 'auth-rejected');
    expect(facts).toMatchObject({
      user: 'alice',
      tried: ['password'],
      offered: ['publickey', 'password'],
    });
  });

  it('is what was wrong where the server counts no further, whatever else it takes', async () => {
    const config = ['PasswordAuthentication yes', 'MaxAuthTries 2'];
    const sshd = await lab.startSshd({ accounts, config });
    const tunnel = withoutKeys(await tunnelTo(lab, sshd, echo.port));
    tunnel.setTarget({ methods: ['password'] });
    const first = await tunnel.openPrompt('password');
    const second = await tunnel.answerPrompt(first, password('no'), 'password');
    const facts = await tunnel.answerFailed(second, password('no again'), 'auth-rejected');
    expect(facts).toMatchObject({ tried: ['password'], offered: ['publickey', 'password'] });
  });

  it('is not asked for where the server does not offer it', async () => {
    const sshd = await lab.startSshd({ accounts });
    const tunnel = withoutKeys(await tunnelTo(lab, sshd, echo.port));
    await tunnel.openFailed('no-credentials');
    expect(questionsOf(tunnel)).toEqual([]);
  });

  it('is not asked for where the configuration switches it off', async () => {
    const sshd = await lab.startSshd({ accounts, config: ['PasswordAuthentication yes'] });
    const tunnel = withoutKeys(await tunnelTo(lab, sshd, echo.port));
    tunnel.setTarget({ methods: ['publickey', 'keyboard-interactive'] });
    await tunnel.openFailed('no-credentials');
    expect(questionsOf(tunnel)).toEqual([]);
  });

  it('still has its tries after five foreign keys used up all but one', async () => {
    const sshd = await lab.startSshd({ accounts, config: ['PasswordAuthentication yes'] });
    const tunnel = await tunnelTo(lab, sshd, echo.port);
    const files = Array.from({ length: 5 }, (_, index) =>
      tunnel.write(`id_${index}`, createKeyPair().privateKey),
    );
    tunnel.setTarget({ identityFiles: files, identityFileIsExplicit: false });
    const first = await tunnel.openPrompt('password');
    const second = await tunnel.answerPrompt(first, password('no'), 'password');
    expect(second.wasWrong).toBe(true);
    const third = await tunnel.answerPrompt(second, password('no'), 'password');
    await tunnel.answerUp(third, password(PASSWORD));
    expect(sshd.counts().connections).toBe(2);
  });

  it('comes after the key where the server wants both', async () => {
    const key = createKeyPair();
    const sshd = await lab.startSshd({
      accounts,
      clientKeys: [key],
      config: ['PasswordAuthentication yes', 'AuthenticationMethods publickey,password'],
    });
    const tunnel = await tunnelTo(lab, sshd, echo.port);
    const prompt = await tunnel.openPrompt('password');
    const up = await tunnel.answerUp(prompt, password(PASSWORD));
    expect(up.facts).toMatchObject({
      authenticatedWith: `${tunnel.file('id_test')}, password`,
      credentialFingerprint: key.fingerprint,
    });
  });

  it('is asked for by PAM in keyboard-interactive', async () => {
    const sshd = await lab.startSshd({ accounts, config: ['KbdInteractiveAuthentication yes'] });
    const tunnel = withoutKeys(await tunnelTo(lab, sshd, echo.port));
    const first = await tunnel.openPrompt('keyboard-interactive');
    expect(first.prompts).toEqual([{ text: expect.stringMatching(/password:/i) as unknown, echo: false }]);
    const second = await tunnel.answerPrompt(first, responses('wrong horse'), 'keyboard-interactive');
    expect(second.wasWrong).toBe(true);
    const up = await tunnel.answerUp(second, responses(PASSWORD));
    expect(up.facts.authenticatedWith).toBe('keyboard-interactive');
    expect(JSON.stringify(tunnel.reports)).not.toContain('horse');
  });

  it('typed too late is a lost link that is tried again, not a refusal', async () => {
    const sshd = await lab.startSshd({
      accounts,
      config: ['PasswordAuthentication yes', 'LoginGraceTime 1'],
    });
    const tunnel = withoutKeys(await tunnelTo(lab, sshd, echo.port));
    await tunnel.openPrompt('password');
    const why = await tunnel.down();
    expect(why).toEqual({
      code: 'link-lost',
      facts: { host: '127.0.0.1', detail: 'The server did not wait for the answer' },
    });
  });
});

type KeyboardContext = Extract<AuthContext, { method: 'keyboard-interactive' }>;

describe('keyboard-interactive', () => {
  /** A server that takes keyboard-interactive only, by this script. */
  async function tunnelAsking(script: (context: KeyboardContext) => void): Promise<TunnelFixture> {
    const server = await lab.startEmbeddedSsh({
      authenticate: () => (context) => {
        if (context.method === 'keyboard-interactive') script(context);
        else context.reject(['keyboard-interactive']);
      },
    });
    return withoutKeys(await tunnelTo(lab, server, echo.port));
  }

  it('shows every prompt with its echo flag, and sends the answers in order', async () => {
    const tunnel = await tunnelAsking((context) => {
      const prompts = [
        { prompt: 'Account: ', echo: true },
        { prompt: 'PIN: ', echo: false },
        { prompt: 'Favourite colour: ', echo: true },
      ];
      context.prompt(prompts, 'Sign in', 'Two lines\nof instructions', (answers) => {
        if (answers.join('|') === 'a|1234|') context.accept();
        else context.reject(['keyboard-interactive']);
      });
    });
    const prompt = await tunnel.openPrompt('keyboard-interactive');
    expect(prompt).toMatchObject({
      name: 'Sign in',
      instructions: 'Two lines\nof instructions',
      prompts: [
        { text: 'Account:', echo: true },
        { text: 'PIN:', echo: false },
        { text: 'Favourite colour:', echo: true },
      ],
      wasWrong: false,
    });
    await tunnel.answerUp(prompt, responses('a', '1234', ''));
  });

  it('answers rounds without prompts by itself, and asks in each of the others', async () => {
    const tunnel = await tunnelAsking((context) => {
      context.prompt([], 'Notice', 'Welcome', () => {
        context.prompt([{ prompt: 'Password: ', echo: false }], (first) => {
          context.prompt([{ prompt: 'Code: ', echo: true }], (second) => {
            context.prompt([], () => {
              if (first[0] === 'pw' && second[0] === '042') context.accept();
              else context.reject(['keyboard-interactive']);
            });
          });
        });
      });
    });
    const first = await tunnel.openPrompt('keyboard-interactive');
    const second = await tunnel.answerPrompt(first, responses('pw'), 'keyboard-interactive');
    expect(second.prompts).toEqual([{ text: 'Code:', echo: true }]);
    await tunnel.answerUp(second, responses('042'));
  });

  it('says that the answers were wrong when it asks again', async () => {
    const tunnel = await tunnelAsking((context) => {
      context.prompt([{ prompt: 'Code: ', echo: false }], (answers) => {
        if (answers[0] === 'right') context.accept();
        else context.reject(['keyboard-interactive']);
      });
    });
    const first = await tunnel.openPrompt('keyboard-interactive');
    const second = await tunnel.answerPrompt(first, responses('wrong'), 'keyboard-interactive');
    expect(second.wasWrong).toBe(true);
    await tunnel.answerUp(second, responses('right'));
  });

  it('shows nothing of what a hostile server hides in its words, and not more than a screen', async () => {
    const hostile = '\u001b]0;owned\u0007\u202egnp.exe\u0000';
    const tunnel = await tunnelAsking((context) => {
      const prompts = [{ prompt: `${hostile}${'x'.repeat(10_000)}`, echo: false }];
      context.prompt(prompts, hostile, `${hostile}\r\n${'line\n'.repeat(3_000)}`, () => context.accept());
    });
    const prompt = await tunnel.openPrompt('keyboard-interactive');
    // eslint-disable-next-line no-control-regex -- these are what must not be there
    const forbidden = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e]/;
    expect(prompt.name).not.toMatch(forbidden);
    expect(prompt.instructions).not.toMatch(forbidden);
    expect(prompt.prompts[0]?.text).not.toMatch(forbidden);
    expect(prompt.instructions.length).toBeLessThanOrEqual(4_096);
    expect(prompt.prompts[0]?.text.length).toBeLessThanOrEqual(512);
  });

  it('of a server that asks for 40 things at once is left without a question', async () => {
    const tunnel = await tunnelAsking((context) => {
      const prompts = Array.from({ length: 40 }, () => ({ prompt: 'x', echo: true }));
      context.prompt(prompts, () => context.reject(['keyboard-interactive']));
    });
    const facts = await tunnel.openFailed('auth-rejected');
    expect(facts.tried).toEqual(['keyboard-interactive']);
    expect(questionsOf(tunnel)).toEqual([]);
  });

  it('that has nothing behind it gives its turn to the password', async () => {
    const server = await lab.startEmbeddedSsh({
      authenticate: () => (context) => {
        if (context.method === 'password' && context.password === PASSWORD) context.accept();
        else context.reject(['keyboard-interactive', 'password']);
      },
    });
    const tunnel = withoutKeys(await tunnelTo(lab, server, echo.port));
    const prompt = await tunnel.openPrompt('password');
    await tunnel.answerUp(prompt, password(PASSWORD));
  });

  it('follows the key where the server wants both', async () => {
    const key = createKeyPair({ comment: 'held' });
    const agent = await lab.startSshAgent({ keys: [key] });
    const server = await lab.startEmbeddedSsh({
      clientKeys: [key],
      authenticate: () => {
        let hasKey = false;
        return (context, isKey) => {
          if (context.method === 'publickey' && isKey && !hasKey) {
            if (context.signature === undefined) context.accept();
            else {
              hasKey = true;
              context.reject(['keyboard-interactive'], true);
            }
          } else if (context.method === 'keyboard-interactive' && hasKey) {
            context.prompt([{ prompt: 'Code: ', echo: true }], (answers) => {
              if (answers[0] === '042') context.accept();
              else context.reject(['keyboard-interactive']);
            });
          } else context.reject(['publickey']);
        };
      },
    });
    const tunnel = withoutKeys(await tunnelTo(lab, server, echo.port));
    tunnel.setTarget({ agentSocket: agent.socket });
    const first = await tunnel.openPrompt('keyboard-interactive');
    const second = await tunnel.answerPrompt(first, responses('no'), 'keyboard-interactive');
    const up = await tunnel.answerUp(second, responses('042'));
    expect(up.facts).toMatchObject({
      authenticatedWith: 'ssh-agent: held, keyboard-interactive',
      credentialFingerprint: key.fingerprint,
    });
  });
});

describe('a server that asks for nothing', () => {
  it('is logged into without any key', async () => {
    const server = await lab.startEmbeddedSsh({
      authenticate: () => (context) => context.accept(),
    });
    const tunnel = withoutKeys(await tunnelTo(lab, server, echo.port));
    const up = await tunnel.openUp();
    expect(up.facts).toMatchObject({ authenticatedWith: 'none', credentialFingerprint: null });
  });
});

describe('a server without a common algorithm', () => {
  it.each([
    ['key exchange', 'KexAlgorithms diffie-hellman-group14-sha256', ['diffie-hellman-group14-sha256']],
    ['cipher', 'Ciphers chacha20-poly1305@openssh.com', ['chacha20-poly1305@openssh.com']],
    ['mac', 'MACs hmac-sha1', ['hmac-sha1']],
    ['host key', 'HostKeyAlgorithms ssh-rsa', ['ssh-rsa']],
  ])('is told by what it offers: %s', async (kind, line, offered) => {
    const config = [line, ...(kind === 'mac' ? ['Ciphers aes128-ctr'] : [])];
    const sshd = await lab.startSshd({ config, hostKeyTypes: kind === 'host key' ? ['rsa'] : ['ed25519'] });
    const tunnel = await tunnelTo(lab, sshd, echo.port);
    expect(await tunnel.openFailed('ssh-no-common-algorithm')).toEqual({ host: '127.0.0.1', kind, offered });
  });
});
