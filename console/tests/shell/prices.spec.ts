// Prices: why one holds, the lists, a promotion that is tried on a basket before it is kept.
import AxeBuilder from '@axe-core/playwright';
import { expect, type Page, test } from '@playwright/test';
import { enter } from './signin';

const lists = {
  items: [
    { id: '7', name: 'Site and app', currency: 'UAH', kind: 'regular', position: 5, scope: { channels: ['site', 'app'], regions: [], stores: [], segments: [], customers: [] }, reason: 'discount online', starts_at: '2026-11-01T00:00:00Z', ends_at: null, version: 2 },
    { id: '9', name: 'Winter sale', currency: 'UAH', kind: 'sale', position: 9, scope: { channels: [], regions: [], stores: [], segments: [], customers: [] }, reason: '', starts_at: '2026-11-20T00:00:00Z', ends_at: '2026-12-01T00:00:00Z', version: 1 },
  ],
  next_cursor: null,
};
const answer = {
  price: { minor: 89900, list_id: '7', entry_id: '3', base_minor: 99900, compare_at_minor: null, sale: false, personal: false, reason: 'price list "Site and app" for channel site and 1 more: discount online' },
  asked: [{ list_id: '7', name: 'Site and app', position: 5, has_price: true }, { list_id: '9', name: 'Winter sale', position: 9, has_price: false }],
  reduction: { since: '2026-11-20T08:00:00Z', previous_minor: 99900, lowest_minor: 94900, shown_minor: 99900 },
  history: [{ from: null, minor: null }, { from: '2026-10-01T08:00:00Z', minor: 99900 }, { from: '2026-11-20T08:00:00Z', minor: 89900 }],
  next_change_at: '2026-12-01T00:00:00Z',
};
const promotion = { id: 'spring', version: 3, document: { id: 'spring', name: 'Spring', coupons: ['SPRING10'], effects: [{ kind: 'percent', percent: 10 }] }, updated_at: '2026-11-20T08:00:00Z' };
const priced = { lines: [{ id: '1', list_minor: 100000, discounts: [{ promotion: 'spring', minor: 10000, why: 'Spring: 10% of 1000.00' }], net_minor: 75000, tax_minor: 15000, total_minor: 90000 }], totals: { total_minor: 90000, discount_minor: 10000 }, applied: [{ promotion: 'spring', minor: 10000 }], not_applied: [] };

async function served(page: Page): Promise<{ asked: () => unknown; kept: () => { body: unknown; version: string | undefined } }> {
  let asked: unknown;
  let kept: { body: unknown; version: string | undefined } = { body: null, version: undefined };
  await page.route('**/api/v1/price-lists?*', (r) => r.fulfill({ json: lists }));
  await page.route('**/api/v1/prices/explain', (r) => { asked = r.request().postDataJSON(); return r.fulfill({ json: answer }); });
  await page.route('**/api/v1/promotions?*', (r) => r.fulfill({ json: { items: [promotion], next_cursor: null } }));
  await page.route('**/api/v1/baskets/price', (r) => r.fulfill({ json: priced }));
  await page.route('**/api/v1/promotions/spring', (r) => { kept = { body: r.request().postDataJSON(), version: r.request().headers()['if-match'] }; return r.fulfill({ json: { ...promotion, version: 4 } }); });
  return { asked: () => asked, kept: () => kept };
}
// A modal's head is a header of its own, which the rule takes for a second banner.
const clean = async (page: Page, within = '#root') => {
  const result = await new AxeBuilder({ page }).include(within).disableRules(within === '#root' ? [] : ['landmark-no-duplicate-banner']).withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']).analyze();
  expect(result.violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(' ')).join(' | ')}`)).toEqual([]);
};

for (const [language, scheme, wanted] of [['en', 'light', 'price list "Site and app" for channel site and 1 more: discount online'], ['uk', 'dark', 'прайс-лист «Site and app» для каналу site і ще 1: discount online']] as const)
  test(`a price says why it holds, in ${language}`, async ({ page }) => {
    const server = await served(page);
    await enter(page, { language, scheme, path: '/prices' });
    await expect(page.getByTestId('price-list')).toHaveCount(2);
    await page.getByTestId('why-variant').fill('42');
    await page.getByTestId('why-channel').fill('site');
    await page.getByTestId('why-ask').click();
    await expect(page.getByTestId('why-answer')).toContainText(wanted);
    expect(server.asked()).toMatchObject({ variant_id: '42', channel: 'site', store: null, quantity: 1000 });
    await clean(page);
    await page.screenshot({ path: `test-results/pages/prices.${language}.png`, fullPage: true });
  });

test('a promotion is tried on a basket and then kept under its version', async ({ page }) => {
  const server = await served(page);
  await enter(page, { path: '/prices' });
  await page.getByTestId('promotion').getByRole('button').click();
  await page.getByTestId('promotion-try').click();
  await expect(page.getByTestId('promotion-tried')).toContainText('Spring: 10% of 1000.00');
  await page.getByTestId('promotion-text').fill('{"id": "spring"');
  await expect(page.getByTestId('promotion-save')).toBeDisabled();
  await page.getByTestId('promotion-text').fill('{"id": "spring", "effects": [{"kind": "percent", "percent": 15}]}');
  await clean(page, '[role=dialog]');
  await page.screenshot({ path: 'test-results/pages/promotion.en.png' });
  await page.getByTestId('promotion-save').click();
  await expect(page.getByTestId('promotion-save')).toHaveCount(0);
  expect(server.kept()).toEqual({ body: { document: { id: 'spring', effects: [{ kind: 'percent', percent: 15 }] } }, version: '"v3"' });
});
