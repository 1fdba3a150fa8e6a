import { describe, expect, it } from 'vitest';
import {
  connectionTarget,
  isLoopbackHost,
  isSameTarget,
} from '../../../../src/main/core/connection/connection-target.ts';
import { emptyProfile, type GatewayProfile } from '../../../../src/shared/gateway-profile.ts';
import { sshProfile } from './rig.ts';

function directProfile(url: string): GatewayProfile {
  return { ...emptyProfile('g1'), mode: 'direct', direct: { url } };
}

describe('the target of a profile', () => {
  it.each([
    ['ops@homelab.example', 'homelab.example', 22, true],
    ['homelab:2222', 'homelab', 2222, true],
    ['ssh://ops@homelab.example:2200', 'homelab.example', 2200, true],
    ['ops@[2001:db8::1]:2222', '2001:db8::1', 2222, true],
    ['::1', '::1', 22, false],
    ['ops@localhost', 'localhost', 22, false],
    ['127.0.0.1:2022', '127.0.0.1', 2022, false],
  ])('%s', (target, host, port, needsNetwork) => {
    expect(connectionTarget(sshProfile(target))).toMatchObject({
      mode: 'ssh',
      configured: true,
      host,
      port,
      needsNetwork,
    });
  });

  it.each([
    ['wss://gateway.example/path', 'gateway.example', 443, true],
    ['ws://127.0.0.1:18789', '127.0.0.1', 18789, false],
    ['ws://[::1]:18789', '::1', 18789, false],
    ['nonsense', 'nonsense', 0, true],
  ])('%s', (url, host, port, needsNetwork) => {
    expect(connectionTarget(directProfile(url))).toMatchObject({ mode: 'direct', host, port, needsNetwork });
  });

  it('is not configured while it names nothing', () => {
    expect(connectionTarget(sshProfile('')).configured).toBe(false);
    expect(connectionTarget(directProfile('')).configured).toBe(false);
    expect(connectionTarget({ ...emptyProfile('g1'), mode: 'local' })).toMatchObject({
      configured: true,
      url: 'ws://127.0.0.1:18789',
      needsNetwork: false,
    });
  });

  it('knows loopback names from names that only look like them', () => {
    for (const host of ['localhost', 'LOCALHOST.', 'a.localhost', '127.0.0.1', '127.9.9.9', '::1']) {
      expect(isLoopbackHost(host)).toBe(true);
    }
    for (const host of ['localhost.example', '127.0.0.1.example', '128.0.0.1', '10.0.0.1', '']) {
      expect(isLoopbackHost(host)).toBe(false);
    }
  });

  it('is the same under a new name, and another with another port, user or mode', () => {
    const profile = sshProfile();
    expect(isSameTarget(profile, { ...profile, name: 'Kitchen', wanted: 'off' })).toBe(true);
    expect(isSameTarget(profile, { ...profile, mode: 'local' })).toBe(false);
    expect(isSameTarget(profile, sshProfile('root@homelab.example'))).toBe(false);
    for (const change of [{ gatewayPort: 1 }, { localPort: 1 }, { identityFile: '~/k' }]) {
      expect(isSameTarget(profile, { ...profile, ssh: { ...profile.ssh, ...change } })).toBe(false);
    }
    expect(isSameTarget(directProfile('wss://a'), directProfile('wss://b'))).toBe(false);
    expect(isSameTarget(directProfile('wss://a'), directProfile('wss://a'))).toBe(true);
  });
});
