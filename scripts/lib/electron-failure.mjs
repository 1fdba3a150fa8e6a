// @ts-check

/**
 * Why an Electron download failed:
 * `unreachable`: its host did not answer, or something on the way refuses it;
 * `broken-off`: it was under way and stopped; `disk`: no space; `checksum`: what came is not what was published;
 * `other`: anything else.
 * @typedef {{ kind: 'unreachable' | 'broken-off' | 'disk' | 'checksum' | 'other', reason: string }} DownloadFailure
 */

const NETWORK_CODES =
  /^(ENOTFOUND|EAI_AGAIN|EAI_FAIL|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EPIPE|UND_ERR_\w+|CERT_\w+|UNABLE_TO_\w+|SELF_SIGNED_\w+|DEPTH_ZERO_\w+|ERR_TLS_\w+|ERR_SSL_\w+|EPROTO)$/;

/**
 * @param {unknown} error What @electron/get, fetch or the unpacking threw.
 * @param {{ aborted: boolean, begun: boolean }} state Whether our own timer ended it, and whether bytes had come.
 * @returns {DownloadFailure}
 */
export function classifyDownloadFailure(error, { aborted, begun }) {
  if (aborted) {
    return begun
      ? { kind: 'broken-off', reason: 'nothing came for 60 s' }
      : { kind: 'unreachable', reason: 'no answer within 12 s' };
  }
  const chain = causes(error);
  const codes = chain.map(({ code }) => code).filter((code) => code !== undefined);
  if (codes.some((code) => code === 'ENOSPC' || code === 'EDQUOT'))
    return { kind: 'disk', reason: 'the disk is full' };
  const text = chain.map(({ message }) => message).join(': ');
  if (/checksum|sumchecker|hash/i.test(text)) return { kind: 'checksum', reason: text };
  const network = codes.find((code) => NETWORK_CODES.test(code));
  if (network !== undefined || /terminated|socket hang up/i.test(text)) {
    const reason = network ?? 'the connection ended';
    return { kind: begun ? 'broken-off' : 'unreachable', reason };
  }
  const status = /Response code (\d+)/.exec(text)?.[1];
  if (status !== undefined && /^(403|407|451|5\d\d)$/.test(status)) {
    return { kind: 'unreachable', reason: `HTTP ${status}` };
  }
  return { kind: 'other', reason: status === undefined ? text : `HTTP ${status}` };
}

/**
 * @param {unknown} error
 * @returns {{ message: string, code?: string }[]} The error and what it was caused by, at most 8 deep.
 */
function causes(error) {
  const chain = [];
  let current = error;
  while (current instanceof Error && chain.length < 8) {
    const code = 'code' in current && typeof current.code === 'string' ? current.code : undefined;
    chain.push(code === undefined ? { message: current.message } : { message: current.message, code });
    current =
      current instanceof AggregateError && current.cause === undefined ? current.errors[0] : current.cause;
  }
  return chain.length > 0 ? chain : [{ message: String(error) }];
}
