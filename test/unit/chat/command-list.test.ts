import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readCommands } from '../../../src/main/core/chat/command-list.ts';
import { matchingCommands, type SlashCommand } from '../../../src/shared/slash-commands.ts';

describe('the commands of commands.list', () => {
  it('are written as the gateway names them, with their arguments', () => {
    const commands = [
      {
        name: 'skill',
        textAliases: ['/skill'],
        description: 'Run a skill by name.',
        scope: 'both',
        acceptsArgs: true,
        args: [{ name: 'name', required: true }, { name: 'input' }],
      },
      { name: 'help', description: 'Show help.', scope: 'text', acceptsArgs: false },
      { name: 'pair', textAliases: ['/pair'], scope: 'native', acceptsArgs: false },
      { name: 'two words', scope: 'text' },
      { name: 'help', scope: 'text' },
    ];
    expect(readCommands({ commands })).toEqual([
      { name: '/skill', description: 'Run a skill by name.', usage: '<name> [input]', takesArguments: true },
      { name: '/help', description: 'Show help.', usage: '', takesArguments: false },
    ]);
  });

  it('are none where the answer is none, and anything is taken without throwing', () => {
    expect(readCommands({})).toBeNull();
    fc.assert(
      fc.property(fc.array(fc.anything()), (commands) => {
        for (const { name } of readCommands({ commands }) ?? []) expect(name).toMatch(/^\/\S+$/);
      }),
    );
  });
});

describe('what is typed', () => {
  const of = (name: string): SlashCommand => ({ name, description: '', usage: '', takesArguments: false });
  const all = ['/help', '/reset', '/model', '/models', '/send'].map(of);
  const names = (typed: string, limit = 8) => matchingCommands(all, typed, limit).map(({ name }) => name);

  it('finds names that begin so before names that hold it', () => {
    expect(names('/se')).toEqual(['/send', '/reset']);
    expect(names('/MODEL')).toEqual(['/model', '/models']);
    expect(names('/nothing')).toEqual([]);
  });

  it('finds all for the slash alone, up to the limit', () => {
    expect(names('/', 3)).toEqual(['/help', '/reset', '/model']);
  });
});
