import { describe, expect, test } from 'vitest';
import {
  DRAFT_LIMITS,
  fieldsOfMode,
  gatewayUrlError,
  validateDraft,
} from '../../../src/shared/draft-validation.ts';
import type { GatewayDraft } from '../../../src/shared/ipc-contract.ts';

const good: GatewayDraft = {
  gatewayId: 'g',
  mode: 'ssh',
  name: '',
  sshTarget: 'ada@homelab',
  gatewayPort: 18789,
  localPort: 18789,
  identityFile: '',
  sshTransport: 'automatic',
  directUrl: '',
  localGatewayPort: 18789,
  token: null,
  password: null,
};

describe('a connection form', () => {
  test('is good with a target alone', () => {
    expect(validateDraft(good)).toEqual({});
  });

  test.each<[Partial<GatewayDraft>, ReturnType<typeof validateDraft>]>([
    [{ sshTarget: '' }, { sshTarget: 'required' }],
    [{ sshTarget: '   ' }, { sshTarget: 'required' }],
    [{ sshTarget: '-oProxyCommand=x' }, { sshTarget: 'target-invalid' }],
    [{ sshTarget: 'ada@home lab' }, { sshTarget: 'target-invalid' }],
    [{ sshTarget: 'ada@homelab:99999' }, { sshTarget: 'target-invalid' }],
    [{ sshTarget: 'ada@homelab\n' }, { sshTarget: 'control-characters' }],
    [{ sshTarget: 'a'.repeat(DRAFT_LIMITS.sshTarget + 1) }, { sshTarget: 'too-long' }],
    [{ gatewayPort: 0 }, { gatewayPort: 'port-range' }],
    [{ gatewayPort: 65536 }, { gatewayPort: 'port-range' }],
    [{ localPort: Number.NaN }, { localPort: 'port-range' }],
    [{ localPort: 1.5 }, { localPort: 'port-range' }],
    [{ identityFile: '/key\u0000' }, { identityFile: 'control-characters' }],
    [{ name: 'x'.repeat(DRAFT_LIMITS.name + 1) }, { name: 'too-long' }],
    [{ token: 'abc\u001b[0m' }, { token: 'control-characters' }],
    [{ password: 'p'.repeat(DRAFT_LIMITS.password + 1) }, { password: 'too-long' }],
    [{ mode: 'direct' }, { directUrl: 'required' }],
    [{ mode: 'direct', directUrl: 'https://gateway' }, { directUrl: 'url-invalid' }],
    [{ mode: 'local', sshTarget: '' }, {}],
    [{ mode: 'local', localGatewayPort: -1 }, { localGatewayPort: 'port-range' }],
  ])('%j gives %j', (changes, errors) => {
    expect(validateDraft({ ...good, ...changes })).toEqual(errors);
  });

  test('names an error only in fields that its mode shows or that could not be stored', () => {
    const errors = validateDraft({
      ...good,
      mode: 'local',
      sshTarget: 'not a target',
      directUrl: 'nonsense',
    });
    expect(errors).toEqual({});
    expect(fieldsOfMode('local')).not.toContain('sshTarget');
  });
});

describe('a gateway URL', () => {
  test.each([
    'wss://gateway.example.com',
    'wss://gateway.example.com:8443/path?x=1',
    'WSS://GATEWAY.example.com',
    'ws://localhost:18789',
    'ws://127.0.0.1:18789',
    'ws://127.9.9.9',
    'ws://10.0.0.4',
    'ws://172.16.3.4',
    'ws://192.168.1.7:18789/',
    'ws://169.254.1.1',
    'ws://100.64.0.1',
    'ws://homelab.local',
    'ws://homelab.tail1234.ts.net',
    'ws://[::1]:18789',
    'ws://[fe80::1]',
    'ws://[fd00::12]:1',
  ])('%s is accepted', (url) => {
    expect(gatewayUrlError(url)).toBeNull();
  });

  test.each([
    'ws://gateway.example.com',
    'ws://172.32.0.1',
    'ws://8.8.8.8',
    'ws://100.128.0.1',
    'ws://homelab',
    'ws://127.0.0.1.example.com',
    'ws://0127.0.0.1',
    'ws://[2001:db8::1]',
    'ws://local',
    'ws://evil-ts.net',
  ])('%s would send the token unencrypted', (url) => {
    expect(gatewayUrlError(url)).toBe('url-insecure');
  });

  test.each([
    'gateway.example.com',
    'http://gateway',
    'javascript:alert(1)',
    'wss://user:secret@gateway.example.com',
    'wss://',
    'wss:///path',
    'wss://host:0',
    'wss://host:70000',
    'wss://ho st',
    'wss://[::1',
    'wss://host\\@evil',
    'wss://gateway.example.com/?token=abc',
    'wss://gateway.example.com?x=1&gatewayToken=abc',
    'wss://gateway.example.com/#token=abc',
  ])('%s is no address of a gateway', (url) => {
    expect(gatewayUrlError(url)).toBe('url-invalid');
  });
});
