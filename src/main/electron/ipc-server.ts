import { ipcMain, type IpcMainInvokeEvent } from 'electron';
import type { ZodType } from 'zod';
import {
  channelName,
  commandNames,
  type CommandError,
  type CommandHandlers,
  type CommandName,
} from '../../shared/ipc-contract.ts';
import { err, type Result } from '../../shared/result.ts';
import { APP_HOST, APP_SCHEME } from '../../shared/window-address.ts';
import type { CommandContext } from '../app/ports.ts';
import { DisposableStore, type Disposable } from '../core/lifecycle.ts';
import type { Clock, Logger } from '../core/ports.ts';
import { ipcValidators, isWithinSize } from './ipc-validators.ts';
import type { WindowFactory } from './window-factory.ts';

const REFUSALS_COUNTED_MS = 10_000;

type AnyHandler = (input: unknown, context: CommandContext) => Promise<Result<unknown, CommandError>>;

/**
 * Registers every command of the contract; no other place listens to renderers. A message is served when it comes from
 * a window of the factory, from its main frame, from a page of our own origin, with exactly the expected shape. Refusals
 * and bugs are logged by channel name, never with their payload, and every answer is a Result.
 */
export function serveIpc(
  handlers: CommandHandlers<CommandContext>,
  windows: WindowFactory,
  clock: Clock,
  logger: Logger,
): Disposable {
  const store = new DisposableStore();
  const refusals = store.add(new RefusalLog(clock, logger));
  for (const name of commandNames()) {
    const channel = channelName(name);
    const handler = handlers[name] as AnyHandler;
    const schema: ZodType = ipcValidators[name];
    ipcMain.handle(channel, async (event, ...values: unknown[]) => {
      const refusal = refuse(event, values, schema, windows);
      if (refusal !== null) {
        refusals.note(name, refusal);
        return err<CommandError>({ type: 'refused', reason: refusal });
      }
      try {
        return await handler(values[0], { windowId: event.sender.id });
      } catch (error) {
        logBug(logger, name, error);
        return err<CommandError>({ type: 'bug', detail: name });
      }
    });
    store.defer(() => ipcMain.removeHandler(channel));
  }
  return store;
}

/** Says the first refusal of a kind at once and counts those that follow: a page in a loop must not write for the disk. */
class RefusalLog implements Disposable {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #counting = new Map<string, { more: number; readonly timer: Disposable }>();

  constructor(clock: Clock, logger: Logger) {
    this.#clock = clock;
    this.#logger = logger;
  }

  note(command: CommandName, reason: string): void {
    const kind = `${command} ${reason}`;
    const known = this.#counting.get(kind);
    if (known) {
      known.more += 1;
      return;
    }
    this.#logger.log('warn', 'ipc.refused', { command, reason });
    const timer = this.#clock.setTimer(REFUSALS_COUNTED_MS, () => {
      const more = this.#counting.get(kind)?.more ?? 0;
      this.#counting.delete(kind);
      if (more > 0) this.#logger.log('warn', 'ipc.refused', { command, reason, more });
    });
    this.#counting.set(kind, { more: 0, timer });
  }

  dispose(): void {
    for (const { timer } of this.#counting.values()) timer.dispose();
    this.#counting.clear();
  }
}

function refuse(
  event: IpcMainInvokeEvent,
  values: readonly unknown[],
  schema: ZodType,
  windows: WindowFactory,
): 'sender' | 'payload' | null {
  if (windows.addressOf(event.sender) === null) return 'sender';
  const frame = event.senderFrame;
  if (frame === null || frame !== event.sender.mainFrame) return 'sender';
  if (!isOurPage(frame.url)) return 'sender';
  if (values.length !== 1 || !isWithinSize(values[0]) || !schema.safeParse(values[0]).success)
    return 'payload';
  return null;
}

function isOurPage(address: string): boolean {
  try {
    const url = new URL(address);
    return url.protocol === `${APP_SCHEME}:` && url.host === APP_HOST;
  } catch {
    return false;
  }
}

function logBug(logger: Logger, command: CommandName, error: unknown): void {
  // The stack names our own functions; the message may quote what was passed in.
  const stack = error instanceof Error ? (error.stack ?? '').split('\n').slice(1, 6).join(' ') : '';
  const kind = error instanceof Error ? error.name : typeof error;
  logger.log('error', 'ipc.bug', { command, kind, stack });
}
