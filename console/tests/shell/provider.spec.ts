// Signing in at the shop's identity provider, and its settings.
import AxeBuilder from '@axe-core/playwright';
import { expect, type Page, test } from '@playwright/test';
import { enter } from './signin';

const turn = (page: Page, name: string, passwords = 'everyone') => page.request.get(`/mock/provider?name=${name}&passwords=${passwords}`);
const clean = async (page: Page) => {
  const result = await new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']).analyze();
  expect(result.violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(' ')).join(' | ')}`)).toEqual([]);
};
const inLanguage = (page: Page, language: 'en' | 'uk') => page.addInitScript((l) => localStorage.setItem('braid-language', l), language);

test.afterEach(async ({ page }) => {
  await turn(page, '');
});

test('the button leads to the provider and remembers the page that was asked for', async ({ page }) => {
  await inLanguage(page, 'en');
  await page.goto('/segments');
  await expect(page.getByTestId('login-email')).toBeVisible();
  await expect(page.getByTestId('login-provider')).toHaveCount(0);
  await turn(page, 'Svitlytsia');
  await page.goto('/segments?q=a');
  await expect(page.getByTestId('login-provider')).toHaveText('Sign in with Svitlytsia');
  await expect(page.getByTestId('login-password')).toBeVisible();
  await clean(page);
  await page.screenshot({ path: 'test-results/pages/signin-provider.en.png' });
  await page.getByTestId('login-provider').click();
  await expect(page).toHaveURL(/\/signed-in-elsewhere\?return_to=%2Fsegments%3Fq%3Da/);
});

test('where passwords are for owners, their fields wait behind a link', async ({ page }) => {
  await inLanguage(page, 'uk');
  await page.emulateMedia({ colorScheme: 'dark' });
  await turn(page, 'Svitlytsia', 'owners');
  await page.goto('/');
  await expect(page.getByTestId('login-provider')).toHaveText('Увійти через Svitlytsia');
  await expect(page.getByTestId('login-password')).toHaveCount(0);
  await page.screenshot({ path: 'test-results/pages/signin-owners.uk.png' });
  await page.getByTestId('login-by-password').click();
  await expect(page.getByTestId('login-password')).toBeVisible();
  await clean(page);
});

for (const [language, reason, words] of [
  ['en', 'no_account', 'Nobody here has your e-mail. Ask an owner to invite you.'],
  ['uk', 'unverified', 'Svitlytsia не підтверджує ваш e-mail'],
  ['uk', 'provider_away', 'Svitlytsia не відповідає як слід'],
  ['en', 'made-up', 'Begin again; if it stays so, tell an owner.'],
] as const)
  test(`whoever comes back in vain reads why: ${language}, ${reason}`, async ({ page }) => {
    await inLanguage(page, language);
    await turn(page, 'Svitlytsia');
    await page.goto(`/?signin=${reason}`);
    await expect(page.getByTestId('signin-refused')).toContainText(words);
    await expect(page).toHaveURL(/\/$/);
    await clean(page);
    await page.screenshot({ path: `test-results/pages/signin-refused.${language}.${reason}.png` });
    await page.reload();
    await expect(page.getByTestId('login-provider')).toBeVisible();
    await expect(page.getByTestId('signin-refused')).toHaveCount(0);
  });

test('the second factor is asked for after the provider', async ({ page }) => {
  await inLanguage(page, 'en');
  await turn(page, 'Svitlytsia');
  await page.goto('/?signin=code');
  const code = page.getByTestId('provider-code');
  await code.fill('000000');
  await page.keyboard.press('Enter');
  await expect(page.getByText('This code is wrong or used already.')).toBeVisible();
  await clean(page);
  await code.fill('123 456');
  await page.getByTestId('provider-code-submit').click();
  await expect(page).toHaveURL(/\/segments$/);
  await expect(page.getByTestId('nav-home')).toBeVisible();
});

test('settings: the redirect URI to copy, a trial that says what is wrong, a refusal at its place', async ({ page }) => {
  await enter(page, { path: '/settings/sign-in' });
  await expect(page.getByTestId('redirect-uri')).toHaveText('https://braid.svitlytsia.ua/signin/oidc');
  await expect(page.getByTestId('provider-secret')).toHaveValue('');
  await page.getByTestId('provider-check').click();
  await expect(page.getByTestId('provider-steps').getByRole('listitem')).toHaveCount(5);
  await page.getByTestId('provider-issuer').fill('https://login.svitlytsia.ua/realms/shop/');
  await page.getByTestId('provider-check').click();
  await expect(page.getByTestId('provider-steps')).toContainText('calls itself https://login.svitlytsia.ua/realms/shop, not');
  await page.screenshot({ path: 'test-results/pages/settings-sign-in.en.png', fullPage: true });
  await page.getByTestId('provider-issuer').fill('http://login.svitlytsia.ua');
  await page.getByTestId('provider-save').click();
  await expect(page.getByText('plain http is for this machine only')).toBeVisible();
  await page.getByTestId('provider-issuer').fill('https://login.svitlytsia.ua/realms/shop');
  await page.getByText('Add people who are not here yet').click();
  await page.getByText('Passwords are for owners only').click();
  await page.getByTestId('provider-save').click();
  await expect(page.getByText('Saved')).toBeVisible();
  await expect(page.getByTestId('provider-owners')).toBeChecked();
});

test('settings and users in Ukrainian: steps are translated, a person can be unlinked', async ({ page }) => {
  await enter(page, { path: '/settings/sign-in', language: 'uk' });
  await page.getByTestId('provider-check').click();
  await expect(page.getByTestId('provider-steps')).toContainText('придатних ключів: 2');
  await clean(page);
  await page.screenshot({ path: 'test-results/pages/settings-sign-in.uk.png', fullPage: true });
  await page.goto('/settings/users');
  await expect(page.getByTestId('user-row').nth(1)).toContainText('сервіс входу');
  await page.getByTestId('user-row').nth(1).click();
  await expect(page.getByTestId('user-how')).toContainText('d.reva@svitlytsia.ua');
  await clean(page);
  await page.screenshot({ path: 'test-results/pages/settings-users.uk.png' });
  await page.getByTestId('unlink').click();
  await expect(page.getByTestId('user-how')).toContainText('ще ніяк');
});
