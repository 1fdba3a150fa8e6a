import { ConnectionSupervisor } from '../../../../src/main/core/connection/supervisor.ts';
import { emptyProfile, type GatewayProfile } from '../../../../src/shared/gateway-profile.ts';
import { FakeClock, settle } from '../../../support/fakes/fake-clock.ts';
import { FakeRoute, FakeSession, LiveCount } from '../../../support/fakes/fake-drivers.ts';
import { FakeConnectivity, FakePower, MemoryLogger } from '../../../support/fakes/fake-system.ts';

export function sshProfile(target = 'ops@homelab.example'): GatewayProfile {
  const empty = emptyProfile('g1');
  return { ...empty, ssh: { ...empty.ssh, target } };
}

/** A supervisor with everything around it replaced, and the drivers of its current configuration at hand. */
export class Rig {
  readonly clock = new FakeClock();
  readonly connectivity = new FakeConnectivity();
  readonly power = new FakePower();
  readonly logger = new MemoryLogger();
  readonly routes = new LiveCount();
  readonly sessions = new LiveCount();
  readonly states: string[] = [];
  readonly supervisor: ConnectionSupervisor;
  route!: FakeRoute;
  session!: FakeSession;
  random = 0;
  drivers = 0;

  constructor(profile: GatewayProfile = sshProfile()) {
    this.supervisor = new ConnectionSupervisor(profile, {
      clock: this.clock,
      random: () => this.random,
      connectivity: this.connectivity,
      power: this.power,
      logger: this.logger,
      createDrivers: () => {
        this.drivers++;
        this.route = new FakeRoute(this.routes);
        this.session = new FakeSession(this.sessions);
        return { route: this.route, session: this.session };
      },
    });
    this.supervisor.onChange((state) => this.states.push(state.status));
  }

  get state() {
    return this.supervisor.state;
  }

  async connected(): Promise<this> {
    this.supervisor.connect();
    this.route.up();
    this.session.up();
    await settle();
    return this;
  }
}
