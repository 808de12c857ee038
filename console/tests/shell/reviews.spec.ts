import AxeBuilder from '@axe-core/playwright';
import { expect, type Page, test } from '@playwright/test';
import { enter } from './signin';

test.beforeEach(async ({ request }) => {
  await request.get('/mock/reviews-reset');
});

const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const clean = async (page: Page) => expect((await new AxeBuilder({ page }).withTags(tags).analyze()).violations.map((v) => `${v.id}: ${v.nodes[0]?.target.join(' ')} ${v.nodes[0]?.failureSummary}`)).toEqual([]);
const choose = async (page: Page, testId: string, name: string) => {
  await page.getByTestId(testId).click();
  await page.getByRole('option', { name, exact: true }).click();
};

test('[AA5] the unanswered negative stand first, filters stand in the address, keys move', async ({ page }) => {
  await enter(page, { path: '/' });
  await page.keyboard.press('g');
  await page.keyboard.press('4');
  await expect(page).toHaveURL(/\/reviews$/);
  const rows = page.getByTestId('review-row');
  await expect(rows).toHaveCount(4);
  await expect(rows.first()).toContainText('Лізе пух');
  await expect(rows.first()).toContainText('needs an answer');
  await clean(page);
  await page.locator('h1').click();
  await page.keyboard.press('j');
  await expect(page).toHaveURL(/sel=41/);
  await page.keyboard.press('j');
  await expect(page).toHaveURL(/sel=44/);
  await page.keyboard.press('k');
  await expect(page).toHaveURL(/sel=41/);
  await choose(page, 'review-state', 'published');
  await expect(page).toHaveURL(/state=published/);
  await expect(rows).toHaveCount(2);
  await page.getByTestId('review-open').click();
  await expect(rows).toHaveCount(1);
  await choose(page, 'review-stars', '5 of 5 stars');
  await expect(page.getByText('No such reviews')).toBeVisible();
  await page.getByTestId('review-clear').click();
  await expect(rows).toHaveCount(4);
});

test('[P3] a review is published, answered and rejected with a reason', async ({ page }) => {
  await enter(page, { path: '/reviews?sel=41' });
  await expect(page.getByTestId('review-text')).toContainText('лізе зі швів');
  await clean(page);
  await page.getByTestId('review-publish').click();
  await expect(page.getByText('The review is shown')).toBeVisible();
  await expect(page.getByTestId('review-publish')).toHaveCount(0);
  await page.getByTestId('review-answer').fill('Замінимо на нову.');
  await page.getByTestId('review-send').click();
  await expect(page.getByText('Answered by iryna@svitlytsia.ua')).toBeVisible();
  await expect(page.getByTestId('review-row').first()).not.toContainText('needs an answer');
  await page.getByTestId('review-reject').click();
  await expect(page.getByTestId('review-reject-do')).toBeDisabled();
  await page.getByTestId('review-reason').fill('Особисті дані в тексті');
  await page.getByTestId('review-reject-do').click();
  await expect(page.locator('aside .kv')).toContainText('Особисті дані в тексті');
});

test('reviews: none yet says where they come from; a product says what is thought of it', async ({ page, request }) => {
  await enter(page, { path: '/products/khmara' });
  await expect(page.getByTestId('product-rating')).toContainText('5 (1)');
  await page.getByTestId('product-rating').click();
  await expect(page).toHaveURL(/\/reviews\?product=khmara/);
  await expect(page.getByTestId('review-row')).toHaveCount(3);
  await request.get('/mock/reviews-empty');
  await page.goto('/reviews');
  await expect(page.getByText('Reviews will stand here')).toBeVisible();
});

test.describe('on a customer’s phone', () => {
  test.use({ locale: 'uk-UA' });
  test('[P3] the price tag shows what others say', async ({ page }) => {
    await page.goto('/i/Lviv-1/HM-200220');
    const box = page.locator('section.reviews');
    await expect(box).toContainText('4,67');
    await expect(box).toContainText('Як хмаринка');
    await expect(box).toContainText('Магазин: Дякуємо!');
    await clean(page);
  });
});
