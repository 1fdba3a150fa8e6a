import type { Gateway } from './gateway.ts';
import { createLab } from './lab.ts';
import type { ScriptedModel } from './scripted-model.ts';

export interface SharedGateway {
  readonly gateway: Gateway;
  readonly model: ScriptedModel;
  /** The key of a session of the test's own, so that tests do not see each other's messages. */
  sessionKey(name: string): string;
}

let shared: Promise<SharedGateway> | null = null;
let sessions = 0;

/** One Gateway and model for all tests of this process that need no restart; they end with the process. */
export function sharedGateway(): Promise<SharedGateway> {
  shared ??= start();
  return shared;
}

async function start(): Promise<SharedGateway> {
  const lab = await createLab({ label: 'shared' });
  const model = await lab.startModel();
  const gateway = await lab.startGateway({ modelUrl: model.url });
  return {
    gateway,
    model,
    sessionKey(name) {
      sessions += 1;
      return `agent:main:${name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}-${sessions}`;
    },
  };
}
