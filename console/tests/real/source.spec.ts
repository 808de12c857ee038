import { expect, type Page, test } from '@playwright/test';
import { axe } from './axe';
import { enterReal } from './enter';

/** Makes a source through the page; gives its key and address. */
async function create(page: Page, name: string): Promise<string> {
  await enterReal(page, { path: '/sources?create=true' });
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill(name);
  await dialog.getByRole('button', { name: /Create/ }).click();
  const key = await page.getByTestId('write-key').innerText();
  await page.getByTestId('source-open').click();
  await expect(page.getByTestId('source-name')).toHaveText(name);
  return key;
}

test('a plan says what is wrong by line, keeps versions, and refused events are tried again', async ({ page, request }) => {
  const run = Date.now().toString(36);
  const key = await create(page, `Till ${run}`);
  await axe(page);
  await page.screenshot({ path: 'test-results/pages/source.png', fullPage: true });
  await page.getByTestId('source-plan').click();
  await page.getByTestId('plan-text').fill('unknown events warn\nevent "Order Completed" blok');
  await page.getByTestId('plan-save').click();
  await expect(page.getByTestId('plan-errors')).toContainText('Line 2');
  await page.getByTestId('plan-text').fill('event "Order Completed" block\n  order_id text required');
  await page.getByTestId('plan-save').click();
  await expect(page.getByTestId('plan-version')).toHaveCount(1);
  await axe(page);
  await page.screenshot({ path: 'test-results/pages/source-plan.png' });


  const server = process.env.BRAID_INGEST_URL ?? process.env.BRAID_URL ?? '';
  const send = (id: string, properties: object) => request.post(`${server}/v1/track`, { headers: { authorization: `Basic ${Buffer.from(`${key}:`).toString('base64')}` }, data: { userId: `u-${run}`, messageId: `${run}-${id}`, event: 'Order Completed', properties } });
  await send('1', { total: 5 });
  await page.getByTestId('source-rejects').click();
  await expect(page.getByTestId('source-reject')).toContainText('order_id', { timeout: 20_000 });
  await axe(page);
  await page.screenshot({ path: 'test-results/pages/source-rejects.png' });
  await page.getByTestId('source-plan').click();
  await page.getByTestId('plan-text').fill('event "Order Completed" warn\n  order_id text');
  await page.getByTestId('plan-save').click();
  await expect(page.getByTestId('plan-version')).toHaveCount(2);
  await page.getByTestId('source-rejects').click();
  await page.getByTestId('source-reject').getByRole('button', { name: 'Try again' }).click();
  await expect(page.getByTestId('source-reject')).toContainText('taken');
});

test('a source is observed only, and let go again', async ({ page }) => {
  await create(page, `Shop ${Date.now().toString(36)}`);
  await page.getByTestId('observe-switch').press(' ');
  await expect(page.getByText('observed only', { exact: true })).toBeVisible();
  await axe(page);
  await page.getByTestId('observe-switch').press(' ');
  await expect(page.getByText('observed only', { exact: true })).toBeHidden();
});
