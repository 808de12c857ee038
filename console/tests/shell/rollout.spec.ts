// The roll-out: steps by what is there, a reading said by a person, go refused while steps are open.
import { expect, test } from '@playwright/test';
import { enter } from './signin';

test('a part of the roll-out is decided by its checklist', async ({ page }) => {
  await enter(page, { path: '/parallel/rollout' });
  await expect(page.getByTestId('step-consents-import')).toHaveAttribute('data-done', 'true');
  await expect(page.getByTestId('step-orders-compare')).toContainText('9 of 14 green days');
  await expect(page.getByTestId('step-orders-live')).toContainText('2 sources are observed only');
  await page.getByTestId('reason-consents').fill('opt-outs are in');
  await page.getByTestId('go-consents').click();
  await expect(page.getByTestId('although-consents')).toBeVisible();
  await page.getByTestId('read-consents').click();
  await expect(page.getByTestId('step-consents-quality')).toHaveAttribute('data-done', 'true');
  await page.getByTestId('go-consents').click();
  await expect(page.getByTestId('rollout-consents').getByTestId('rollout-decision')).toContainText('opt-outs are in');
  await page.screenshot({ path: 'test-results/rollout.png', fullPage: true });
});

test('thresholds of a comparison are changed, and the way back is a click away', async ({ page }) => {
  await enter(page, { path: '/parallel/m-1' });
  await expect(page.getByTestId('set-green_days')).toHaveValue('14');
  await expect(page.getByTestId('set-save')).toBeDisabled();
  await page.getByTestId('set-green_days').fill('7');
  const sent = page.waitForRequest((r) => r.method() === 'PUT' && r.url().includes('/parallel-run/m-1'));
  await page.getByTestId('set-save').click();
  const request = await sent;
  expect(request.headers()['if-match']).toBe('"v3"');
  expect(request.postDataJSON().settings.green_days).toBe(7);
  await page.screenshot({ path: 'test-results/thresholds.png', fullPage: true });
  await expect(page.getByTestId('way-back')).toHaveAttribute('href', /kind=way_back&preset=generic-orders/);
});
