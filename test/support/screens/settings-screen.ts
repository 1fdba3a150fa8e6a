import type { Locator, Page } from '@playwright/test';

export type ModeName = 'On this computer' | 'Remote over SSH' | 'Remote direct (ws/wss)';

/** What a person types into the connection form; a field that is left out stays as it is. */
export interface FormValues {
  readonly target?: string;
  readonly gatewayPort?: number | string;
  readonly localPort?: number | string;
  readonly identityFile?: string;
  readonly token?: string;
  readonly password?: string;
}

/** The settings window, found as a screen reader finds it. */
export class SettingsScreen {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  get heading(): Locator {
    return this.page.getByRole('heading', { name: 'Settings', exact: true });
  }
  get modes(): Locator {
    return this.page.getByRole('radiogroup', { name: 'OpenClaw runs' });
  }
  mode(name: ModeName): Locator {
    return this.modes.getByRole('radio', { name });
  }
  get target(): Locator {
    return this.field('SSH target');
  }
  /** The line below the target that says where it leads; a click unfolds it. */
  get resolvedAs(): Locator {
    return this.page.locator('.resolved__line');
  }
  get transport(): Locator {
    return this.field('Connect with');
  }
  get gatewayPort(): Locator {
    return this.field('Gateway port on the remote host');
  }
  get localPort(): Locator {
    return this.field('Local port');
  }
  get identityFile(): Locator {
    return this.field('Identity file');
  }
  get token(): Locator {
    return this.field('Gateway token');
  }
  get password(): Locator {
    return this.field('Gateway password');
  }
  get testConnection(): Locator {
    return this.page.getByRole('button', { name: 'Test connection', exact: true });
  }
  get saveAndConnect(): Locator {
    return this.page.getByRole('button', { name: 'Save and connect', exact: true });
  }
  /** Everything that asks for attention. */
  get alerts(): Locator {
    return this.page.getByRole('alert');
  }

  /** A labelled input; a password input has no text box role, so the label is what is common. */
  field(name: string): Locator {
    return this.page.getByLabel(name, { exact: true });
  }

  async fill(values: FormValues): Promise<void> {
    const fields: readonly (readonly [Locator, number | string | undefined])[] = [
      [this.target, values.target],
      [this.gatewayPort, values.gatewayPort],
      [this.localPort, values.localPort],
      [this.identityFile, values.identityFile],
      [this.token, values.token],
      [this.password, values.password],
    ];
    for (const [locator, value] of fields) if (value !== undefined) await locator.fill(String(value));
  }

  /** The values that the form shows now; secrets are never shown again after saving, so they are not part of it. */
  async values(): Promise<{ target: string; gatewayPort: string; localPort: string; identityFile: string }> {
    return {
      target: await this.target.inputValue(),
      gatewayPort: await this.gatewayPort.inputValue(),
      localPort: await this.localPort.inputValue(),
      identityFile: await this.identityFile.inputValue(),
    };
  }

  async connectWith(values: FormValues): Promise<void> {
    await this.fill(values);
    await this.saveAndConnect.click();
  }
}
