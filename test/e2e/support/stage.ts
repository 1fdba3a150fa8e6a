import type { Page } from '@playwright/test';
import { createLab, type Lab } from '../../support/lab/lab.ts';
import type { AppHome, LabApp } from '../../support/lab/app.ts';
import type { Desktop, DesktopOptions } from '../../support/lab/desktop.ts';
import { sharedGateway } from '../../support/lab/shared-gateway.ts';
import type { Gateway } from '../../support/lab/gateway.ts';
import type { FormValues } from '../../support/screens/settings-screen.ts';
import type { LabGatewayClient } from '../../support/lab/gateway-client.ts';
import { freePort } from '../../support/lab/ports.ts';
import type { ScriptedModel } from '../../support/lab/scripted-model.ts';
import type { Sshd } from '../../support/lab/sshd.ts';

/** A person's desk and a remote host: everything that a story needs, on its own ports and in its own folder. */
export interface Stage {
  readonly lab: Lab;
  readonly desktop: Desktop;
  readonly home: AppHome;
  readonly sshd: Sshd;
  readonly gateway: Gateway;
  readonly model: ScriptedModel;
  /** Free at the start, for the form's "Local port". */
  readonly localPort: number;
  /** `user@127.0.0.1:port` of the remote host. */
  target(): string;
  /** What a person has to enter for Remote over SSH. */
  goodValues(): Required<Pick<FormValues, 'target' | 'gatewayPort' | 'localPort' | 'identityFile' | 'token'>>;
  /** The app that was started last. */
  app(): LabApp;
  /** The same, null before the first start. */
  runningApp(): LabApp | null;
  /** Starts the app with the same home and data as before. */
  startApp(args?: readonly string[]): Promise<LabApp>;
  /** The window of this name, brought to the front; opened by a second launch where it is not there yet. */
  show(name: 'settings' | 'chat' | 'inbox' | 'health'): Promise<Page>;
  /** Lends a client that is connected to the Gateway directly, beside the app. */
  withClient<T>(use: (client: LabGatewayClient) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export interface StageOptions {
  /** `shared`: the one of this test process, for stories that never stop it. Default `own`. */
  readonly gateway?: 'own' | 'shared';
  readonly desktop?: DesktopOptions;
  /** Merged over the configuration of a Gateway of its own. */
  readonly gatewayConfig?: Readonly<Record<string, unknown>>;
}

/** Starts the parts side by side, because a Gateway takes its time. */
export async function openStage(label: string, options: StageOptions = {}): Promise<Stage> {
  const lab = await createLab({ label });
  try {
    const [{ gateway, model }, desktop, sshd, localPort] = await Promise.all([
      options.gateway === 'shared' ? sharedGateway() : ownGateway(lab, options.gatewayConfig),
      lab.startDesktop(options.desktop ?? {}),
      lab.startSshd(),
      freePort(),
    ]);
    const home = await lab.createAppHome();
    let current: LabApp | null = null;
    return {
      lab,
      desktop,
      home,
      sshd,
      gateway,
      model,
      localPort,
      target: () => `${sshd.user}@127.0.0.1:${sshd.port}`,
      goodValues: () => ({
        target: `${sshd.user}@127.0.0.1:${sshd.port}`,
        gatewayPort: gateway.port,
        localPort,
        identityFile: '',
        token: gateway.token ?? '',
      }),
      app() {
        if (current === null) throw new Error('The app was not started');
        return current;
      },
      runningApp: () => current,
      async startApp(args = []) {
        current = await lab.startApp({ desktop, home, args });
        return current;
      },
      async show(name) {
        if (current === null) throw new Error('The app was not started');
        const isThere = current.electronApp.windows().some((page) => page.url().includes(`window=${name}`));
        if (!isThere) return current.open(name);
        const page = await current.window(name);
        await page.bringToFront();
        return page;
      },
      async withClient(use) {
        const client = await gateway.client();
        try {
          return await use(client);
        } finally {
          await client.close();
        }
      },
      close: () => lab.close(),
    };
  } catch (error) {
    await lab.close();
    throw error;
  }
}

async function ownGateway(
  lab: Lab,
  config: Readonly<Record<string, unknown>> = {},
): Promise<{ gateway: Gateway; model: ScriptedModel }> {
  const model = await lab.startModel();
  return { model, gateway: await lab.startGateway({ modelUrl: model.url, config }) };
}
