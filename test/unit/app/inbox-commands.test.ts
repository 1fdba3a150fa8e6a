import { describe, expect, it } from 'vitest';
import type { CommandPorts } from '../../../src/main/app/commands/command-ports.ts';
import { createInboxCommands } from '../../../src/main/app/commands/inbox-commands.ts';
import type { InboxPort } from '../../../src/main/app/inbox-port.ts';
import { err, ok } from '../../../src/shared/result.ts';

/** The commands over an inbox, and everything that was done in its order. */
function commandsOver(inbox: Partial<InboxPort>) {
  const done: string[] = [];
  const ports = {
    registry: { get: (id: string) => (id === 'homelab' ? { inbox } : null) },
    noteSecret: (value: string) => done.push(`secret ${value}`),
  } as unknown as CommandPorts;
  return { done, commands: createInboxCommands(ports) };
}
const window = { windowId: 1 };

describe('the commands of the inbox', () => {
  it('keep a secret answer out of logs before anything is sent', async () => {
    const { done, commands } = commandsOver({
      secretsAmong: (_id, answers) => answers['key'] ?? [],
      answer: () => {
        done.push('sent');
        return Promise.resolve(ok({ type: 'applied' }));
      },
    });
    const answers = { colour: ['Red'], key: ['hunter2'] };
    const result = await commands['inbox.answer']({ gatewayId: 'homelab', id: 'q1', answers }, window);
    expect(result).toEqual(ok({ type: 'applied' }));
    expect(done).toEqual(['secret hunter2', 'sent']);
  });

  it('say why the gateway did not do it', async () => {
    const { commands } = commandsOver({
      decide: () => Promise.resolve(err({ type: 'timeout', sent: true, limitMs: 5_000 })),
    });
    const input = { gatewayId: 'homelab', type: 'exec-approval', id: 'e1', decision: 'deny' } as const;
    expect(await commands['inbox.decide'](input, window)).toEqual(
      err({ type: 'failure', failure: { code: 'gateway-silent', facts: { limitMs: 5_000 } } }),
    );
    expect(await commands['inbox.decide']({ ...input, gatewayId: 'other' }, window)).toEqual(
      err({ type: 'refused', reason: 'unknown-gateway' }),
    );
  });
});
