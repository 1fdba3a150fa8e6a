import { describe, expect, it } from 'vitest';
import { formatLine } from '../../../src/main/node/file-logger.ts';
import { Redactor } from '../../../src/main/node/redact.ts';

const TOKEN = 'gw-canary/7f3a+91"x';

describe('Redactor', () => {
  it.each([
    ['as it is', `refused ${TOKEN} today`],
    ['in JSON', JSON.stringify({ greeting: TOKEN })],
    ['in a URL', `ws://127.0.0.1/?t=${encodeURIComponent(TOKEN)}`],
    ['in base64', `header ${Buffer.from(TOKEN).toString('base64')}`],
  ])('takes a known secret out %s', (_name, text) => {
    const redactor = new Redactor();
    expect(redactor.redact(text)).toMatch(/canary|Z3ct/);
    redactor.addSecret(TOKEN);
    expect(redactor.redact(text)).not.toMatch(/canary|Z3ctY2FuYXJ5/);
  });

  it.each([
    [
      'a PEM block',
      'key -----BEGIN OPENSSH PRIVATE KEY-----\nc2VjcmV0\n-----END OPENSSH PRIVATE KEY----- end',
      'c2VjcmV0',
    ],
    ['a PEM block that is cut off', '-----BEGIN RSA PRIVATE KEY-----\nc2VjcmV0', 'c2VjcmV0'],
    ['an Authorization header', 'authorization: Bearer abc.def.ghi-secret', 'secret'],
    ['a bearer token', 'sent Bearer abcdefgh.secret', 'secret'],
    ['a token assignment', 'failed with token=secret123, sorry', 'secret123'],
    ['a token in JSON', '{"token":"secret123","a":1}', 'secret123'],
    ['a passphrase', "passphrase: 'secret 123'", 'secret 123'],
    ['a password in a URL', 'wss://user:secret123@host/path', 'secret123'],
  ])('takes %s out by its shape', (_name, text, secret) => {
    expect(new Redactor().redact(text)).not.toContain(secret);
  });

  it('leaves ordinary words alone', () => {
    const text = 'connection connecting->backing-off attempt=3 code=ssh-refused host=homelab:22';
    expect(new Redactor().redact(text)).toBe(text);
  });

  it('does not blank out words for a secret that is too short to be one', () => {
    const redactor = new Redactor();
    redactor.addSecret('ssh');
    expect(redactor.redact('ssh-refused')).toBe('ssh-refused');
  });

  it('bounds its output, and still finds a secret that lies across the bound', () => {
    const redactor = new Redactor();
    redactor.addSecret(TOKEN);
    const text = redactor.redact(`${'x'.repeat(1995)}${TOKEN}${'y'.repeat(100_000)}`);
    expect(text.length).toBeLessThanOrEqual(2001);
    expect(text).not.toContain('gw-ca');
  });
});

describe('formatLine', () => {
  const at = new Date(Date.UTC(2026, 0, 2, 3, 4, 5, 6));

  it('writes one line of time, level, event and fields', () => {
    const line = formatLine(
      at,
      'info',
      'connection.transition',
      { from: 'a', n: 3, ok: true, x: null },
      new Redactor(),
    );
    expect(line).toBe('2026-01-02T03:04:05.006Z info connection.transition from=a n=3 ok=true x=null');
  });

  it('keeps a hostile value on its line', () => {
    const line = formatLine(
      at,
      'warn',
      'e',
      { text: 'a\n2026-01-02 error forged\u001b[31m' },
      new Redactor(),
    );
    expect(line).not.toContain('\n');
    expect(line).not.toContain('\u001b');
  });

  it('leaves out the value of a field whose name says that it is a secret', () => {
    expect(formatLine(at, 'info', 'e', { gatewayToken: 'abc123def' }, new Redactor())).not.toContain(
      'abc123def',
    );
  });
});
