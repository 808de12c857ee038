// The live stream is asked for what is shown; blocked addresses are of every channel.
import { expect, test } from '@playwright/test';
import { enter } from './signin';

test('filters of live events stand in the address and go to the server', async ({ page }) => {
  const streams: string[] = [];
  page.on('request', (r) => { if (r.url().includes('/api/v1/live')) streams.push(new URL(r.url()).search); });
  await enter(page, { path: '/live' });
  await expect(page.getByTestId('live-row').first()).toBeVisible();
  expect(streams).toContain('?events=false');
  await page.getByTestId('live-name').fill('Order Completed');
  await page.getByTestId('live-name').press('Enter');
  await expect(page).toHaveURL(/event=Order\+Completed/);
  await page.getByTestId('live-kind').click();
  await page.getByRole('menuitem', { name: 'events', exact: true }).click();
  await expect(page).toHaveURL(/kind=track/);
  await expect.poll(() => streams.at(-1)).toBe('?event=Order+Completed&type=track');
  for (const row of await page.getByTestId('live-row').all()) await expect(row).toContainText(/order/i);
  await page.screenshot({ path: 'test-results/live-filters.png' });
  await page.reload();
  await expect(page.getByTestId('live-name')).toHaveValue('Order Completed');
});

test('a blacklist of telephones goes to every channel that reaches them', async ({ page }) => {
  await enter(page, { path: '/settings/limits' });
  await expect(page.getByTestId('suppression-row').first()).toBeVisible();
  await page.getByTestId('suppressed-sms').click();
  await expect(page.getByText('No address is suppressed')).toBeVisible();
  await page.getByRole('button', { name: 'Paste a list' }).click();
  await page.getByLabel('Addresses', { exact: true }).fill('067 123 45 67');
  await page.getByLabel('Reason for lines without one').fill('old blacklist');
  const sent = page.waitForRequest((r) => r.url().endsWith('/suppressions/import'));
  await page.getByRole('button', { name: 'Never write to these' }).click();
  expect((await sent).postDataJSON().channels).toEqual(['sms', 'viber', 'whatsapp', 'call']);
  await page.keyboard.press('Escape');
  await expect(page.getByTestId('suppression-row')).toContainText('067 123 45 67');
  await page.screenshot({ path: 'test-results/suppressed.png' });
});
