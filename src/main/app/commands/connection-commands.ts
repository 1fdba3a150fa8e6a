import { connectionFailureOf, type PromptAnswer } from '../../../shared/connection-state.ts';
import type { GatewayProfile } from '../../../shared/gateway-profile.ts';
import type { RemoveHostKeysError } from '../../../shared/ipc-contract.ts';
import { err, ok, type Result } from '../../../shared/result.ts';
import type { LiveGateway } from '../gateway-registry.ts';
import {
  done,
  forgetting,
  saveProfile,
  withGateway,
  type CommandPorts,
  type GroupHandlers,
} from './command-ports.ts';

/** What the commands of `connection` do. */
export function createConnectionCommands(ports: CommandPorts): GroupHandlers<'connection'> {
  function setWanted(gateway: LiveGateway, wanted: GatewayProfile['wanted']): void {
    const { profile } = gateway.connection;
    if (profile.wanted === wanted) return;
    const changed = { ...profile, wanted };
    saveProfile(ports, changed);
    gateway.connection.setProfile(changed, false);
  }

  return {
    'connection.connect': (input) =>
      withGateway(ports, input, (gateway) => {
        setWanted(gateway, 'connected');
        gateway.connection.connect();
        return done;
      }),
    'connection.disconnect': (input) =>
      withGateway(ports, input, (gateway) => {
        gateway.connection.disconnect();
        setWanted(gateway, 'off');
        return done;
      }),
    'connection.pause': (input) =>
      withGateway(ports, input, (gateway) => {
        gateway.connection.pause();
        setWanted(gateway, 'off');
        return done;
      }),
    'connection.resume': (input) =>
      withGateway(ports, input, (gateway) => {
        setWanted(gateway, 'connected');
        gateway.connection.resume();
        return done;
      }),
    'connection.reconnectNow': (input) =>
      withGateway(ports, input, (gateway) => {
        setWanted(gateway, 'connected');
        gateway.connection.reconnectNow();
        return done;
      }),
    'connection.answerPrompt': (input) =>
      withGateway(ports, input, ({ connection }) => {
        for (const typed of secretsOf(input.answer)) ports.noteSecret(typed);
        connection.answerPrompt(input.promptId, input.answer);
        return done;
      }),
    'connection.attend': (input) =>
      withGateway(ports, input, ({ connection }) => {
        connection.attend();
        return done;
      }),
    'connection.removeHostKeys': (input) =>
      withGateway<Result<null, RemoveHostKeysError>>(ports, input, async ({ connection }) => {
        const reason = connectionFailureOf(connection.snapshot().connection);
        if (reason?.code !== 'host-key-changed') return ok(err({ type: 'nothing-to-remove' }));
        if (input.typedHost.trim() !== reason.facts.host) return ok(err({ type: 'name-differs' }));
        const removed = await ports.removeHostKeys(reason.facts.known);
        if (!removed.ok) return ok(err({ type: 'failure', failure: removed.error }));
        connection.reconnectNow();
        return ok(done);
      }),
    'connection.usePort': (input) =>
      withGateway(ports, input, ({ connection }) => {
        const { profile } = connection;
        const changed = {
          ...profile,
          wanted: 'connected' as const,
          ssh: { ...profile.ssh, localPort: input.port },
        };
        saveProfile(ports, changed);
        connection.setProfile(changed, false);
        connection.connect();
        return done;
      }),
    'connection.forgetDeviceToken': (input) =>
      withGateway(ports, input, async ({ connection }) => {
        const forgotten = await forgetting(ports, () => connection.forgetDeviceToken());
        if (forgotten.ok) connection.reconnectNow();
        return forgotten;
      }),
    'connection.refreshHealth': (input) =>
      withGateway(ports, input, ({ connection }) => {
        connection.refreshHealth();
        return done;
      }),
  };
}

/** What must not show in any log. */
function secretsOf(answer: PromptAnswer): readonly string[] {
  switch (answer.type) {
    case 'passphrase':
      return [answer.passphrase];
    case 'password':
      return [answer.password];
    case 'responses':
      return answer.responses;
    case 'trust-host-key':
    case 'confirm':
    case 'cancel':
      return [];
  }
}
