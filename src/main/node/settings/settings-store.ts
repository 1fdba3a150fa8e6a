import type { AppNotice } from '../../../shared/app-snapshot.ts';
import { Emitter } from '../../core/emitter.ts';
import { type Disposable, MutableDisposable } from '../../core/lifecycle.ts';
import type { Clock, Logger } from '../../core/ports.ts';
import { migrate } from '../../core/settings/migrate.ts';
import {
  defaultSettings,
  parseSettings,
  SETTINGS_VERSION,
  type Settings,
} from '../../core/settings/schema.ts';

/** The file that settings live in. It knows nothing of their meaning. */
export interface SettingsStorage {
  readonly path: string;
  /** The file's text, or null where there is none. Throws when it is there and cannot be read. */
  readText(): string | null;
  /** Replaces the file at once: afterwards it holds the old or the new settings, never a part. Throws. */
  write(settings: Settings): void;
  /** Moves the file beside itself and returns its new path. Throws. */
  putAside(suffix: string): string;
}

type SettingsNotice = Extract<AppNotice, { readonly path: string }>;

const MAX_FILE_CHARS = 4 * 1024 * 1024;
/** How soon a write is tried again that the disk refused. */
const RETRY_MS = 5000;

/**
 * Owns the settings: reads them once, keeps them in memory, and writes every change. A file that it does not
 * understand is never overwritten: a broken one is put aside first, one of a newer build is only read.
 */
export class SettingsStore implements Disposable {
  readonly #storage: SettingsStorage;
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #retryTimer = new MutableDisposable<Disposable>();
  readonly #changed = new Emitter<Settings>();
  readonly #notices = new Map<SettingsNotice['type'], SettingsNotice>();
  #current: Settings;
  #mayWrite = true;
  /** The file does not hold what memory holds. */
  #isBehind = false;

  /** Reads the file. `newGatewayId` names the first gateway of a fresh start. */
  constructor(storage: SettingsStorage, logger: Logger, newGatewayId: string, clock: Clock) {
    this.#storage = storage;
    this.#logger = logger;
    this.#clock = clock;
    this.#current = this.#load(newGatewayId);
  }

  get current(): Settings {
    return this.#current;
  }

  /** What the person must know about the file; one of a kind. */
  get notices(): readonly AppNotice[] {
    return [...this.#notices.values()];
  }

  onChange(listener: (settings: Settings) => void): Disposable {
    return this.#changed.on(listener);
  }

  /**
   * Applies a change in memory and writes it. A disk that refuses leaves the change in memory, with a notice, until it
   * takes it.
   */
  update(change: (settings: Settings) => Settings): void {
    const next = change(this.#current);
    if (next === this.#current) return;
    this.#current = next;
    this.#write();
    this.#changed.emit(next);
  }

  dismissNotice(type: string): void {
    if (this.#notices.delete(type as SettingsNotice['type'])) this.#changed.emit(this.#current);
  }

  /** What the disk refused before is offered a last time. */
  dispose(): void {
    this.#retryTimer.dispose();
    if (this.#isBehind) this.#writeAgain();
    this.#changed.dispose();
  }

  #load(newGatewayId: string): Settings {
    const fresh = defaultSettings(newGatewayId);
    let text: string | null;
    try {
      text = this.#storage.readText();
    } catch (error) {
      // Unreadable is not broken: the person may be about to repair its mode, so it stays where it is.
      this.#mayWrite = false;
      this.#note({ type: 'settings-unwritable', path: this.#storage.path, detail: describe(error) });
      return fresh;
    }
    if (text === null) return fresh;
    const read = readSettings(text);
    switch (read.status) {
      case 'ok':
        if (read.migratedFrom !== null) {
          this.#logger.log('info', 'settings.migrated', { from: read.migratedFrom, to: SETTINGS_VERSION });
          this.#current = read.settings;
          this.#write();
        }
        return read.settings;
      case 'newer':
        this.#mayWrite = false;
        this.#note({ type: 'settings-newer', path: this.#storage.path, version: read.version });
        return read.settings ?? fresh;
      case 'broken':
        try {
          const path = this.#storage.putAside(`.bad-${timestamp(this.#clock.nowMs())}`);
          this.#note({ type: 'settings-quarantined', path, detail: read.detail });
        } catch (error) {
          this.#mayWrite = false;
          this.#note({ type: 'settings-unwritable', path: this.#storage.path, detail: describe(error) });
        }
        return fresh;
    }
  }

  #write(): void {
    if (!this.#mayWrite) return;
    try {
      this.#storage.write(this.#current);
      this.#isBehind = false;
      this.#retryTimer.set(null);
      this.#notices.delete('settings-unwritable');
    } catch (error) {
      this.#isBehind = true;
      this.#note({ type: 'settings-unwritable', path: this.#storage.path, detail: describe(error) });
      this.#retryLater();
    }
  }

  #retryLater(): void {
    this.#retryTimer.set(this.#clock.setTimer(RETRY_MS, () => this.#writeAgain()));
  }

  /** A notice that the person has dismissed does not come back for it. */
  #writeAgain(): void {
    try {
      this.#storage.write(this.#current);
    } catch {
      this.#retryLater();
      return;
    }
    this.#isBehind = false;
    this.#logger.log('info', 'settings.written-late', { path: this.#storage.path });
    if (this.#notices.delete('settings-unwritable')) this.#changed.emit(this.#current);
  }

  #note(notice: SettingsNotice): void {
    this.#notices.set(notice.type, notice);
    this.#logger.log('warn', `settings.${notice.type}`, { path: notice.path });
  }
}

type ReadResult =
  | { readonly status: 'ok'; readonly settings: Settings; readonly migratedFrom: number | null }
  | { readonly status: 'newer'; readonly settings: Settings | null; readonly version: number }
  | { readonly status: 'broken'; readonly detail: string };

function readSettings(text: string): ReadResult {
  if (text.length > MAX_FILE_CHARS) return { status: 'broken', detail: 'The file is larger than 4 MiB' };
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch {
    return { status: 'broken', detail: 'The file is not JSON' };
  }
  const migrated = migrate(raw);
  switch (migrated.status) {
    case 'broken':
      return migrated;
    case 'newer': {
      // What this build understands of it is used, so that a downgrade does not look like a lost set-up.
      const parsed = parseSettings({ ...migrated.settings, version: SETTINGS_VERSION });
      return { status: 'newer', settings: parsed.ok ? parsed.value : null, version: migrated.version };
    }
    case 'current':
    case 'migrated': {
      const parsed = parseSettings(migrated.settings);
      if (!parsed.ok) return { status: 'broken', detail: parsed.detail };
      const migratedFrom = migrated.status === 'migrated' ? migrated.fromVersion : null;
      return { status: 'ok', settings: parsed.value, migratedFrom };
    }
  }
}

/** `2026-11-23T16-25-01-123Z`: sorts by time and is a file name on every system. */
function timestamp(atMs: number): string {
  return new Date(atMs).toISOString().replaceAll(':', '-').replaceAll('.', '-');
}

function describe(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  return typeof code === 'string' ? code : 'unknown error';
}
