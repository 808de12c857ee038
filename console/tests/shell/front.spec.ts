// The counter in the store app, and the customers' own pages: an order, a basket, a price tag.
import AxeBuilder from '@axe-core/playwright';
import { expect, type Page, test } from '@playwright/test';
import { MOMENT } from './signin';

test.beforeEach(async ({ request }) => {
  for (const of of ['stock', 'orders', 'front']) await request.get(`/mock/${of}-reset`);
});

// The customers' pages speak the browser's language.
test.use({ locale: 'uk-UA' });

const PHONE = { width: 390, height: 844 };
const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const clean = async (page: Page) => expect((await new AxeBuilder({ page }).withTags(tags).analyze()).violations.map((v) => `${v.id}: ${v.nodes[0]?.target.join(' ')} ${v.nodes[0]?.failureSummary}`)).toEqual([]);
const shot = (page: Page, name: string) => page.screenshot({ path: `test-results/front/${name}.png`, fullPage: true });
const narrow = async (page: Page) => expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);

async function store(page: Page, path: string, size = { width: 1024, height: 768 }): Promise<void> {
  await page.setViewportSize(size);
  await page.clock.install({ time: MOMENT });
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await page.addInitScript(() => { localStorage.setItem('braid-language', 'uk'); localStorage.setItem('braid-store-place', 'Lviv-1'); });
  await page.goto(path);
  await page.getByTestId('login-email').fill('iryna@svitlytsia.ua');
  await page.getByTestId('login-password').fill('svitlytsia');
  await page.getByTestId('login-submit').click();
}

test('advice: goods are noted and liked, the basket goes to the phone', async ({ page }) => {
  await store(page, '/store?tab=who&talk=77');
  await expect(page.getByTestId('advice')).toBeVisible();
  await page.getByTestId('advice-sku').fill('KS-350-Z');
  await page.getByTestId('advice-sku').press('Enter');
  await expect(page.getByTestId('advice-row')).toHaveCount(2);
  await page.getByTestId('advice-liked').first().click();
  await expect(page.getByTestId('advice-liked').first()).toHaveAttribute('aria-pressed', 'true');
  await expect(page.getByTestId('advice-send')).toBeDisabled();
  await page.getByTestId('advice-phone').fill('067 123 45 67');
  await page.getByTestId('advice-who').click();
  await page.getByTestId('advice-send').click();
  await expect(page.getByText('надіслано о')).toBeVisible();
  await clean(page);
  await shot(page, 'advice');
});

test('a customer at the counter: consent, orders, baskets, what it costs for them', async ({ page }) => {
  await store(page, '/store?tab=who&who=p-olena');
  await expect(page.getByTestId('client-card')).toContainText('31905');
  await page.getByTestId('card-sku').fill('HM-200220');
  await page.getByTestId('card-sku').press('Enter');
  await expect(page.getByTestId('card-price')).toContainText('1 124,10');
  await clean(page);
  await shot(page, 'card');
  await page.getByTestId('basket-open').click();
  await expect(page.getByTestId('advice')).toBeVisible();
});

test('the counter sells what goes with an order, on a phone too', async ({ page }) => {
  await store(page, '/store?tab=hand&sel=o31905x.1', PHONE);
  await page.getByTestId('beside').getByTestId('more').click();
  await page.getByTestId('beside-sell').click();
  await expect(page.getByTestId('beside-sold')).toContainText('31999');
  await narrow(page);
  await clean(page);
  await shot(page, 'beside');
});

test('a price tag: the own price, sizes, other shops; into the basket and to the order', async ({ page }) => {
  await page.setViewportSize(PHONE);
  await page.goto('/i/Lviv-1/HM-200220');
  await expect(page.getByText('1 124,10')).toBeVisible();
  await clean(page);
  await narrow(page);
  await shot(page, 'item');
  await page.getByRole('button', { name: 'Покласти в кошик' }).click();
  await page.getByRole('link', { name: 'До кошика' }).first().click();
  await expect(page.locator('h1')).toHaveText('Кошик');
  await page.getByText('Львів, Площа Ринок').click();
  await page.getByLabel('Телефон').fill('067 123 45 67');
  await clean(page);
  await narrow(page);
  await shot(page, 'cart');
  await page.getByRole('button', { name: /^Замовити/ }).click();
  await expect(page).toHaveURL(/\/o\/o31905x/);
});

test('no such code, no such basket: what to do is said', async ({ page }) => {
  await page.goto('/i/Lviv-1/nothing.1');
  await expect(page.locator('h1')).toHaveText('Такого товару тут немає');
  await page.goto('/c/c1-0000000000000000');
  await expect(page.locator('h1')).toHaveText('Такого кошика немає');
});
