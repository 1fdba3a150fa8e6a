import { listAgentKeys, type AgentKey } from '../ssh-agent.ts';
import { systemClock } from '../../system-clock.ts';

/** Shorter than a login waits: somebody looks at "Resolved as". */
const LIMIT_MS = 1_000;

/** The keys of agents that only OpenSSH can use. An agent that is gone, refuses or stays silent has none. */
export class SpecialAgentKeys {
  readonly #asked = new Map<string, Promise<readonly AgentKey[]>>();

  /** Asks each agent once; the hops of a chain mostly share one. */
  async of(agentSocket: string | null): Promise<readonly AgentKey[]> {
    if (agentSocket === null) return [];
    const asked = this.#asked.get(agentSocket) ?? ask(agentSocket);
    this.#asked.set(agentSocket, asked);
    return asked;
  }
}

async function ask(agentSocket: string): Promise<readonly AgentKey[]> {
  const listed = await listAgentKeys(agentSocket, systemClock, LIMIT_MS);
  return listed.ok ? listed.value.unusable : [];
}
