import type { NetworkInterfaceInfo } from 'node:os';
import { describe, expect, it } from 'vitest';
import { ownAddresses } from '../../../src/main/node/own-addresses.ts';

function of(address: string, internal = false): NetworkInterfaceInfo {
  const rest = { netmask: '', mac: '', internal, cidr: null } as const;
  return address.includes(':')
    ? { address, family: 'IPv6', scopeid: 0, ...rest }
    : { address, family: 'IPv4', ...rest };
}

describe('the addresses of this computer', () => {
  const wifi = { wlan0: [of('192.168.1.7'), of('2001:db8::7')], lo: [of('127.0.0.1', true)] };

  it('are other ones on another network, with a VPN, and without any', () => {
    const seen = [
      wifi,
      { ...wifi, wlan0: [of('10.0.0.7')] },
      { ...wifi, tun0: [of('10.8.0.2')] },
      { lo: wifi.lo },
    ].map((interfaces) => ownAddresses(interfaces));
    expect(new Set(seen).size).toBe(4);
    expect(seen[3]).toBe('');
  });

  it('are the same in another order, and when a container comes or a link-local address is given', () => {
    const wanted = ownAddresses(wifi);
    expect(ownAddresses({ lo: wifi.lo, wlan0: wifi.wlan0.toReversed() })).toBe(wanted);
    const veth = [of('fe80::42:acff:fe11:2'), of('169.254.3.4')];
    expect(ownAddresses({ ...wifi, veth1: veth })).toBe(wanted);
  });
});
