import { useEffect, useState } from 'react';

/** True once `holds` has held for `afterMs`; at once where it holds from the start. */
export function useLasting(holds: boolean, afterMs: number): boolean {
  const [lasts, setLasts] = useState(holds);
  useEffect(() => {
    if (!holds) return undefined;
    const timer = setTimeout(() => setLasts(true), afterMs);
    return () => {
      clearTimeout(timer);
      setLasts(false);
    };
  }, [holds, afterMs]);
  return holds && lasts;
}
