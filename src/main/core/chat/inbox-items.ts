import type {
  AgentQuestion,
  ApprovalDecision,
  ApprovalScope,
  InboxItem,
  InboxItemType,
  SecretStoreBinding,
} from '../../../shared/inbox.ts';
import { cut, type Fields, fieldsOf, numberOf, stringOf } from './message-content.ts';

const MAX_ID_CHARS = 256;
const MAX_SESSION_KEY_CHARS = 512;
/** A command is shown whole, or not offered to be allowed: what is cut off could be what it is about. */
const MAX_COMMAND_CHARS = 32_000;
const MAX_DETAIL_CHARS = 16_384;
const MAX_LINE_CHARS = 2_000;
const MAX_NAME_CHARS = 256;
const MAX_WARNINGS = 10;
const MAX_VARIABLES = 100;
const MAX_RECIPIENTS = 5;
/** The protocol's own limits (Question, QuestionSecretStoreBinding). */
const MAX_QUESTIONS = 3;
const MAX_OPTIONS = 8;
const MAX_HOSTS = 128;
const QUESTION_ID = /^[a-z][a-z0-9_]{0,255}$/;
/** What a Date can be (ECMA-262, time values). */
const MAX_TIME_MS = 8.64e15;
const DECISIONS: readonly ApprovalDecision[] = ['allow-once', 'allow-always', 'deny'];
const ONLY_DENY: readonly ApprovalDecision[] = ['deny'];

/** One row of `exec.approval.list`, `plugin.approval.list` or `question.list`; null where it is none. */
export function readInboxItem(type: InboxItemType, value: unknown): InboxItem | null {
  const row = fieldsOf(value);
  const id = stringOf(row?.['id']);
  if (!row || id === null || id === '' || id.length > MAX_ID_CHARS) return null;
  // Approvals carry what was asked for in `request`, questions in the row itself.
  const request = fieldsOf(row['request']) ?? row;
  const sessionKey = stringOf(request['sessionKey']) ?? stringOf(row['sessionKey']);
  const waiting = {
    id,
    agentId: line(request['agentId'], MAX_NAME_CHARS),
    sessionKey: sessionKey !== null && sessionKey.length <= MAX_SESSION_KEY_CHARS ? sessionKey : null,
    createdAtMs: timeOf(row['createdAtMs']),
    expiresAtMs: timeOf(row['expiresAtMs']),
  };
  switch (type) {
    case 'exec-approval': {
      const command = stringOf(request['command']) ?? '';
      const isWhole = command !== '' && command.length <= MAX_COMMAND_CHARS;
      const scope = readScope(request['scope']);
      return {
        ...waiting,
        type,
        command: cut(command, MAX_COMMAND_CHARS),
        cwd: line(request['cwd'], MAX_LINE_CHARS),
        host: line(request['host'], MAX_NAME_CHARS),
        nodeId: line(request['nodeId'], MAX_NAME_CHARS),
        program: line(request['resolvedPath'], MAX_LINE_CHARS),
        environment: linesOf(request['envKeys'], MAX_VARIABLES),
        warnings: readWarnings(request),
        scope,
        decisions: isWhole ? readDecisions(request, scope) : ONLY_DENY,
      };
    }
    case 'plugin-approval': {
      const severity = stringOf(request['severity']);
      const detail = stringOf(request['detail']) ?? '';
      const scope = readScope(request['scope']);
      const mcp = fieldsOf(request['mcpTool']);
      return {
        ...waiting,
        type,
        title: line(request['title'], MAX_NAME_CHARS) ?? '',
        description: line(request['description'], MAX_LINE_CHARS) ?? '',
        detail: cut(detail, MAX_DETAIL_CHARS),
        severity: severity === 'info' || severity === 'critical' ? severity : 'warning',
        pluginId: line(request['pluginId'], MAX_NAME_CHARS),
        toolName: mcp
          ? linesOf([mcp['server'], mcp['tool']], 2).join(' / ')
          : line(request['toolName'], MAX_NAME_CHARS),
        scope,
        decisions: detail.length <= MAX_DETAIL_CHARS ? readDecisions(request, scope) : ONLY_DENY,
      };
    }
    case 'question':
      return { ...waiting, type, questions: readQuestions(row['questions']) };
  }
}

/** All of them, or none: they are answered together. */
function readQuestions(value: unknown): AgentQuestion['questions'] {
  const rows = rowsOf(value);
  if (rows.length > MAX_QUESTIONS) return [];
  const questions = rows.map(readQuestion).filter((question) => question !== null);
  const isWhole = questions.length === rows.length;
  const isDistinct = new Set(questions.map(({ questionId }) => questionId)).size === questions.length;
  return isWhole && isDistinct ? questions : [];
}

function readQuestion(value: unknown): AgentQuestion['questions'][number] | null {
  const fields = fieldsOf(value);
  const questionId = stringOf(fields?.['questionId']);
  if (!fields || questionId === null || !QUESTION_ID.test(questionId)) return null;
  const rows = rowsOf(fields['options']);
  if (rows.length > MAX_OPTIONS) return null;
  const options = rows.map((option) => ({
    label: stringOf(fieldsOf(option)?.['label']) ?? '',
    description: line(fieldsOf(option)?.['description'], MAX_LINE_CHARS) ?? '',
  }));
  // The label is the answer: one that is cut, or there twice, is another one.
  const labels = new Set(options.map(({ label }) => label));
  const isWhole = options.every(({ label }) => label !== '' && label.length <= MAX_LINE_CHARS);
  if (!isWhole || labels.size < options.length) return null;
  const secretStore = readSecretStore(fields['secretStore'], fields['secretStoreExisting']);
  if (secretStore === 'unreadable') return null;
  return {
    questionId,
    header: line(fields['header'], MAX_NAME_CHARS) ?? '',
    text: cut(stringOf(fields['question']) ?? '', MAX_DETAIL_CHARS),
    options,
    isMultiSelect: fields['multiSelect'] === true,
    takesOther: fields['isOther'] === true || options.length === 0,
    isSecret: fields['isSecret'] === true || secretStore !== null,
    secretStore,
  };
}

function readSecretStore(value: unknown, existing: unknown): SecretStoreBinding | null | 'unreadable' {
  if (value === undefined || value === null) return null;
  const fields = fieldsOf(value);
  const name = line(fields?.['name'], MAX_NAME_CHARS);
  const hosts = rowsOf(fields?.['allowedHosts']);
  const allowedHosts = linesOf(hosts, MAX_HOSTS);
  if (!fields || name === null || allowedHosts.length < hosts.length) return 'unreadable';
  return {
    name,
    kind: fields['kind'] === 'env' ? 'env' : 'secret',
    allowedHosts,
    reason: line(fields['reason'], MAX_NAME_CHARS) ?? '',
    replaces: fieldsOf(existing) !== null,
  };
}

/** Where the gateway names none, what can be done without its word is to decline, or to allow this once. */
function readDecisions(request: Fields, scope: ApprovalScope | null): readonly ApprovalDecision[] {
  if (scope?.kind === 'unknown') return ONLY_DENY;
  const named = request['allowedDecisions'];
  if (!Array.isArray(named)) return ['allow-once', 'deny'];
  return DECISIONS.filter((decision) => decision === 'deny' || named.includes(decision));
}

function readWarnings(request: Fields): readonly string[] {
  const lines = rowsOf(fieldsOf(request['commandAnalysis'])?.['warningLines']);
  return [...new Set(linesOf([request['warningText'], ...lines], MAX_WARNINGS))];
}

/** Null where there is none; `unknown` where there is one that cannot be read whole. */
function readScope(value: unknown): ApprovalScope | null {
  if (value === undefined || value === null) return null;
  return knownScope(fieldsOf(value) ?? {}) ?? { kind: 'unknown' };
}

function knownScope(fields: Fields): ApprovalScope | null {
  const word = (name: string): string | null => line(fields[name], MAX_NAME_CHARS);
  const target = word('target');
  switch (fields['kind']) {
    case 'message-send': {
      const recipientCount = numberOf(fields['recipientCount']);
      if (target === null || recipientCount === null) return null;
      const recipients = linesOf(fields['recipients'], MAX_RECIPIENTS);
      const isExternal = fields['audience'] === 'external';
      return { kind: 'message-send', target, recipientCount, recipients, isExternal };
    }
    case 'payment': {
      const [amount, currency] = [word('amount'), word('currency')];
      if (target === null || amount === null || currency === null) return null;
      return { kind: 'payment', amount, currency, target };
    }
    case 'external-post':
      if (target === null) return null;
      return { kind: 'external-post', target, isPublic: fields['visibility'] !== 'restricted' };
    case 'standing-grant': {
      const [automation, command] = [word('automation'), word('command')];
      if (automation === null || command === null) return null;
      return {
        kind: 'standing-grant',
        automation,
        command,
        expiresInDays: numberOf(fields['expiresInDays']),
      };
    }
    default:
      return null;
  }
}

function timeOf(value: unknown): number | null {
  const time = numberOf(value);
  return time !== null && Math.abs(time) <= MAX_TIME_MS ? time : null;
}

function rowsOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function linesOf(value: unknown, maxLines: number): readonly string[] {
  return rowsOf(value)
    .slice(0, maxLines)
    .map((item) => line(item, MAX_LINE_CHARS))
    .filter((text) => text !== null);
}

function line(value: unknown, maxChars: number): string | null {
  const text = stringOf(value)?.trim() ?? '';
  return text === '' ? null : cut(text, maxChars);
}
