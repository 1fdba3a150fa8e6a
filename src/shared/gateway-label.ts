import type { FailureTarget } from './failure-remedies.ts';
import type { GatewayProfile } from './gateway-profile.ts';
import type { Translate } from './i18n/index.ts';
import { parseSshTarget } from './ssh-target.ts';

/** What people call a gateway: its name, else the host that its target names. */
export function gatewayLabel(profile: GatewayProfile, t: Translate): string {
  const name = profile.name.trim();
  if (name !== '') return name;
  return (
    addressOf(profile).host || t(profile.mode === 'local' ? 'status.thisComputer' : 'status.unnamedGateway')
  );
}

/** What the words of failures need to know of a gateway. */
export function failureTarget(profile: GatewayProfile, t: Translate): FailureTarget {
  const { host, user } = addressOf(profile);
  return { label: gatewayLabel(profile, t), user, host: host || '127.0.0.1', mode: profile.mode };
}

function addressOf(profile: GatewayProfile): { readonly host: string; readonly user: string } {
  switch (profile.mode) {
    case 'local':
      return { host: '', user: '' };
    case 'direct': {
      const match = /^wss?:\/\/(?:[^@/]*@)?([^/?#]+)/i.exec(profile.direct.url.trim());
      return { host: match?.[1] ?? '', user: '' };
    }
    case 'ssh': {
      const parsed = parseSshTarget(profile.ssh.target);
      if (!parsed.ok) return { host: profile.ssh.target.trim(), user: '' };
      return { host: parsed.value.host, user: parsed.value.user ?? '' };
    }
  }
}
