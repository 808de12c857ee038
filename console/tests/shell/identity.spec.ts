import { expect, test } from '@playwright/test';
import { enter } from './signin';

test('the review queue is worked by keys alone', async ({ page }) => {
  await enter(page, { path: '/identity' });
  const rows = page.getByTestId('review-row');
  await expect(rows).toHaveCount(3);
  await page.keyboard.press('KeyJ');
  await expect(page.getByTestId('review-detail')).toContainText('same surname and city');
  const sent = page.waitForRequest((r) => r.method() === 'POST' && r.url().includes('/identity/review/p-olena-p-oksana'));
  await page.keyboard.press('KeyN');
  expect((await sent).postDataJSON()).toEqual({ decision: 'keep_apart' });
  await expect(rows).toHaveCount(2);
  await expect(page.getByText('Kept apart', { exact: true })).toBeVisible();
  await expect(page.getByTestId('review-detail')).toContainText('one receipt names both');
});

test('a value that many share is kept out with one press, and let in again by undo', async ({ page }) => {
  await enter(page, { path: '/identity?tab=suspects' });
  await expect(page.getByTestId('suspect')).toContainText('Seen with 214 values');
  await page.getByTestId('suspect-block').click();
  await expect(page.getByText('No value is shared by many')).toBeVisible();
  const undone = page.waitForRequest((r) => r.method() === 'DELETE' && r.url().includes('/identity/blocked'));
  await page.keyboard.press('KeyZ');
  expect(new URL((await undone).url()).searchParams.get('value')).toBe('+380322400400');
});

test('rules say what they would do before they are put into force', async ({ page }) => {
  await enter(page, { path: '/identity?tab=rules' });
  const save = page.getByTestId('rules-save');
  await expect(save).toBeDisabled();
  await page.getByRole('textbox', { name: 'phone: at most' }).fill('3');
  await page.getByTestId('rules-count').click();
  await expect(page.getByTestId('rules-preview')).toContainText('271');
  const sent = page.waitForRequest((r) => r.method() === 'PUT' && r.url().endsWith('/identity/rules'));
  await save.click();
  expect((await sent).postDataJSON().kinds.find((k: { kind: string }) => k.kind === 'phone').limits).toEqual([{ count: 3, window_days: 365 }]);
  await expect(page.getByText('The rules are in force; the past follows')).toBeVisible();
});

test('an analyst looks and cannot decide', async ({ page }) => {
  await enter(page, { path: '/identity', email: 'danylo@svitlytsia.ua' });
  await page.getByTestId('review-row').first().click();
  await expect(page.getByTestId('review-join')).toHaveAttribute('aria-disabled', 'true');
});
