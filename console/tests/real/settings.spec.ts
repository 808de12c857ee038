import { createHmac } from 'node:crypto';
import { expect, test } from '@playwright/test';
import { axe } from './axe';
import { enterReal } from './enter';

/** The code of an app (RFC 6238, SHA-1, 30 s, six digits). */
function code(secret: string): string {
  const bits = [...secret.replace(/[\s=]/g, '')].map((c) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((b) => parseInt(b, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)));
  const hash = createHmac('sha1', key).update(step).digest();
  return String((hash.readUInt32BE(hash[19]! & 15) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

test('somebody is invited, comes in by the link, sets up a second factor and is let go', async ({ page, browser }) => {
  test.setTimeout(60_000);
  const email = `m.${Date.now().toString(36)}@example.com`;
  await enterReal(page, { path: '/settings/users' });
  await page.getByTestId('invite').click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill('Mariia');
  await dialog.getByLabel('E-mail').fill(email);
  await dialog.getByRole('combobox', { name: 'Role' }).click();
  await page.getByRole('option', { name: /Marketer/ }).click();
  await dialog.getByRole('button', { name: 'Make the link' }).click();
  const link = await page.getByTestId('invite-link').innerText();
  await axe(page);
  await page.screenshot({ path: 'test-results/pages/users.png' });

  const other = await (await browser.newContext({ reducedMotion: 'reduce' })).newPage();
  await other.addInitScript(() => localStorage.setItem('braid-language', 'en'));
  await other.goto(`/join${new URL(link).hash}`);
  await axe(other);
  await other.getByTestId('join-password').fill('svitlytsia-knyha');
  await other.getByTestId('join-again').fill('svitlytsia-knyzhka');
  await other.getByTestId('join-submit').click();
  await expect(other.getByText('The two passwords differ.')).toBeVisible();
  await other.getByTestId('join-again').fill('svitlytsia-knyha');
  await other.getByTestId('join-submit').click();
  await other.getByTestId('join-signin').click();
  await other.getByTestId('login-email').fill(email);
  await other.getByTestId('login-password').fill('svitlytsia-knyha');
  await other.getByTestId('login-submit').click();
  await expect(other.getByTestId('nav-imports')).toBeVisible();

  await other.goto('/settings/own');
  await expect(other.getByTestId('session-row')).toHaveCount(1);
  await axe(other);
  await other.screenshot({ path: 'test-results/pages/own.png' });
  await other.getByLabel('Present password').last().fill('svitlytsia-knyha');
  await other.getByRole('button', { name: 'Set up' }).click();
  await other.getByTestId('first-code').fill(code(await other.getByTestId('secret').innerText()));
  await other.getByRole('button', { name: 'Turn on' }).click();
  await expect(other.getByTestId('recovery-codes')).toContainText(/\S{6,}/);

  await page.reload();
  await page.getByTestId('user-row').filter({ hasText: email }).click();
  await page.getByRole('button', { name: 'Close the access' }).click();
  await page.getByRole('button', { name: /Close: they/ }).click();
  await expect(page.getByText('may not sign in').last()).toBeVisible();
  await other.reload();
  await expect(other.getByTestId('login-email')).toBeVisible();
});

for (const [language, scheme] of [['en', 'light'], ['uk', 'dark']] as const)
  test(`settings have nothing for axe to say: ${language}, ${scheme}`, async ({ page }) => {
    await enterReal(page, { path: '/settings/guard', language, scheme });
    for (const tab of ['guard', 'api-keys', 'audit', 'own', 'users']) {
      await page.goto(`/settings/${tab}`);
      await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
      await page.waitForTimeout(400);
      await axe(page);
      await page.screenshot({ path: `test-results/pages/settings-${tab}.${language}.${scheme}.png` });
    }
  });
