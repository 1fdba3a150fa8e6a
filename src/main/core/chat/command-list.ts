import type { SlashCommand } from '../../../shared/slash-commands.ts';
import { cut, type Fields, fieldsOf, stringOf } from './message-content.ts';

/** The protocol's own limits (CommandEntry). */
const MAX_COMMANDS = 500;
const MAX_NAME_CHARS = 200;
const MAX_DESCRIPTION_CHARS = 300;
const MAX_ARGUMENTS = 20;

/** The commands of a `commands.list` answer that can be written as text; null when it is none. */
export function readCommands(value: unknown): readonly SlashCommand[] | null {
  const rows = fieldsOf(value)?.['commands'];
  if (!Array.isArray(rows)) return null;
  const commands = new Map<string, SlashCommand>();
  for (const row of rows.slice(0, MAX_COMMANDS)) {
    const fields = fieldsOf(row);
    const name = fields && nameOf(fields);
    if (!fields || name === null || commands.has(name)) continue;
    commands.set(name, {
      name,
      description: cut(stringOf(fields['description']) ?? '', MAX_DESCRIPTION_CHARS),
      usage: usageOf(fields['args']),
      takesArguments: fields['acceptsArgs'] === true,
    });
  }
  return [...commands.values()];
}

function nameOf(fields: Fields): string | null {
  if (fields['scope'] === 'native') return null;
  const aliases = Array.isArray(fields['textAliases']) ? fields['textAliases'] : [];
  const own = stringOf(fields['name']);
  const name = stringOf(aliases[0]) ?? (own === null ? null : `/${own}`);
  return name !== null && /^\/\S+$/.test(name) && name.length <= MAX_NAME_CHARS ? name : null;
}

function usageOf(value: unknown): string {
  const args = Array.isArray(value) ? value.slice(0, MAX_ARGUMENTS) : [];
  return args
    .map(fieldsOf)
    .flatMap((argument) => {
      const name = stringOf(argument?.['name']);
      if (name === null) return [];
      return [argument?.['required'] === true ? `<${cut(name, 60)}>` : `[${cut(name, 60)}]`];
    })
    .join(' ');
}
