import type { CommandError } from '../shared/ipc-contract.ts';
import { err, type Result } from '../shared/result.ts';

/** A command's outcome as data, also where the message channel itself broke: nothing here ever throws. */
export async function settle<T>(command: Promise<Result<T, CommandError>>): Promise<Result<T, CommandError>> {
  try {
    return await command;
  } catch (error) {
    return err({ type: 'bug', detail: error instanceof Error ? error.message : String(error) });
  }
}
