import { expect, type Page } from '@playwright/test';

/** Signs in at the real server as BRAID_EMAIL. */
export async function enterReal(page: Page, options: { path?: string; language?: 'en' | 'uk'; scheme?: 'light' | 'dark' } = {}): Promise<void> {
  await page.emulateMedia({ colorScheme: options.scheme ?? 'light', reducedMotion: 'reduce' });
  await page.addInitScript((l) => localStorage.setItem('braid-language', l), options.language ?? 'en');
  await page.goto(options.path ?? '/');
  const email = page.getByTestId('login-email');
  await expect(email.or(page.getByTestId('nav-home'))).toBeVisible();
  if (await email.isVisible()) {
    await email.fill(process.env.BRAID_EMAIL ?? '');
    await page.getByTestId('login-password').fill(process.env.BRAID_PASSWORD ?? '');
    await page.getByTestId('login-submit').click();
  }
  await expect(page.getByTestId('nav-home')).toBeVisible();
}
