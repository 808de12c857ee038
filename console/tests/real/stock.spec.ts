// Goods against a running Braid: what the till sells, the open page of the SKU says within a second.
import { expect, test } from '@playwright/test';
import { axe } from './axe';
import { enter, get, hasMark, keepMark, needShop, post, seen, streaming, tell, unique } from './shop';

needShop();
test.setTimeout(60_000);

interface Channels { items: { id: string }[] }
interface Stock { available: number; channels: { channel: string; available: number }[]; items: { location_id: string; on_hand: number }[] }

test('a receipt is shown, and a sale at the till changes the open page within a second', async ({ page, request }) => {
  const tag = unique();
  const [shop, sku] = [`Shop-${tag}`, `SKU-${tag}`.toUpperCase()];
  await post(request, '/locations', { id: shop, kind: 'store', name: `Shop ${tag}` });
  const price = { minor: 259_900, currency: 'UAH' };
  await post(request, '/products', { id: `p-${tag}`, name: `Blanket ${tag}`, state: 'active', variants: [{ sku, price }] });
  const at = () => new Date().toISOString();
  await post(request, '/stock/documents', { source: 'erp', external_id: `in-${tag}`, kind: 'receipt', at: at(), reference: `Delivery ${tag}`, lines: [{ sku, quantity: 5, to: shop }] });

  // The place lists it, and a scan opens it.
  await enter(page, `/stock?at=${shop}`);
  await expect(page.getByTestId('stock-row').filter({ hasText: sku })).toContainText('5');
  await page.locator('h1').click();
  await page.keyboard.type(sku);
  await page.keyboard.press('Enter');
  await expect(page.getByTestId('sku-code')).toHaveText(sku);
  await expect(page.getByTestId('sku-name')).toHaveText(`Blanket ${tag}`);
  const here = page.getByTestId('place-row').filter({ hasText: tag }).getByRole('cell').nth(1);
  await expect(here).toHaveText('5');
  await expect(page.getByTestId('movement')).toContainText(`Delivery ${tag}`);
  await axe(page);

  const { items: channels } = await get<Channels>(request, '/stock-channels');
  const before = await get<Stock>(request, `/stock/${sku}`);
  expect(before.available).toBe(5);
  await streaming(page);
  await keepMark(page);
  // A channel that sells from shops says one less; where no channel does, the movement is what the page shows.
  const sells = before.channels.find((c) => c.available > 1);
  const change = sells ? seen(page, `[data-testid="promise-${sells.channel}"]`, String(sells.available - 1)) : seen(page, '[data-testid=movement]', `Receipt ${tag}`);
  const start = Date.now();
  await post(request, '/stock/documents', { source: `till:${shop}`, external_id: `r-${tag}`, kind: 'sale', at: at(), reference: `Receipt ${tag}`, happened: true, lines: [{ sku, quantity: 1, from: shop }] });
  const shown = (await change) - start;
  tell(`sold at the till, on the open page (${channels.length} channels)`, shown);
  expect(shown).toBeLessThan(1000);
  await expect(here).toHaveText('4');
  await expect(page.getByTestId('movement').first()).toContainText(`Receipt ${tag}`);
  expect(await hasMark(page)).toBe(true);

  // The same receipt told twice counts once.
  const again = await post<{ repeated: boolean }>(request, '/stock/documents', { source: `till:${shop}`, external_id: `r-${tag}`, kind: 'sale', at: at(), reference: `Receipt ${tag}`, happened: true, lines: [{ sku, quantity: 1, from: shop }] });
  expect(again.repeated).toBe(true);
  await expect(here).toHaveText('4');

  // More than there is: refused at the field, and nothing moved.
  await page.getByTestId('act-move').click();
  await page.getByTestId('move-from').click();
  await page.getByRole('option', { name: `Shop ${tag}`, exact: true }).click();
  await page.getByTestId('move-to').click();
  await page.getByRole('option', { name: 'Written off', exact: true }).click();
  await page.getByTestId('move-quantity').fill('9');
  await page.getByTestId('move-do').click();
  await expect(page.getByRole('dialog').getByText('4 available')).toBeVisible();
  await page.getByTestId('move-quantity').fill('1');
  await page.getByTestId('move-reason').fill('torn');
  await page.getByTestId('move-do').click();
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await expect(here).toHaveText('3');
});
