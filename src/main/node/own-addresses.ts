import { networkInterfaces } from 'node:os';

/**
 * The addresses by which other computers reach this one, in one text: another text means another way into the network. Without
 * loopback, and without link-local ones (RFC 3927; RFC 4291, section 2.5.6): those of containers come and go all day.
 */
export function ownAddresses(interfaces = readInterfaces()): string {
  return Object.entries(interfaces)
    .flatMap(([name, addresses = []]) =>
      addresses
        .filter(({ internal, address }) => !internal && !isLinkLocal(address))
        .map(({ address }) => `${name} ${address}`),
    )
    .sort()
    .join(', ');
}

function isLinkLocal(address: string): boolean {
  return /^(?:169\.254\.|fe[89ab][0-9a-f]:)/i.test(address);
}

/** A sandbox may forbid to ask; then changes are not seen. */
function readInterfaces(): ReturnType<typeof networkInterfaces> {
  try {
    return networkInterfaces();
  } catch {
    return {};
  }
}
