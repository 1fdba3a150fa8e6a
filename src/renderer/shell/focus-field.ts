import type { DraftField } from '../../shared/ipc-contract.ts';

/** Moves the focus to a box of the connection form; false where this window does not show it. */
export function focusField(field: DraftField): boolean {
  const box = document.querySelector<HTMLInputElement | HTMLSelectElement>(`[data-field="${field}"]`);
  if (box === null) return false;
  box.scrollIntoView({ block: 'center' });
  box.focus();
  if (box instanceof HTMLInputElement) box.select();
  return true;
}
