// Rows of a spreadsheet become rows of a table: looked at, refused one by one, taken back together.
import { expect, test } from '@playwright/test';
import { linesOf } from '../../src/ui/tables/lines';
import { enter } from './signin';

test('a row says itself what is wrong with it', () => {
  const spec = { required: ['value'], check: (r: Record<string, string>) => (r.mode === 'odd' ? 'one of' : null), name: (r: Record<string, string>) => r.value ?? '' };
  const lines = linesOf({ fields: ['value', null, 'mode'], rows: [['a', 'x', ''], ['', '', ''], ['b', '', 'odd'], ['a', '', '']] }, spec, { missing: 'missing', twice: 'twice' });
  expect(lines.map((l) => l.wrong)).toEqual([null, 'missing', 'one of', 'twice']);
  expect(lines[0]).toEqual({ line: 1, row: { value: 'a', mode: '' }, wrong: null });
});

test('blocked addresses come from Excel and go again', async ({ page }) => {
  await enter(page, { path: '/settings/limits' });
  await expect(page.getByTestId('suppression-row').first()).toBeVisible();
  const before = await page.getByTestId('suppression-row').count();
  await page.getByTestId('table-paste').click();
  await page.getByTestId('paste-text').fill('E-mail\tReason\nspam1@ukr.net\tasked\n\tnobody\nspam2@ukr.net\t\n');
  await expect(page.getByTestId('paste-row')).toHaveCount(3);
  await expect(page.getByTestId('paste-row').nth(1)).toContainText('something is missing');
  await page.screenshot({ path: 'test-results/pasterows.png' });
  await page.getByTestId('paste-apply').click();
  await expect(page.getByTestId('suppression-row')).toHaveCount(before + 2);
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(page.getByTestId('suppression-row')).toHaveCount(before);
});
