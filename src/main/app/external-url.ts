const MAX_URL_CHARS = 2048;

/** The address in its parsed, canonical form when it may be handed to the system; null for everything else. */
export function acceptExternalUrl(text: string): string | null {
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  if (text.length > MAX_URL_CHARS || /[\u0000-\u0020\u007f]/.test(text)) return null;
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return null;
  }
  if (url.protocol === 'https:')
    return url.hostname !== '' && url.username === '' && url.password === '' ? url.href : null;
  // Only the address: other fields (attach, bcc) make mail programs do more than open an empty message.
  if (url.protocol === 'mailto:')
    return url.search === '' && /^[^?&%]+@[^?&%]+$/.test(url.pathname) ? `mailto:${url.pathname}` : null;
  return null;
}
