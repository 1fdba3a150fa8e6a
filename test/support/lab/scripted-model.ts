import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { z } from 'zod';
import { freePort } from './ports.ts';
import { delay, waitFor } from './wait.ts';

/** What the model says to one request. */
export type ModelReply =
  | { readonly kind: 'text'; readonly chunks: readonly string[]; readonly delayMs?: number }
  | { readonly kind: 'tool'; readonly name: string; readonly args: unknown }
  | { readonly kind: 'error'; readonly status: number; readonly message: string }
  | { readonly kind: 'hang' };

export interface ModelRequest {
  /** Counts from 1 over the server's life. */
  readonly number: number;
  /** What the person wrote, without what the Gateway puts around it. */
  readonly userText: string;
  /** Which message of the person this is in its session, from 1. */
  readonly turn: number;
  /** The output of the tool call that this request follows, else null. */
  readonly toolResult: string | null;
  readonly outcome: 'streaming' | 'completed' | 'aborted' | 'failed';
  /** The request's messages as they came, for tests of attachments and context. */
  readonly messages: readonly ModelMessage[];
}

/** Answers a request, or null for the built-in script. */
export type ModelHandler = (request: ModelRequest) => ModelReply | null | Promise<ModelReply | null>;

export interface ScriptedModelOptions {
  readonly port?: number;
  readonly handler?: ModelHandler;
  /** Between two chunks of a plain reply, default 15. */
  readonly delayMs?: number;
}

export interface ScriptedModel {
  readonly port: number;
  /** The provider's base URL, ending in `/v1`. */
  readonly url: string;
  requests(): readonly ModelRequest[];
  /** How many requests asked for an answer to exactly this text; follow-ups of tool calls do not count. */
  answered(userText: string): number;
  waitForRequest(userText: string, timeoutMs?: number): Promise<ModelRequest>;
  setHandler(handler: ModelHandler | null): void;
  stop(): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
}

const messageSchema = z.looseObject({
  role: z.string(),
  content: z.unknown().optional(),
});
export type ModelMessage = z.infer<typeof messageSchema>;
const requestSchema = z.looseObject({
  model: z.string(),
  stream: z.boolean().optional(),
  messages: z.array(messageSchema),
});

const MAX_BODY_BYTES = 64 * 1024 * 1024;
const MODEL_ID = 'scripted';

/** An OpenAI-compatible chat completions server on loopback that answers by script; see docs/lab.md for the commands. */
export async function startScriptedModel(options: ScriptedModelOptions = {}): Promise<ScriptedModel> {
  const port = options.port ?? (await freePort());
  let handler = options.handler ?? null;
  const requests: Mutable<ModelRequest>[] = [];
  let server: Server | null = null;

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method === 'GET' && request.url === '/v1/models') {
      sendJson(response, 200, { object: 'list', data: [{ id: MODEL_ID, object: 'model' }] });
      return;
    }
    if (request.method !== 'POST' || request.url !== '/v1/chat/completions') {
      sendJson(response, 404, { error: { message: `No ${request.method ?? ''} ${request.url ?? ''} here` } });
      return;
    }
    const body = requestSchema.safeParse(JSON.parse(await readBody(request)));
    if (!body.success) {
      sendJson(response, 400, { error: { message: body.error.message } });
      return;
    }
    const seen: Mutable<ModelRequest> = {
      number: requests.length + 1,
      outcome: 'streaming',
      ...readMessages(body.data.messages),
    };
    requests.push(seen);
    response.once('close', () => {
      if (seen.outcome === 'streaming') seen.outcome = 'aborted';
    });
    const reply = (await handler?.(seen)) ?? scriptedReply(seen, options.delayMs ?? 15);
    seen.outcome = await send(response, reply, body.data.stream === true);
  }

  async function start(): Promise<void> {
    if (server !== null) return;
    const starting = createServer((request, response) => {
      serve(request, response).catch((error: unknown) => {
        if (!response.headersSent) sendJson(response, 500, { error: { message: String(error) } });
        else response.destroy();
      });
    });
    await new Promise<void>((resolve, reject) => {
      starting.once('error', reject);
      starting.listen({ port, host: '127.0.0.1' }, resolve);
    });
    server = starting;
  }

  async function stop(): Promise<void> {
    const ending = server;
    server = null;
    if (ending === null) return;
    const closed = new Promise<void>((resolve) => ending.close(() => resolve()));
    ending.closeAllConnections();
    await closed;
  }

  await start();
  return {
    port,
    url: `http://127.0.0.1:${port}/v1`,
    requests: () => requests,
    answered: (userText) =>
      requests.filter((request) => request.userText === userText && request.toolResult === null).length,
    waitForRequest: (userText, timeoutMs = 30_000) =>
      waitFor(() => requests.find((request) => request.userText === userText), {
        what: `the model to be asked "${userText}"`,
        timeoutMs,
        detail: () => `asked: ${JSON.stringify(requests.map((request) => request.userText))}`,
      }),
    setHandler(next) {
      handler = next;
    },
    stop,
    start,
    close: stop,
  };
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const INTERNAL_CONTEXT = '<<<BEGIN_OPENCLAW_INTERNAL_CONTEXT>>>';
/** The Gateway stamps each message: `[Sun 2025-11-23 16:45 UTC] text`. */
const TIME_STAMP = /^\[[A-Z][a-z]{2} \d{4}-\d{2}-\d{2} [^\]]{1,40}\] /;
/** And says who wrote it, in a fenced block before the text. */
const CONVERSATION_INFO = /^Conversation info: [^\n]*\n```json\n[\s\S]*?\n```\n\n/;
const RUNTIME_PARAGRAPH = /\n\nRuntime: [^\n]*[\s\S]*$/;

function readMessages(
  messages: readonly ModelMessage[],
): Pick<ModelRequest, 'userText' | 'turn' | 'toolResult' | 'messages'> {
  const fromUser = messages.filter(
    (message) => message.role === 'user' && !textOf(message).trimStart().startsWith(INTERNAL_CONTEXT),
  );
  const last = fromUser.at(-1);
  const after = last === undefined ? [] : messages.slice(messages.indexOf(last) + 1);
  const results = after.filter((message) => message.role === 'tool');
  return {
    userText: last === undefined ? '' : userTextOf(last),
    turn: fromUser.length,
    toolResult: results.length === 0 ? null : results.map(textOf).join('\n'),
    messages,
  };
}

function userTextOf(message: ModelMessage): string {
  return textOf(message)
    .replace(RUNTIME_PARAGRAPH, '')
    .replace(TIME_STAMP, '')
    .replace(CONVERSATION_INFO, '')
    .trim();
}

const partSchema = z.looseObject({ type: z.literal('text'), text: z.string() });

function textOf(message: ModelMessage): string {
  if (typeof message.content === 'string') return message.content;
  if (!Array.isArray(message.content)) return '';
  return message.content
    .map((part) => {
      const text = partSchema.safeParse(part);
      return text.success ? text.data.text : '';
    })
    .join('');
}

/** The built-in script: a command in the text, else a small streamed markdown reply that carries the text and turn. */
function scriptedReply(request: ModelRequest, delayMs: number): ModelReply {
  const { userText, turn, toolResult } = request;
  const command = /!(slow|tool|error|hang|long|markdown|say)\b ?([\s\S]*)$/.exec(userText);
  if (toolResult !== null) {
    return streamed(
      `The tool answered:\n\n\`\`\`\n${toolResult.slice(0, 2_000)}\n\`\`\`\n\nDone with turn ${turn}.`,
      delayMs,
    );
  }
  if (command === null) {
    return streamed(
      `**Turn ${turn}** — you said: ${userText}\n\nThis reply came in *several pieces* through the gateway.`,
      delayMs,
    );
  }
  const rest = (command[2] ?? '').trim();
  const [first, second] = rest.split(/\s+/).map(Number);
  switch (command[1]) {
    case 'slow': {
      const count = clamp(first, 10, 1, 10_000);
      return {
        kind: 'text',
        chunks: Array.from({ length: count }, (_unused, index) => `Piece ${index + 1} of ${count}. `),
        delayMs: clamp(second, 250, 0, 60_000),
      };
    }
    case 'tool': {
      const parts = /^(\S+)\s*([\s\S]*)$/.exec(rest);
      return {
        kind: 'tool',
        name: parts?.[1] ?? 'exec',
        args: JSON.parse(parts?.[2] === '' ? '{}' : (parts?.[2] ?? '{}')),
      };
    }
    case 'error':
      return {
        kind: 'error',
        status: clamp(first, 500, 400, 599),
        message: 'The scripted model fails as it was told.',
      };
    case 'hang':
      return { kind: 'hang' };
    case 'long': {
      const paragraphs = clamp(first, 64, 1, 8_192);
      return { kind: 'text', chunks: Array.from({ length: paragraphs }, longParagraph), delayMs: 0 };
    }
    case 'say':
      return streamed(rest, delayMs);
    default:
      return streamed(MARKDOWN_SAMPLE, delayMs);
  }
}

function streamed(text: string, delayMs: number): ModelReply {
  return { kind: 'text', chunks: text.match(/[\s\S]{1,16}/g) ?? [], delayMs };
}

function clamp(value: number | undefined, otherwise: number, least: number, most: number): number {
  if (value === undefined || !Number.isFinite(value)) return otherwise;
  return Math.min(most, Math.max(least, Math.trunc(value)));
}

function longParagraph(_unused: unknown, index: number): string {
  const sentence = `Paragraph ${index + 1} goes on about lobsters, tunnels and tides. `;
  return `${sentence
    .repeat(Math.ceil(1_024 / sentence.length))
    .slice(0, 1_022)
    .trimEnd()}\n\n`;
}

const MARKDOWN_SAMPLE = `## A sample of everything

| Rung | State | Age |
|---|---|---|
| Network | up | 2 s |
| SSH | up | 1 s |
| Gateway | answering | 0 s |

\`\`\`ts
export function greet(name: string): string {
  return \`Hello, \${name}\`;
}
\`\`\`

1. First, *emphasis* and **weight**
2. Then \`inline code\`
   - with a nested point

- [x] a task that is done
- [ ] a task that is not

> A quotation, and a [link](https://example.org/).
`;

async function send(
  response: ServerResponse,
  reply: ModelReply,
  stream: boolean,
): Promise<'completed' | 'aborted' | 'failed'> {
  switch (reply.kind) {
    case 'error':
      sendJson(response, reply.status, { error: { message: reply.message, type: 'scripted_error' } });
      return 'failed';
    case 'hang':
      response.writeHead(200, SSE_HEADERS);
      response.flushHeaders();
      await new Promise<void>((resolve) => response.once('close', () => resolve()));
      return 'aborted';
    case 'tool': {
      const call = {
        index: 0,
        id: `call_${Math.random().toString(36).slice(2)}`,
        type: 'function',
        function: { name: reply.name, arguments: JSON.stringify(reply.args) },
      };
      if (!stream) {
        sendJson(
          response,
          200,
          whole({ role: 'assistant', content: null, tool_calls: [call] }, 'tool_calls'),
        );
        return 'completed';
      }
      response.writeHead(200, SSE_HEADERS);
      write(response, { role: 'assistant', content: null, tool_calls: [call] }, null);
      finish(response, 'tool_calls');
      return 'completed';
    }
    case 'text': {
      if (!stream) {
        sendJson(response, 200, whole({ role: 'assistant', content: reply.chunks.join('') }, 'stop'));
        return 'completed';
      }
      response.writeHead(200, SSE_HEADERS);
      write(response, { role: 'assistant', content: '' }, null);
      for (const chunk of reply.chunks) {
        if ((reply.delayMs ?? 0) > 0) await delay(reply.delayMs ?? 0);
        if (response.destroyed) return 'aborted';
        if (!write(response, { content: chunk }, null)) await drained(response);
      }
      finish(response, 'stop');
      return 'completed';
    }
  }
}

const SSE_HEADERS = { 'content-type': 'text/event-stream', 'cache-control': 'no-store' };

function write(response: ServerResponse, delta: unknown, finishReason: string | null): boolean {
  const choices = [{ index: 0, delta, finish_reason: finishReason }];
  return response.write(`data: ${JSON.stringify({ ...envelope('chat.completion.chunk'), choices })}\n\n`);
}

function finish(response: ServerResponse, reason: string): void {
  write(response, {}, reason);
  response.write(
    `data: ${JSON.stringify({ ...envelope('chat.completion.chunk'), choices: [], usage: USAGE })}\n\n`,
  );
  response.end('data: [DONE]\n\n');
}

const USAGE = { prompt_tokens: 10, completion_tokens: 20, total_tokens: 30 };

function envelope(object: string): Record<string, unknown> {
  return { id: 'chatcmpl-scripted', object, created: Math.trunc(Date.now() / 1_000), model: MODEL_ID };
}

function whole(message: unknown, reason: string): Record<string, unknown> {
  return {
    ...envelope('chat.completion'),
    choices: [{ index: 0, message, finish_reason: reason }],
    usage: USAGE,
  };
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      response.off('drain', end);
      response.off('close', end);
      resolve();
    };
    response.once('drain', end);
    response.once('close', end);
  });
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

async function readBody(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > MAX_BODY_BYTES) throw new Error('The request is too large.');
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}
