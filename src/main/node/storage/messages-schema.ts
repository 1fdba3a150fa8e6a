import type { DatabaseSync } from 'node:sqlite';
import {
  stateAfterRestart,
  type StoredContent,
  type StoredDraft,
  type StoredGateway,
  type StoredMessage,
} from '../../core/chat/stored-messages.ts';
import type { DatabaseStep, Row } from './database-file.ts';

/** `MESSAGES_STEPS[0]` leads from an empty file to version 1, and so on. A step is never changed once it was released. */
export const MESSAGES_STEPS: readonly DatabaseStep[] = [
  (database) =>
    database.exec(`
      CREATE TABLE messages (
        position INTEGER PRIMARY KEY AUTOINCREMENT,
        gateway_id TEXT NOT NULL,
        message_id TEXT NOT NULL,
        session_key TEXT NOT NULL,
        text TEXT NOT NULL,
        created_at_ms INTEGER NOT NULL,
        state TEXT NOT NULL,
        UNIQUE (gateway_id, message_id)
      ) STRICT;
      CREATE TABLE drafts (
        position INTEGER PRIMARY KEY,
        gateway_id TEXT NOT NULL,
        session_key TEXT NOT NULL,
        text TEXT NOT NULL,
        UNIQUE (gateway_id, session_key)
      ) STRICT;
      CREATE TABLE gateways (
        position INTEGER PRIMARY KEY,
        gateway_id TEXT NOT NULL UNIQUE,
        identity TEXT NOT NULL,
        main_session_key TEXT
      ) STRICT;
    `),
];

export const TABLES = ['messages', 'drafts', 'gateways'] as const;
export type Table = (typeof TABLES)[number];

/** Reads rows of any table, in its order. Throws what SQLite says. */
export type ReadRows = (table: Table) => Iterable<Row>;

/** Everything that can be understood; a row without a text, an id or a place is none. */
export function readContent(rows: ReadRows): StoredContent {
  return {
    messages: present(rows('messages'), readMessage),
    drafts: present(rows('drafts'), readDraft),
    gateways: present(rows('gateways'), readGateway),
  };
}

/** Puts `content` into tables that are empty. */
export function writeContent(database: DatabaseSync, content: StoredContent): void {
  const statements = prepareStatements(database);
  for (const message of content.messages) statements.addMessage(message);
  for (const draft of content.drafts) statements.setDraft(draft);
  for (const gateway of content.gateways) statements.setGateway(gateway);
}

export function clearContent(database: DatabaseSync): void {
  database.exec(TABLES.map((table) => `DELETE FROM ${table}`).join('; '));
}

export type MessageStatements = ReturnType<typeof prepareStatements>;

/** What is written, one statement each; within a transaction of the caller's or one of its own. */
export function prepareStatements(database: DatabaseSync) {
  const addMessage = database.prepare(
    'INSERT INTO messages (gateway_id, message_id, session_key, text, created_at_ms, state) VALUES (?, ?, ?, ?, ?, ?)',
  );
  const setState = database.prepare('UPDATE messages SET state = ? WHERE gateway_id = ? AND message_id = ?');
  const renew = database.prepare(
    'UPDATE messages SET message_id = ?, state = ? WHERE gateway_id = ? AND message_id = ?',
  );
  const removeMessage = database.prepare('DELETE FROM messages WHERE gateway_id = ? AND message_id = ?');
  const setDraft = database.prepare(
    'INSERT INTO drafts (gateway_id, session_key, text) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET text = excluded.text',
  );
  const removeDraft = database.prepare('DELETE FROM drafts WHERE gateway_id = ? AND session_key = ?');
  const setGateway = database.prepare(
    `INSERT INTO gateways (gateway_id, identity, main_session_key) VALUES (?, ?, ?)
     ON CONFLICT DO UPDATE SET identity = excluded.identity, main_session_key = excluded.main_session_key`,
  );
  const forget = TABLES.map((table) => database.prepare(`DELETE FROM ${table} WHERE gateway_id = ?`));
  return {
    addMessage: ({ gatewayId, messageId, sessionKey, text, createdAtMs, state }: StoredMessage): void => {
      addMessage.run(gatewayId, messageId, sessionKey, text, Math.round(createdAtMs), JSON.stringify(state));
    },
    setState: (gatewayId: string, messageId: string, state: StoredMessage['state']): void => {
      setState.run(JSON.stringify(state), gatewayId, messageId);
    },
    renew: (gatewayId: string, messageId: string, newId: string, state: StoredMessage['state']): void => {
      renew.run(newId, JSON.stringify(state), gatewayId, messageId);
    },
    removeMessage: (gatewayId: string, messageId: string): void => {
      removeMessage.run(gatewayId, messageId);
    },
    /** An empty text removes the draft. */
    setDraft: ({ gatewayId, sessionKey, text }: StoredDraft): void => {
      if (text === '') removeDraft.run(gatewayId, sessionKey);
      else setDraft.run(gatewayId, sessionKey, text);
    },
    setGateway: ({ gatewayId, identity, mainSessionKey }: StoredGateway): void => {
      setGateway.run(gatewayId, identity, mainSessionKey);
    },
    forgetGateway: (gatewayId: string): void => {
      for (const statement of forget) statement.run(gatewayId);
    },
  };
}

function present<T>(rows: Iterable<Row>, read: (row: Row) => T | null): readonly T[] {
  return [...rows].map(read).filter((item) => item !== null);
}

function readMessage(row: Row): StoredMessage | null {
  const { gateway_id, message_id, session_key, text, created_at_ms, state } = row;
  if (typeof gateway_id !== 'string' || typeof message_id !== 'string') return null;
  if (typeof session_key !== 'string' || typeof text !== 'string') return null;
  return {
    gatewayId: gateway_id,
    messageId: message_id,
    sessionKey: session_key,
    text,
    createdAtMs: typeof created_at_ms === 'number' ? created_at_ms : 0,
    state: stateAfterRestart(typeof state === 'string' ? state : ''),
  };
}

function readDraft({ gateway_id, session_key, text }: Row): StoredDraft | null {
  if (typeof gateway_id !== 'string' || typeof session_key !== 'string' || typeof text !== 'string')
    return null;
  return { gatewayId: gateway_id, sessionKey: session_key, text };
}

function readGateway({ gateway_id, identity, main_session_key }: Row): StoredGateway | null {
  if (typeof gateway_id !== 'string' || typeof identity !== 'string') return null;
  const mainSessionKey = typeof main_session_key === 'string' ? main_session_key : null;
  return { gatewayId: gateway_id, identity, mainSessionKey };
}
