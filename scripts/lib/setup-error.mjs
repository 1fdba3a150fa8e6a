// @ts-check

/**
 * Something the person at the terminal can put right: one clear sentence about what is wrong, one about what to do.
 * It is printed without a stack trace.
 */
export class SetupError extends Error {
  /**
   * @param {string} message What is wrong, as one sentence.
   * @param {string} remedy What to do about it, as one sentence.
   * @param {{ cause?: unknown }} [options]
   */
  constructor(message, remedy, options) {
    super(message, options);
    this.name = 'SetupError';
    this.remedy = remedy;
  }
}

/**
 * What to print for an error: sentence and remedy of a SetupError, the stack of anything else (that is our bug).
 * @param {unknown} error
 * @returns {string}
 */
export function describeError(error) {
  if (error instanceof SetupError) return `${error.message}\n${error.remedy}`;
  if (isOutOfSpace(error)) {
    return `The disk is full.\nFree some space, then run the same command again: it goes on where it stopped.`;
  }
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/**
 * @param {unknown} error
 * @returns {boolean} True for the system's "no space left on device" (and "quota exceeded").
 */
export function isOutOfSpace(error) {
  return error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
}
