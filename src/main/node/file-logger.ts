import { chmodSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import log from 'electron-log/node.js';
import type { LogFields, Logger, LogLevel } from '../core/ports.ts';
import type { Redactor } from './redact.ts';

const MAX_FILE_BYTES = 2 * 1024 * 1024;
/** The current file and four older ones: `main.log`, `main.1.log` … `main.4.log`. */
const OLDER_FILES = 4;

export interface FileLoggerOptions {
  readonly logDir: string;
  readonly redactor: Redactor;
  /** Lines of lower levels are dropped. */
  readonly minLevel: LogLevel;
  /** Also to the terminal, for development. */
  readonly echo: boolean;
}

/**
 * Writes one line an event to `main.log` in a folder that only its owner can read:
 * `2026-11-23T16:25:01.123Z info connection.transition from=connecting to=connected`. Every value is redacted.
 * A disk that refuses is no reason to stop: then lines are lost.
 */
export function createFileLogger(options: FileLoggerOptions): Logger {
  const { logDir, redactor, minLevel, echo } = options;
  const filePath = join(logDir, 'main.log');
  try {
    mkdirSync(logDir, { recursive: true, mode: 0o700 });
    if (process.platform !== 'win32') chmodSync(logDir, 0o700);
  } catch {
    // Lines are lost; the app works.
  }
  const sink = log.create({ logId: 'gangway-main' });
  sink.transports.console.level = false;
  const file = sink.transports.file;
  file.level = minLevel;
  file.maxSize = MAX_FILE_BYTES;
  file.format = '{text}';
  file.writeOptions = { flag: 'a', mode: 0o600, encoding: 'utf8' };
  file.resolvePathFn = () => filePath;
  file.archiveLogFn = () => rotate(logDir);
  return {
    log(level: LogLevel, event: string, fields: LogFields = {}) {
      const line = formatLine(new Date(), level, event, fields, redactor);
      if (echo) process.stderr.write(`${line}\n`);
      sink[level](line);
    },
  };
}

export function formatLine(
  at: Date,
  level: LogLevel,
  event: string,
  fields: LogFields,
  redactor: Redactor,
): string {
  const pairs = Object.entries(fields).map(([name, value]) => {
    if (typeof value !== 'string') return `${name}=${String(value)}`;
    const text = redactor.redact(SECRET_NAME.test(name) ? '' : value);
    return `${name}=${/^[\w.:/@~+-]+$/.test(text) ? text : JSON.stringify(text)}`;
  });
  return [at.toISOString(), level, event, ...pairs].join(' ');
}

/** A field of such a name is a mistake of the caller's: its value is left out whatever it is. */
const SECRET_NAME = /token|password|passphrase|secret|authorization/i;

function rotate(logDir: string): void {
  try {
    rmSync(join(logDir, `main.${OLDER_FILES}.log`), { force: true });
    for (let index = OLDER_FILES - 1; index >= 0; index -= 1) {
      const from = join(logDir, index === 0 ? 'main.log' : `main.${index}.log`);
      try {
        renameSync(from, join(logDir, `main.${index + 1}.log`));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      }
    }
  } catch {
    // The file grows on; the next line tries again.
  }
}
