import {
  createSessionProjection,
  projectLiveSessionMessage,
  readAssistantStreamSegmentIdentity,
  reconcileSessionProjectionSnapshot,
  reduceSessionProjectionRunEvent,
  type SessionProjectionEntry,
  type SessionProjectionState,
} from '@openclaw/gateway-client/browser';
import type { ChatFailure, ChatMeta, ChatPart, ChatRow } from '../../../shared/chat.ts';
import {
  contentKey,
  isStoppedReply,
  isToolResult,
  outgoingRow,
  plainRow,
  rowId,
  RowList,
  storedFailure,
} from './chat-rows.ts';
import {
  applyCommentary,
  applyThinking,
  applyTool,
  type LiveRun,
  newLiveRun,
  startsAlike,
  textAfterDelta,
  type ToolPart,
} from './live-run.ts';
import {
  cut,
  detailOf,
  type Fields,
  fieldsOf,
  MAX_ROW_TEXT_CHARS,
  messageParts,
  messageText,
  name,
  numberOf,
  stringOf,
  toolText,
} from './message-content.ts';
import type { OutgoingMessage } from './outgoing-messages.ts';

/** Stored messages that are kept of a conversation before the person asks for older ones. */
export const MAX_ROWS = 500;
/** With everything that was loaded on request. */
const MAX_ROWS_LOADED = 5000;
/** Runs without a stored reply that are still shown: failures, commands. */
/** Ends that are remembered: many more than can still be spoken of. */
const MAX_OVER = 256;
const MAX_FINISHED_RUNS = 50;
/** Stored replies that a finished run is compared with. */
const COMPARED_REPLIES = 20;

interface ToolResult {
  readonly name: string;
  readonly output: string;
  readonly failed: boolean;
}

/**
 * One session's conversation: stored messages, running replies and our own messages on their way, folded into rows.
 * Identity and replay rules of stored messages and runs are the official projection's. No clock, no I/O: the same
 * inputs give the same rows.
 */
export class ChatModel {
  #projection: SessionProjectionState = createSessionProjection();
  readonly #runs = new Map<string, LiveRun>();
  /** Runs whose end was heard, oldest first: what is still told of them, or was before their end, begins none of them anew. */
  readonly #over = new Set<string>();
  #outgoing: readonly OutgoingMessage[] = [];
  #sessionId: string | null = null;
  #load: ChatMeta['load'] = 'loading';
  #loadFailure: ChatFailure | null = null;
  #hasMore = false;
  #connected = false;
  #rowLimit = MAX_ROWS;
  #heard = 0;
  /** Sequence number of the last agent commentary by stored record, until the history has its row. */
  readonly #commentaryBefore = new Map<
    string,
    readonly { readonly itemId: string; readonly text: string }[]
  >();
  readonly #partsCache = new WeakMap<object, readonly ChatPart[]>();

  /** How many stored messages are held, counted from the newest: where the next older page begins. */
  get heldCount(): number {
    return this.#projection.entries.length;
  }

  get canLoadOlder(): boolean {
    return this.#hasMore && this.#projection.entries.length < MAX_ROWS_LOADED;
  }

  /** Marks the moment at which a snapshot is asked for: what starts later is not judged by it. */
  mark(): number {
    return this.#heard;
  }

  setOutgoing(outgoing: readonly OutgoingMessage[]): void {
    this.#outgoing = outgoing;
  }

  setConnected(connected: boolean): void {
    this.#connected = connected;
    // What is on the screen may be old from now on, until the history is read again.
    if (!connected && this.#load === 'loaded' && this.#projection.entries.length > 0) this.#load = 'cached';
  }

  setLoadFailed(failure: ChatFailure): void {
    // Rows that are there already stay in sight.
    this.#load = this.#projection.entries.length > 0 ? 'cached' : 'failed';
    this.#loadFailure = failure;
  }

  setLoading(): void {
    this.#load = this.#projection.entries.length > 0 ? 'cached' : 'loading';
    this.#loadFailure = null;
  }

  /**
   * Takes the newest page of `chat.history` as the truth: stored messages, the run that is under way, and which runs
   * are not. `mark` is from before the request.
   */
  loadSnapshot(history: Fields, mark: number): void {
    const messages = arrayOf(history['messages']);
    const sessionId = stringOf(history['sessionId']);
    const isOther = this.#sessionId !== null && sessionId !== null && sessionId !== this.#sessionId;
    this.#sessionId = sessionId;
    // A reset session keeps its key and begins anew: nothing of the old transcript belongs to it.
    if (isOther) this.#projection = createSessionProjection();
    // What was held from earlier pages goes: its offsets are those of an older transcript.
    this.#projection = reconcileSessionProjectionSnapshot(this.#projection, messages);
    this.#rowLimit = Math.max(MAX_ROWS, messages.length);
    this.#commentaryBefore.clear();
    this.#hasMore = history['hasMore'] === true;
    this.#load = 'loaded';
    this.#loadFailure = null;
    const inFlight = fieldsOf(history['inFlightRun']);
    this.#settleRuns(mark, stringOf(inFlight?.['runId']), fieldsOf(history['sessionInfo']));
    if (inFlight) this.#adopt(inFlight);
    this.#trim();
  }

  /** Puts an older page before what is held. Pages may overlap. */
  prependOlder(history: Fields): void {
    const older = arrayOf(history['messages']);
    this.#rowLimit = Math.min(MAX_ROWS_LOADED, this.#rowLimit + older.length);
    const held = this.#projection.entries.map((entry) => entry.message);
    const known = new Set(this.#projection.entries.map((entry) => contentKey(entry)));
    const fresh = createSessionProjection({}, older).entries.filter((entry) => !known.has(contentKey(entry)));
    const messages = [...fresh.map((entry) => entry.message), ...held];
    this.#projection = {
      ...reconcileSessionProjectionSnapshot(createSessionProjection(), messages),
      runs: this.#projection.runs,
    };
    this.#hasMore = history['hasMore'] === true;
  }

  /** A `session.message` event: a message was stored. */
  applySessionMessage(payload: Fields): void {
    const { message, messageId, messageSeq } = payload;
    const fields = fieldsOf(message);
    if (!fields) return;
    this.#projection = projectLiveSessionMessage(this.#projection, fields, { messageId, messageSeq });
    this.#moveCommentary(fields);
    this.#trim();
  }

  /** A `chat` event: the reply's text so far, or its end. */
  applyChatEvent(payload: Fields): void {
    const runId = stringOf(payload['runId']);
    const state = stringOf(payload['state']);
    if (!runId || !state) return;
    const seq = numberOf(payload['seq']) ?? 0;
    const known = this.#runs.get(runId);
    if (!known && this.#over.has(runId)) return;
    // A replayed delta is older than what was heard; the end may carry the number of the last delta.
    if (known && seq < known.chatSeq) return;
    const transition = reduceSessionProjectionRunEvent(this.#projection, payload);
    if (transition) {
      const wasOver = transition.previousRun !== undefined && transition.previousRun.status !== 'streaming';
      this.#projection = transition.projection;
      if (wasOver && state === 'delta') return;
    }
    const run = this.#run(runId);
    run.chatSeq = seq;
    switch (state) {
      case 'delta':
        run.text = textAfterDelta(run.text, payload);
        break;
      case 'final':
        this.#setOver(runId);
        if (run.status === 'running') this.#end(run, 'finished', payload['message']);
        break;
      case 'aborted':
        this.#setOver(runId);
        if (run.status === 'running') this.#end(run, 'aborted', payload['message']);
        break;
      case 'error':
        this.#setOver(runId);
        this.#end(run, 'failed', payload['message']);
        run.failure = {
          type: 'agent',
          kind: name(payload['errorKind']) || 'unknown',
          detail: detailOf(payload['errorMessage']),
        };
        break;
      default:
        // 'status' and what later versions add: the run is alive, which is all that is shown of it.
        break;
    }
  }

  /** An `agent` event: tools, thinking and commentary of a run. Its text comes with the `chat` events. */
  applyAgentEvent(payload: Fields): void {
    const runId = stringOf(payload['runId']);
    const data = fieldsOf(payload['data']);
    if (!runId || !data || payload['isHeartbeat'] === true) return;
    const known = this.#runs.get(runId);
    if (!known && this.#over.has(runId)) return;
    const seq = numberOf(payload['seq']);
    if (known && seq !== null && seq <= known.agentSeq) return;
    switch (payload['stream']) {
      case 'tool':
        applyTool(this.#run(runId), data);
        break;
      case 'thinking':
        applyThinking(this.#run(runId), data);
        break;
      case 'item':
        if (data['kind'] !== 'preamble') return;
        applyCommentary(this.#run(runId), data);
        break;
      default:
        return;
    }
    const run = this.#run(runId);
    if (seq !== null) run.agentSeq = seq;
    run.startedAtMs ??= numberOf(payload['ts']);
  }

  /** The person asked to stop; shown until the run's end is heard. */
  setStopping(runId: string, stopping: boolean): void {
    const run = this.#runs.get(runId) ?? (stopping ? this.#run(runId) : undefined);
    if (run) run.stopping = stopping;
  }

  /** True while a finished run's reply is not found among the stored messages: the history is worth reading again. */
  hasUnstoredReply(): boolean {
    return [...this.#runs.values()].some(
      (run) => run.status !== 'running' && !this.#isStored(run) && run.text.trim() !== '',
    );
  }

  meta(): ChatMeta {
    return {
      load: this.#load,
      loadFailure: this.#loadFailure,
      activeRun: this.#activeRun(),
      hasMore: this.canLoadOlder,
    };
  }

  /** Send ids of our messages that have a row of their own in the history. */
  storedSendIds(): ReadonlySet<string> {
    const ids = new Set<string>();
    for (const { identity } of this.#projection.entries) if (identity?.sendId) ids.add(identity.sendId);
    return ids;
  }

  /** The conversation in display order. */
  rows(): readonly ChatRow[] {
    const entries = this.#projection.entries;
    const { results, called } = this.#toolResults(entries);
    const storedSendIds = this.storedSendIds();
    const storedItems = new Set(
      entries.map((entry) => readAssistantStreamSegmentIdentity(entry.message)?.itemId),
    );
    const outgoing = this.#outgoing.filter((message) => !storedSendIds.has(message.messageId));
    const rows = new RowList();
    const floating = this.#floating(outgoing, called);
    let next = 0;
    for (const entry of entries) {
      const sequence = entry.identity?.sequence ?? null;
      while (
        sequence !== null &&
        next < floating.placed.length &&
        (floating.placed[next]?.after ?? 0) < sequence
      ) {
        for (const row of floating.placed[next]?.rows ?? []) rows.add(row);
        next += 1;
      }
      for (const { itemId, text } of this.#commentaryBefore.get(entry.identity?.id ?? '') ?? []) {
        if (!storedItems.has(itemId))
          rows.add(plainRow(`item:${itemId}`, 'assistant', [{ type: 'text', text }]));
      }
      const row = this.#storedRow(entry, results, called);
      if (row) rows.add(row);
    }
    for (; next < floating.placed.length; next += 1)
      for (const row of floating.placed[next]?.rows ?? []) rows.add(row);
    for (const row of floating.last) rows.add(row);
    return rows.list;
  }

  #run(runId: string): LiveRun {
    const known = this.#runs.get(runId);
    if (known) return known;
    this.#heard += 1;
    const run = newLiveRun(runId, this.#heard);
    this.#runs.set(runId, run);
    const finished = [...this.#runs.values()].filter(({ status }) => status !== 'running');
    for (const old of finished.slice(0, Math.max(0, finished.length - MAX_FINISHED_RUNS)))
      this.#runs.delete(old.runId);
    return run;
  }

  #setOver(runId: string): void {
    this.#over.add(runId);
    for (const oldest of this.#over) {
      if (this.#over.size <= MAX_OVER) break;
      this.#over.delete(oldest);
    }
  }

  #end(run: LiveRun, status: 'finished' | 'aborted' | 'failed', message: unknown): void {
    const text = messageText(message);
    if (text !== '') run.text = text;
    run.status = status;
    run.stopping = false;
    run.placedAfter = this.#lastSequence();
    for (const [callId, tool] of run.tools) {
      if (tool.status === 'running')
        run.tools.set(callId, { ...tool, status: status === 'finished' ? 'done' : 'failed' });
    }
  }

  /** Runs that the gateway no longer has are over, and what of them is stored needs no row of its own. */
  #settleRuns(mark: number, inFlightRunId: string | null, sessionInfo: Fields | null): void {
    const activeRunIds = sessionInfo?.['activeRunIds'];
    const isActive = (runId: string): boolean => {
      if (runId === inFlightRunId) return true;
      if (Array.isArray(activeRunIds)) return activeRunIds.includes(runId);
      return sessionInfo?.['hasActiveRun'] === true;
    };
    for (const run of [...this.#runs.values()]) {
      if (run.status === 'running' && run.heardAt <= mark && !isActive(run.runId))
        this.#end(run, 'finished', null);
      if (run.status === 'running') continue;
      const isEmpty = run.text.trim() === '' && run.failure === null;
      if (isEmpty || this.#isStored(run)) this.#runs.delete(run.runId);
    }
  }

  /** The history holds the run's reply, by its run id or, where it carries none, by its words. */
  #isStored(run: LiveRun): boolean {
    const text = run.text.trim();
    const replies = this.#projection.entries.filter(({ identity }) => identity?.role === 'assistant');
    if (run.failure) {
      return replies.some(
        ({ identity, message }) => identity?.runId === run.runId && storedFailure(fieldsOf(message)) !== null,
      );
    }
    return (
      replies.some(
        ({ identity, message }) =>
          identity?.runId === run.runId && startsAlike(messageText(message).trim(), text),
      ) || replies.slice(-COMPARED_REPLIES).some(({ message }) => messageText(message).trim() === text)
    );
  }

  #adopt(inFlight: Fields): void {
    const runId = stringOf(inFlight['runId']);
    // The answer may be older than an end that came before it.
    if (!runId || this.#over.has(runId)) return;
    const run = this.#run(runId);
    if (run.status !== 'running') return;
    const text = cut(stringOf(inFlight['text']) ?? '', MAX_ROW_TEXT_CHARS);
    // Deltas that came while the history was on its way may be ahead of it.
    if (!startsAlike(run.text, text) || run.text.length < text.length) run.text = text;
    run.startedAtMs = numberOf(inFlight['startedAt']) ?? run.startedAtMs;
    for (const event of arrayOf(inFlight['events'])) {
      const fields = fieldsOf(event);
      if (fields) this.applyAgentEvent({ runId, ...fields });
    }
  }

  /** Commentary that came before a tool call belongs before the stored call; the live message does not carry it. */
  #moveCommentary(message: Fields): void {
    const entry = this.#projection.entries.find((candidate) => candidate.message === message);
    const { runId, id, role } = entry?.identity ?? {};
    const run = runId ? this.#runs.get(runId) : undefined;
    if (!run || !id || role !== 'assistant' || run.commentary.size === 0) return;
    this.#commentaryBefore.set(
      id,
      [...run.commentary].map(([itemId, text]) => ({ itemId, text })),
    );
    run.commentary.clear();
  }

  #trim(): void {
    const { entries } = this.#projection;
    // In steps, so that not every new message copies the list.
    if (entries.length <= this.#rowLimit + 50) return;
    const kept = entries.slice(-this.#rowLimit);
    this.#projection = { ...this.#projection, entries: kept, messages: kept.map((entry) => entry.message) };
    this.#hasMore = true;
  }

  #lastSequence(): number {
    let last = 0;
    for (const { identity } of this.#projection.entries) last = Math.max(last, identity?.sequence ?? 0);
    return last;
  }

  #activeRun(): ChatMeta['activeRun'] {
    if (!this.#connected) return null;
    const running = [...this.#runs.values()].filter(({ status }) => status === 'running').at(-1);
    if (running) return { runId: running.runId, phase: running.stopping ? 'stopping' : 'running' };
    const accepted = this.#outgoing.find(
      ({ state, messageId }) => state.type === 'sent' && !this.#runs.has(messageId),
    );
    return accepted ? { runId: accepted.messageId, phase: 'running' } : null;
  }

  #toolResults(entries: readonly SessionProjectionEntry[]): {
    readonly results: ReadonlyMap<string, ToolResult>;
    readonly called: ReadonlySet<string>;
  } {
    const results = new Map<string, ToolResult>();
    const called = new Set<string>();
    for (const { message } of entries) {
      const fields = fieldsOf(message);
      if (!fields) continue;
      if (isToolResult(fields)) {
        const callId = name(fields['toolCallId']);
        results.set(callId, {
          name: name(fields['toolName']),
          output: toolText(fields['content']),
          failed: fields['isError'] === true,
        });
      } else {
        for (const part of this.#parts(fields)) if (part.type === 'tool') called.add(part.callId);
      }
    }
    return { results, called };
  }

  #parts(message: Fields): readonly ChatPart[] {
    const cached = this.#partsCache.get(message);
    if (cached) return cached;
    const parts = messageParts(message);
    this.#partsCache.set(message, parts);
    return parts;
  }

  #storedRow(
    entry: SessionProjectionEntry,
    results: ReadonlyMap<string, ToolResult>,
    called: ReadonlySet<string>,
  ): ChatRow | null {
    const message = fieldsOf(entry.message);
    if (!message) return null;
    const { identity } = entry;
    const meta = fieldsOf(message['__openclaw']);
    const sequence = identity?.sequence ?? 0;
    const id = rowId(entry) ?? `seq:${sequence}`;
    const createdAtMs = numberOf(message['timestamp']);
    if (isToolResult(message)) {
      const callId = name(message['toolCallId']);
      if (called.has(callId)) return null;
      const result = results.get(callId);
      if (!result) return null;
      const { name: toolName, output, failed } = result;
      const part: ToolPart = {
        type: 'tool',
        callId,
        name: toolName,
        status: failed ? 'failed' : 'done',
        input: '',
        output,
      };
      return { ...plainRow(id, 'assistant', [part]), createdAtMs };
    }
    const role = identity?.role === 'user' || identity?.role === 'assistant' ? identity.role : 'system';
    const kind = stringOf(meta?.['kind']);
    const parts =
      role === 'system' && kind
        ? [{ type: 'other', kind: name(kind) } as const]
        : this.#withResults(this.#parts(message), results, identity?.runId ?? null);
    const failure = role === 'assistant' ? storedFailure(message) : null;
    if (parts.length === 0 && !failure) return null;
    const stopped = role === 'assistant' && isStoppedReply(message);
    return { ...plainRow(id, role, parts), createdAtMs, failure, stopped };
  }

  #withResults(
    parts: readonly ChatPart[],
    results: ReadonlyMap<string, ToolResult>,
    runId: string | null,
  ): readonly ChatPart[] {
    if (!parts.some((part) => part.type === 'tool')) return parts;
    const run = runId === null ? undefined : this.#runs.get(runId);
    return parts.map((part) => {
      if (part.type !== 'tool') return part;
      const result = results.get(part.callId);
      if (result) return { ...part, output: result.output, status: result.failed ? 'failed' : 'done' };
      const live = run?.tools.get(part.callId) ?? this.#liveTool(part.callId);
      if (live) return { ...part, output: live.output, status: live.status };
      // No result and no run that could still bring one: it ended without.
      return run?.status === 'running' ? part : { ...part, status: 'failed' };
    });
  }

  #liveTool(callId: string): ToolPart | null {
    for (const run of this.#runs.values()) {
      const tool = run.tools.get(callId);
      if (tool) return tool;
    }
    return null;
  }

  /** Rows that the history does not have: replies under way, ended runs in their place, our messages on their way. */
  #floating(
    outgoing: readonly OutgoingMessage[],
    called: ReadonlySet<string>,
  ): {
    readonly placed: readonly { readonly after: number; readonly rows: readonly ChatRow[] }[];
    readonly last: readonly ChatRow[];
  } {
    const placed: { after: number; rows: readonly ChatRow[] }[] = [];
    const last: ChatRow[] = [];
    const shown = new Set<string>();
    for (const run of this.#runs.values()) {
      const own = outgoing.find(({ messageId }) => messageId === run.runId);
      const rows = own ? [outgoingRow(own, run)] : [];
      if (own) shown.add(own.messageId);
      const reply = this.#liveRow(run, called);
      if (reply) rows.push(reply);
      if (rows.length === 0) continue;
      if (run.status === 'running') last.push(...rows);
      else placed.push({ after: run.placedAfter, rows });
    }
    for (const message of outgoing) if (!shown.has(message.messageId)) last.push(outgoingRow(message, null));
    placed.sort((a, b) => a.after - b.after);
    return { placed, last };
  }

  #liveRow(run: LiveRun, called: ReadonlySet<string>): ChatRow | null {
    const parts: ChatPart[] = [];
    if (run.status === 'running' && run.thinking !== '') parts.push({ type: 'thinking', text: run.thinking });
    for (const text of run.commentary.values()) parts.push({ type: 'text', text });
    for (const tool of run.tools.values()) if (!called.has(tool.callId)) parts.push(tool);
    const text = this.#unstoredText(run);
    if (text.trim() !== '') parts.push({ type: 'text', text });
    // The gateway stores the failure as a message of its own, which may come before or after the run's end.
    const failure = run.failure !== null && this.#isStored(run) ? null : run.failure;
    if (parts.length === 0 && failure === null) return null;
    const row = plainRow(`run:${run.runId}`, 'assistant', parts);
    const streaming = run.status === 'running' && this.#connected;
    // Where the history holds the reply, its row there says it.
    const stopped = run.status === 'aborted' && !this.#isStored(run);
    return { ...row, createdAtMs: run.startedAtMs, failure, streaming, stopped };
  }

  /** The part of a run's text that no stored message shows: deltas carry all of it, or only the latest message's. */
  #unstoredText(run: LiveRun): string {
    let rest = run.text;
    for (const { identity, message } of this.#projection.entries) {
      if (identity?.role !== 'assistant' || identity.runId !== run.runId) continue;
      const stored = messageText(message).trim();
      if (stored === '') continue;
      const begin = rest.trimStart();
      if (begin.startsWith(stored)) rest = begin.slice(stored.length);
      // A late delta of what is stored in full by now.
      else if (stored.startsWith(begin.trimEnd())) rest = '';
    }
    if (run.status !== 'running' && rest !== '' && this.#isStored(run) && run.failure === null) return '';
    return rest;
  }
}

function arrayOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
