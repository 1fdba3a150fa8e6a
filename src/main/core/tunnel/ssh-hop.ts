import { z } from 'zod';

const path = z.string().max(4096);
const algorithmNames = z.array(z.string().min(1).max(128)).max(64);

/**
 * One SSH server on the way and all that the user's configuration says of it, as ssh2 can honour it. Names and meanings
 * are those of ssh_config(5). Holds no secret.
 */
export const sshHopSchema = z.strictObject({
  /** Host or alias as typed, or as ProxyJump names it: what people call it. */
  name: z.string().min(1).max(255),
  /** HostName: where the connection leads, and the name in known_hosts unless `hostKeyAlias` is set. */
  host: z.string().min(1).max(255),
  port: z.int().min(1).max(65535),
  user: z.string().min(1).max(255),
  hostKeyAlias: z.string().min(1).max(255).nullable(),
  /** Private keys, or public ones (`.pub`) that select a key of the agent; in order. */
  identityFiles: z.array(path).max(32),
  /** True when the settings name the file: then nothing else is offered first, and its absence is an error. */
  identityFileIsExplicit: z.boolean(),
  identitiesOnly: z.boolean(),
  /** IdentityAgent or SSH_AUTH_SOCK: a socket, a Windows pipe, or `pageant`; null without an agent. */
  agentSocket: path.nullable(),
  knownHostsFiles: z.strictObject({
    /** The first is written to. */
    user: z.array(path).min(1).max(32),
    global: z.array(path).max(32),
  }),
  /** `no` and `off` are `accept-new` here: a changed key is never accepted. */
  strictHostKeyChecking: z.enum(['ask', 'yes', 'accept-new']),
  hashKnownHosts: z.boolean(),
  updateHostKeys: z.enum(['yes', 'ask', 'no']),
  /** In the order of PreferredAuthentications, without those that are switched off. */
  methods: z.array(z.enum(['publickey', 'keyboard-interactive', 'password'])).max(3),
  numberOfPasswordPrompts: z.int().min(1).max(16),
  /** What is offered, best first: what the configuration names and ssh2 can do, else our own lists. */
  algorithms: z.strictObject({
    kex: algorithmNames,
    cipher: algorithmNames,
    hmac: algorithmNames,
    serverHostKey: algorithmNames,
  }),
  /** Null: our own limit. */
  connectTimeoutMs: z.int().min(1_000).max(3_600_000).nullable(),
  /** ServerAliveInterval; null: our own pings, which are never slower. */
  serverAliveIntervalMs: z.int().min(1_000).max(86_400_000).nullable(),
  serverAliveCountMax: z.int().min(0).max(1_000),
  addressFamily: z.enum(['any', 'inet', 'inet6']),
  bindAddress: z.string().max(255).nullable(),
  tcpKeepAlive: z.boolean(),
});
export type SshHop = z.infer<typeof sshHopSchema>;

/** What the first hop's connection goes through instead of TCP. */
export const proxyCommandSchema = z.strictObject({
  /** With its tokens expanded, for the user's shell. */
  command: z.string().min(1).max(8192),
  /** Value of PATH: apps started from the desktop have a poorer one than a terminal. */
  path: z.string().max(32_768).nullable(),
  /** `SHELL`, else `/bin/sh`; on Windows the command interpreter. */
  shell: path,
});
export type ProxyCommand = z.infer<typeof proxyCommandSchema>;

/** How to run the system's ssh for this target. */
export const opensshCommandSchema = z.strictObject({
  /** The program, as resolved. */
  command: path,
  /** What leads to the target: `-F`, `-l`, `-p`, `-i`, and last `--` and the host as typed. Ours come before them. */
  targetArgs: z.array(z.string().max(4096)).max(64),
  /** Of the process: HOME, PATH, SSH_AUTH_SOCK, locale. No secret. */
  env: z.record(z.string().max(128), z.string().max(32_768)),
});
export type OpensshCommand = z.infer<typeof opensshCommandSchema>;
