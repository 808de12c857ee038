import { expect, test } from '@playwright/test';
import { clean, dialogClean } from './clean';
import { enter } from './signin';

test.beforeEach(async ({ request }) => {
  for (const of of ['stock', 'orders', 'company']) await request.get(`/mock/${of}-reset`);
});

test('a purchase order says who waits for each line; another day moves their promises', async ({ page }) => {
  await enter(page, { path: '/purchases/23' });
  const line = page.getByTestId('waits-line').first();
  await expect(line).toContainText('KS-350-Z');
  await expect(line.getByRole('cell').nth(1)).toHaveText('60');
  await expect(line.getByRole('cell').nth(2)).toHaveText('16');
  await expect(line.getByRole('cell').nth(3)).toHaveText('44');
  await expect(line.getByTestId('waits-for')).toHaveCount(1);
  await expect(page.getByTestId('waits-line').last()).toContainText('nobody waits');
  await clean(page);
  await page.screenshot({ path: 'test-results/pages/purchase-waits.png', fullPage: true });
  await page.getByTestId('purchase-expect').click();
  await page.getByTestId('expect-day').fill('2026-12-05');
  await dialogClean(page);
  await page.getByTestId('expect-do').click();
  await expect(page.getByText('Purchase order 23 is expected on 5 Dec 2026')).toBeVisible();
  // Now the café's promise has moved as well, so it is known by name.
  await expect(line.getByTestId('waits-for')).toHaveCount(2);
  await line.getByRole('link', { name: 'Claim 602' }).click();
  await expect(page).toHaveURL(/tab=promises&claim=602/);
  await expect(page.getByTestId('change-row')).toHaveCount(4);
  await expect(page.getByTestId('change-row').first()).toContainText('it comes later');
  await expect(page.getByTestId('claimed')).toContainText('Ґанок');
  await clean(page);
  await page.screenshot({ path: 'test-results/pages/promises.png' });
  await page.getByTestId('claim-give-back').click();
  await expect(page.getByTestId('claim-part')).toContainText('given back');
  // By the keyboard: through the changes, and into one.
  await page.locator('h1').click();
  await page.keyboard.press('KeyJ');
  await page.keyboard.press('KeyJ');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/claim=601/);
  await expect(page.getByTestId('claimed').getByRole('link', { name: 'Order 31921' })).toBeVisible();
  await page.getByTestId('promise-find').fill('999');
  await page.getByTestId('promise-find').press('Enter');
  await expect(page.getByText('There is no claim 999')).toBeVisible();
});

test('an SKU: what is on order and free is promised by hand; where it is sold ahead is switched and taken back', async ({ page }) => {
  await enter(page, { path: '/stock/KS-350-Z' });
  await expect(page.getByTestId('supply-row')).toHaveCount(1);
  await expect(page.getByTestId('supply-row')).toContainText('44');
  await page.getByTestId('ahead-promise').click();
  await expect(page.getByTestId('promise-do')).toBeDisabled();
  await page.getByTestId('promise-owner').fill('Олена Гудзь');
  await page.getByTestId('promise-n').fill('50');
  await dialogClean(page);
  await page.getByTestId('promise-do').click();
  await expect(page.getByRole('dialog').getByText('50 wanted, 44 available')).toBeVisible();
  await page.getByTestId('promise-n').fill('2');
  await page.getByTestId('promise-do').click();
  await expect(page.getByTestId('supply-row')).toContainText('42');
  await page.locator('h1').click();
  await page.keyboard.press('KeyZ');
  await expect(page.getByTestId('supply-row')).toContainText('44');
  await expect(page.getByTestId('ahead-Lviv-1')).toBeChecked();
  await page.getByTestId('ahead-Hub').click({ force: true });
  await expect(page.getByText('Склад Бровари: sold before it is there')).toBeVisible();
  await expect(page.getByTestId('ahead-Hub')).toBeChecked();
  await page.locator('h1').click();
  await page.keyboard.press('KeyZ');
  await expect(page.getByTestId('ahead-Hub')).not.toBeChecked();
  await page.getByTestId('ahead-everywhere').click({ force: true });
  await expect(page.getByTestId('ahead-Hub')).toHaveCount(0);
  await clean(page);
  await page.screenshot({ path: 'test-results/pages/sku-ahead.png', fullPage: true });
  // Another role sees the same, locked.
  await page.context().clearCookies();
  await enter(page, { path: '/stock/KS-350-Z', email: 'danylo@svitlytsia.ua' });
  await expect(page.getByTestId('ahead-everywhere')).toBeDisabled();
});
