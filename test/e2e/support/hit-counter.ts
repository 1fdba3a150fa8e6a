import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A web server on loopback that nobody of the app may ever reach. */
export interface HitCounter {
  readonly url: string;
  readonly port: number;
  /** Paths that were asked for. */
  hits(): readonly string[];
  close(): Promise<void>;
}

export async function startHitCounter(): Promise<HitCounter> {
  const paths: string[] = [];
  const server: Server = createServer((request, response) => {
    paths.push(request.url ?? '');
    response.writeHead(200, { 'content-type': 'text/html', 'access-control-allow-origin': '*' });
    response.end('<title>outside</title>');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    hits: () => [...paths],
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
