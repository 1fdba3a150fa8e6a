import { describe, expect, it } from 'vitest';
import { acceptExternalUrl } from '../../../src/main/app/external-url.ts';

describe('acceptExternalUrl', () => {
  it.each([
    ['https://docs.openclaw.ai/gateway/remote?x=1#y', 'https://docs.openclaw.ai/gateway/remote?x=1#y'],
    ['HTTPS://Example.COM', 'https://example.com/'],
    ['mailto:someone@example.com', 'mailto:someone@example.com'],
  ])('hands on %s', (given, expected) => {
    expect(acceptExternalUrl(given)).toBe(expected);
  });

  it.each([
    'http://example.com',
    'javascript:alert(1)',
    'JaVaScRiPt:alert(1)',
    'file:///etc/passwd',
    'smb://host/share',
    'ms-msdt:/id PCWDiagnostic',
    'vbscript:x',
    'data:text/html,x',
    'app://gangway/index.html',
    'ssh://host',
    'x-custom:anything',
    '//example.com',
    '\\\\host\\share',
    '/etc/passwd',
    '',
    'https://',
    'https://user:secret@example.com',
    'https://user@example.com',
    'https://example.com/\u0000',
    'https://example.com/a b',
    ' https://example.com',
    'https://example.com\n',
    'mailto:',
    'mailto:a@b?attach=/etc/passwd',
    'mailto:a@b%0abcc:c@d',
    `https://example.com/${'x'.repeat(3000)}`,
  ])('refuses %j', (given) => {
    expect(acceptExternalUrl(given)).toBeNull();
  });
});
