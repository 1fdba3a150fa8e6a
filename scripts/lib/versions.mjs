// @ts-check

/**
 * @param {string} version `v24.21.0` or `24.21.0`; what follows the third number is not looked at.
 * @returns {readonly [number, number, number] | undefined}
 */
export function parseVersion(version) {
  const match = /^v?(\d+)\.(\d+)\.(\d+)/.exec(version.trim());
  if (match === null) return undefined;
  return [Number(match[1]), Number(match[2]), Number(match[3])];
}

/**
 * @param {string} version
 * @param {string} minimum
 * @returns {boolean} False also for something that is no version.
 */
export function isAtLeast(version, minimum) {
  const have = parseVersion(version);
  const want = parseVersion(minimum);
  if (have === undefined || want === undefined) return false;
  for (const index of /** @type {const} */ ([0, 1, 2])) {
    if (have[index] !== want[index]) return have[index] > want[index];
  }
  return true;
}
