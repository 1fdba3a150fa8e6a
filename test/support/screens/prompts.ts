import type { Locator, Page } from '@playwright/test';

/** The question about a host key that nobody has trusted yet. */
export function hostKeyDialog(page: Page): { dialog: Locator; trust: Locator; cancel: Locator } {
  const dialog = page.getByRole('alertdialog', { name: 'Verify host key' });
  return {
    dialog,
    trust: dialog.getByRole('button', { name: 'Trust and connect' }),
    cancel: dialog.getByRole('button', { name: 'Cancel' }),
  };
}

export function passphraseDialog(page: Page): {
  dialog: Locator;
  passphrase: Locator;
  unlock: Locator;
  cancel: Locator;
} {
  const dialog = page.getByRole('dialog', { name: 'Passphrase needed' });
  return {
    dialog,
    passphrase: dialog.getByLabel('Passphrase', { exact: true }),
    unlock: dialog.getByRole('button', { name: 'Unlock' }),
    cancel: dialog.getByRole('button', { name: 'Cancel' }),
  };
}
