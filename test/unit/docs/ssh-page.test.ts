import { expect, it } from 'vitest';
import { renderPage } from '../../../scripts/docs/ssh-page.ts';

it('says what the matrix test recorded and what the code goes by (else: npm run docs:ssh)', async () => {
  const { committed, expected } = await renderPage();
  expect(committed).toBe(expected);
});
