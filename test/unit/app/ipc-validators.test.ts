import { describe, expect, it } from 'vitest';
import { commandNames } from '../../../src/shared/ipc-contract.ts';
import { debuggingArgument, openArgument } from '../../../src/main/electron/launch-arguments.ts';
import { ipcValidators, isWithinSize, MAX_INPUT_CHARS } from '../../../src/main/electron/ipc-validators.ts';

const draft = {
  gatewayId: 'a-1',
  name: '',
  mode: 'ssh',
  sshTarget: 'me@homelab',
  gatewayPort: 18789,
  localPort: 18789,
  identityFile: '',
  sshTransport: 'automatic',
  directUrl: '',
  localGatewayPort: 18789,
  token: null,
  password: '',
};

describe('ipcValidators', () => {
  it('has one for every command', () => {
    expect(Object.keys(ipcValidators).sort()).toEqual([...commandNames()].sort());
  });

  it.each(commandNames())('refuses junk for %s', (name) => {
    for (const junk of [undefined, 1, 'x', [], { unexpected: true }, new Date()])
      expect(ipcValidators[name].safeParse(junk).success).toBe(false);
  });

  it('takes a form as the settings send it, and none with a key more or less', () => {
    const schema = ipcValidators['settings.save'];
    expect(schema.safeParse(draft).success).toBe(true);
    expect(schema.safeParse({ ...draft, admin: true }).success).toBe(false);
    const without = Object.fromEntries(Object.entries(draft).filter(([key]) => key !== 'token'));
    expect(schema.safeParse(without).success).toBe(false);
  });

  it('takes answers of every kind, bounded, and nothing beside them', () => {
    const schema = ipcValidators['connection.answerPrompt'];
    const takes = (answer: object): boolean =>
      schema.safeParse({ gatewayId: 'a-1', promptId: '1.1', answer }).success;
    const long = 'x'.repeat(4_097);
    const good = [
      { type: 'trust-host-key', fingerprint: 'SHA256:x' },
      { type: 'passphrase', passphrase: '', remember: false },
      { type: 'password', password: 'x', remember: true },
      { type: 'responses', responses: ['', 'x'], remember: false },
      { type: 'confirm' },
      { type: 'cancel' },
    ];
    const bad = [
      { type: 'passphrase', passphrase: 'x' },
      { type: 'password', password: long, remember: false },
      { type: 'responses', responses: [], remember: false },
      { type: 'responses', responses: Array<string>(33).fill('x'), remember: false },
      { type: 'responses', responses: [long], remember: false },
      { type: 'confirm', yes: true },
      { type: 'trust-host-key', fingerprint: '' },
      { type: 'other' },
    ];
    expect([good.every(takes), bad.some(takes)]).toEqual([true, false]);
  });

  it('takes no id that could be a path or a key of another kind', () => {
    const schema = ipcValidators['connection.connect'];
    expect(schema.safeParse({ gatewayId: 'a-1' }).success).toBe(true);
    for (const gatewayId of ['', '../a', 'a b', 'a:b', 'x'.repeat(65)])
      expect(schema.safeParse({ gatewayId }).success).toBe(false);
  });
});

describe('isWithinSize', () => {
  it('takes what people type', () => {
    expect(isWithinSize(draft)).toBe(true);
    expect(isWithinSize(null)).toBe(true);
  });

  it.each([
    ['one long text', { text: 'x'.repeat(MAX_INPUT_CHARS + 1) }],
    ['many texts', Array.from({ length: 3 }, () => 'x'.repeat(MAX_INPUT_CHARS / 2))],
    ['long keys', { ['k'.repeat(MAX_INPUT_CHARS + 1)]: 1 }],
    ['many members', Array.from({ length: 20_000 }, () => 1)],
    ['bytes', { data: new Uint8Array(8) }],
    ['a buffer', new ArrayBuffer(8)],
  ])('refuses %s', (_name, value) => {
    expect(isWithinSize(value)).toBe(false);
  });

  it('ends on a value that contains itself', () => {
    const loop: Record<string, unknown> = {};
    loop['self'] = loop;
    expect(isWithinSize(loop)).toBe(false);
  });
});

describe('openArgument', () => {
  it('finds the window, the last one where there are several', () => {
    expect(openArgument(['electron', '.', '--open=chat'])).toBe('chat');
    expect(openArgument(['--open=chat', '--open=health'])).toBe('health');
  });

  it.each([
    [[]],
    [['--open=']],
    [['--open=prompt']],
    [['--open=../chat']],
    [['open=chat']],
    [['--open', 'chat']],
  ])('opens nothing for %j', (argv) => {
    expect(openArgument(argv)).toBeNull();
  });
});

describe('debuggingArgument', () => {
  it.each([
    '--inspect',
    '--inspect=0',
    '--inspect-brk=1',
    '--remote-debugging-port=9222',
    '--remote-debugging-pipe',
  ])('finds %s and names it without its value', (argument) => {
    expect(debuggingArgument(['electron', '.', argument])).toBe(argument.replace(/=.*/, ''));
  });

  it('leaves ordinary arguments alone', () => {
    expect(debuggingArgument(['electron', '.', '--open=chat', '--user-data-dir=/inspect'])).toBeNull();
  });
});
