import { contextBridge, ipcRenderer } from 'electron';
import {
  channelName,
  ipcContract,
  type CommandName,
  type EventName,
  type GangwayApi,
} from '../shared/ipc-contract.ts';

// Only the members of the contract are reachable from a page: no channel name, no event object, no ipcRenderer.

function commandFunction(name: CommandName): (input: unknown) => Promise<unknown> {
  const channel = channelName(name);
  return (input) => ipcRenderer.invoke(channel, input);
}

function eventFunction(name: EventName): (listener: (payload: unknown) => void) => () => void {
  const channel = channelName(name);
  return (listener) => {
    const receive = (_event: unknown, payload: unknown): void => listener(payload);
    ipcRenderer.on(channel, receive);
    return () => {
      ipcRenderer.removeListener(channel, receive);
    };
  };
}

function buildApi(): GangwayApi {
  const groups = Object.entries(ipcContract).map(([group, members]): [string, unknown] => {
    const functions = Object.entries(members).map(([member, { kind }]): [string, unknown] =>
      kind === 'command'
        ? [member, commandFunction(`${group}.${member}` as CommandName)]
        : [
            `on${member.charAt(0).toUpperCase()}${member.slice(1)}`,
            eventFunction(`${group}.${member}` as EventName),
          ],
    );
    return [group, Object.freeze(Object.fromEntries(functions))];
  });
  return Object.freeze(Object.fromEntries(groups)) as GangwayApi;
}

contextBridge.exposeInMainWorld('gangway', buildApi());
