// @vitest-environment jsdom
import { cleanup, fireEvent, render, screen } from '@testing-library/react';
import { createElement } from 'react';
import { I18nextProvider } from 'react-i18next';
import { afterEach, describe, expect, test } from 'vitest';
import { MessageMarkdown, externalTarget } from '../../../src/renderer/chat/message-markdown.tsx';
import { CommandsContext } from '../../../src/renderer/gangway-context.ts';
import { createI18n } from '../../../src/shared/i18n/index.ts';
import { aSnapshot, createFakeGangway, type FakeGangway } from './fake-gangway.ts';

afterEach(cleanup);

function show(text: string): { readonly root: HTMLElement; readonly fake: FakeGangway } {
  const fake = createFakeGangway(aSnapshot());
  const commands = {
    api: fake.api,
    reportCommandError: () => {
      throw new Error('a command was refused');
    },
  };
  const { container } = render(
    createElement(
      I18nextProvider,
      { i18n: createI18n('en') },
      createElement(CommandsContext, { value: commands }, createElement(MessageMarkdown, { text })),
    ),
  );
  return { root: container, fake };
}

/** What a hostile model or a tool it was fed by might write. */
const HOSTILE = [
  '<script>alert(1)</script>',
  '<SCRIPT SRC=https://evil.example/x.js></SCRIPT>',
  '<img src=x onerror=alert(1)>',
  '<img src="https://evil.example/pixel.gif">',
  '![pixel](https://evil.example/pixel.gif)',
  '![data](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)',
  '![x](javascript:alert(1))',
  '[x](javascript:alert(1))',
  '[x](JaVaScRiPt:alert(1))',
  '[x](java\nscript:alert(1))',
  '[x](&#106;avascript:alert(1))',
  '[x](\u0001javascript:alert(1))',
  '[x](vbscript:msgbox(1))',
  '[x](data:text/html,<script>alert(1)</script>)',
  '[x](file:///etc/passwd)',
  '[x](app://gangway/index.html)',
  '[x](smb://evil.example/share)',
  '[x](ms-msdt:/id)',
  '<javascript:alert(1)>',
  '[ref]: javascript:alert(1)\n[x][ref]',
  '<a href="javascript:alert(1)" onclick="alert(1)">x</a>',
  '<iframe src="https://evil.example"></iframe>',
  '<object data="https://evil.example"></object><embed src="https://evil.example">',
  '<svg onload=alert(1)><script>alert(1)</script></svg>',
  '<math><mtext><img src=x onerror=alert(1)></mtext></math>',
  '<style>@import "https://evil.example/x.css"; * { display: none }</style>',
  '<link rel=stylesheet href="https://evil.example/x.css">',
  '<meta http-equiv="refresh" content="0;url=https://evil.example">',
  '<base href="https://evil.example/">',
  '<form action="https://evil.example"><input name=token><button>Send</button></form>',
  '<video src="https://evil.example/v.mp4" autoplay></video><audio src=x></audio>',
  '<div style="position:fixed;inset:0;background:url(https://evil.example)">x</div>',
  '<p id="root" class="dialog" role="alertdialog">x</p>',
  '<details ontoggle=alert(1) open>x</details>',
  '`<img src=x onerror=alert(1)>`',
  '```html\n<script>alert(1)</script>\n```',
  '```js" onmouseover="alert(1)\nx\n```',
  '| a |\n| --- |\n| <img src=x onerror=alert(1)> |',
  '- [ ] <input onfocus=alert(1) autofocus>',
  '<!--><script>alert(1)</script>-->',
  '<noscript><p title="</noscript><img src=x onerror=alert(1)>"></noscript>',
  '[![x](https://evil.example/a.png)](javascript:alert(1))',
  '[^1]\n\n[^1]: <img src=x onerror=alert(1)>',
  'https://evil.example/<script>alert(1)</script>',
];

const LOADING_TAGS =
  'script, style, link, meta, base, iframe, frame, object, embed, img, picture, source, video, audio, svg:not(.glyph):not(.state-icon), math, form, input, textarea, select';

describe('hostile markdown', () => {
  test.each(HOSTILE)('%j runs nothing, loads nothing and looks like nothing of ours', (text) => {
    const { root } = show(text);
    expect([...root.querySelectorAll(LOADING_TAGS)].map((element) => element.outerHTML)).toEqual([]);
    for (const element of root.querySelectorAll('*')) {
      for (const { name, value } of element.attributes) {
        expect(name, element.outerHTML).not.toMatch(/^on|^style$|^src|^srcset$|^action$|^formaction$|^name$/);
        if (name === 'href') expect(value).toMatch(/^(https:|mailto:)/);
        if (name === 'role') expect(value).toBe('img');
        if (name === 'id') expect(value).toMatch(/^user-content-/);
      }
    }
    expect(document.querySelectorAll('script')).toHaveLength(0);
  });
});

describe('links', () => {
  test('open outside, through main, and say their host', () => {
    const { fake } = show('See [the manual](https://docs.example.com/a?b=1).');
    const link = screen.getByRole('link');
    expect(link.textContent).toBe('the manual (docs.example.com)');
    expect(fireEvent.click(link)).toBe(false);
    expect(fake.callsOf('app.openExternal')).toEqual([{ url: 'https://docs.example.com/a?b=1' }]);
  });

  test('with a text that names another host still say where they lead', () => {
    show('[https://bank.example.com](https://evil.example/login)');
    expect(screen.getByRole('link').textContent).toContain('(evil.example)');
  });

  test('to images stay links: nothing is loaded', () => {
    const { root } = show('![graph](https://example.com/g.png)');
    expect(root.querySelector('img')).toBeNull();
    expect(screen.getByRole('link').textContent).toBe('graph (example.com)');
  });

  test('that main would not open are text with their address', () => {
    const { root } = show('[x](http://plain.example/a)');
    expect(screen.queryByRole('link')).toBeNull();
    expect(root.textContent).toContain('x (http://plain.example/a)');
  });

  test.each([
    ['https://a.example/', 'a.example'],
    ['mailto:ada@example.com', 'ada@example.com'],
    ['https://user@evil.example:8443/', 'evil.example:8443'],
  ])('%s leads to %s', (address, host) => {
    expect(externalTarget(address)?.host).toBe(host);
  });

  test.each(['', '#top', '/etc/passwd', 'javascript:alert(1)', 'http://a.example', '//evil.example'])(
    '%j leads nowhere',
    (address) => expect(externalTarget(address)).toBeNull(),
  );
});

describe('code', () => {
  test('is copied as it was written', () => {
    const { fake, root } = show('```bash\nls -la\n  cd /\n```');
    expect(root.querySelector('.code-block__head')?.textContent).toContain('bash');
    fireEvent.click(screen.getByRole('button', { name: 'Copy' }));
    expect(fake.callsOf('app.copyText')).toEqual([{ text: 'ls -la\n  cd /' }]);
  });
});
