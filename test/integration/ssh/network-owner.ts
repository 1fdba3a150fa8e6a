/** Makes network namespaces and waits until somebody kills it. */
import { startNetworkChain } from '../../support/lab/network.ts';

await startNetworkChain(2);
console.log('ready');
setInterval(() => undefined, 60_000);
