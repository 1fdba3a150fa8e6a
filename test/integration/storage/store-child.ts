import { join } from 'node:path';
import { type Child, startChild } from '../../support/lab/child.ts';

export interface Dump {
  readonly messages: readonly { readonly id: string; readonly text: string }[];
  readonly draft: string;
  readonly notices: readonly { readonly type: string; readonly detail?: string }[];
}

/** Starts `store-child-main.ts`; whoever does ends it. */
export function startStoreChild(
  mode: 'write' | 'hold' | 'dump',
  path: string,
  ...more: string[]
): Promise<Child> {
  return startChild({
    name: `store ${mode}`,
    command: process.execPath,
    args: [join(import.meta.dirname, 'store-child-main.ts'), mode, path, ...more],
    keepStdin: mode === 'hold',
  });
}

/** Lines that were printed whole. */
export function linesOf(child: Child): readonly Readonly<Record<string, unknown>>[] {
  return child
    .stdout()
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
}
