import { expect, type Page, test } from '@playwright/test';
import { clean, dialogClean } from './clean';
import { enter } from './signin';

test.beforeEach(async ({ request }) => {
  for (const of of ['stock', 'orders']) await request.get(`/mock/${of}-reset`);
});
const choose = async (page: Page, testId: string, name: string) => {
  await page.getByTestId(testId).click();
  await page.getByRole('option', { name, exact: true }).click();
};

test('standing still: what holds which place, whom we believe, and each number opens its list', async ({ page, request }) => { // [V7]
  await enter(page, { path: '/' });
  await expect(page.getByTestId('attention-still')).toContainText('2 places stand still');
  await page.getByTestId('attention-still').getByRole('link').click();
  await expect(page.getByTestId('still-row')).toHaveCount(2);
  await expect(page.getByTestId('still-count')).toHaveText('2');
  const hand = page.getByTestId('still-row').filter({ hasText: 'Сихів' });
  await expect(hand).toContainText('switched off by hand');
  await expect(hand).toContainText('прорвало трубу');
  await expect(page.getByTestId('still-row').filter({ hasText: 'Хрещатик' })).toContainText('about 15:10');
  await expect(page.getByTestId('alert-row')).toHaveCount(2);
  await expect(page.getByTestId('alert-row').first()).toContainText('Kyiv city · 31');
  await clean(page);
  await page.screenshot({ path: 'test-results/pages/places-still.png' });
  await page.getByTestId('still-alerts').click();
  await expect(page).toHaveURL(/show=ours/);
  await expect(page.getByTestId('alert-row')).toHaveCount(1);
  await page.getByTestId('alerts-day').click();
  await expect(page.getByTestId('alert-row')).toHaveCount(3);
  // The keyboard goes through the rows, and a row opens the place's orders.
  await page.locator('h1').click();
  await page.keyboard.press('KeyJ');
  await expect(page).toHaveURL(/sel=Lviv-2/);
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/\/orders\?place=Lviv-2/);
  await page.goBack();
  // The feed falls silent: told with the error, and nothing else changes.
  await request.get('/mock/alert?error=the%20service%20answered%20with%20500');
  await expect(page.getByTestId('feed')).toContainText('silent');
  await expect(page.getByTestId('feed-error')).toContainText('500');
  await expect(page.getByTestId('still-row')).toHaveCount(2);
});

test('a hand switch has a reason, comes into force, and is taken back', async ({ page }) => { // [V7]
  await enter(page, { path: '/locations/alerts' });
  await expect(page.getByTestId('still-row')).toHaveCount(2);
  await page.locator('h1').click();
  await page.keyboard.press('KeyC');
  await expect(page).toHaveURL(/add=switched_off/);
  await page.getByTestId('still-do').click();
  await expect(page.getByText('Choose a place')).toBeVisible();
  await expect(page.getByText('Say why: colleagues will see it')).toBeVisible();
  await choose(page, 'still-subject', 'Львів, Городоцька 179');
  await page.getByTestId('still-why').fill('немає води');
  await page.getByTestId('still-until').fill('2026-11-22T10:00');
  await page.getByTestId('still-do').click();
  await expect(page.getByText('It ends before it begins')).toBeVisible();
  await dialogClean(page);
  await page.screenshot({ path: 'test-results/pages/places-switch.png' });
  await page.getByTestId('still-until').fill('2026-11-22T18:00');
  const sent = page.waitForRequest((r) => r.method() === 'PUT' && r.url().endsWith('/order-settings'));
  await page.getByTestId('still-do').click();
  // The field is the shop's wall clock: Kyiv is two hours ahead.
  expect(((await sent).postDataJSON() as { switched_off: { until: string }[] }).switched_off.at(-1)!.until).toBe('2026-11-22T16:00:00Z');
  const row = page.getByTestId('still-row').filter({ hasText: 'Городоцька' });
  await expect(row).toContainText('немає води');
  await expect(row).toContainText('18:00');
  await row.getByTestId('still-open').click();
  await expect(row).toHaveCount(0);
  await page.locator('h1').click();
  await page.keyboard.press('KeyZ');
  await expect(row).toHaveCount(1);
});

test('the calendar is entered by fields, the refusal of the server stands at its field', async ({ page }) => {
  await enter(page, { path: '/orders/settings?part=calendar' });
  await page.getByTestId('oset-forms').click();
  await expect(page).toHaveURL(/\/locations\/alerts\?part=calendar/);
  await expect(page.getByTestId('list-switched_off').getByTestId('entry')).toHaveCount(2);
  await expect(page.getByTestId('list-switched_off').getByTestId('entry').last()).toContainText('past');
  await clean(page);
  await page.getByTestId('add-blackouts').click();
  await page.getByTestId('still-subject').fill('третя');
  await page.getByTestId('still-from').fill('2026-11-23T10:00');
  await page.getByTestId('still-do').click();
  await expect(page.getByText('Say until when')).toBeVisible();
  await page.getByTestId('still-until').fill('2026-11-23T14:00');
  await page.getByTestId('still-do').click();
  await expect(page.getByRole('dialog').getByText('a queue is a number such as 3.2')).toBeVisible();
  await page.getByTestId('still-subject').fill('4.1');
  await page.getByTestId('still-do').click();
  await expect(page.getByTestId('list-blackouts').getByTestId('entry')).toHaveCount(2);
  await page.getByTestId('list-blackouts').getByTestId('entry-remove').last().click();
  await expect(page.getByTestId('list-blackouts').getByTestId('entry')).toHaveCount(1);
  await page.getByTestId('still-territories').click();
  const lviv = page.getByTestId('territory-row').filter({ hasText: 'Городоцька' });
  await expect(lviv).toContainText('Lviv region · 27');
  await clean(page);
  await lviv.getByTestId('territory-change').click();
  await page.getByTestId('place-territories').fill('Львів');
  await page.getByTestId('territory-do').click();
  await expect(page.getByText('a territory is a number of the feed')).toBeVisible();
  await page.getByTestId('place-territories').fill('27, 90');
  await page.getByTestId('territory-do').click();
  await expect(lviv).toContainText('90');
});

test('the feed is chosen, its key is set and never shown', async ({ page }) => {
  await enter(page, { path: '/locations/alerts' });
  await expect(page.getByTestId('feed-has-key')).toHaveText('set');
  await page.getByTestId('feed-change').click();
  await choose(page, 'feed-which', 'ukrainealarm.com');
  await page.getByTestId('feed-every_seconds').fill('5');
  await expect(page.getByText('A whole number from 10 to 600')).toBeVisible();
  await expect(page.getByTestId('feed-do')).toBeDisabled();
  await page.getByTestId('feed-every_seconds').fill('60');
  await page.getByTestId('feed-do').click();
  await expect(page.getByTestId('feed-name')).toHaveText('ukrainealarm.com');
  await page.getByTestId('feed-key-open').click();
  await expect(page.getByTestId('feed-key')).toHaveValue('');
  await page.getByTestId('feed-key-gone').click();
  await expect(page.getByTestId('feed-has-key')).toHaveText('none yet');
  await expect(page.getByTestId('feed')).toContainText('no key');
  await page.getByTestId('feed-key-open').click();
  await page.getByTestId('feed-key').fill('a key with blanks');
  await expect(page.getByText('A key has no blanks')).toBeVisible();
  await page.getByTestId('feed-key').fill('k'.repeat(70));
  await page.getByTestId('feed-key-do').click();
  await expect(page.getByText('a key has at most 500 bytes and no blanks')).toBeVisible();
  await page.getByTestId('feed-key').fill('k-4410');
  await page.getByTestId('feed-key-do').click();
  await expect(page.getByTestId('feed-has-key')).toHaveText('set');
});

test('who may not change settings sees locks; an error says what is safe', async ({ page }) => {
  await enter(page, { path: '/locations/alerts', email: 'danylo@svitlytsia.ua' });
  await expect(page.getByTestId('still-row')).toHaveCount(2);
  await expect(page.getByTestId('still-switch')).toHaveAttribute('aria-disabled', 'true');
  await expect(page.getByTestId('still-open')).toHaveCount(0);
  await page.locator('h1').click();
  await page.keyboard.press('KeyC');
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await page.route('**/api/v1/alerts', (r) => r.fulfill({ status: 500, contentType: 'application/problem+json', body: '{"code":"internal","title":"It failed","status":500}' }));
  await page.reload();
  await expect(page.getByRole('alert')).toBeVisible();
  await page.unroute('**/api/v1/alerts');
  await page.getByRole('button', { name: 'Try now' }).click();
  await expect(page.getByTestId('still-row')).toHaveCount(2);
});

test('the store app says calmly that its place stands still', async ({ page, request }) => {
  await page.addInitScript(() => localStorage.setItem('braid-store-place', 'Lviv-1'));
  await enter(page, { path: '/' });
  await page.goto('/store');
  await expect(page.getByTestId('queue-row').first()).toBeVisible();
  await expect(page.getByTestId('store-still')).toHaveCount(0);
  await request.get('/mock/alert?on=1');
  await page.reload();
  await expect(page.getByTestId('store-still')).toContainText('Air-raid alert since 14:26');
  await clean(page);
  await page.screenshot({ path: 'test-results/pages/store-still.png' });
});
