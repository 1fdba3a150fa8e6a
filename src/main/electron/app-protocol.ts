import { protocol, type Session } from 'electron';
import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { CONTENT_SECURITY_POLICY } from '../../shared/content-security-policy.ts';
import { APP_HOST, APP_ORIGIN, APP_SCHEME } from '../../shared/window-address.ts';

const HEADERS = {
  'content-security-policy': CONTENT_SECURITY_POLICY,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-cache',
} as const;

const MIME_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
  '.json': 'application/json; charset=utf-8',
  '.wasm': 'application/wasm',
};

/** Tells Chromium of the scheme; must run before the app is ready. Nothing beyond standard and secure. */
export function registerAppScheme(): void {
  protocol.registerSchemesAsPrivileged([
    { scheme: APP_SCHEME, privileges: { standard: true, secure: true } },
  ]);
}

/** What a window shows when its page crashed too often: it has no script and no file that could fail. */
const SAFE_PAGE_PATH = '/safe.html';
export const SAFE_PAGE_URL = `${APP_ORIGIN}${SAFE_PAGE_PATH}`;

/** A page of two lines of text. */
export function safePageHtml(title: string, body: string): string {
  const escape = (text: string): string =>
    text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return `<!doctype html><meta charset="utf-8"><meta name="color-scheme" content="light dark"><title>Gangway</title><h1>${escape(title)}</h1><p>${escape(body)}</p>`;
}

/**
 * Serves the renderer's build as `app://gangway/…`. The files are listed once; a request is a look-up in that list, so
 * no path that is asked for ever reaches the file system, and links in the folder are not followed.
 */
export async function serveApp(session: Session, rendererDir: string, safePage: () => string): Promise<void> {
  const files = await listFiles(rendererDir);
  session.protocol.handle(APP_SCHEME, async (request) => {
    const path = request.method === 'GET' ? pathOf(request.url) : '';
    if (path === SAFE_PAGE_PATH)
      return new Response(safePage(), {
        headers: { ...HEADERS, 'content-type': 'text/html; charset=utf-8' },
      });
    const file = files.get(path);
    if (file === undefined) return new Response('Not found', { status: 404, headers: HEADERS });
    const type = MIME_TYPES[extname(file).toLowerCase()] ?? 'application/octet-stream';
    return new Response(await readFile(file), { headers: { ...HEADERS, 'content-type': type } });
  });
}

/** The decoded path of a request to our host; an impossible one for every other. */
function pathOf(address: string): string {
  try {
    const url = new URL(address);
    if (url.host !== APP_HOST || url.username !== '' || url.password !== '') return '';
    return url.pathname;
  } catch {
    return '';
  }
}

async function listFiles(rendererDir: string): Promise<ReadonlyMap<string, string>> {
  const entries = await readdir(rendererDir, { withFileTypes: true, recursive: true });
  return new Map(
    entries
      .filter((entry) => entry.isFile())
      .map((entry) => {
        const file = join(entry.parentPath, entry.name);
        const path = file.slice(rendererDir.length).replaceAll('\\', '/');
        return [path, file] as const;
      }),
  );
}
