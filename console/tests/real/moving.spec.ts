import { expect, test } from '@playwright/test';
import { axe } from './axe';
import { enterReal } from './enter';
import { accepted, needShop, order, unique } from './shop';

const day = (ago: number) => new Date(Date.now() - ago * 86_400_000).toISOString().slice(0, 10);

test('[AD2] an old tool is compared, explained and decided about', async ({ page }) => {
  needShop();
  const run = unique();
  const at = `${day(1)}T12:00:00Z`;
  for (const [n, total] of [['1', 10], ['2', 20]] as const) await accepted('track', { ...order(`u${run}`, `${run}-${n}`, total), messageId: `${run}-${n}`, timestamp: at });
  await enterReal(page, { path: '/parallel' });
  await page.getByTestId('parallel-new').click();
  await page.getByTestId('parallel-name').fill(`Orders ${run}`);
  await page.getByTestId('parallel-save').click();
  await expect(page.getByTestId('compared-title')).toHaveText(`Orders ${run}`);

  const csv = ['order_id,date,email,total,status', `${run}-1,${at},a@example.com,10,paid`, `${run}-2,${at},b@example.com,21,paid`, `${run}-3,${at},c@example.com,30,paid`].join('\n');
  await page.getByTestId('compare-file').setInputFiles({ name: 'orders.csv', mimeType: 'text/csv', buffer: Buffer.from(csv) });
  await expect(page.getByTestId('compare-why')).toBeVisible({ timeout: 20_000 });
  const differences = page.getByTestId('compared-differences');
  await expect(differences.getByTestId('difference').filter({ hasText: `${run}-2` })).toContainText('Another value');
  await expect(differences.getByTestId('difference').filter({ hasText: `${run}-3` })).toContainText('Missing in Braid');
  await axe(page);
  await page.screenshot({ path: 'test-results/pages/parallel.png', fullPage: true });

  await differences.getByTestId('difference').filter({ hasText: `${run}-2` }).getByRole('checkbox').check();
  await page.getByTestId('explain-note').fill('a test order of the old shop');
  await page.getByTestId('explain-do').click();
  await expect(differences.getByTestId('difference').filter({ hasText: `${run}-2` })).toHaveCount(0);

  await page.getByTestId('decision-reason').fill('the till agrees');
  await page.getByTestId('decide-go').click();
  await expect(page.getByTestId('compared-decisions')).toContainText('no go yet');
  await page.getByTestId('decision-although').check();
  await page.getByTestId('decide-go').click();
  await expect(page.getByTestId('decision').first()).toContainText('the till agrees');

  await page.getByTestId('nav-parallel').click();
  await expect(page.getByTestId('parallel-row').filter({ hasText: run })).toContainText('No go');
  await axe(page);
});

test('[A6] the quality of the data opens the people behind each number', async ({ page }) => {
  needShop();
  const run = unique();
  await accepted('identify', { userId: `q${run}`, messageId: `q${run}`, traits: { name: `Odd ${run}`, email: `${run}@mail.ru` } });
  await enterReal(page, { path: '/quality' });
  await page.getByTestId('quality-run').click();
  await expect(page.getByTestId('quality-email_blocked_service')).toBeVisible({ timeout: 20_000 });
  await page.getByTestId('quality-email_blocked_service').click();
  await expect(page.getByTestId('quality-list').getByTestId('quality-person').first()).toBeVisible();
  await axe(page);
  await page.screenshot({ path: 'test-results/pages/quality.png', fullPage: true });
});

test('a saved mapping is offered for the next file', async ({ page }) => {
  needShop();
  const run = unique();
  const drop = async (name: string, text: string) => {
    await page.getByTestId('import-file').setInputFiles({ name, mimeType: 'text/csv', buffer: Buffer.from(text) });
    await expect(page.getByTestId('import-columns')).toContainText(`Mark ${run}`);
  };
  await enterReal(page, { path: '/imports/new' });
  await drop('first.csv', `Email,Mark ${run}\na${run}@example.com,1\n`);
  await page.getByTestId('import-source').fill('Old CRM');
  await page.getByTestId('import-save-name').fill(`CRM ${run}`);
  await page.getByTestId('import-save').click();
  await expect(page.getByText('Saved as version 1')).toBeVisible();
  await page.goto('/imports/new');
  await drop('second.csv', `Mark ${run},Email\n2,b${run}@example.com\n`);
  await page.getByTestId('import-saved').click();
  await page.getByRole('option', { name: `CRM ${run}` }).click();
  await expect(page.getByTestId('import-source')).toHaveValue('Old CRM');
});
