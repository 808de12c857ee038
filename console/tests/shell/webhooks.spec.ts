import AxeBuilder from '@axe-core/playwright';
import { expect, test } from '@playwright/test';
import { enter } from './signin';

test('a webhook is made, its secret is shown once, and what failed is sent again', async ({ page }) => {
  await enter(page, { path: '/webhooks' });
  const rows = page.getByTestId('webhook-row');
  await expect(rows.filter({ hasText: 'ERP' })).toContainText('fails');
  await expect(rows.filter({ hasText: 'Old loyalty' })).toContainText('switched off');
  await expect(page.getByRole('img', { name: '28 of the newest 30 arrived' })).toBeVisible();
  await page.getByTestId('webhook-create').click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill('Warehouse');
  await dialog.getByTestId('webhook-url').fill('https://warehouse.example.com/hooks');
  await expect(dialog.getByRole('button', { name: 'Create' })).toBeDisabled();
  await dialog.getByLabel('event.tracked').check();
  await dialog.getByLabel('Only these events').fill('Order Completed, Order Refunded');
  // Mantine's dialog brings a second banner, which is no matter of this form.
  expect((await new AxeBuilder({ page }).include('[role="dialog"]').withTags(['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa']).analyze()).violations).toEqual([]);
  const sent = page.waitForRequest((r) => r.method() === 'POST' && r.url().endsWith('/webhooks'));
  await dialog.getByRole('button', { name: 'Create' }).click();
  expect((await sent).postDataJSON()).toEqual({ name: 'Warehouse', url: 'https://warehouse.example.com/hooks', types: ['event.tracked'], event_names: ['Order Completed', 'Order Refunded'], segment_ids: [], imported: false });
  await expect(page.getByTestId('webhook-secret')).toContainText('whsec_');
  await expect(page.getByRole('region', { name: 'Checking the signature' })).toContainText('timingSafeEqual');
  await page.getByText('Python', { exact: true }).click();
  await expect(page.getByRole('region', { name: 'Checking the signature' })).toContainText('compare_digest');
  await page.screenshot({ path: 'test-results/pages/webhook-secret.png' });

  await page.getByRole('link', { name: 'ERP', exact: true }).click();
  await expect(page.getByTestId('webhook-secret')).toHaveCount(0);
  await expect(page.getByTestId('webhook-name')).toHaveText('ERP');
  await page.getByTestId('delivery-row').filter({ hasText: 'person.merged' }).click();
  const detail = page.getByTestId('delivery-detail');
  await expect(detail.getByTestId('delivery-attempt')).toContainText('no answer within 20s');
  await detail.getByTestId('delivery-replay').click();
  await expect(detail).toContainText('waits');
  await page.getByTestId('webhook-test').click();
  await expect(page.getByTestId('delivery-row').first()).toContainText('webhook.test');
  await page.getByTestId('webhook-rotate').click();
  await page.getByTestId('webhook-rotate-do').click();
  await expect(page.getByTestId('webhook-secret')).toContainText('whsec_bmV3');
  await page.getByTestId('webhook-state').click();
  await expect(page.getByTestId('webhook-state')).toHaveText('Let it go on');
});

test('who is switched off says why, and nothing comes of a webhook that is not there', async ({ page }) => {
  await enter(page, { path: '/webhooks/w-old' });
  await expect(page.getByTestId('webhook-disabled')).toContainText('410 Gone');
  await expect(page.getByText('Nothing was sent')).toBeVisible();
  await page.goto('/webhooks/w-none');
  await expect(page.getByRole('alert')).toBeVisible();
});
