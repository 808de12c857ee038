import { expect, test } from '@playwright/test';
import { axe } from './axe';
import { enterReal } from './enter';

test('segments leave as a file that can be downloaded and deleted', async ({ page }) => {
  await enterReal(page, { path: '/exports' });
  await page.getByTestId('export-new').click();
  await expect(page).toHaveURL(/\/exports\/new$/);
  await page.getByTestId('export-kind').click();
  await page.getByRole('option', { name: 'Segments', exact: true }).click();
  await expect(page.getByTestId('export-start')).toBeEnabled();
  await axe(page);
  await page.screenshot({ path: 'test-results/pages/export-new.png', fullPage: true });
  await page.getByTestId('export-start').click();
  await expect(page).toHaveURL(/\/exports\?sel=/);
  await expect(page.getByTestId('export-download')).toBeVisible();
  await axe(page);
  await page.screenshot({ path: 'test-results/pages/exports.png' });
  const download = page.waitForEvent('download');
  await page.getByTestId('export-download').click();
  const path = await (await download).path();
  const { readFileSync } = await import('node:fs');
  expect(readFileSync(path, 'utf8')).toContain('segment_id,name,expression');
  await page.getByTestId('export-delete').click();
  await expect(page.getByTestId('export-detail')).toContainText('deleted');
});

test('many customers with their contacts wait for a second person', async ({ page }) => {
  await page.route('**/api/v1/exports/preview', async (route) => {
    const answer = await route.fetch();
    const body = await answer.json();
    await route.fulfill({ response: answer, json: { ...body, rows: 5000, needs_approval: true } });
  });
  // The first kind is asked for as soon as the page is there, so the answer is changed before.
  await enterReal(page, { path: '/exports/new' });
  await page.getByTestId('export-kind').click();
  await page.getByRole('option', { name: 'Customers', exact: true }).click();
  await expect(page.getByTestId('export-approval')).toContainText('A second person');
  await expect(page.getByTestId('export-start')).toBeDisabled();
  await page.getByTestId('export-reason').fill('for the printer');
  await page.getByTestId('export-ask').click();
  await expect(page.getByTestId('export-approval')).toContainText('An owner has been asked');
  await axe(page);
  await page.screenshot({ path: 'test-results/pages/export-approval.png', fullPage: true });
});

test('a page in Ukrainian', async ({ page }) => {
  await enterReal(page, { path: '/exports/new', language: 'uk' });
  await expect(page.getByTestId('export-start')).toContainText('Вивантажити');
  await axe(page);
});
