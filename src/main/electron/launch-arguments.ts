import type { WindowKind } from '../../shared/ipc-contract.ts';

const WINDOWS: readonly WindowKind[] = ['settings', 'chat', 'inbox', 'health'];

/** The window that `--open=…` names; null without one, or with one that there is not. Arguments may come from anybody. */
export function openArgument(argv: readonly string[]): WindowKind | null {
  const values = argv.flatMap((argument) =>
    argument.startsWith('--open=') ? [argument.slice('--open='.length)] : [],
  );
  return WINDOWS.find((window) => window === values.at(-1)) ?? null;
}

/**
 * A switch that would let another program read or steer the app, where it is to be refused: in packaged builds, and
 * where a test asks for their rules.
 */
export function debuggingArgument(argv: readonly string[]): string | null {
  const pattern =
    /^--(?:inspect(?:-[a-z-]+)?|remote-debugging-(?:port|pipe|address)|js-flags|load-extension)(?:=|$)/;
  const found = argv.find((argument) => pattern.test(argument));
  return found === undefined ? null : found.replace(/=.*$/, '');
}
