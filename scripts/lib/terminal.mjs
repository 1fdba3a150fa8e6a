// @ts-check

const HEARTBEAT_MS = 15_000;
const QUIET_MS = 400;

/**
 * Prints one line.
 * @param {string} line
 */
export function say(line) {
  process.stdout.write(`${line}\n`);
}

/**
 * @param {number} durationMs
 * @returns {string} `0.4 s`, `12 s`, `2 min 05 s`.
 */
export function formatDuration(durationMs) {
  const seconds = durationMs / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`;
}

/**
 * @param {number} bytes
 * @returns {string} `120 MB`, `1.4 GB` (decimal units).
 */
export function formatBytes(bytes) {
  return bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${Math.round(bytes / 1e6)} MB`;
}

/**
 * Runs one step of work with its progress on the terminal: on a terminal one line that counts the seconds, elsewhere
 * a line at the start, one every 15 s and one at the end. A step that is over at once prints nothing.
 * @template T
 * @param {string} label What is being done: `Installing dependencies (npm ci)`.
 * @param {(setDetail: (detail: string) => void) => Promise<T>} work May say how far it is: `112 of 121 MB`.
 * @returns {Promise<T>}
 */
export async function step(label, work) {
  const startedMs = Date.now();
  const live = process.stdout.isTTY;
  let detail = '';
  let announced = false;

  const line = () => {
    const elapsed = formatDuration(Date.now() - startedMs);
    return `${label} …  ${elapsed}${detail === '' ? '' : `  (${detail})`}`;
  };
  const draw = () => {
    const text = line();
    process.stdout.write(`\r\u001B[2K${text.slice(0, (process.stdout.columns || 80) - 1)}`);
  };
  const begin = setTimeout(() => {
    announced = true;
    if (live) draw();
    else say(`${label} …`);
  }, QUIET_MS);
  const beat = setInterval(() => (live ? announced && draw() : say(line())), live ? 500 : HEARTBEAT_MS);

  try {
    const result = await work((text) => {
      detail = text;
    });
    if (announced) {
      if (live) {
        draw();
        process.stdout.write('\n');
      } else {
        say(line());
      }
    }
    return result;
  } catch (error) {
    if (announced && live) process.stdout.write('\n');
    throw error;
  } finally {
    clearTimeout(begin);
    clearInterval(beat);
  }
}
