import { expect, type Page, test } from '@playwright/test';
import { enter } from './signin';

test.beforeEach(async ({ request }) => {
  for (const of of ['stock', 'orders', 'returns']) await request.get(`/mock/${of}-reset`);
});
/** How often a path of the API was asked for since. */
const asked = (page: Page, path: RegExp) => {
  let n = 0;
  page.on('request', (r) => { if (path.test(r.url())) n += 1; });
  return { get n() { return n; }, reset: () => { n = 0; } };
};

for (const [path, of, row] of [['/orders', /\/api\/v1\/orders\?/, 'order-row'], ['/returns', /\/api\/v1\/returns\?/, 'after-row']] as const)
  test(`${path}: what changes is told and read at once; nobody asks again and again until the stream is cut`, async ({ page, request }) => {
    await enter(page, { path });
    await expect(page.getByTestId(row).first()).toBeVisible();
    const calls = asked(page, of);
    // The first answer came before the stream stood, so one more may follow it.
    await page.waitForTimeout(16_500);
    calls.reset();
    await page.waitForTimeout(16_500);
    expect(calls.n).toBe(0);
    await request.get('/mock/alert?on=0');
    await expect.poll(() => calls.n).toBeGreaterThan(0);
    // Cut, and it does not come back: it is asked again, as often as before.
    await page.route('**/api/v1/live**', (r) => r.abort());
    await request.get('/mock/cut');
    await page.waitForTimeout(1500);
    calls.reset();
    await expect.poll(() => calls.n, { timeout: 17_000 }).toBeGreaterThan(0);
  });

test('the store app: an order that comes in is told, not asked for', async ({ page, request }) => {
  await page.addInitScript(() => localStorage.setItem('braid-store-place', 'Lviv-1'));
  await enter(page, { path: '/' });
  await page.goto('/store');
  await expect(page.getByTestId('queue-row').first()).toBeVisible();
  const calls = asked(page, /\/api\/v1\/pick-queue/);
  await page.waitForTimeout(9_000);
  calls.reset();
  await page.waitForTimeout(9_000);
  expect(calls.n).toBe(0);
  await request.get('/mock/alert?on=1');
  await expect(page.getByTestId('store-still')).toBeVisible({ timeout: 3000 });
  expect(calls.n).toBeGreaterThan(0);
});
