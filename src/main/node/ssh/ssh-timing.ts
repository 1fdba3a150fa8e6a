export interface SshTiming {
  readonly dnsLimitMs: number;
  /** TCP; then identification and key exchange together. Never counts time that a person takes. */
  readonly connectLimitMs: number;
  /** Between two answers of the server while logging in; a signing agent is waited for without limit. */
  readonly authStepLimitMs: number;
  /** For a forward to open while the link is otherwise idle. */
  readonly forwardLimitMs: number;
}

export const SSH_TIMING: SshTiming = {
  dnsLimitMs: 5_000,
  connectLimitMs: 10_000,
  authStepLimitMs: 15_000,
  forwardLimitMs: 5_000,
};
