import type { ConnectionFailure } from '../../../src/shared/connection-failure.ts';
import { describeFailure } from '../../../src/shared/failure-remedies.ts';
import { failureTarget } from '../../../src/shared/gateway-label.ts';
import { emptyProfile } from '../../../src/shared/gateway-profile.ts';
import { createTranslate } from '../../../src/shared/i18n/index.ts';

/** The English words of the product. */
export const english = createTranslate('en');

/** The title that the product must show for a failure of a gateway at this SSH target, word for word. */
export function titleOf(failure: ConnectionFailure, sshTarget: string): string {
  const empty = emptyProfile('any');
  const profile = { ...empty, ssh: { ...empty.ssh, target: sshTarget } };
  return describeFailure(failure, failureTarget(profile, english), english).title;
}
