import { Emitter } from '../../../src/main/core/emitter.ts';
import type { Disposable } from '../../../src/main/core/lifecycle.ts';
import type { Connectivity, LogFields, Logger, LogLevel, PowerEvents } from '../../../src/main/core/ports.ts';

export class FakeConnectivity implements Connectivity {
  readonly #changes = new Emitter<boolean>();
  isOnline = true;

  onChange(listener: (isOnline: boolean) => void): Disposable {
    return this.#changes.on(listener);
  }
  set(isOnline: boolean): void {
    this.isOnline = isOnline;
    this.#changes.emit(isOnline);
  }
}

export class FakePower implements PowerEvents {
  readonly #suspends = new Emitter<null>();
  readonly #resumes = new Emitter<null>();

  onSuspend(listener: () => void): Disposable {
    return this.#suspends.on(listener);
  }
  onResume(listener: () => void): Disposable {
    return this.#resumes.on(listener);
  }
  suspend(): void {
    this.#suspends.emit(null);
  }
  resume(): void {
    this.#resumes.emit(null);
  }
}

export class MemoryLogger implements Logger {
  readonly lines: { readonly level: LogLevel; readonly event: string; readonly fields: LogFields }[] = [];

  log(level: LogLevel, event: string, fields: LogFields = {}): void {
    this.lines.push({ level, event, fields });
  }
  of(event: string): readonly LogFields[] {
    return this.lines.filter((line) => line.event === event).map((line) => line.fields);
  }
}
