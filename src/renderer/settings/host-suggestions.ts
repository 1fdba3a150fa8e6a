import { useEffect, useState } from 'react';
import type { HostSuggestion } from '../../shared/ssh-resolution.ts';
import type { ComboOption } from '../design/combo-field.tsx';
import { useCommands } from '../gangway-context.ts';
import { settle } from '../settle.ts';

const MAX_SHOWN = 50;

/** The hosts of the user's SSH configuration; none until it is read, and none where it cannot be. */
export function useHostSuggestions(): readonly HostSuggestion[] {
  const { api } = useCommands();
  const [hosts, setHosts] = useState<readonly HostSuggestion[]>([]);
  useEffect(() => {
    let isOver = false;
    // Without suggestions a target can still be typed: what keeps them away is said where the target is resolved.
    void settle(api.settings.suggestHosts(null)).then((result) => {
      if (!isOver && result.ok) setHosts(result.value);
    });
    return () => {
      isOver = true;
    };
  }, [api]);
  return hosts;
}

/**
 * Hosts that fit what is typed of a target: those that begin so first. A user that was typed (`ada@`) stays. Nothing where
 * the target is complete already.
 */
export function matchingHosts(hosts: readonly HostSuggestion[], target: string): readonly ComboOption[] {
  const typed = target.trimStart();
  const at = typed.lastIndexOf('@');
  const user = typed.slice(0, at + 1);
  const name = typed.slice(at + 1).toLowerCase();
  if (hosts.some(({ alias }) => alias.toLowerCase() === name)) return [];
  const starting = hosts.filter(({ alias }) => alias.toLowerCase().startsWith(name));
  const containing = hosts.filter(
    ({ alias }) => !starting.some((host) => host.alias === alias) && alias.toLowerCase().includes(name),
  );
  return [...starting, ...containing]
    .slice(0, MAX_SHOWN)
    .map(({ alias, detail }) => ({ value: `${user}${alias}`, label: alias, detail }));
}
