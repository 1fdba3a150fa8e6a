import type { CommandHandlers } from '../../shared/ipc-contract.ts';
import { createAppCommands } from './commands/app-commands.ts';
import { createChatCommands } from './commands/chat-commands.ts';
import type { CommandPorts } from './commands/command-ports.ts';
import { createConnectionCommands } from './commands/connection-commands.ts';
import { createInboxCommands } from './commands/inbox-commands.ts';
import { createSettingsCommands } from './commands/settings-commands.ts';
import type { CommandContext } from './ports.ts';

/** What every command of the contract does. Inputs have passed the validators; nothing here knows of Electron. */
export function createCommandHandlers(ports: CommandPorts): CommandHandlers<CommandContext> {
  return {
    ...createAppCommands(ports),
    ...createSettingsCommands(ports),
    ...createConnectionCommands(ports),
    ...createChatCommands(ports),
    ...createInboxCommands(ports),
  };
}
