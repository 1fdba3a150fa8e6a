import {
  memo,
  useDeferredValue,
  useMemo,
  useRef,
  type ComponentPropsWithoutRef,
  type ReactElement,
  type ReactNode,
} from 'react';
import Markdown, { type Components, type Options } from 'react-markdown';
import rehypeSanitize, { defaultSchema } from 'rehype-sanitize';
import remarkGfm from 'remark-gfm';
import { StateIcon } from '../design/icons.tsx';
import { useCommands, useRunCommand, useTranslate } from '../gangway-context.ts';
import { CopyButton } from '../shell/copy-button.tsx';
import { markdownBlocks } from './markdown-blocks.ts';

/*
 * Model output is hostile. Raw HTML is never parsed (react-markdown leaves it out), what remains is cut down to this
 * schema, and links and images are drawn by the components below, so that no address of a message is ever loaded or
 * navigated to by the page itself.
 */
const SCHEMA: typeof defaultSchema = {
  ...defaultSchema,
  attributes: {
    ...defaultSchema.attributes,
    '*': ['align', 'start', 'checked', 'disabled', 'title'],
    img: ['src', 'alt', 'title'],
    a: ['href', 'title'],
  },
  protocols: { href: ['https', 'http', 'mailto'], src: ['https', 'http'] },
};
const REMARK_PLUGINS: Options['remarkPlugins'] = [remarkGfm];
const REHYPE_PLUGINS: Options['rehypePlugins'] = [[rehypeSanitize, SCHEMA]];

const COMPONENTS: Components = {
  a: ({ href, children }) => <MessageLink href={href}>{children}</MessageLink>,
  img: ({ src, alt }) => <ImageLink src={typeof src === 'string' ? src : undefined} alt={alt} />,
  input: ({ checked }) => <TaskBox isDone={checked === true} />,
  pre: ({ children }) => <CodeBlock>{children}</CodeBlock>,
  table: ({ children }) => (
    <div className="prose__table">
      <table>{children}</table>
    </div>
  ),
  // A message must not disturb the window's own outline: its headings start below it.
  h1: ({ children }) => <h2>{children}</h2>,
};

/**
 * A message's text as markdown, sanitised. What is long and still grows is painted when there is time, in pieces, so
 * that typing stays smooth meanwhile.
 */
export const MessageMarkdown = memo(function MessageMarkdown({
  text,
}: {
  readonly text: string;
}): ReactElement {
  const shown = useDeferredValue(text);
  const blocks = useMemo(() => markdownBlocks(shown), [shown]);
  return (
    <div className="prose selectable">
      {blocks.map((block, index) => (
        <MarkdownBlock key={index} text={block} />
      ))}
    </div>
  );
});

const MarkdownBlock = memo(function MarkdownBlock({ text }: { readonly text: string }): ReactElement {
  return (
    <Markdown remarkPlugins={REMARK_PLUGINS} rehypePlugins={REHYPE_PLUGINS} components={COMPONENTS}>
      {text}
    </Markdown>
  );
});

/** Address and host of what main opens outside (https and mailto); null for everything else. */
export function externalTarget(
  address: string | undefined,
): { readonly url: string; readonly host: string } | null {
  if (address === undefined) return null;
  try {
    const url = new URL(address);
    if (url.protocol === 'https:') return { url: url.href, host: url.host };
    if (url.protocol === 'mailto:') return { url: url.href, host: url.pathname };
    return null;
  } catch {
    return null;
  }
}

/** Opens in the system's browser, never here, and says where it leads when its text does not. */
function MessageLink({
  href,
  children,
}: {
  readonly href?: string | undefined;
  readonly children?: ReactNode;
}): ReactElement {
  const t = useTranslate();
  const { api } = useCommands();
  const run = useRunCommand();
  const target = externalTarget(href);
  if (target === null) return <NotALink address={href}>{children}</NotALink>;
  const namesHost = typeof children === 'string' && children.includes(target.host);
  return (
    <a
      href={target.url}
      title={t('chat.opensIn', { host: target.host })}
      rel="noreferrer"
      onClick={(event) => {
        event.preventDefault();
        run(api.app.openExternal({ url: target.url }));
      }}
      onAuxClick={(event) => event.preventDefault()}
      draggable={false}
    >
      {children}
      {namesHost ? null : <span className="prose__host"> ({target.host})</span>}
    </a>
  );
}

/** What is not opened is still readable, so that the person can judge and copy it. */
function NotALink({
  address,
  children,
}: {
  readonly address: string | undefined;
  readonly children?: ReactNode;
}): ReactElement {
  const isTold = address === undefined || address === '' || children === address;
  return (
    <span>
      {children}
      {isTold ? null : <span className="prose__host"> ({address})</span>}
    </span>
  );
}

/** Remote images are not loaded: loading would tell their host that the message was read. */
function ImageLink({
  src,
  alt,
}: {
  readonly src?: string | undefined;
  readonly alt?: string | undefined;
}): ReactElement {
  const t = useTranslate();
  const text = alt === undefined || alt === '' ? t('chat.remoteImage') : alt;
  return <MessageLink href={src}>{text}</MessageLink>;
}

/** The box of a task list item; it shows what the message says and cannot be changed here. */
function TaskBox({ isDone }: { readonly isDone: boolean }): ReactElement {
  const t = useTranslate();
  return (
    <span className="task-box" role="img" aria-label={t(isDone ? 'chat.taskDone' : 'chat.taskOpen')}>
      <StateIcon state={isDone ? 'ok' : 'offline'} />
    </span>
  );
}

function CodeBlock({ children }: Pick<ComponentPropsWithoutRef<'pre'>, 'children'>): ReactElement {
  const { text, language } = useMemo(() => codeOf(children), [children]);
  const ref = useRef<HTMLPreElement>(null);
  return (
    <div className="code-block">
      <div className="code-block__head">
        <span>{language}</span>
        <CopyButton text={text} />
      </div>
      {/* Long lines scroll sideways; the keyboard reaches that too. */}
      <pre ref={ref} tabIndex={0}>
        {children}
      </pre>
    </div>
  );
}

function codeOf(children: ReactNode): { text: string; language: string } {
  const props = (children as { props?: { children?: unknown; className?: unknown } } | null)?.props;
  const text = typeof props?.children === 'string' ? props.children.replace(/\n$/, '') : '';
  const language = /language-([\w+#.-]+)/.exec(
    typeof props?.className === 'string' ? props.className : '',
  )?.[1];
  return { text, language: language ?? '' };
}
