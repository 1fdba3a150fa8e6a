const MAX_NAME_CHARS = 128;
const MAX_VALUE_CHARS = 32_768;

/** What belongs to this app's own runtime, and askpass programs: questions come to the app's dialogs. */
const KEPT_BACK = /^(?:ELECTRON_.*|CHROME_.*|NODE_OPTIONS|NODE_CHANNEL_.*|SSH_ASKPASS.*)$/;

/**
 * The environment for `ssh`, a ProxyCommand and `Match exec`, as a terminal would give it: commands of the user's go by
 * variables of their own (`AWS_PROFILE`), and ssh_config(5) reads `${NAME}` from there.
 */
export function passedEnvironment(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]): [string, string][] =>
      value !== undefined &&
      name.length <= MAX_NAME_CHARS &&
      value.length <= MAX_VALUE_CHARS &&
      !KEPT_BACK.test(name)
        ? [[name, value]]
        : [],
    ),
  );
}
