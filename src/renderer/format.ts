import type { Translate } from '../shared/i18n/index.ts';

/** "3 s", "12 min", "5 h": one unit, rounded down, for ages and uptimes. */
export function formatDuration(durationMs: number, t: Translate): string {
  const seconds = Math.max(0, Math.floor(durationMs / 1000));
  if (seconds < 60) return t('common.seconds', { count: seconds });
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return t('common.minutes', { count: minutes });
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return t('common.hours', { count: hours });
  return t('common.days', { count: Math.floor(hours / 24) });
}

/** How long ago something was observed. */
export function formatAge(observedAtMs: number, nowMs: number, t: Translate): string {
  const ageMs = nowMs - observedAtMs;
  if (ageMs < 1000) return t('common.justNow');
  return t('common.ago', { duration: formatDuration(ageMs, t) });
}

/** A measured time: whole milliseconds below a second, tenths of a second above. */
export function formatMeasured(durationMs: number, t: Translate): string {
  if (durationMs < 1000) return t('common.ms', { count: roundLatency(durationMs) });
  return t('common.seconds', { count: Math.round(durationMs / 100) / 10 });
}

/** Below 10 ms a tenth tells something; above it is noise. */
export function roundLatency(latencyMs: number): number {
  return latencyMs < 10 ? Math.round(latencyMs * 10) / 10 : Math.round(latencyMs);
}

/** The time of day in the reader's language; with the date once it was not today. */
export function formatClock(atMs: number, language: string, nowMs = Date.now()): string {
  const isToday = new Date(atMs).toDateString() === new Date(nowMs).toDateString();
  return new Intl.DateTimeFormat(language, {
    hour: 'numeric',
    minute: '2-digit',
    ...(isToday ? {} : { month: 'short', day: 'numeric' }),
  }).format(atMs);
}
