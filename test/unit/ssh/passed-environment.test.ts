import { describe, expect, it } from 'vitest';
import { passedEnvironment } from '../../../src/main/node/ssh/config/passed-environment.ts';

describe('the environment of ssh and ProxyCommand', () => {
  it('is the terminal’s, without what steers this app’s own runtime or asks elsewhere', () => {
    const passed = passedEnvironment({
      PATH: '/bin',
      AWS_PROFILE: 'work',
      DISPLAY: ':0',
      NODE_EXTRA_CA_CERTS: '/ca.pem',
      ELECTRON_RUN_AS_NODE: '1',
      CHROME_DESKTOP: 'gangway.desktop',
      NODE_OPTIONS: '--inspect',
      NODE_CHANNEL_FD: '3',
      SSH_ASKPASS: '/usr/bin/ksshaskpass',
      SSH_ASKPASS_REQUIRE: 'never',
      GONE: undefined,
    });
    expect(passed).toEqual({
      PATH: '/bin',
      AWS_PROFILE: 'work',
      DISPLAY: ':0',
      NODE_EXTRA_CA_CERTS: '/ca.pem',
    });
  });

  it('leaves out what is too large to be passed on', () => {
    expect(passedEnvironment({ HUGE: 'x'.repeat(40_000), ['N'.repeat(200)]: '1', A: 'b' })).toEqual({
      A: 'b',
    });
  });
});
