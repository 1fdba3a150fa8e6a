import type { ChannelHealth, GatewayHealth } from '../../../shared/health.ts';
import { cut, type Fields, fieldsOf, name, numberOf, stringOf } from '../../core/chat/message-content.ts';

const MAX_CHANNELS = 64;
const MAX_AGENTS = 100;
const MAX_ERROR_CHARS = 300;

/** Reads the answer of the `health` RPC, or the `health` event, leniently: what it does not say is unknown. */
export function readGatewayHealth(
  value: unknown,
  more: {
    readonly observedAtMs: number;
    readonly gatewayVersion: string | null;
    readonly pendingApprovals: number | null;
    readonly pendingQuestions: number | null;
    readonly activeRuns: number | null;
  },
): GatewayHealth | null {
  const health = fieldsOf(value);
  if (!health) return null;
  return {
    ...more,
    channels: readChannels(health),
    agents: readAgents(health['agents']),
    sessionCount: numberOf(fieldsOf(health['sessions'])?.['count']),
  };
}

function readChannels(health: Fields): readonly ChannelHealth[] {
  const channels = fieldsOf(health['channels']) ?? {};
  const labels = fieldsOf(health['channelLabels']) ?? {};
  const order = Array.isArray(health['channelOrder']) ? health['channelOrder'].map(stringOf) : [];
  const ids = [...new Set([...order, ...Object.keys(channels)])].filter((id): id is string => id !== null);
  return ids.slice(0, MAX_CHANNELS).flatMap((id) => {
    const channel = Object.hasOwn(channels, id) ? fieldsOf(channels[id]) : null;
    if (!channel) return [];
    const label = Object.hasOwn(labels, id) ? stringOf(labels[id]) : null;
    return [{ id: name(id), label: name(label ?? id), ...readChannel(channel) }];
  });
}

type State = Pick<ChannelHealth, 'state' | 'lastError'>;

/** A channel with several accounts is as well as they are together. */
function readChannel(channel: Fields): State {
  const accounts = Object.values(fieldsOf(channel['accounts']) ?? {})
    .map(fieldsOf)
    .filter((account) => account !== null)
    .map(readAccount)
    .filter(({ state }) => state !== 'not-configured');
  if (accounts.length <= 1) return accounts[0] ?? readAccount(channel);
  const lastError = accounts.find((account) => account.lastError !== null)?.lastError ?? null;
  const isAll = (state: ChannelHealth['state']): boolean =>
    accounts.every((account) => account.state === state);
  if (isAll('ready')) return { state: 'ready', lastError };
  if (isAll('down')) return { state: 'down', lastError };
  return { state: accounts.some(({ state }) => state !== 'unknown') ? 'degraded' : 'unknown', lastError };
}

function readAccount(account: Fields): State {
  const probe = fieldsOf(account['probe']);
  const lastError = errorOf(account['lastError']) ?? errorOf(probe?.['error']);
  if (account['configured'] === false || account['enabled'] === false)
    return { state: 'not-configured', lastError: null };
  if (probe?.['ok'] === false || account['linked'] === false || account['running'] === false)
    return { state: 'down', lastError };
  // A channel that is not there yet, or on its way back.
  if (account['connected'] === false || account['lifecycle'] === 'starting')
    return { state: 'degraded', lastError };
  if (lastError !== null && account['connected'] !== true) return { state: 'degraded', lastError };
  const isWell =
    probe?.['ok'] === true ||
    account['linked'] === true ||
    account['running'] === true ||
    account['connected'] === true;
  return { state: isWell ? 'ready' : 'unknown', lastError };
}

function readAgents(value: unknown): GatewayHealth['agents'] {
  if (!Array.isArray(value)) return [];
  return value.slice(0, MAX_AGENTS).flatMap((agent) => {
    const id = stringOf(fieldsOf(agent)?.['agentId']);
    return id === null ? [] : [{ id: name(id), name: name(fieldsOf(agent)?.['name'] ?? id) }];
  });
}

function errorOf(value: unknown): string | null {
  const text = stringOf(value)?.trim();
  return text ? cut(text, MAX_ERROR_CHARS) : null;
}
