import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { secretNames } from '../../../src/main/core/secret-names.ts';
import { recordFault } from '../../support/faults/evidence.ts';
import type { Gateway } from '../../support/lab/gateway.ts';
import { createLab, type Lab } from '../../support/lab/lab.ts';
import type { ScriptedModel } from '../../support/lab/scripted-model.ts';
import { waitFor } from '../../support/lab/wait.ts';
import { textOf } from '../../support/core/chat-views.ts';
import { GATEWAY_ID, Subject } from './subject.ts';

/** A Gateway of its own: with a password, strict about new devices and wrong passwords, and started anew more than once. */
let lab: Lab;
let model: ScriptedModel;
let gateway: Gateway;
const subjects: Subject[] = [];

beforeAll(async () => {
  lab = await createLab({ label: 'gateway-lifecycle' });
  model = await lab.startModel();
  gateway = await lab.startGateway({
    modelUrl: model.url,
    auth: { password: 'a-long-password' },
    config: {
      gateway: {
        auth: { rateLimit: { maxAttempts: 3, windowMs: 60_000, lockoutMs: 4000, exemptLoopback: false } },
      },
    },
  });
}, 180_000);
beforeEach(() => gateway.start(), 180_000);
afterEach(async () => {
  await Promise.all(subjects.splice(0).map((subject) => subject.close()));
});
afterAll(() => lab.close());

function subjectWith(password: string | null): Subject {
  const subject = new Subject({ password });
  subjects.push(subject);
  return subject;
}

/** As the supervisor does: tries again until it is up. */
async function reopen(subject: Subject): Promise<void> {
  await waitFor(async () => (await subject.open(gateway.url)).type === 'session-up', {
    what: 'the session to be up again',
    timeoutMs: 90_000,
    intervalMs: 500,
  });
}

describe('a Gateway with a password', () => {
  it('lets the right one in', async () => {
    await subjectWith('a-long-password').openUp(gateway.url);
  });

  it('says that one is missing', async () => {
    const event = await subjectWith(null).open(gateway.url);
    expect(event).toMatchObject({ type: 'session-down', failure: { code: 'password-missing' } });
  });
});

describe('a Gateway that restarts', { timeout: 240_000 }, () => {
  it('is said to restart, and what was said before is shown once afterwards', async () => {
    const subject = subjectWith('a-long-password');
    const key = 'agent:main:restart';
    await subject.openUp(gateway.url);
    await subject.show(key);
    await subject.write(key, 'before the restart');
    await subject.untilAnswered(key, 2);
    const restarted = gateway.restart();
    expect(await subject.down()).toMatchObject({ code: 'gateway-restarting' });
    await restarted;
    await reopen(subject);
    await subject.until(key, 'its history again', ({ meta }) => meta.load === 'loaded');
    expect(subject.view(key).rows).toHaveLength(2);
    await subject.write(key, 'after the restart');
    await subject.untilAnswered(key, 4);
    expect(model.answered('before the restart')).toBe(1);
    expect(model.answered('after the restart')).toBe(1);
  });

  it('killed in the middle of a reply leaves one question and no doubled text', async () => {
    const subject = subjectWith('a-long-password');
    const key = 'agent:main:killed';
    await subject.openUp(gateway.url);
    await subject.show(key);
    const messageId = await subject.write(key, '!slow 100 100');
    await subject.until(key, 'a streaming reply', ({ rows }) => rows.some((row) => row.streaming));
    await gateway.kill();
    expect(await subject.down()).toMatchObject({ code: 'gateway-closed', facts: { code: 1006 } });
    // What it said so far stays in sight, and no longer claims to be growing.
    await subject.until(key, 'no run', ({ meta }) => meta.activeRun === null);
    await subject.until(
      key,
      'the rows at rest',
      ({ rows }) => rows.length === 2 && rows.every((row) => !row.streaming),
    );
    const during = await subject.open(gateway.url);
    expect(during).toMatchObject({ type: 'session-down', failure: { code: 'gateway-unreachable' } });
    await gateway.start();
    await reopen(subject);
    await subject.until(key, 'its history again', ({ meta }) => meta.load === 'loaded');
    const rows = subject.view(key).rows;
    expect(rows.filter((row) => row.role === 'user')).toEqual([
      expect.objectContaining({ id: messageId, delivery: null }),
    ]);
    const texts = rows.filter((row) => row.role === 'assistant').map(textOf);
    expect(new Set(texts).size).toBe(texts.length);
    expect((texts.join('').match(/\b1\b/g) ?? []).length).toBeLessThanOrEqual(1);
  });

  it('that does not answer any more is given up 14 s after its last sign of life', async () => {
    const subject = subjectWith('a-long-password');
    await subject.openUp(gateway.url);
    gateway.pause();
    const startedMs = performance.now();
    try {
      expect(await subject.down(40_000)).toEqual({ code: 'gateway-silent', facts: { limitMs: 14_000 } });
      const tookMs = performance.now() - startedMs;
      // Its last sign of life may have come up to 9 s before, when it was asked last; a loaded machine adds its own.
      expect(tookMs).toBeGreaterThan(4000);
      expect(tookMs).toBeLessThan(20_000);
    } finally {
      gateway.resume();
    }
    await reopen(subject);
  });

  it('that pauses for a moment is not given up', async () => {
    const subject = subjectWith('a-long-password');
    await subject.openUp(gateway.url);
    gateway.pause();
    const probe = subject.session.probe(8000);
    await new Promise((resolve) => setTimeout(resolve, 3000));
    gateway.resume();
    expect((await probe).alive).toBe(true);
    expect(subject.downsOfCurrent()).toBe(0);
  });
});

describe('wrong passwords', () => {
  it('are named, then limited with the time to wait, after which the right one works', async () => {
    const subject = subjectWith('not-the-password');
    const first = await subject.open(gateway.url);
    expect(first).toMatchObject({ type: 'session-down', failure: { code: 'password-mismatch' } });
    const limited = await waitFor(
      async () => {
        const event = await subject.open(gateway.url);
        return event.type === 'session-down' && event.failure.code === 'rate-limited' ? event.failure : null;
      },
      { what: 'the limit', timeoutMs: 20_000 },
    );
    const retryAfterMs = limited.facts.retryAfterMs;
    expect(retryAfterMs).toBeGreaterThan(0);
    expect(retryAfterMs).toBeLessThanOrEqual(4000);
    const limitedAtMs = performance.now();
    subject.secrets.values.set(secretNames.password(GATEWAY_ID, 'ssh'), 'a-long-password');
    // The control: the right password is locked out too.
    expect(await subject.open(gateway.url)).toMatchObject({ failure: { code: 'rate-limited' } });
    await waitFor(() => performance.now() - limitedAtMs >= (retryAfterMs ?? 0), { what: 'the end of it' });
    await subject.openUp(gateway.url);
    recordFault({
      row: 55,
      part: 'real Gateway',
      layer: 'core',
      injected: 'wrong passwords until the real Gateway, which allows three, locks this address out for 4 s',
      shown: 'password-mismatch, then rate-limited with the time that the Gateway names, then connected',
      tookMs: Math.max(0, performance.now() - limitedAtMs - (retryAfterMs ?? 0)),
      limitMs: 2000,
      control: 'the right password was refused with rate-limited while the lockout lasted',
    });
  });
});
