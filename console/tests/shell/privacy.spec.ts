import { expect, test } from '@playwright/test';
import { enter } from './signin';

test('a request is noted, moved on, and refused only with a reason', async ({ page }) => {
  await enter(page, { path: '/privacy' });
  await expect(page.getByTestId('privacy-request').first()).toContainText('overdue');
  await page.getByRole('button', { name: 'Request', exact: true }).click();
  await page.getByLabel('Who asks').fill('Petro Bilyk');
  await page.getByLabel('Where the answer goes').fill('petro@ukr.net');
  await page.getByRole('button', { name: 'Note the request' }).click();
  await expect(page.getByText(/the answer is due by 22 Dec 2026/)).toBeVisible();
  await page.getByTestId('privacy-request').filter({ hasText: 'Petro' }).click();
  await page.getByTestId('privacy-advance').click();
  await expect(page.getByTestId('privacy-detail')).toContainText('verified');
  await page.getByRole('button', { name: 'Refuse' }).click();
  const refuse = page.getByTestId('privacy-detail').getByRole('button', { name: 'Refuse' });
  await expect(refuse).toBeDisabled();
  await page.getByLabel('Why; the person is told').fill('not the same person');
  const sent = page.waitForRequest((r) => r.method() === 'PUT');
  await refuse.click();
  expect((await sent).postDataJSON()).toEqual({ state: 'refused', reason: 'not the same person' });
  await expect(page.getByTestId('privacy-detail')).toContainText('Refused: not the same person');
});

test('[AB1] a verified request for access hands the data over, and shows what was handed over', async ({ page }) => {
  await enter(page, { path: '/privacy?sel=q-2', clock: false });
  const detail = page.getByTestId('privacy-detail');
  const download = page.waitForEvent('download');
  await detail.getByTestId('privacy-export').click();
  expect((await download).suggestedFilename()).toBe('customer-p-olena.html');
  await expect(detail.getByTestId('privacy-handed')).toContainText('214 events', { timeout: 10_000 });
  await expect(detail.getByTestId('privacy-handed')).toContainText('SHA-256 ab12ab12');
  await detail.getByTestId('privacy-advance').click();
  await expect(detail).toContainText('done');
});

test('[AB1] a request for erasure asks twice, erases and closes by itself', async ({ page }) => {
  await enter(page, { path: '/privacy?sel=q-3', clock: false });
  const detail = page.getByTestId('privacy-detail');
  await detail.getByTestId('privacy-erase').click();
  await expect(detail).toContainText('Write down where the answer goes: taras@ukr.net');
  await detail.getByTestId('privacy-erase-sure').click();
  await expect(detail.getByTestId('privacy-erasure')).toContainText('77');
  await expect(detail).toContainText('Erased, number 77', { timeout: 15_000 });
  await expect(detail.getByRole('heading')).toHaveText('erased');
});

test('the register is edited, and retention is previewed before it is applied', async ({ page }) => {
  await enter(page, { path: '/privacy' });
  await page.getByRole('button', { name: 'Edit Marketing messages' }).click();
  await page.getByRole('dialog').getByLabel('Kept').fill('Until withdrawn, then 3 years as proof');
  await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
  await expect(page.getByTestId('purpose-row').first()).toContainText('3 years as proof');
  await expect(page.getByText('I agree to get offers of Svitlytsia by e-mail')).toBeVisible();
  const retention = page.getByTestId('retention');
  await retention.getByRole('button', { name: 'Rule', exact: true }).click();
  const rule = retention.getByTestId('retention-rule').nth(1);
  await rule.getByLabel('Events, * for anything').fill('Page *');
  await rule.getByLabel('Why so long').fill('statistics of the shop');
  await retention.getByRole('button', { name: 'What would go' }).click();
  await expect(retention.getByTestId('retention-count').nth(1)).toContainText('1,204 would go now');
  await retention.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByText('nothing goes before the next run')).toBeVisible();
  await retention.getByRole('button', { name: 'Apply now' }).click();
  await retention.getByRole('button', { name: 'Yes, let it go for good' }).click();
  await expect(page.getByText('It has begun')).toBeVisible();
});

test('addresses are suppressed by a pasted list, and quiet hours are set', async ({ page }) => {
  await enter(page, { path: '/settings/limits' });
  await page.getByRole('button', { name: 'Paste a list' }).click();
  await page.getByLabel('Addresses', { exact: true }).fill('a@ukr.net,asked\nnot an address\nb@ukr.net');
  await page.getByLabel('Reason for lines without one').fill('list of the old tool');
  await page.getByRole('button', { name: 'Never write to these' }).click();
  await expect(page.getByTestId('suppression-report')).toContainText('Added 2, known 0, not an address 1');
  await expect(page.getByTestId('suppression-report')).toContainText('no address: 2');
  await page.getByRole('dialog').getByRole('button', { name: 'Close' }).click();
  const row = page.getByTestId('suppression-row').filter({ hasText: 'a@ukr.net' });
  await row.getByRole('button', { name: 'Allow again' }).click();
  await page.getByLabel('Why it may be written to again').fill('wrote to us');
  await page.getByRole('button', { name: 'Allow messages' }).click();
  await expect(row).toHaveCount(0);
  const quiet = page.getByTestId('quiet-hours');
  await quiet.getByLabel('From').fill('22:00');
  await quiet.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByText('Quiet from 22:00-09:00')).toBeVisible();
});

test('a customer’s choice is noted on the page', async ({ page }) => {
  await enter(page, { path: '/customers/p-olena' });
  await expect(page.getByTestId('preference')).toContainText('news');
  await page.getByRole('button', { name: 'Choice', exact: true }).click();
  await page.getByLabel('Topic', { exact: true }).fill('sale');
  const sent = page.waitForRequest((r) => r.method() === 'PUT');
  await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
  expect((await sent).postDataJSON().items).toContainEqual({ channel: 'email', topic: 'sale', wanted: false });
  await expect(page.getByTestId('preference')).toHaveCount(2);
});
