// @vitest-environment jsdom
import { fireEvent, screen, waitFor, within } from '@testing-library/react';
import { describe, expect, test } from 'vitest';
import { failure } from '../../../src/shared/connection-failure.ts';
import type { AgentQuestion, ExecApproval, PluginApproval } from '../../../src/shared/inbox.ts';
import { err, ok } from '../../../src/shared/result.ts';
import { sampleSecretQuestion } from '../../support/fakes/sample-inbox.ts';
import { GATEWAY_ID, SESSION_KEY } from './fake-gangway.ts';
import { renderApp, useBrowserParts } from './render-app.ts';

useBrowserParts();

const waiting = { agentId: 'main', sessionKey: SESSION_KEY, createdAtMs: 1, expiresAtMs: null } as const;
const exec: ExecApproval = {
  ...waiting,
  type: 'exec-approval',
  id: 'e1',
  command: 'rm -rf ./build \u202egpj.',
  cwd: '/srv/app',
  host: 'gateway',
  nodeId: null,
  program: '/usr/bin/rm',
  environment: ['LD_PRELOAD'],
  warnings: ['deletes files'],
  scope: null,
  decisions: ['allow-once', 'allow-always', 'deny'],
};
const plugin: PluginApproval = {
  ...waiting,
  type: 'plugin-approval',
  id: 'p1',
  title: 'Send mail',
  description: 'To bob',
  detail: '',
  severity: 'critical',
  pluginId: 'mail',
  toolName: 'send',
  scope: { kind: 'payment', amount: '5.00', currency: 'EUR', target: 'bob' },
  decisions: ['allow-once', 'deny'],
};
const question: AgentQuestion = {
  ...waiting,
  type: 'question',
  id: 'q1',
  questions: [
    {
      questionId: 'colour',
      header: 'Colour',
      text: 'Which colour?',
      options: [
        { label: 'Red', description: 'warm' },
        { label: 'Blue', description: '' },
      ],
      isMultiSelect: false,
      takesOther: true,
      isSecret: false,
      secretStore: null,
    },
  ],
};
const card = (name: RegExp): HTMLElement => screen.getByRole('article', { name });
const button = (within_: HTMLElement, name: string): HTMLButtonElement =>
  within(within_).getByRole('button', { name });

/** A button that can be used: cards that have just come cannot be decided yet. */
async function ready(within_: HTMLElement, name: string): Promise<HTMLButtonElement> {
  const found = button(within_, name);
  await waitFor(() => expect(found.getAttribute('aria-disabled')).toBe('false'));
  return found;
}

describe('the inbox', () => {
  test('says that nothing waits', async () => {
    await renderApp('inbox');
    expect(screen.getByText('Nothing waits for you')).toBeTruthy();
  });

  test('shows a command whole, with everything hidden in it written out, and where it would run', async () => {
    await renderApp('inbox', { inbox: [exec] });
    const shown = card(/wants to run a command/);
    expect(within(shown).getByLabelText('Command').textContent).toBe('rm -rf ./build \\u{202e}gpj.');
    expect(shown.textContent).toContain('/srv/app');
    expect(shown.textContent).toContain('the Gateway’s host');
    expect(shown.textContent).toContain('deletes files');
  });

  test('sends a decision once, and says what became of it when the gateway took it', async () => {
    const { fake, push } = await renderApp('inbox', { inbox: [exec, plugin] }, {}, (main) =>
      main.answer('inbox.decide', () => ok({ type: 'applied' })),
    );
    const deny = button(card(/run a command/), 'Deny');
    fireEvent.click(deny);
    expect(fake.callsOf('inbox.decide')).toEqual([]);
    await ready(card(/run a command/), 'Deny');
    fireEvent.click(deny, { detail: 2 });
    expect(fake.callsOf('inbox.decide')).toEqual([]);
    fireEvent.click(deny, { detail: 1 });
    fireEvent.click(deny, { detail: 1 });
    expect(fake.callsOf('inbox.decide')).toEqual([
      { gatewayId: GATEWAY_ID, type: 'exec-approval', id: 'e1', decision: 'deny' },
    ]);
    await waitFor(() => expect(screen.getByText('Denied.')).toBeTruthy());
    expect(deny.getAttribute('aria-disabled')).toBe('true');
    push({ inbox: [plugin] });
    // What moved under the pointer cannot be decided by the click that was meant for the other.
    expect(button(card(/Send mail/), 'Allow once').getAttribute('aria-disabled')).toBe('true');
    expect(screen.queryByRole('article', { name: /run a command/ })).toBeNull();
    expect(screen.getByText('Denied.')).toBeTruthy();
    expect(card(/Send mail/).textContent).toContain('Pays 5.00 EUR to bob');
  });

  test('says that somebody else was faster', async () => {
    await renderApp('inbox', { inbox: [exec] }, {}, (main) =>
      main.answer('inbox.decide', () => ok({ type: 'over', how: 'denied' })),
    );
    fireEvent.click(await ready(card(/run a command/), 'Allow once'));
    await waitFor(() => expect(screen.getByText(/denied elsewhere already/)).toBeTruthy());
  });

  test('gives the buttons back where the gateway did not take it, with the reason', async () => {
    await renderApp('inbox', { inbox: [exec] }, {}, (main) =>
      main.answer('inbox.decide', () =>
        err({ type: 'failure', failure: failure('gateway-silent', { limitMs: 5_000 }) }),
      ),
    );
    const allow = await ready(card(/run a command/), 'Allow once');
    fireEvent.click(allow);
    await screen.findByRole('alert');
    expect(allow.getAttribute('aria-disabled')).toBe('false');
  });

  test('decides nothing without a connection', async () => {
    await renderApp('inbox', { inbox: [exec], connection: { status: 'disconnected' } });
    expect(screen.getByText(/You can decide once it is back/)).toBeTruthy();
    const allow = button(card(/run a command/), 'Allow once');
    expect(allow.getAttribute('aria-disabled')).toBe('true');
  });

  test('answers a question by a choice, or by words that take its place', async () => {
    const { fake } = await renderApp('inbox', { inbox: [question] }, {}, (main) =>
      main.answer('inbox.answer', () => err({ type: 'refused', reason: 'payload' })),
    );
    const shown = card(/Which colour/);
    expect(button(shown, 'Send answer').getAttribute('aria-disabled')).toBe('true');
    fireEvent.click(within(shown).getByRole('radio', { name: /Red/ }));
    fireEvent.click(await ready(shown, 'Send answer'));
    await screen.findByRole('alert');
    fireEvent.change(within(shown).getByLabelText('Another answer'), { target: { value: 'Teal' } });
    fireEvent.click(button(shown, 'Send answer'));
    expect(fake.callsOf('inbox.answer').map(({ answers }) => answers)).toEqual([
      { colour: ['Red'] },
      { colour: ['Teal'] },
    ]);
  });

  test('tells the agent that there is no answer', async () => {
    const { fake } = await renderApp('inbox', { inbox: [question] }, {}, (main) =>
      main.answer('inbox.dismiss', () => ok({ type: 'applied' })),
    );
    fireEvent.click(await ready(card(/Which colour/), 'No answer'));
    await waitFor(() => expect(screen.getByText(/there is no answer/)).toBeTruthy());
    expect(fake.callsOf('inbox.dismiss')).toEqual([{ gatewayId: GATEWAY_ID, id: 'q1' }]);
  });

  test('says that this device is not told all, that nothing is known yet, and that there are more', async () => {
    const { push } = await renderApp('inbox', {
      inboxFacts: { total: 0, isKnown: false, missingScopes: ['operator.approvals'] },
      connection: { status: 'disconnected' },
    });
    expect(screen.getByText(/operator.approvals/)).toBeTruthy();
    expect(screen.queryByText('Nothing waits for you')).toBeNull();
    expect(screen.getByText('Not known')).toBeTruthy();
    push({ inbox: [exec], inboxFacts: { total: 3, isKnown: true, missingScopes: [] } });
    expect(screen.getByText('2 more are shown once these are decided.')).toBeTruthy();
  });

  test('hides what is typed for a secret, and says by the gateway’s word where it goes', async () => {
    await renderApp('inbox', { inbox: [sampleSecretQuestion] });
    const shown = card(/GitHub token/);
    expect(within(shown).getByLabelText('Your answer').getAttribute('type')).toBe('password');
    expect(shown.textContent).toContain('secret store as GITHUB_TOKEN and may be sent to: api.github.com');
    expect(shown.textContent).toContain('It takes the place of the one');
  });

  test('offers only to decline a question that cannot be shown', async () => {
    await renderApp('inbox', { inbox: [{ ...question, questions: [] }] });
    const shown = card(/has questions/);
    expect(
      within(shown)
        .getAllByRole('button')
        .map(({ textContent }) => textContent),
    ).toEqual(['No answer']);
  });

  test('takes questions whose names are those of every object', async () => {
    const [first] = question.questions;
    const odd = { ...question, questions: [{ ...first, questionId: 'constructor' }] } as AgentQuestion;
    const { fake } = await renderApp('inbox', { inbox: [odd] }, {}, (main) =>
      main.answer('inbox.answer', () => ok({ type: 'applied' })),
    );
    const shown = card(/Which colour/);
    fireEvent.click(within(shown).getByRole('radio', { name: /Blue/ }));
    fireEvent.click(await ready(shown, 'Send answer'));
    expect(fake.callsOf('inbox.answer').map(({ answers }) => answers)).toEqual([{ constructor: ['Blue'] }]);
  });
});

describe('beside the conversation', () => {
  test('is what this conversation waits for, and the way to the rest', async () => {
    const { fake } = await renderApp('chat', {
      inbox: [exec, { ...plugin, sessionKey: 'agent:main:other' }],
    });
    expect(card(/run a command/)).toBeTruthy();
    expect(screen.queryByRole('article', { name: /Send mail/ })).toBeNull();
    expect(card(/run a command/).textContent).toContain('LD_PRELOAD');
    fireEvent.click(screen.getByRole('button', { name: '1 more waits in the Inbox' }));
    expect(fake.callsOf('app.openWindow')).toEqual([{ window: 'inbox', gatewayId: GATEWAY_ID }]);
  });

  test('says what became of the last one, also where nothing else waits', async () => {
    const { push } = await renderApp('chat', { inbox: [exec] }, {}, (main) =>
      main.answer('inbox.decide', () => ok({ type: 'over', how: 'expired' })),
    );
    const allow = await ready(card(/run a command/), 'Allow once');
    allow.focus();
    fireEvent.click(allow);
    await screen.findByText(/had expired already/);
    push({ inbox: [] });
    expect(screen.getByText(/had expired already/)).toBeTruthy();
    expect(document.activeElement).not.toBe(document.body);
  });

  test('is counted at the way to the inbox', async () => {
    await renderApp('health', { inbox: [exec, plugin] });
    expect(screen.getByRole('button', { name: 'Inbox: 2 wait for you' })).toBeTruthy();
  });
});
