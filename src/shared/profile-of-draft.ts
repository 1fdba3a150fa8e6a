import type { GatewayProfile } from './gateway-profile.ts';
import type { GatewayDraft } from './ipc-contract.ts';

/**
 * The profile that a validated form describes. The form holds the fields of every mode, so nothing that was typed for
 * another mode is forgotten; what the form does not show (the intent, keys of newer builds) stays as it was.
 */
export function profileOfDraft(saved: GatewayProfile, draft: GatewayDraft): GatewayProfile {
  return {
    ...saved,
    name: draft.name.trim(),
    mode: draft.mode,
    ssh: {
      ...saved.ssh,
      target: draft.sshTarget.trim(),
      gatewayPort: draft.gatewayPort,
      localPort: draft.localPort,
      identityFile: draft.identityFile.trim(),
      transport: draft.sshTransport,
      // A key that one server took is nothing to begin with at another.
      lastCredential: saved.ssh.target === draft.sshTarget.trim() ? saved.ssh.lastCredential : '',
    },
    direct: { ...saved.direct, url: draft.directUrl.trim() },
    local: { ...saved.local, port: draft.localGatewayPort },
  };
}
