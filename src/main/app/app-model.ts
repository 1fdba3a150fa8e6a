import type { AppNotice, AppSnapshot, GatewaySnapshot, Preferences } from '../../shared/app-snapshot.ts';
import { Emitter } from '../core/emitter.ts';
import { type Disposable, MutableDisposable } from '../core/lifecycle.ts';
import type { Clock } from '../core/ports.ts';

/** At most 20 snapshots a second: more than an eye can follow. */
const MIN_INTERVAL_MS = 50;

export interface AppModelSources {
  readonly clock: Clock;
  readonly appVersion: string;
  readonly platform: AppSnapshot['platform'];
  language(): AppSnapshot['language'];
  preferences(): Preferences;
  gateways(): readonly GatewaySnapshot[];
  primaryGatewayId(): string;
  notices(): readonly AppNotice[];
  secretPersistence(): AppSnapshot['secretPersistence'];
}

/** Puts together what windows and tray show. Sources say that something changed; the model says when to look again. */
export class AppModel implements Disposable {
  readonly #sources: AppModelSources;
  readonly #published = new Emitter<AppSnapshot>();
  readonly #timer = new MutableDisposable();
  #snapshot: AppSnapshot | null = null;
  #revision = 0;
  #lastPublishedMs = -Infinity;
  #scheduled = false;

  constructor(sources: AppModelSources) {
    this.#sources = sources;
  }

  /** How things stand now; the same object until something changes. */
  current(): AppSnapshot {
    return (this.#snapshot ??= this.#assemble());
  }

  /** Every change, several close together as one. */
  onPublished(listener: (snapshot: AppSnapshot) => void): Disposable {
    return this.#published.on(listener);
  }

  /** To be called after any change of a source. */
  invalidate(): void {
    this.#snapshot = null;
    if (this.#scheduled) return;
    this.#scheduled = true;
    const { clock } = this.#sources;
    const delayMs = Math.max(0, this.#lastPublishedMs + MIN_INTERVAL_MS - clock.monotonicMs());
    this.#timer.set(clock.setTimer(delayMs, () => this.#publish()));
  }

  dispose(): void {
    this.#timer.dispose();
    this.#published.dispose();
  }

  #publish(): void {
    this.#scheduled = false;
    this.#lastPublishedMs = this.#sources.clock.monotonicMs();
    this.#published.emit(this.current());
  }

  #assemble(): AppSnapshot {
    const sources = this.#sources;
    this.#revision += 1;
    return {
      revision: this.#revision,
      appVersion: sources.appVersion,
      platform: sources.platform,
      language: sources.language(),
      preferences: sources.preferences(),
      gateways: sources.gateways(),
      primaryGatewayId: sources.primaryGatewayId(),
      notices: sources.notices(),
      secretPersistence: sources.secretPersistence(),
    };
  }
}
