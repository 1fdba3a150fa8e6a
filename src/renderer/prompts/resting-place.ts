/** In the order of preference: what waits for the person, else what the page is about. */
const PLACES = ['.card--waiting .card__title', 'main h1', 'main'];

/** Puts the focus where keys do nothing, in words that say what is there. */
export function focusRestingPlace(): void {
  for (const selector of PLACES) {
    const place = document.querySelector<HTMLElement>(selector);
    if (place === null) continue;
    place.tabIndex = -1;
    place.dataset['resting'] = '';
    place.addEventListener(
      'blur',
      () => {
        place.removeAttribute('tabindex');
        delete place.dataset['resting'];
      },
      { once: true },
    );
    place.focus({ preventScroll: true });
    return;
  }
}

/** Whether the focus is where keys do nothing. */
export function isFocusAtRest(): boolean {
  const { activeElement, body } = document;
  return activeElement === null || activeElement === body || activeElement.matches('[data-resting]');
}
