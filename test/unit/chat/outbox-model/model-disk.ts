import { stateAfterRestart } from '../../../../src/main/core/chat/stored-messages.ts';
import type { OutgoingMessage } from '../../../../src/main/core/chat/outgoing-messages.ts';
import { MemoryMessages } from '../../../support/fakes/memory-messages.ts';

/** What a power cut leaves: messages with their states as text, in order. */
export type Disk = Map<string, { readonly message: OutgoingMessage; readonly state: string }>;

/** Kept in memory and, where it takes it, on a disk that outlives the app; the app can die at any write. */
export class DiskMessages extends MemoryMessages {
  readonly #disk: Disk;
  /** The app dies at this write from now on (0: the next), before or after the disk has it. */
  dieAt: { writes: number; readonly after: boolean } | null = null;
  readonly #onDeath: () => void;
  isDead = false;

  constructor(disk: Disk, runId: string, onDeath: () => void) {
    super(runId);
    this.#disk = disk;
    this.#onDeath = onDeath;
    for (const { message, state } of disk.values()) {
      const restarted = stateAfterRestart(state);
      if (restarted.type !== 'settled') void super.add({ ...message, state: restarted });
    }
  }

  override async add(message: OutgoingMessage): ReturnType<MemoryMessages['add']> {
    const added = await super.add(message);
    await this.#write(added.ok);
    return added;
  }
  override async setState(...change: Parameters<MemoryMessages['setState']>): Promise<boolean> {
    const isKept = await super.setState(...change);
    return await this.#write(isKept);
  }
  override async renew(messageId: string): Promise<boolean> {
    return await this.#write(await super.renew(messageId));
  }
  override async remove(messageId: string): Promise<boolean> {
    return await this.#write(await super.remove(messageId));
  }
  override recover(): void {
    this.#copy();
    super.recover();
  }

  async #write(isKept: boolean): Promise<boolean> {
    if (this.isDead) return await forEver();
    const { dieAt } = this;
    const dies = dieAt !== null && dieAt.writes === 0;
    if (dieAt) dieAt.writes -= 1;
    if (isKept && !(dies && !dieAt.after)) this.#copy();
    if (!dies) return isKept;
    this.#onDeath();
    return await forEver();
  }

  /** As one transaction does. */
  #copy(): void {
    this.#disk.clear();
    for (const key of this.sessionKeys())
      for (const message of this.list(key))
        this.#disk.set(message.messageId, { message, state: JSON.stringify(message.state) });
  }
}

/** A dead process goes on with nothing. */
function forEver(): Promise<never> {
  return new Promise(() => undefined);
}
