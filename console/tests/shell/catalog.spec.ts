import AxeBuilder from '@axe-core/playwright';
import { expect, test } from '@playwright/test';
import { enter } from './signin';

test('products are searched, filtered, and their cells are changed at once by paste', async ({ page }) => {
  // [L1] [L2] one catalogue, changed in one place.
  await enter(page, { path: '/products' });
  const rows = page.getByTestId('product-row');
  await expect(rows).toHaveCount(3);
  await page.keyboard.press('/');
  await page.getByTestId('products-search').fill('HM-');
  await expect(rows).toHaveCount(1);
  await page.getByTestId('products-search').fill('');
  await page.getByRole('button', { name: 'State', exact: true }).click();
  await page.getByRole('menuitem').filter({ hasText: 'draft' }).click();
  await expect(rows).toHaveCount(1);
  await expect(page).toHaveURL(/filter=/);
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Without filters' }).click();
  await expect(rows).toHaveCount(3);
  for (const name of ['Ковдра «Хмара»', 'Постіль «Барвінок»']) await rows.filter({ hasText: name }).getByRole('checkbox').check();
  await page.getByTestId('products-edit').click();
  const cell = page.getByLabel('Ковдра «Хмара», colour');
  await cell.evaluate((e) => { const data = new DataTransfer(); data.setData('text/plain', 'grey\ngreen'); e.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true })); });
  await expect(page.getByLabel('Постіль «Барвінок», colour')).toHaveValue('green');
  const sent = page.waitForRequest((r) => r.method() === 'POST' && r.url().endsWith('/catalog/products'));
  await page.getByTestId('products-grid-save').click();
  expect((await sent).postDataJSON()).toEqual({ products: [{ id: 'khmara', attributes: { colour: 'grey' }, levels: {}, variants: [] }, { id: 'barvinok', attributes: { colour: 'green' }, levels: {}, variants: [] }] });
  await page.screenshot({ path: 'test-results/pages/products.png' });
  await page.getByRole('button', { name: 'Compare' }).click();
  await expect(page.getByTestId('comparison')).toContainText('green');
  await page.getByText('Only what differs').click();
  await expect(page.getByTestId('comparison').getByRole('row')).toHaveCount(2);
});

test('a product shows what a channel lacks, keeps its history and goes back', async ({ page }) => {
  await enter(page, { path: '/products/khmara' });
  await expect(page.getByTestId('product-name')).toHaveText('Ковдра «Хмара»');
  await page.getByLabel('colour').fill('cream');
  const sent = page.waitForRequest((r) => r.method() === 'POST' && r.url().endsWith('/products'));
  await page.getByTestId('product-save').click();
  expect((await sent).postDataJSON()).toEqual({ id: 'khmara', attributes: { colour: 'cream' }, levels: {}, variants: [] });
  await page.getByRole('tab', { name: 'Completeness' }).click();
  await expect(page.getByTestId('product-gaps')).toContainText('lacks weight');
  await page.getByRole('tab', { name: 'Variants' }).click();
  await expect(page.getByTestId('product-variants')).toContainText('HM-200220');
  await page.getByRole('tab', { name: 'History' }).click();
  await page.getByRole('button', { name: 'Back to version 2' }).click();
  await expect(page.getByText('It is what it was')).toBeVisible();
  await page.screenshot({ path: 'test-results/pages/product.png' });
});

test('the structure and feeds are seen, and a feed is made', async ({ page }) => {
  // [L6] assortment rules of a channel are told in words.
  await enter(page, { path: '/catalog?tab=channels' });
  await expect(page.getByRole('region', { name: 'Site' })).toContainText('Does not sell Lumo');
  await page.goto('/feeds');
  await expect(page.getByTestId('feed-card')).toContainText('leaves out 1');
  await page.getByTestId('feed-create').click();
  const dialog = page.getByRole('dialog');
  expect((await new AxeBuilder({ page }).include('[role="dialog"]').withTags(['wcag2a', 'wcag2aa']).analyze()).violations).toEqual([]);
  await dialog.getByLabel('Name').fill('Google');
  await dialog.getByRole('combobox', { name: 'Channel' }).click();
  await page.getByRole('option', { name: 'site' }).click();
  await dialog.getByLabel('Address of a product’s page').fill('https://svitlytsia.ua/p/{id}');
  await dialog.getByRole('button', { name: 'Create' }).click();
  await expect(page.getByTestId('feed-card')).toHaveCount(2);
});
