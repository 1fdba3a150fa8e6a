/**
 * A TCP relay, to be run in a network namespace: `HOST PORT TARGET [DELAY_MS]`. The target is a path of a Unix socket, which
 * namespaces do not part, or `HOST:PORT`. Each direction is late by the delay.
 */
import { connect, createServer, type Socket } from 'node:net';

const [host, port, target = '', delayMs = '0'] = process.argv.slice(2);

function dial(): Socket {
  if (target.startsWith('/')) return connect(target);
  const [toHost = '', toPort] = target.split(':');
  return connect({ host: toHost, port: Number(toPort), noDelay: true });
}

function pass(from: Socket, to: Socket): void {
  const late = (act: () => void): void => {
    setTimeout(() => {
      if (!to.destroyed) act();
    }, Number(delayMs));
  };
  from.on('data', (data) => late(() => to.write(data)));
  from.on('end', () => late(() => to.end()));
  from.on('error', () => to.destroy());
  from.on('close', () => late(() => to.destroySoon()));
}

createServer({ noDelay: true, allowHalfOpen: true }, (client) => {
  const server = dial();
  pass(client, server);
  pass(server, client);
}).listen({ host, port: Number(port) }, () => console.log('listening'));
