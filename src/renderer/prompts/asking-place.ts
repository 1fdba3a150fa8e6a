import type { JumpName } from '../../shared/connection-state.ts';
import { gatewayLabel } from '../../shared/gateway-label.ts';
import { useShown, useTranslate } from '../gangway-context.ts';

/**
 * The server that asks, as the dialogs' sentences name it: an address alone says little to somebody who knows the gateway by
 * another name. A jump host is told apart in a line of its own.
 */
export function useAskingPlace({
  host,
  jump,
}: {
  readonly host: string;
  readonly jump: JumpName;
}): (of?: string) => string {
  const t = useTranslate();
  const gateway = gatewayLabel(useShown().gateway.profile, t);
  return (of = host) =>
    jump !== null || gateway === host ? of : t('prompts.placeFor', { place: of, gateway });
}
