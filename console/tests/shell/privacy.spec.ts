import { expect, test } from '@playwright/test';
import { enter } from './signin';

test('a request is noted, moved on, and refused only with a reason', async ({ page }) => {
  await enter(page, { path: '/privacy' });
  await expect(page.getByTestId('privacy-request').first()).toContainText('overdue');
  await page.getByRole('button', { name: 'Request', exact: true }).click();
  await page.getByLabel('Who asks').fill('Petro Bilyk');
  await page.getByLabel('Where the answer goes').fill('petro@ukr.net');
  await page.getByRole('button', { name: 'Note the request' }).click();
  await expect(page.getByText(/the answer is due by 22 Dec 2026/)).toBeVisible();
  await page.getByTestId('privacy-request').filter({ hasText: 'Petro' }).click();
  await page.getByTestId('privacy-advance').click();
  await expect(page.getByTestId('privacy-detail')).toContainText('verified');
  await page.getByRole('button', { name: 'Refuse' }).click();
  const refuse = page.getByTestId('privacy-detail').getByRole('button', { name: 'Refuse' });
  await expect(refuse).toBeDisabled();
  await page.getByLabel('Why; the person is told').fill('not the same person');
  const sent = page.waitForRequest((r) => r.method() === 'PUT');
  await refuse.click();
  expect((await sent).postDataJSON()).toEqual({ state: 'refused', reason: 'not the same person' });
  await expect(page.getByTestId('privacy-detail')).toContainText('Refused: not the same person');
});
