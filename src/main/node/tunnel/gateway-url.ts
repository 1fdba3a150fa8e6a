import { BlockList, isIP, isIPv6 } from 'node:net';
import { failure, type ConnectionFailure } from '../../../shared/connection-failure.ts';
import { err, ok, type Result } from '../../../shared/result.ts';

/** Networks in which the official gateway client sends a token without TLS: loopback, private, link-local, shared (CGNAT). */
const PRIVATE_NETWORKS = new BlockList();
for (const [network, prefix] of [
  ['127.0.0.0', 8],
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['169.254.0.0', 16],
  ['100.64.0.0', 10],
] as const) {
  PRIVATE_NETWORKS.addSubnet(network, prefix, 'ipv4');
}
for (const [network, prefix] of [
  ['::1', 128],
  ['fe80::', 10],
  ['fec0::', 10],
  ['fc00::', 7],
] as const) {
  PRIVATE_NETWORKS.addSubnet(network, prefix, 'ipv6');
}

const MAX_URL_CHARS = 2048;

/**
 * Checks a gateway URL as a person typed it: ws or wss (http and https are taken for them), no credentials inside, and no
 * plain ws to a host that is not loopback, private, `.local` or `.ts.net`, which the official client would refuse as well.
 */
export function checkGatewayUrl(text: string): Result<URL, ConnectionFailure> {
  const shown = text.slice(0, 200);
  if (text.length > MAX_URL_CHARS || !URL.canParse(text))
    return err(failure('gateway-url-invalid', { url: shown }));
  const url = new URL(text);
  if (url.protocol === 'http:') url.protocol = 'ws:';
  if (url.protocol === 'https:') url.protocol = 'wss:';
  const isWebSocket = url.protocol === 'ws:' || url.protocol === 'wss:';
  if (!isWebSocket || url.hostname === '')
    return err(failure('gateway-url-invalid', { url: withoutSecrets(url) }));
  if (url.username !== '' || url.password !== '' || url.hash !== '') {
    return err(failure('gateway-url-invalid', { url: withoutSecrets(url) }));
  }
  if (url.protocol === 'ws:' && !isPrivateHost(url.hostname)) {
    return err(failure('gateway-url-insecure', { url: withoutSecrets(url) }));
  }
  return ok(url);
}

function isPrivateHost(hostname: string): boolean {
  const host = hostname
    .replace(/^\[(.*)\]$/, '$1')
    .toLowerCase()
    .replace(/\.+$/, '');
  if (isIP(host) !== 0) return PRIVATE_NETWORKS.check(host, isIPv6(host) ? 'ipv6' : 'ipv4');
  return host === 'localhost' || host.endsWith('.local') || host.endsWith('.ts.net');
}

/** Whatever a person pasted into a URL, words about it show the place only. */
function withoutSecrets(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}`.slice(0, 200);
}
