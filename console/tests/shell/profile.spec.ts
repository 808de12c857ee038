import { expect, test } from '@playwright/test';
import { enter } from './signin';

test('[A1] the history is narrowed by kinds, lane and days, and the address says how', async ({ page }) => {
  await enter(page, { path: '/customers/p-olena' });
  const entries = page.getByTestId('timeline-entry');
  await expect(page.getByTestId('kind-purchases')).toContainText('Purchases');
  const all = await entries.count();
  await page.getByTestId('kind-purchases').click();
  await expect(page).toHaveURL(/kind=purchases/);
  await expect(page.getByTestId('kind-purchases')).toHaveAttribute('aria-pressed', 'true');
  await expect.poll(() => entries.count()).toBeLessThan(all);
  for (const strand of await entries.evaluateAll((list) => list.map((x) => x.getAttribute('data-strand')))) expect(['store', 'online']).toContain(strand);
  await page.getByTestId('kind-contacts').click();
  await expect(page).toHaveURL(/kind=purchases(,|%2C)contacts/);
  await page.getByRole('button', { name: 'Show everything' }).click();
  await expect.poll(() => entries.count()).toBe(all);
  await page.getByTestId('history-more').click();
  await page.getByTestId('history-channel').click();
  await page.getByRole('option', { name: 'Talk' }).click();
  await expect.poll(() => entries.evaluateAll((list) => list.every((x) => x.getAttribute('data-strand') === 'talk'))).toBe(true);
  const asked = page.waitForRequest((r) => r.url().includes('/timeline?') && r.url().includes('from='));
  await page.getByTestId('history-from').fill('2026-11-20');
  expect(new URL((await asked).url()).searchParams.get('from')).toMatch(/^2026-11-(19|20)T/);
  await expect(page.getByTestId('history-more')).toContainText('Talk');
});

test('what the shop computes stands on the page with what it is', async ({ page }) => {
  await enter(page, { path: '/customers/p-olena' });
  const spent = page.getByTestId('computed-spent_90_days');
  await expect(spent).toContainText('Spent in 90 days');
  await expect(spent).toContainText('8,420.5');
  await spent.getByRole('button', { name: 'Why?' }).click();
  await expect(page.getByRole('dialog')).toContainText('sum("Order Completed".total in last 90 days)');
  await page.keyboard.press('Escape');
  await expect(page.getByTestId('computed-last_store')).toContainText('being counted');
});

test('a trait is defined with a preview, and what cannot be read is said in place', async ({ page }) => {
  await enter(page, { path: '/settings/traits' });
  await expect(page.getByText('trait.spent_90_days')).toBeVisible();
  await page.getByTestId('trait-new').click();
  await page.getByTestId('trait-name').fill('orders_year');
  await page.getByTestId('trait-expression').fill('orders');
  await expect(page.getByText('expected a function such as')).toBeVisible();
  await expect(page.getByTestId('trait-save')).toBeDisabled();
  await page.getByTestId('trait-expression').fill('count("Order Completed" in last 365 days)');
  await expect(page.getByTestId('trait-preview')).toContainText('22,640');
  const sent = page.waitForRequest((r) => r.method() === 'POST' && r.url().endsWith('/computed-traits'));
  await page.getByTestId('trait-save').click();
  expect((await sent).postDataJSON()).toEqual({ name: 'orders_year', title: '', expression: 'count("Order Completed" in last 365 days)', kind: 'number' });
  await expect(page.getByText('trait.orders_year')).toBeVisible();
});

test('the segment editor offers what a condition can ask for', async ({ page }) => {
  await enter(page, { path: '/segments/seg-loyal?edit=1' });
  const text = page.getByTestId('segment-expression');
  await text.fill('trait.city = "Lviv"');
  await page.getByTestId('field-chooser').fill('spent');
  await page.getByRole('option', { name: /trait.spent_90_days/ }).click();
  await expect(text).toHaveValue('trait.city = "Lviv" and trait.spent_90_days >= 1');
});

test('a household is shown as a view, and a person says who belongs to it', async ({ page }) => {
  await enter(page, { path: '/customers/p-olena' });
  const panel = page.getByTestId('household');
  await expect(panel).toContainText('same surname and address');
  await expect(page.getByTestId('household-sum')).toContainText('2 people');
  const apart = page.waitForRequest((r) => r.method() === 'POST' && r.url().endsWith('/household'));
  await panel.getByRole('button', { name: 'Not together' }).click();
  expect((await apart).postDataJSON()).toEqual({ person_id: 'p-taras', together: false });
  await expect(panel).toContainText('Nobody else is known');
  await panel.getByRole('button', { name: 'Add a person' }).click();
  await page.getByTestId('merge-search').fill('Taras');
  const together = page.waitForRequest((r) => r.method() === 'POST' && r.url().endsWith('/household'));
  await page.getByTestId('merge-choose').first().click();
  expect((await together).postDataJSON()).toEqual({ person_id: 'p-taras', together: true });
  await expect(page.getByTestId('household-sum')).toContainText('2 people');
});
