import { describe, expect, it } from 'vitest';
import { secretNames } from '../../../src/main/core/secret-names.ts';
import { DeviceTokens } from '../../../src/main/node/gateway/device-tokens.ts';
import { MemoryLogger } from '../../support/fakes/fake-system.ts';
import { MemorySecrets } from '../../support/fakes/memory-secrets.ts';

const NAME = secretNames.deviceToken('g1', 'operator');

async function stored() {
  const secrets = new MemorySecrets();
  const logger = new MemoryLogger();
  const tokens = new DeviceTokens('g1', secrets, logger);
  tokens.store('device', 'operator', 'issued', ['operator.read']);
  await tokens.flush();
  return { secrets, logger, tokens };
}

describe('a device token', () => {
  it('that the person forgets is gone from the keychain', async () => {
    const { secrets, tokens } = await stored();
    expect(secrets.values.has(NAME)).toBe(true);
    await tokens.forget('operator');
    expect(secrets.values.has(NAME)).toBe(false);
    expect(tokens.get('device', 'operator')).toBeNull();
  });

  it('that the keychain does not let go of is said to be still there', async () => {
    const { secrets, tokens, logger } = await stored();
    secrets.failWrites = true;
    await expect(tokens.forget('operator')).rejects.toThrow('locked');
    await tokens.flush();
    expect(logger.of('device-token.unwritable')).toHaveLength(1);
  });

  it('that the client clears is logged, not thrown, when the keychain refuses, and later changes still go through', async () => {
    const { secrets, tokens } = await stored();
    secrets.failWrites = true;
    tokens.clear('operator');
    await tokens.flush();
    secrets.failWrites = false;
    tokens.store('device', 'operator', 'newer', []);
    await tokens.flush();
    expect(secrets.values.get(NAME)).toContain('newer');
  });
});
