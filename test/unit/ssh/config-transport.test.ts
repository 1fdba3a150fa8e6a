import { describe, expect, it } from 'vitest';
import type { SshTransportChoice } from '../../../src/shared/gateway-profile.ts';
import type { TransportReason } from '../../../src/shared/ssh-resolution.ts';
import {
  chooseTransport,
  transportReasons,
  type OpensshPresence,
  type TransportFacts,
} from '../../../src/main/core/ssh/choose-transport.ts';
import { SSH_DIRECTIVES, sshDirective } from '../../../src/main/core/ssh/directives.ts';
import { notHonoured } from '../../../src/main/node/ssh/config/not-honoured.ts';

const NOTHING: TransportFacts = {
  securityKeys: [],
  certificates: [],
  agentSecurityKeys: [],
  agentCertificates: [],
  hostAuthorities: [],
  gssapi: [],
  hostBased: [],
  controlMaster: [],
  pkcs11: [],
  algorithms: [],
  directives: [],
};

describe('why the built-in SSH does not do', () => {
  it('is nothing for a plain host', () => {
    expect(transportReasons(NOTHING)).toEqual([]);
  });

  it.each<[keyof TransportFacts, TransportReason['code']]>([
    ['securityKeys', 'security-key'],
    ['certificates', 'certificate'],
    ['agentSecurityKeys', 'agent-security-key'],
    ['agentCertificates', 'agent-certificate'],
    ['hostAuthorities', 'host-certificate'],
    ['gssapi', 'gssapi'],
    ['hostBased', 'host-based'],
    ['controlMaster', 'control-master'],
    ['pkcs11', 'pkcs11'],
    ['algorithms', 'algorithms'],
    ['directives', 'directive'],
  ])('%s: %s, said once', (fact, code) => {
    expect(transportReasons({ ...NOTHING, [fact]: ['it', 'it'] })).toEqual([{ code, detail: 'it' }]);
  });
});

describe('the transport', () => {
  const key: TransportReason = { code: 'security-key', detail: '~/.ssh/id_ed25519_sk' };
  const shared: TransportReason = { code: 'control-master', detail: 'ControlPath x' };
  const held: TransportReason = { code: 'agent-certificate', detail: 'me@work' };
  const elsewhere: TransportReason = { code: 'directive', detail: 'BindInterface lo' };
  const chosen: TransportReason = { code: 'chosen', detail: '' };

  it.each<[SshTransportChoice, readonly TransportReason[], OpensshPresence, string]>([
    ['automatic', [], 'there', 'ssh2'],
    ['automatic', [], 'missing', 'ssh2'],
    ['automatic', [key], 'there', 'openssh'],
    ['automatic', [key], 'missing', 'missing'],
    ['automatic', [shared], 'there', 'openssh'],
    ['automatic', [shared], 'missing', 'ssh2'],
    ['automatic', [shared, key], 'missing', 'missing'],
    ['ssh2', [], 'there', 'ssh2'],
    ['ssh2', [key], 'there', 'ssh2'],
    ['ssh2', [key], 'missing', 'ssh2'],
    ['openssh', [], 'there', 'openssh'],
    ['openssh', [key], 'there', 'openssh'],
    ['openssh', [], 'missing', 'missing'],
    ['automatic', [held], 'there', 'openssh'],
    ['automatic', [held], 'missing', 'ssh2'],
    ['automatic', [], 'unavailable', 'ssh2'],
    ['automatic', [key, shared, held], 'unavailable', 'ssh2'],
    ['automatic', [key, elsewhere], 'unavailable', 'missing'],
    ['ssh2', [elsewhere], 'unavailable', 'ssh2'],
    ['openssh', [], 'unavailable', 'missing'],
  ])('%s with %j and OpenSSH %s is %s', (choice, reasons, openssh, outcome) => {
    const result = chooseTransport(choice, reasons, openssh);
    expect(result.ok ? result.value.transport : 'missing').toBe(outcome);
  });

  it('says that it was chosen, and what else speaks for it', () => {
    expect(chooseTransport('openssh', [key], 'there')).toEqual({
      ok: true,
      value: { transport: 'openssh', reasons: [chosen, key] },
    });
    expect(chooseTransport('automatic', [key], 'unavailable')).toEqual({
      ok: true,
      value: { transport: 'ssh2', reasons: [key] },
    });
    expect(chooseTransport('automatic', [key, elsewhere], 'unavailable')).toEqual({
      ok: false,
      error: [elsewhere],
    });
    expect(chooseTransport('openssh', [], 'missing')).toEqual({ ok: false, error: [chosen] });
  });
});

describe('the table of directives', () => {
  it('names each once, as ssh_config(5) spells it', () => {
    expect(new Set(SSH_DIRECTIVES.map(({ name }) => name.toLowerCase())).size).toBe(SSH_DIRECTIVES.length);
    expect(sshDirective('proxyjump')?.name).toBe('ProxyJump');
    expect(sshDirective('nosuch')).toBeUndefined();
  });

  it('says why for everything that is not honoured', () => {
    for (const { support, note, name } of SSH_DIRECTIVES)
      if (support !== 'honoured') expect(note, name).not.toBe('');
  });
});

describe('what has no effect', () => {
  const options = new Map([
    ['hostname', ['b']],
    ['forwardagent', ['yes']],
    ['forwardx11', ['no']],
    ['compression', ['yes']],
    ['localforward', ['8080 [localhost]:80']],
    ['sendenv', ['LANG', 'MINE']],
    ['rekeylimit', ['1024 0']],
    ['ciphers', ['aes256-ctr,chacha20-poly1305@openssh.com,aes1024-new']],
    ['newinversion99', ['on']],
  ]);
  const baseline = new Map([
    ['sendenv', ['LANG']],
    ['rekeylimit', ['0 0']],
    ['ciphers', ['chacha20-poly1305@openssh.com,aes256-ctr']],
  ]);

  it('is named with its value for ssh2, without what everybody has', () => {
    expect(notHonoured(options, baseline, 'ssh2')).toEqual([
      { directive: 'ForwardAgent', value: 'yes' },
      { directive: 'Compression', value: 'yes' },
      { directive: 'LocalForward', value: '8080 [localhost]:80' },
      { directive: 'SendEnv', value: 'MINE' },
      { directive: 'RekeyLimit', value: '1024 0' },
      { directive: 'Ciphers', value: 'aes1024-new' },
      { directive: 'newinversion99', value: 'on' },
    ]);
  });

  it('is less with OpenSSH', () => {
    expect(notHonoured(options, baseline, 'openssh').map(({ directive }) => directive)).toEqual([
      'ForwardAgent',
      'LocalForward',
      'SendEnv',
    ]);
  });

  it('is nothing where nothing differs', () => {
    expect(notHonoured(options, options, 'ssh2')).toEqual([]);
  });
});
