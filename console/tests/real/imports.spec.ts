import { expect, test } from '@playwright/test';
import { axe } from './axe';
import { enterReal } from './enter';

test('a file is checked, imported and reported row by row', async ({ page }) => {
  await enterReal(page, { path: '/imports/new' });
  const run = Date.now().toString(36);
  const good = Array.from({ length: 40 }, (_, i) => `${run}-${i};Олена Гудзь;+38067${String(1000000 + ((Date.now() + i * 7919) % 9000000)).slice(0, 7)};o${i}.${run}@ukr.net;${i}`);
  const csv = ['№;ПІБ;Телефон;Email;Знижка', ...good, `${run}-bad;too few`].join('\n');
  await page.getByTestId('import-file').setInputFiles({ name: 'customers.csv', mimeType: 'text/csv', buffer: Buffer.from(csv) });

  await expect(page.getByTestId('import-columns')).toContainText('Знижка');
  await expect(page).toHaveURL(/upload=/);
  await page.getByRole('combobox', { name: 'What “№” means' }).click();
  await page.getByRole('option', { name: 'Customer number' }).click();
  await page.getByTestId('import-source').fill('Old CRM');
  await axe(page);
  await page.getByTestId('import-dry').click();
  await expect(page.getByTestId('dry-result').getByTestId('import-rows')).toHaveText('41');
  await expect(page.getByTestId('dry-result').getByTestId('import-rejected')).toHaveText('1');
  await expect(page.getByTestId('dry-result').getByTestId('bad-rows')).toContainText('42');
  await page.screenshot({ path: 'test-results/pages/import-dry.png', fullPage: true });

  await page.getByTestId('import-start').click();
  await expect(page).toHaveURL(/\/imports\/\d+$/);
  await expect(page.getByTestId('import-events')).toHaveText('40');
  const download = page.waitForEvent('download');
  await page.getByTestId('import-report').click();
  const path = await (await download).path();
  const { readFileSync } = await import('node:fs');
  expect(readFileSync(path, 'utf8')).toContain('42');
  await axe(page);
  await page.screenshot({ path: 'test-results/pages/import-done.png' });

  await page.getByTestId('nav-imports').click();
  await expect(page.getByTestId('import-row').first()).toContainText('Customers');
  await axe(page);
  await page.screenshot({ path: 'test-results/pages/imports.png' });
});

test('an upload goes on after the connection was lost', async ({ page }) => {
  await enterReal(page, { path: '/imports/new' });
  let pieces = 0;
  await page.route('**/api/v1/uploads/*?offset=*', async (route) => {
    pieces += 1;
    // The second piece never arrives the first time.
    if (pieces === 2) return route.abort('connectionfailed');
    return route.continue();
  });
  const line = 'x'.repeat(1000);
  const csv = ['email,note', ...Array.from({ length: 9000 }, (_, i) => `a${i}@example.com,${line}`)].join('\n');
  await page.getByTestId('import-file').setInputFiles({ name: 'big.csv', mimeType: 'text/csv', buffer: Buffer.from(csv) });
  await expect(page.getByTestId('import-columns')).toContainText('note', { timeout: 20_000 });
  expect(pieces).toBe(4);
});

test('long work is listed with what came of it', async ({ page }) => {
  await enterReal(page, { path: '/jobs' });
  await page.getByTestId('job-row').first().click();
  await expect(page.getByRole('complementary')).toContainText('Started by');
  await axe(page);
});
