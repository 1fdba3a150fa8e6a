import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { appUser } from '../../support/lab/app-user.ts';
import type { Desktop } from '../../support/lab/desktop.ts';
import { missingForLab } from '../../support/lab/global-setup.ts';
import { createLab, type Lab } from '../../support/lab/lab.ts';

let lab: Lab;
let desktop: Desktop;
const missing = missingForLab(true).filter((sentence) => sentence.includes('apt install'));

describe.skipIf(missing.length > 0)(`a desktop of the lab ${missing.join(' ')}`.trim(), () => {
  beforeAll(async () => {
    lab = await createLab({ label: 'desktop' });
    desktop = await lab.startDesktop();
  });

  afterAll(() => lab.close());

  it('belongs to the unprivileged user when the lab runs as root', async () => {
    const result = await desktop.run('id', ['-u']);

    expect(result.stdout.trim()).toBe(String(appUser()?.uid ?? process.getuid?.()));
    expect(result.stdout.trim()).not.toBe('0');
  });

  it('keeps secrets: its keyring has an unlocked default collection', async () => {
    const result = await desktop.run('dbus-send', [
      '--session',
      '--print-reply=literal',
      '--dest=org.freedesktop.secrets',
      '/org/freedesktop/secrets/aliases/default',
      'org.freedesktop.DBus.Properties.Get',
      'string:org.freedesktop.Secret.Collection',
      'string:Locked',
    ]);

    expect(result.output).toContain('boolean false');
  });
});
