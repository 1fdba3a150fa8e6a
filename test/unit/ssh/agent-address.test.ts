import { describe, expect, it } from 'vitest';
import { agentAddress, pageantPipe } from '../../../src/main/node/ssh/agent-address.ts';

describe('the address of an agent', () => {
  it("is Pageant's pipe of this user", () => {
    const names = ['lsass', 'pageant.bob.0a1b', 'pageant.Alice.ffee', 'openssh-ssh-agent'];
    expect(pageantPipe(names, 'alice')).toBe('\\\\.\\pipe\\pageant.Alice.ffee');
    expect(pageantPipe(names, 'al')).toBeNull();
  });

  it('is what is configured everywhere else', () => {
    expect(agentAddress('/run/agent.sock')).toBe('/run/agent.sock');
    expect(agentAddress('\\\\.\\pipe\\openssh-ssh-agent')).toBe('\\\\.\\pipe\\openssh-ssh-agent');
  });
});
