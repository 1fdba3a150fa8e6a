import { act, cleanup, configure, render, screen } from '@testing-library/react';
import { createElement } from 'react';
import { afterEach, beforeEach, expect, vi, type MockInstance } from 'vitest';
import { App } from '../../../src/renderer/app.tsx';
import type { AppSnapshot, GatewaySnapshot } from '../../../src/shared/app-snapshot.ts';
import type { PageKind } from '../../../src/shared/window-address.ts';
import { GATEWAY_ID, aGateway, aSnapshot, createFakeGangway, type FakeGangway } from './fake-gangway.ts';

// The library's own bound of 1 s is too near for a loaded machine.
configure({ asyncUtilTimeout: 15_000 });

export interface RenderedApp {
  readonly fake: FakeGangway;
  /** Pushes a new snapshot with a risen revision. */
  readonly push: (gateway: Partial<GatewaySnapshot>, changes?: Partial<AppSnapshot>) => void;
}

/** Renders one window over a scripted main and waits until it shows its connection. */
export async function renderApp(
  page: PageKind,
  gateway: Partial<GatewaySnapshot> = {},
  changes: Partial<AppSnapshot> = {},
  script?: (fake: FakeGangway) => void,
): Promise<RenderedApp> {
  let revision = 1;
  const snapshot = (of: Partial<GatewaySnapshot>, more: Partial<AppSnapshot>): AppSnapshot =>
    aSnapshot({ revision: revision++, gateways: [aGateway(of)], ...more });
  const fake = createFakeGangway(snapshot(gateway, changes));
  script?.(fake);
  render(createElement(App, { api: fake.api, address: { window: page, gatewayId: GATEWAY_ID } }));
  await screen.findByRole('status', { name: /^(Connection|연결)$/ });
  return {
    fake,
    push: (next, more = {}) => act(() => fake.push('app.snapshot', snapshot(next, more))),
  };
}

/**
 * What jsdom lacks: layout, and modal dialogs. The modal part (focus kept inside, inert background) is the browser's
 * own and is checked in the real app.
 */
export function useBrowserParts(): void {
  let errors: MockInstance<typeof console.error>;
  let warnings: MockInstance<typeof console.warn>;
  beforeEach(() => {
    errors = vi.spyOn(console, 'error');
    warnings = vi.spyOn(console, 'warn');
    vi.stubGlobal(
      'ResizeObserver',
      class {
        observe(): void {}
        disconnect(): void {}
      },
    );
    Element.prototype.scrollIntoView = (): void => {};
    HTMLDialogElement.prototype.showModal = function showModal(this: HTMLDialogElement): void {
      this.open = true;
    };
    HTMLDialogElement.prototype.close = function close(this: HTMLDialogElement): void {
      this.open = false;
    };
  });
  afterEach(() => {
    cleanup();
    vi.unstubAllGlobals();
    expect(errors.mock.calls).toEqual([]);
    expect(warnings.mock.calls).toEqual([]);
  });
}
