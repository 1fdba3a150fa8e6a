import type { Client, ClientChannel } from 'ssh2';
import { failure, type ConnectionFailure } from '../../../shared/connection-failure.ts';
import { err, ok, type Result } from '../../../shared/result.ts';
import type { Clock } from '../../core/ports.ts';
import { withForwardLimit } from './forward-limit.ts';
import type { ForwardError } from './ssh-errors.ts';

export interface ForwardRequest {
  /** The SSH server, for the words of a failure. */
  readonly at: string;
  /** Where the channel leads, seen from that server. */
  readonly to: { readonly host: string; readonly port: number };
  readonly originPort: number;
  /** While the link is otherwise idle. */
  readonly limitMs: number;
  readonly clock: Clock;
  /** Of the SSH connection. */
  bytesReceived(): number;
  /** Names the server's refusal. */
  explain(error: ForwardError): ConnectionFailure;
}

/** Opens a direct-tcpip channel (RFC 4254, section 7.2). The caller owns it. */
export function openForward(
  client: Client,
  request: ForwardRequest,
): Promise<Result<ClientChannel, ConnectionFailure>> {
  const { at, to, originPort, limitMs, clock } = request;
  return withForwardLimit<ClientChannel>({
    limitMs,
    clock,
    bytesReceived: () => request.bytesReceived(),
    open: (settle) => {
      let waiting = true;
      try {
        client.forwardOut('127.0.0.1', originPort, to.host, to.port, (error, channel) => {
          if (!waiting) {
            // Too late for whoever asked: nobody else would ever close it.
            if (error === undefined) discard(channel);
          } else if (error === undefined) settle(ok(channel));
          else settle(err(request.explain(error)));
        });
      } catch (error) {
        settle(err(failure('link-lost', { host: at, detail: (error as Error).message })));
      }
      return () => {
        waiting = false;
      };
    },
    onTimeout: (waitedMs) =>
      failure('forward-timeout', { host: at, gatewayPort: to.port, limitMs: waitedMs }),
  });
}

function discard(channel: ClientChannel): void {
  channel.on('error', () => undefined);
  channel.destroy();
  channel.resume();
}
