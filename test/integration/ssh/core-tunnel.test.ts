import type { Server } from 'node:net';
import { beforeAll, describe, expect, it } from 'vitest';
import type { TunnelChannel } from '../../../src/main/core/tunnel/tunnel-protocol.ts';
import { forkedChannel, type ForkedChannel } from '../../support/core/forked-channel.ts';
import { recordFault } from '../../support/faults/evidence.ts';
import { createKeyPair } from '../../support/lab/keys.ts';
import { withLab } from '../../support/lab/lab.ts';
import { listenOn } from '../../support/lab/ports.ts';
import { sharedGateway } from '../../support/lab/shared-gateway.ts';
import { delay, waitFor } from '../../support/lab/wait.ts';
import { stageThrough } from './core-stage.ts';

/** The tunnel in a process of its own, as in the app: it may die, hang, compute or lose its port. */
class Processes {
  readonly all: ForkedChannel[] = [];
  readonly create = (): TunnelChannel => {
    const channel = forkedChannel();
    this.all.push(channel);
    return channel;
  };

  get current(): ForkedChannel {
    const last = this.all.at(-1);
    if (last === undefined) throw new Error('no tunnel process');
    return last;
  }
}

function exists(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Takes the port at the first moment that it is free, and counts who comes. */
async function steal(port: number): Promise<{ server: Server; visitors: () => number }> {
  let visitors = 0;
  const server = await waitFor(
    () =>
      listenOn(port, (socket) => {
        visitors += 1;
        socket.on('error', () => undefined);
      }),
    { what: `port ${port} to be taken`, intervalMs: 1 },
  );
  return { server, visitors: () => visitors };
}

beforeAll(() => sharedGateway());

describe('a tunnel process', () => {
  it('that is killed is replaced on the same port', async () => {
    await withLab('tunnel-killed', async (lab) => {
      const sshd = await lab.startSshd();
      const processes = new Processes();
      const { core, localPort } = await stageThrough(lab, sshd, { createChannel: processes.create });
      await core.connectUp();
      const times: number[] = [];
      for (let round = 0; round < 2; round += 1) {
        const { pid } = processes.current;
        const startedMs = performance.now();
        process.kill(pid, 'SIGKILL');
        await core.untilState('reconnecting', ({ status }) => status !== 'connected');
        expect(await core.until('connected')).toMatchObject({ endpoint: { localPort } });
        times.push(performance.now() - startedMs);
        expect(processes.current.pid).not.toBe(pid);
        await waitFor(() => !exists(pid), { what: 'the process to be gone' });
      }
      await sshd.waitForSessions(1);
      expect(core.gateway.connection.notices).toEqual([]);
      recordFault({
        row: 74,
        part: 'kill -9, twice',
        layer: 'core',
        injected: 'SIGKILL to the tunnel process of a live connection, and again after the reconnect',
        shown: 'reconnecting, then Connected by a new process on the same port; one SSH session',
        tookMs: Math.max(...times),
        limitMs: 4_000,
        control: 'the killed process is gone from the system each time, and the connection left "Connected"',
      });
    });
  });

  it('that is stopped is noticed, killed and replaced, and is not green meanwhile', async () => {
    await withLab('tunnel-stopped', async (lab) => {
      const sshd = await lab.startSshd();
      const processes = new Processes();
      const { core, localPort } = await stageThrough(lab, sshd, { createChannel: processes.create });
      await core.connectUp();
      const { pid } = processes.current;
      const startedMs = performance.now();
      process.kill(pid, 'SIGSTOP');
      const rung = () =>
        core.gateway.connection.snapshot().ladder.find(({ layer }) => layer === 'ssh')?.verdict;
      await waitFor(() => rung() !== 'ok', { what: 'the SSH rung to say that it does not know' });
      const doubtedMs = performance.now() - startedMs;
      expect(doubtedMs).toBeLessThanOrEqual(10_500);
      const { atMs: noticedMs } = await waitFor(
        () => core.statesSince(startedMs).find(({ state }) => state.status !== 'connected'),
        { what: 'the stopped process to be noticed', timeoutMs: 30_000 },
      );
      expect(noticedMs - startedMs).toBeLessThanOrEqual(10_000);
      expect(core.logger.of('tunnel.stuck')).toHaveLength(1);
      await waitFor(() => !exists(pid), { what: 'the process to be gone' });
      expect(await core.until('connected')).toMatchObject({ endpoint: { localPort } });
      const tookMs = performance.now() - noticedMs;
      recordFault({
        row: 74,
        part: 'SIGSTOP',
        layer: 'core',
        injected: 'SIGSTOP to the tunnel process of a live connection',
        shown: `SSH in doubt after ${Math.round(doubtedMs / 100) / 10} s; killed as stuck after ${Math.round((noticedMs - startedMs) / 100) / 10} s, then Connected by a new process`,
        tookMs,
        limitMs: 4_000,
        control:
          'the process did not end by itself: the log tells that it was killed as stuck; one that is quiet but answers is left alone (unit test)',
      });
    });
  });

  it('whose port is stolen while it is dead comes back on another one, and tells the thief nothing', async () => {
    await withLab('tunnel-stolen', async (lab) => {
      const sshd = await lab.startSshd();
      const processes = new Processes();
      const { core, localPort } = await stageThrough(lab, sshd, { createChannel: processes.create });
      await core.connectUp();
      const startedMs = performance.now();
      process.kill(processes.current.pid, 'SIGKILL');
      const { server, visitors } = await steal(localPort);
      lab.own({ close: () => new Promise<void>((resolve) => server.close(() => resolve())) });
      await core.untilState('reconnecting', ({ status }) => status !== 'connected');
      const state = await core.until('connected');
      const tookMs = performance.now() - startedMs;
      const to = core.profile.ssh.localPort;
      expect(to).not.toBe(localPort);
      expect(state).toMatchObject({ endpoint: { localPort: to } });
      expect(core.gateway.connection.notices).toMatchObject([{ type: 'port-moved', from: localPort, to }]);
      // What the person asked to keep up goes on there for good, through later crashes as well.
      process.kill(processes.current.pid, 'SIGKILL');
      await core.untilState('reconnecting', ({ status }) => status !== 'connected');
      expect(await core.until('connected')).toMatchObject({ endpoint: { localPort: to } });
      expect([visitors(), server.listening]).toEqual([0, true]);
      recordFault({
        row: 26,
        part: 'stolen while the tunnel process was dead',
        layer: 'core',
        injected: 'SIGKILL to the tunnel process; a program that waited for it takes the port at once',
        shown: 'Connected on the next free port, with the notice; the settings hold the new port',
        tookMs,
        limitMs: 4_000,
        control: 'the thief got the port, still listens, and nobody ever connected to it',
      });
    });
  });

  it('keeps its port against a thief for as long as it lives, whatever SSH does', async () => {
    await withLab('tunnel-kept', async (lab) => {
      const sshd = await lab.startSshd();
      const processes = new Processes();
      const { core, localPort } = await stageThrough(lab, sshd, { createChannel: processes.create });
      await core.connectUp();
      let tries = 0;
      const over = new AbortController();
      let isStolen = false;
      const thief = (async () => {
        while (!over.signal.aborted) {
          tries += 1;
          const server = await listenOn(localPort, (socket) => socket.destroy()).catch(() => null);
          if (server !== null) {
            isStolen = true;
            over.abort();
            server.close();
          }
          await delay(1);
        }
      })();
      await sshd.stop();
      await core.until('backing-off');
      await sshd.start();
      core.gateway.connection.reconnectNow();
      expect(await core.until('connected')).toMatchObject({ endpoint: { localPort } });
      over.abort();
      await thief;
      expect(isStolen).toBe(false);
      expect(tries).toBeGreaterThan(20);
      core.gateway.connection.pause();
      const { server } = await steal(localPort);
      await new Promise<void>((resolve) => server.close(() => resolve()));
      recordFault({
        row: 27,
        part: 'a thief that never rests',
        layer: 'core',
        injected: `a program that tries to listen on the port again and again (${tries} times) while sshd is stopped, refused, started`,
        shown: 'it never gets the port, and the connection comes back on it',
        tookMs: null,
        limitMs: null,
        control: 'when the person pauses, the same program gets it',
      });
    });
  });
});

describe('an encrypted key', () => {
  it('is asked for, twice where it was wrong, and opening it holds nobody up', async () => {
    await withLab('passphrase', async (lab) => {
      const key = createKeyPair({ passphrase: 'correct horse' });
      const sshd = await lab.startSshd({ clientKeys: [key] });
      const processes = new Processes();
      const { core } = await stageThrough(lab, sshd, { createChannel: processes.create });
      const { connection } = core.gateway;
      const prompts = () =>
        core.states.flatMap(({ state }) =>
          state.status === 'waiting-for-user' && state.prompt.type === 'passphrase' ? [state.prompt] : [],
        );
      const asked = (count: number) =>
        waitFor(() => prompts()[count - 1], { what: `passphrase question ${count}`, intervalMs: 2 });
      const answer = (id: string, passphrase: string): void =>
        connection.answerPrompt(id, { type: 'passphrase', passphrase, remember: false });

      connection.connect();
      const first = await asked(1);
      const loop = watchLoop();
      answer(first.id, 'wrong');
      const second = await asked(2);
      answer(second.id, 'correct horse');
      await core.until('connected');
      const blockedMs = loop.stop();
      expect([first.wasWrong, second.wasWrong]).toEqual([false, true]);
      expect(blockedMs).toBeLessThan(50);

      // The same work in this process.
      const here = await stageThrough(lab, sshd, { id: 'here' });
      here.core.gateway.connection.connect();
      const state = await here.core.until('waiting-for-user');
      if (state.status !== 'waiting-for-user') throw new Error(state.status);
      const control = watchLoop();
      const passphrase = 'correct horse';
      here.core.gateway.connection.answerPrompt(state.prompt.id, {
        type: 'passphrase',
        passphrase,
        remember: false,
      });
      await here.core.until('connected');
      const controlMs = control.stop();
      expect(controlMs).toBeGreaterThan(50);
      recordFault({
        row: 37,
        layer: 'core',
        injected: 'a key with a passphrase (bcrypt), answered wrongly, then rightly',
        shown: 'Waiting for you twice, the second time saying that it was wrong; then Connected',
        tookMs: blockedMs,
        limitMs: 50,
        control: `with the tunnel in the same process its loop stands still for ${Math.round(controlMs)} ms`,
      });
    });
  });
});

/** The longest time that one turn of this process's event loop computed, in milliseconds of processor time. */
function watchLoop(): { stop(): number } {
  let longestUs = 0;
  let isOver = false;
  let before = process.threadCpuUsage();
  const turn = (): void => {
    const used = process.threadCpuUsage(before);
    longestUs = Math.max(longestUs, used.user + used.system);
    before = process.threadCpuUsage();
    if (!isOver) setImmediate(turn);
  };
  setImmediate(turn);
  return {
    stop() {
      isOver = true;
      return longestUs / 1_000;
    },
  };
}
