import { seededRandom, type SeededRandom } from './random.ts';

/** What can go wrong, and for how long. Times in milliseconds. */
export type Fault =
  // The way there.
  | { readonly kind: 'session-kill' }
  | { readonly kind: 'rst' }
  | { readonly kind: 'fin' }
  | { readonly kind: 'hole'; readonly direction: 'both' | 'up' | 'down'; readonly ms: number }
  | { readonly kind: 'slow'; readonly bytesPerSecond: number; readonly delayMs: number; readonly ms: number }
  | { readonly kind: 'flip'; readonly direction: 'up' | 'down'; readonly afterBytes: number }
  | { readonly kind: 'ack-drop'; readonly waitMs: number }
  | { readonly kind: 'listener-down'; readonly ms: number }
  | { readonly kind: 'reboot'; readonly ms: number }
  | { readonly kind: 'sshd-stop'; readonly ms: number }
  // The gateway.
  | { readonly kind: 'gateway-restart' }
  | { readonly kind: 'gateway-kill' }
  | { readonly kind: 'gateway-stop'; readonly ms: number }
  // This computer.
  | { readonly kind: 'tunnel-kill' }
  | { readonly kind: 'tunnel-stop'; readonly ms: number }
  | { readonly kind: 'app-kill'; readonly ms: number }
  | {
      readonly kind: 'sleep';
      readonly ms: number;
      /** How far the clocks go on meanwhile. */
      readonly asleepMs: number;
      readonly announced: 'both' | 'resume-twice' | 'none';
      readonly link: 'kept' | 'reset';
    }
  | { readonly kind: 'port-steal'; readonly ms: number }
  | { readonly kind: 'offline'; readonly ms: number }
  | { readonly kind: 'toggles'; readonly steps: readonly Toggle[] };

export type FaultKind = Fault['kind'];
export type Toggle = {
  readonly press: 'pause' | 'resume' | 'disconnect' | 'connect' | 'reconnect';
  readonly waitMs: number;
};

/** One place where things go wrong: its faults come one after another, those of other lanes beside them. */
export type Lane = 'link' | 'gateway' | 'app';
export const LANES: readonly Lane[] = ['link', 'gateway', 'app'];

export interface PlannedFault {
  readonly lane: Lane;
  /** Since the fault before it in its lane was over. */
  readonly waitMs: number;
  readonly fault: Fault;
}

/**
 * What will go wrong in a run, decided before it begins: the same seed gives the same plan. `minutes` bounds each lane by the
 * length of its own waits and faults, without the time that the system takes to come back.
 */
export function planFaults(seed: number, minutes: number): readonly PlannedFault[] {
  return LANES.flatMap((lane) => {
    const random = seededRandom(seed, lane);
    const planned: PlannedFault[] = [];
    let ms = 0;
    for (;;) {
      const [least, most] = WAITS_MS[lane];
      const waitMs = random.between(least, most);
      const fault = random.weighted(CHOICES[lane])(random);
      ms += waitMs + lengthOf(fault);
      if (ms > minutes * 60_000) return planned;
      planned.push({ lane, waitMs, fault });
    }
  });
}

/** How long a fault lasts by itself, roughly for the gateway, which has to start. */
function lengthOf(fault: Fault): number {
  switch (fault.kind) {
    case 'gateway-restart':
    case 'gateway-kill':
      return 12_000;
    case 'ack-drop':
      return fault.waitMs;
    case 'toggles':
      return fault.steps.reduce((sum, { waitMs }) => sum + waitMs, 0);
    default:
      return 'ms' in fault ? fault.ms : 0;
  }
}

/** Long enough that between faults messages get through: a run without progress shows nothing. */
const WAITS_MS: Record<Lane, readonly [number, number]> = {
  link: [3_000, 11_000],
  gateway: [18_000, 45_000],
  app: [7_000, 20_000],
};

type Choice = { readonly weight: number; readonly value: (random: SeededRandom) => Fault };

const CHOICES: Record<Lane, readonly Choice[]> = {
  link: [
    { weight: 3, value: () => ({ kind: 'session-kill' }) },
    { weight: 3, value: () => ({ kind: 'rst' }) },
    { weight: 2, value: () => ({ kind: 'fin' }) },
    { weight: 2, value: (random) => hole('both', random.between(3_000, 4_000)) },
    { weight: 2, value: (random) => hole('both', random.between(11_000, 13_000)) },
    { weight: 1, value: (random) => hole('up', random.between(3_000, 13_000)) },
    { weight: 1, value: (random) => hole('down', random.between(3_000, 13_000)) },
    {
      weight: 2,
      value: (random) => ({
        kind: 'slow',
        bytesPerSecond: random.between(2_000, 30_000),
        delayMs: random.between(20, 200),
        ms: random.between(3_000, 8_000),
      }),
    },
    {
      weight: 2,
      value: (random) => ({
        kind: 'flip',
        direction: random.pick(['up', 'down']),
        afterBytes: random.between(0, 300),
      }),
    },
    { weight: 4, value: () => ({ kind: 'ack-drop', waitMs: 4_000 }) },
    { weight: 2, value: (random) => ({ kind: 'listener-down', ms: random.between(2_000, 6_000) }) },
    { weight: 2, value: (random) => ({ kind: 'reboot', ms: random.between(1_000, 8_000) }) },
    {
      weight: 2,
      value: (random) => ({ kind: 'sshd-stop', ms: random.pick([3_000, 5_000, 12_000]) }),
    },
  ],
  gateway: [
    { weight: 3, value: () => ({ kind: 'gateway-restart' }) },
    { weight: 3, value: () => ({ kind: 'gateway-kill' }) },
    { weight: 2, value: () => ({ kind: 'gateway-stop', ms: 5_000 }) },
    { weight: 2, value: () => ({ kind: 'gateway-stop', ms: 20_000 }) },
  ],
  app: [
    { weight: 3, value: () => ({ kind: 'tunnel-kill' }) },
    { weight: 1, value: () => ({ kind: 'tunnel-stop', ms: 3_000 }) },
    { weight: 1, value: () => ({ kind: 'tunnel-stop', ms: 15_000 }) },
    { weight: 4, value: (random) => ({ kind: 'app-kill', ms: random.between(200, 2_000) }) },
    {
      weight: 3,
      value: (random) => ({
        kind: 'sleep',
        ms: random.between(2_000, 6_000),
        asleepMs: random.pick([30_000, 280_000, 8 * 3_600_000]),
        announced: random.pick(['both', 'resume-twice', 'none']),
        link: random.pick(['kept', 'reset']),
      }),
    },
    { weight: 1, value: (random) => ({ kind: 'port-steal', ms: random.between(2_000, 6_000) }) },
    { weight: 1, value: (random) => ({ kind: 'offline', ms: random.between(1_000, 5_000) }) },
    { weight: 2, value: toggles },
  ],
};

function hole(direction: 'both' | 'up' | 'down', ms: number): Fault {
  return { kind: 'hole', direction, ms };
}

/** Whatever was pressed, in the end the person wants a connection. */
function toggles(random: SeededRandom): Fault {
  const steps = Array.from({ length: random.between(2, 10) }, () => ({
    press: random.pick(['pause', 'resume', 'disconnect', 'connect', 'reconnect'] as const),
    waitMs: random.between(0, 400),
  }));
  return { kind: 'toggles', steps: [...steps, { press: 'connect', waitMs: 0 }] };
}

/** In words, for the timeline. */
export function describeFault(fault: Fault): string {
  const { kind, ...facts } = fault;
  if (fault.kind === 'toggles') return `toggles ${fault.steps.map(({ press }) => press).join(', ')}`;
  const said = Object.entries(facts).map(([name, value]) => `${name} ${String(value)}`);
  return [kind, ...said].join(' ');
}
