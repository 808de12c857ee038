import { expect, test } from '@playwright/test';
import { enter } from './signin';

test('what follows from the facts says why, and a trait what it was', async ({ page }) => {
  await enter(page, { path: '/customers/p-olena' });
  const stage = page.getByTestId('derived-lifecycle_stage');
  await expect(stage).toContainText('loyal');
  await stage.getByRole('button', { name: 'Why?' }).click();
  await expect(page.getByRole('dialog')).toContainText('14 orders, the last 0 days ago');
  await page.keyboard.press('Escape');
  await expect(page.getByTestId('derived-habits.sms')).toHaveCount(0);
  await page.getByRole('button', { name: '2 more: “no” or not known yet' }).click();
  await expect(page.getByTestId('derived-habits.sms')).toContainText('not known yet');
  await page.getByRole('button', { name: /History: City/ }).click();
  await expect(page.getByTestId('trait-history')).toContainText('Ternopil');
});

test('joining shows what comes of it first, and is undone', async ({ page }) => {
  await enter(page, { path: '/customers/p-olena' });
  await page.getByTestId('person-acts').click();
  await page.getByRole('menuitem', { name: 'Join with another customer' }).click();
  await page.getByTestId('merge-search').fill('Taras');
  await page.getByTestId('merge-choose').first().click();
  const preview = page.getByTestId('merge-preview');
  await expect(preview).toContainText('Somebody took these two apart before');
  await expect(preview).toContainText('2 values, the rules allow 1');
  const sent = page.waitForRequest((r) => r.url().endsWith('/customers/p-olena/merge'));
  await page.getByTestId('merge-do').click();
  expect((await sent).postDataJSON()).toEqual({ with: 'p-taras' });
  await expect(page.getByText('Joined into one customer')).toBeVisible();
  const undone = page.waitForRequest((r) => r.url().endsWith('/unmerge'));
  await page.keyboard.press('KeyZ');
  expect((await undone).postDataJSON()).toEqual({ edges: ['e-9'] });
});

test('erasing is asked for by typing whom, and only by who may', async ({ page }) => {
  await enter(page, { path: '/customers/p-olena' });
  await page.getByTestId('person-acts').click();
  await page.getByRole('menuitem', { name: 'Erase for good' }).click();
  const go = page.getByTestId('erase-do');
  await page.getByLabel('Why', { exact: true }).fill('asked by letter');
  await page.getByTestId('erase-typed').fill('Olena');
  await expect(go).toBeDisabled();
  await page.getByTestId('erase-typed').fill('Olena Gudz');
  const sent = page.waitForRequest((r) => r.url().endsWith('/erasure'));
  await go.click();
  expect((await sent).postDataJSON()).toEqual({ reason: 'asked by letter' });
  await expect(page).toHaveURL(/\/customers$/);
});

test('an analyst is offered neither joining nor erasing', async ({ page }) => {
  await enter(page, { path: '/customers/p-olena', email: 'danylo@svitlytsia.ua' });
  await expect(page.getByTestId('person-name')).toHaveText('Olena Gudz');
  await expect(page.getByTestId('derived-lifecycle_stage')).toBeVisible();
  await expect(page.getByTestId('person-acts')).toHaveCount(0);
});
