/** A command of the gateway that is written as a message beginning with `/` (OpenClaw docs: commands.list). */
export interface SlashCommand {
  /** With its slash, e.g. `/think`. */
  readonly name: string;
  readonly description: string;
  /** Names of its arguments as they are written, e.g. `<name> [input]`; '' where it takes none. */
  readonly usage: string;
  readonly takesArguments: boolean;
}

/** The commands that what is typed so far may become: names that begin so first, then names that hold it. */
export function matchingCommands(
  commands: readonly SlashCommand[],
  typed: string,
  limit: number,
): readonly SlashCommand[] {
  const word = typed.toLowerCase();
  const rank = ({ name }: SlashCommand): number => {
    const at = name.toLowerCase().indexOf(word.slice(1));
    return name.toLowerCase().startsWith(word) ? 0 : at > 0 ? 1 : 2;
  };
  return commands
    .filter((command) => rank(command) < 2)
    .sort((a, b) => rank(a) - rank(b))
    .slice(0, limit);
}
