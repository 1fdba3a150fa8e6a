import type { AgentQuestion, ExecApproval, InboxItem, PluginApproval } from '../../../src/shared/inbox.ts';

const waiting = {
  agentId: 'main',
  sessionKey: 'agent:main:main',
  createdAtMs: 1,
  expiresAtMs: new Date(2026, 10, 24, 14, 5).getTime(),
} as const;

export const sampleExecApproval: ExecApproval = {
  ...waiting,
  type: 'exec-approval',
  id: 'exec-1',
  command: 'sudo journalctl --vacuum-size=2G && sudo systemctl restart backup.timer',
  cwd: '/srv/backup',
  host: 'gateway',
  nodeId: null,
  program: '/usr/bin/sudo',
  environment: ['LANG'],
  warnings: ['Runs with administrator rights.'],
  scope: null,
  decisions: ['allow-once', 'allow-always', 'deny'],
};

export const samplePluginApproval: PluginApproval = {
  ...waiting,
  type: 'plugin-approval',
  id: 'plugin-1',
  title: 'Send mail',
  description: 'The weekly report to the customer.',
  detail: 'To: ada@example.org\nSubject: Week 48\n\nAll backups ran.',
  severity: 'critical',
  pluginId: 'mail',
  toolName: 'send',
  scope: {
    kind: 'message-send',
    target: 'ada@example.org',
    recipientCount: 3,
    recipients: [],
    isExternal: true,
  },
  decisions: ['allow-once', 'deny'],
};

export const sampleQuestion: AgentQuestion = {
  ...waiting,
  type: 'question',
  id: 'question-1',
  questions: [
    {
      questionId: 'when',
      header: 'When',
      text: 'When may the server restart?',
      options: [
        { label: 'Tonight', description: 'between 2 and 4 in the morning' },
        { label: 'At the weekend', description: '' },
      ],
      isMultiSelect: false,
      takesOther: true,
      isSecret: false,
      secretStore: null,
    },
  ],
};

/** Its answer goes into the gateway's secret store. */
export const sampleSecretQuestion: AgentQuestion = {
  ...waiting,
  type: 'question',
  id: 'question-2',
  questions: [
    {
      questionId: 'token',
      header: 'Token',
      text: 'What is your GitHub token?',
      options: [],
      isMultiSelect: false,
      takesOther: true,
      isSecret: true,
      secretStore: {
        name: 'GITHUB_TOKEN',
        kind: 'secret',
        allowedHosts: ['api.github.com'],
        reason: 'to open the pull request',
        replaces: true,
      },
    },
  ],
};

export const sampleInbox: readonly InboxItem[] = [
  sampleExecApproval,
  samplePluginApproval,
  sampleQuestion,
  sampleSecretQuestion,
];
