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
  remember: Locator;
  cancel: Locator;
} {
  const dialog = page.getByRole('dialog', { name: 'Passphrase needed' });
  return {
    dialog,
    passphrase: dialog.getByLabel('Passphrase', { exact: true }),
    unlock: dialog.getByRole('button', { name: 'Unlock' }),
    remember: dialog.getByRole('checkbox', { name: 'Remember in the keychain' }),
    cancel: dialog.getByRole('button', { name: 'Cancel' }),
  };
}

/** The account's password on the SSH server. */
export function passwordDialog(page: Page): {
  dialog: Locator;
  password: Locator;
  remember: Locator;
  signIn: Locator;
  cancel: Locator;
} {
  const dialog = page.getByRole('dialog', { name: 'Password needed' });
  return {
    dialog,
    password: dialog.getByLabel('Password', { exact: true }),
    remember: dialog.getByRole('checkbox', { name: 'Remember in the keychain' }),
    signIn: dialog.getByRole('button', { name: 'Sign in' }),
    cancel: dialog.getByRole('button', { name: 'Cancel' }),
  };
}

/** What a server asks in its own words; `answer` finds the box by them. */
export function signInDialog(page: Page): {
  dialog: Locator;
  answer: (text: string) => Locator;
  serverWords: Locator;
  signIn: Locator;
  cancel: Locator;
} {
  const dialog = page.getByRole('dialog', { name: /^Sign in to / });
  return {
    dialog,
    answer: (text) => dialog.getByLabel(text, { exact: true }),
    serverWords: dialog.getByRole('figure'),
    signIn: dialog.getByRole('button', { name: 'Sign in' }),
    cancel: dialog.getByRole('button', { name: 'Cancel' }),
  };
}

/** A yes-or-no question of the system's ssh. */
export function confirmDialog(page: Page): { dialog: Locator; yes: Locator; no: Locator } {
  const dialog = page.getByRole('alertdialog', { name: /^A question about / });
  return {
    dialog,
    yes: dialog.getByRole('button', { name: 'Yes', exact: true }),
    no: dialog.getByRole('button', { name: 'No', exact: true }),
  };
}

/** Something to do elsewhere, such as touching a security key. */
export function noticeDialog(page: Page): { dialog: Locator; cancel: Locator } {
  const dialog = page.getByRole('dialog', { name: /^Confirm signing in to / });
  return { dialog, cancel: dialog.getByRole('button', { name: 'Cancel' }) };
}

/** A question that came while nobody was there: its card, and the button that has it asked. */
export function waitingCard(page: Page): { card: Locator; attend: Locator } {
  const card = page.locator('section.notices--waiting');
  return { card, attend: card.getByRole('button') };
}

/** Takes a changed host key out of known_hosts, from the card to the typed name. */
export function removeHostKeyDialog(page: Page): {
  open: Locator;
  dialog: Locator;
  host: Locator;
  remove: Locator;
  cancel: Locator;
} {
  const dialog = page.getByRole('alertdialog', { name: /^Remove the old host key of / });
  return {
    open: page.getByRole('button', { name: 'Remove the old key…' }),
    dialog,
    host: dialog.getByRole('textbox'),
    remove: dialog.getByRole('button', { name: 'Remove the key' }),
    cancel: dialog.getByRole('button', { name: 'Cancel' }),
  };
}
