import { describe, expect, it } from 'vitest';
import {
  questionOf,
  replyTo,
  type AskpassContext,
  type AskpassRequest,
} from '../../../src/main/node/ssh/openssh/askpass-prompt.ts';
import { afterLine, NO_PROGRESS, stageOf } from '../../../src/main/node/ssh/openssh/openssh-progress.ts';
import { parseOpensshSettings } from '../../../src/main/node/ssh/openssh/openssh-settings.ts';

const FINGERPRINT = 'SHA256:cNS5ViZrS2uHFvsiY9o1Kb+vUBqtyKmai5R4UONkDds';
const context: AskpassContext = {
  host: 'gw',
  port: 22,
  user: 'ada',
  knownHostsFile: '/known_hosts',
  keyTypes: new Map([[FINGERPRINT, 'ssh-ed25519']]),
  isServersQuestion: false,
  hasOtherServers: false,
  asked: [],
};
const request = (text: string, hint = ''): AskpassRequest => ({ text, hint });
const hostKeyText = (name: string, end: string): string =>
  `The authenticity of host '${name}' can't be established.\nED25519 key fingerprint is ${FINGERPRINT}.\n` +
  `This key is not known by any other names.\nAre you sure you want to continue connecting ${end}`;

describe('what ssh asks', () => {
  it.each([
    ['gw.example (192.0.2.7)', { host: 'gw.example', port: 22 }],
    ['[gw.example]:2222 ([192.0.2.7]:2222)', { host: 'gw.example', port: 2222 }],
    ['[127.0.0.1]:2222 (<no hostip for proxy command>)', { host: '127.0.0.1', port: 2222 }],
    ['2001:db8::1 (2001:db8::1)', { host: '2001:db8::1', port: 22 }],
  ])('is a host key of %s', (name, place) => {
    const asked = request(hostKeyText(name, '(yes/no/[fingerprint])? '));
    expect(questionOf(asked, context)).toEqual({
      type: 'host-key',
      jump: null,
      ...place,
      keyType: 'ssh-ed25519',
      fingerprint: FINGERPRINT,
      knownHostsFile: '/known_hosts',
      otherKnownTypes: [],
    });
  });

  it('is answered with the fingerprint itself, where ssh takes it', () => {
    const answer = { type: 'trust-host-key', fingerprint: FINGERPRINT } as const;
    for (const [end, reply] of [
      ['(yes/no/[fingerprint])? ', FINGERPRINT],
      ['(yes/no)? ', 'yes'],
    ] as const) {
      const asked = request(hostKeyText('gw (192.0.2.7)', end));
      const question = questionOf(asked, context);
      expect(replyTo(question, asked, answer)).toBe(reply);
      expect(replyTo(question, asked, { ...answer, fingerprint: 'SHA256:other' })).toBeNull();
      expect(replyTo(question, asked, { type: 'confirm' })).toBeNull();
    }
  });

  it.each([
    [
      "Enter passphrase for key '/home/ada/it's mine': ",
      { type: 'passphrase', keyPath: "/home/ada/it's mine" },
    ],
    [
      "ada@corp@gw.example's password: ",
      { type: 'password', jump: null, user: 'ada@corp', host: 'gw.example' },
    ],
  ])('is a secret: %s', (text, expected) => {
    expect(questionOf(request(text), context)).toEqual({ ...expected, wasWrong: false });
    expect(questionOf(request(text), { ...context, asked: [text] })).toEqual({ ...expected, wasWrong: true });
  });

  it.each([
    ['(ada@gw.example) Verification code: ', 'gw.example', 'Verification code:'],
    ['Password: ', 'gw', 'Password:'],
    [
      'Enter PIN for ED25519-SK key /home/ada/.ssh/id_sk: ',
      'gw',
      'Enter PIN for ED25519-SK key /home/ada/.ssh/id_sk:',
    ],
  ])('is a text of its own: %s', (text, host, shown) => {
    const question = questionOf(request(text), context);
    expect(question).toEqual({
      type: 'keyboard-interactive',
      jump: null,
      user: 'ada',
      host,
      name: '',
      instructions: '',
      prompts: [{ text: shown, echo: false }],
      wasWrong: false,
    });
    expect(replyTo(question, request(text), { type: 'responses', responses: ['123456'] })).toBe('123456');
    expect(replyTo(question, request(text), { type: 'password', password: 'x' })).toBeNull();
  });

  it.each([
    "Enter passphrase for key '/home/ada/.ssh/id_ed25519': ",
    "ada@gw's password: ",
    hostKeyText('gw (192.0.2.7)', '(yes/no)? '),
  ])('is never taken for one of ssh where the server speaks: %s', (text) => {
    const question = questionOf(request(text), { ...context, isServersQuestion: true });
    expect(question).toMatchObject({ type: 'keyboard-interactive', user: 'ada', host: 'gw' });
    expect(questionOf(request(`(ada@jump) ${text}`), context)).toMatchObject({
      type: 'keyboard-interactive',
      user: 'ada',
      host: 'jump',
    });
  });

  it('is of no account where it may be a jump that asks and ssh does not say so', () => {
    const question = questionOf(request('Password: '), { ...context, hasOtherServers: true });
    expect(question).toMatchObject({ type: 'keyboard-interactive', user: '?' });
  });

  it('is a touch, a yes or no', () => {
    const touch = 'Confirm user presence for key ED25519-SK SHA256:abc';
    expect(questionOf(request(touch, 'none'), context)).toEqual({ type: 'notice', host: 'gw', text: touch });
    const add = 'Add key /home/ada/.ssh/id (comment) to agent?';
    expect(questionOf(request(add, 'confirm'), context)).toEqual({ type: 'confirm', host: 'gw', text: add });
    const update = 'Accept updated hostkeys? (yes/no): ';
    expect(questionOf(request(update), context).type).toBe('confirm');
    expect(replyTo(questionOf(request(update), context), request(update), { type: 'confirm' })).toBe('yes');
  });

  it('is shown without what could mislead, and bounded', () => {
    const question = questionOf(request(`(ada@gw) \u001b]0;x\u0007pay\u202e${'y'.repeat(9_000)}`), context);
    const text = question.type === 'keyboard-interactive' ? (question.prompts[0]?.text ?? '') : '';
    // eslint-disable-next-line no-control-regex -- control characters are what is looked for
    expect(text).not.toMatch(/[\u0000-\u001f\u007f\u202e]/);
    expect(text.length).toBeLessThanOrEqual(2_000);
  });
});

describe('what ssh -v tells', () => {
  const lines = [
    'debug1: Connecting to 127.0.0.1 [127.0.0.1] port 22.',
    'debug1: Connection established.',
    'debug1: Remote protocol version 2.0, remote software version OpenSSH_9.2p1 Debian-2',
    'debug1: kex: algorithm: sntrup761x25519-sha512',
    'debug1: kex: server->client cipher: aes128-gcm@openssh.com MAC: <implicit> compression: none',
    `debug1: Server host certificate: ssh-ed25519-cert-v01@openssh.com ${FINGERPRINT}, serial 0 ID "h" CA ssh-ed25519 SHA256:ca`,
    'debug1: SSH2_MSG_NEWKEYS received',
    'debug1: Authentications that can continue: publickey,password',
    'debug1: Offering public key: /a key ED25519 SHA256:one agent',
    'debug1: Authentications that can continue: publickey,password',
    'debug1: Offering public key: /b ED25519-CERT SHA256:two explicit',
    'debug1: Server accepts key: /b ED25519-CERT SHA256:two explicit',
    'Authenticated to 127.0.0.1 ([127.0.0.1]:22) using "publickey".',
  ];

  it('are stages and facts', () => {
    const steps = lines.map((_line, index) => lines.slice(0, index + 1).reduce(afterLine, NO_PROGRESS));
    expect([...new Set(steps.map((step) => stageOf(step.phase)))]).toEqual([
      'opening-socket',
      'verifying-host-key',
      'authenticating',
    ]);
    expect(steps.at(-1)).toMatchObject({
      phase: 'up',
      server: 'OpenSSH_9.2p1 Debian-2',
      keyExchange: 'sntrup761x25519-sha512',
      cipher: 'aes128-gcm@openssh.com',
      hostKey: { fingerprint: FINGERPRINT },
      offeredMethods: ['publickey', 'password'],
      tried: ['/a key', '/b'],
      accepted: { name: '/b', fingerprint: 'SHA256:two' },
      method: 'publickey',
    });
  });

  it('keep no limit while a hand may be needed', () => {
    const turns = lines.map(
      (_l, index) => lines.slice(0, index + 1).reduce(afterLine, NO_PROGRESS).isServersTurn,
    );
    expect(turns).toEqual([
      true,
      true,
      true,
      true,
      true,
      true,
      false,
      false,
      true,
      false,
      true,
      false,
      false,
    ]);
  });
});

describe('the settings', () => {
  it('are those of ssh -G', () => {
    const settings = parseOpensshSettings(
      [
        'user ada',
        'hostname 192.0.2.7',
        'port 2222',
        'controlpath none',
        'connecttimeout 7',
        'stricthostkeychecking false',
        'userknownhostsfile /home/ada/.ssh/known_hosts /home/ada/.ssh/known_hosts2',
        'globalknownhostsfile /etc/ssh/ssh_known_hosts',
        'proxyjump one,two:22',
        'forkafterauthentication yes',
      ].join('\n'),
    );
    expect(settings).toEqual({
      host: '192.0.2.7',
      port: 2222,
      user: 'ada',
      controlPath: null,
      connectTimeoutMs: 7_000,
      knownHostsFiles: [
        '/home/ada/.ssh/known_hosts',
        '/home/ada/.ssh/known_hosts2',
        '/etc/ssh/ssh_known_hosts',
      ],
      takesAnyHostKey: true,
      proxyJump: ['one', 'two:22'],
      proxyCommand: null,
      forkAfterAuthentication: 'yes',
    });
  });
});
