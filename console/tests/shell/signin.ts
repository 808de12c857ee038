import { expect, type Page } from '@playwright/test';

// The demo Sunday: 22 November 2026, 14:32:10 in Kyiv.
export const MOMENT = new Date('2026-11-22T12:32:10Z');

export async function enter(page: Page, options: { language?: 'en' | 'uk'; scheme?: 'light' | 'dark'; path?: string; email?: string; clock?: boolean } = {}): Promise<void> {
  if (options.clock !== false) await page.clock.setFixedTime(MOMENT);
  await page.emulateMedia({ colorScheme: options.scheme ?? 'light', reducedMotion: 'reduce' });
  await page.addInitScript((language) => {
    localStorage.setItem('braid-language', language);
  }, options.language ?? 'en');
  await page.goto(options.path ?? '/');
  const email = page.getByTestId('login-email');
  await expect(email.or(page.getByTestId('nav-home'))).toBeVisible();
  if (await email.isVisible()) {
    await email.fill(options.email ?? 'iryna@svitlytsia.ua');
    await page.getByTestId('login-password').fill('svitlytsia');
    await page.getByTestId('login-submit').click();
  }
  await expect(page.getByTestId('nav-home')).toBeVisible();
}
