import AxeBuilder from '@axe-core/playwright';
import { expect, type Page, test } from '@playwright/test';
import { inBothSchemes } from './quiet';
import { enter } from './signin';

test.beforeEach(async ({ request }) => {
  await request.get('/mock/stock-reset');
});

const choose = async (page: Page, testId: string, name: string) => {
  await page.getByTestId(testId).click();
  await page.getByRole('option', { name, exact: true }).click();
};
/** Keys as a scanner presses them: at once, and Enter. */
const scan = async (page: Page, text: string) => {
  await page.keyboard.type(text);
  await page.keyboard.press('Enter');
};
const dialogAxe = async (page: Page) => expect((await new AxeBuilder({ page }).include('[role="dialog"]').withTags(['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa']).analyze()).violations).toEqual([]);

test('stock: a place is chosen in the address, an SKU is found by name, by typing and by a scanner', async ({ page }) => {
  await enter(page, { path: '/stock' });
  await expect(page.getByTestId('stock-row').first()).toContainText('Ковдра пухова');
  await choose(page, 'stock-place', 'Київ, Хрещатик');
  await expect(page).toHaveURL(/\/stock\?at=Kyiv-1/);
  await expect(page.getByTestId('stock-row')).toHaveCount(10);
  await page.keyboard.press('Escape');
  // Unknown: told at the field, which keeps what was typed.
  await page.getByTestId('stock-find').fill('NO-SUCH');
  await page.getByTestId('stock-find').press('Enter');
  await expect(page.getByText('There is no SKU NO-SUCH')).toBeVisible();
  // By a part of the name.
  await page.getByTestId('stock-find').fill('барвінок');
  await page.getByTestId('stock-find').press('Enter');
  await expect(page.getByTestId('sku-code')).toHaveText('SB-150220');
  await page.goBack();
  // A scanner, with the focus in no field.
  await expect(page.getByTestId('stock-row').first()).toBeVisible();
  await page.locator('h1').click();
  await scan(page, 'KS-350-Z');
  await expect(page.getByTestId('sku-code')).toHaveText('KS-350-Z');
  // And from one SKU to the next.
  await page.locator('h1').click();
  await scan(page, 'HM-200220');
  await expect(page.getByTestId('sku-name')).toHaveText('Ковдра пухова «Хмара» 200×220');
});

test('a scanner is understood under the Ukrainian layout, where its keys make Cyrillic letters', async ({ page }) => {
  await enter(page, { path: '/stock' });
  await expect(page.getByTestId('stock-row').first()).toBeVisible();
  await page.getByTestId('stock-find').focus();
  // What the keys K, S, -, 3, 5, 0, -, Z say there.
  await page.evaluate(() => {
    const field = document.activeElement as HTMLInputElement;
    const key = (code: string, char: string) => {
      field.dispatchEvent(new KeyboardEvent('keydown', { code, key: char, shiftKey: /[А-ЯІ]/.test(char), bubbles: true }));
      const set = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value')!.set!;
      if (char !== 'Enter') { set.call(field, field.value + char); field.dispatchEvent(new Event('input', { bubbles: true })); }
    };
    for (const [code, char] of [['KeyK', 'Л'], ['KeyS', 'І'], ['Minus', '-'], ['Digit3', '3'], ['Digit5', '5'], ['Digit0', '0'], ['Minus', '-'], ['KeyZ', 'Я'], ['Enter', 'Enter']] as const) key(code, char);
  });
  await expect(page.getByTestId('sku-code')).toHaveText('KS-350-Z');
});

test('one SKU: promises change while the page is open, a hold is released and taken back', async ({ page, request }) => {
  await enter(page, { path: '/stock/HM-200220' });
  const app = page.getByTestId('promise-app');
  await expect(app).toBeVisible();
  const before = Number(await app.getAttribute('data-value'));
  await expect(page.getByTestId('claim')).toHaveCount(3);
  await expect(page.getByTestId('countdown').first()).toHaveText(/^8:\d\d$/);
  await page.waitForTimeout(400);
  await request.get('/mock/stock-sale');
  await expect(app).toHaveAttribute('data-value', String(before - 1), { timeout: 1000 });
  await expect(page.getByTestId('movement').first()).toContainText('Чек 184 240');
  await expect(page.getByTestId('place-row').filter({ hasText: 'Городоцька' }).getByRole('cell').nth(1)).toHaveText('2');
  // The order's claim has no button; the cart's has.
  await expect(page.getByTestId('claim-release')).toHaveCount(2);
  await page.getByTestId('claim-release').first().click();
  await expect(page.getByTestId('claim')).toHaveCount(2);
  await page.locator('h1').click();
  await page.keyboard.press('KeyZ');
  await expect(page.getByTestId('claim')).toHaveCount(3);
});

test('a movement is refused at its field, then made and taken back; some is kept back', async ({ page }) => {
  await enter(page, { path: '/stock/HM-200220' });
  await expect(page.getByTestId('sku-name')).toBeVisible();
  await page.keyboard.press('KeyM');
  await expect(page).toHaveURL(/act=move/);
  const dialog = page.getByRole('dialog');
  await choose(page, 'move-from', 'Львів, Городоцька 179');
  await choose(page, 'move-to', 'Львів, Сихів');
  await page.getByTestId('move-quantity').fill('5');
  await dialogAxe(page);
  await page.getByTestId('move-do').click();
  await expect(dialog.getByText('Львів, Городоцька 179 has 2 available of HM-200220, 5 are wanted')).toBeVisible();
  await page.screenshot({ path: 'test-results/pages/stock-refused.png' });
  await page.getByTestId('move-quantity').fill('2');
  await page.getByTestId('move-reason').fill('на вітрину');
  await page.getByTestId('move-quantity').press('Enter');
  await expect(dialog).toHaveCount(0);
  await expect(page.getByText('Moved 2: Львів, Городоцька 179 – Львів, Сихів')).toBeVisible();
  const shop = page.getByTestId('place-row').filter({ hasText: 'Городоцька' }).getByRole('cell').nth(1);
  await expect(shop).toHaveText('1');
  await page.getByRole('button', { name: /Undo/ }).click();
  await expect(shop).toHaveText('3');
  await page.getByTestId('act-safety').click();
  await page.getByTestId('safety-quantity').fill('4');
  await page.getByTestId('safety-do').click();
  await expect(page.getByTestId('place-row').filter({ hasText: 'Бровари' }).getByRole('cell').nth(8)).toHaveText('4');
  await page.getByTestId('act-condition').click();
  await page.getByTestId('condition-do').click();
  await expect(page.getByText('Condition of 1 is now: damaged')).toBeVisible();
});

test('movements: told late, by one SKU, by one paper', async ({ page }) => {
  await enter(page, { path: '/stock/movements' });
  await expect(page.getByTestId('movement-row').first()).toContainText('Чек 184 233');
  await expect(page.getByTestId('late').first()).toContainText('recorded');
  await page.getByTestId('movements-sku').fill('RL-70140-K');
  await page.getByTestId('movements-sku').press('Enter');
  await expect(page).toHaveURL(/sku=RL-70140-K/);
  await expect(page.getByTestId('movement-row').first()).toContainText('in quarantine');
  await page.getByTestId('movement-row').first().getByRole('link').last().click();
  await expect(page.getByTestId('by-document')).toBeVisible();
  await expect(page.getByTestId('movement-row')).toHaveCount(1);
});

test('a transfer goes through all its states', async ({ page }) => {
  await enter(page, { path: '/transfers' });
  await expect(page.getByTestId('transfer-row')).toHaveCount(2);
  await page.locator('h1').click();
  await page.keyboard.press('KeyC');
  await choose(page, 'transfer-from', 'Склад Бровари');
  await choose(page, 'transfer-to', 'Львів, Городоцька 179');
  await page.getByTestId('lines-scan').focus();
  await scan(page, 'HM-200220');
  await expect(page.getByTestId('line')).toHaveCount(1);
  await scan(page, 'KS-350-Z');
  await expect(page.getByTestId('line')).toHaveCount(2);
  await scan(page, 'KS-350-Z');
  await expect(page.getByTestId('line-quantity').last()).toHaveValue('2');
  await page.getByTestId('line-quantity').first().fill('500');
  await page.getByTestId('transfer-do').click();
  await expect(page.getByRole('dialog').getByText('Склад Бровари has')).toBeVisible();
  await page.getByTestId('line-quantity').first().fill('4');
  await dialogAxe(page);
  await page.getByTestId('transfer-do').click();

  await expect(page.getByTestId('transfer-state')).toHaveText('asked for');
  await expect(page.getByTestId('leaves-0')).toHaveValue('4');
  await page.getByTestId('leaves-0').fill('9');
  await page.getByTestId('transfer-ship').click();
  await expect(page.getByText('nothing up to 4 can leave')).toBeVisible();
  await page.getByTestId('leaves-0').fill('3');
  await page.getByTestId('leaves-0').press('Enter');
  await expect(page.getByTestId('leaves-1')).toBeFocused();
  await page.getByTestId('transfer-ship').click();
  await expect(page.getByTestId('transfer-state')).toHaveText('on the way');

  // All but one came, and that one is lost: a loss has a reason.
  await page.getByTestId('came-0').fill('1');
  await page.getByTestId('damaged-0').fill('1');
  await expect(page.getByTestId('transfer-rest')).toContainText('1 did not come');
  await page.getByTestId('transfer-rest').getByText('Lost').click();
  await page.getByTestId('transfer-receive').click();
  await expect(page.getByText('say why less came than left')).toBeVisible();
  await page.getByTestId('transfer-why').fill('відкрита коробка');
  await page.screenshot({ path: 'test-results/pages/transfer-receive.png' });
  await page.getByTestId('transfer-receive').click();
  await expect(page.getByTestId('transfer-state')).toHaveText('received');
  await expect(page.getByTestId('transfer-line').first()).toContainText('відкрита коробка');
  await expect(page.getByTestId('transfer-cancel')).toHaveCount(0);
});

test('a blind count: Enter goes on, a difference is approved by another, never by who counted', async ({ page }) => {
  await enter(page, { path: '/counts' });
  await page.getByTestId('count-create').click();
  await choose(page, 'count-place', 'Львів, Городоцька 179');
  await page.getByTestId('count-skus').fill('HM-200220\nNO-SUCH\nKS-350-Z');
  await page.getByTestId('count-do').click();
  await expect(page.getByRole('dialog').getByText('There is no SKU NO-SUCH')).toBeVisible();
  await page.getByTestId('count-skus').fill('HM-200220\nKS-350-Z\tRL-70140-K');
  await expect(page.getByText('SKUs: 3')).toBeVisible();
  await dialogAxe(page);
  await page.getByTestId('count-do').click();

  await expect(page.getByTestId('count-line')).toHaveCount(3);
  const fields = page.getByTestId('counted');
  await fields.first().fill('3');
  await fields.first().press('Enter');
  // Settled: the line's field is gone, and the focus stands in the next.
  await expect(fields).toHaveCount(2);
  await expect(page.getByLabel('Counted of KS-350-Z')).toBeFocused();
  await page.keyboard.type('99');
  await page.keyboard.press('Enter');
  const off = page.getByTestId('count-line').filter({ hasText: 'KS-350-Z' });
  await expect(off).toContainText('difference');
  // Blind: who counted is not told what the books have.
  await expect(off.getByTitle('Not told to who counts blind')).toHaveCount(2);
  await off.getByTestId('count-approve').click();
  await expect(off.getByTestId('count-wrong')).toContainText('who counted it cannot approve it');
  await page.locator('h1').click();
  await scan(page, 'RL-70140-K');
  await expect(page.getByLabel('Counted of RL-70140-K')).toBeFocused();

  // Another's count can be approved, with the books in sight.
  await page.goto('/counts/51');
  const other = page.getByTestId('count-line').filter({ hasText: 'KS-350-Z' });
  await expect(other).toContainText('difference');
  await other.getByTestId('count-approve').click();
  await expect(other).toContainText('settled');
  await expect(other).toContainText('approved by');
  await page.getByTestId('count-close').click();
  await page.getByRole('button', { name: 'Close, 3 lines stay' }).click();
  await expect(page.getByTestId('count-close')).toHaveCount(0);
  await expect(page.getByTestId('counted')).toHaveCount(0);
});

test('a purchase: draft, ordered, a delivery, nothing more', async ({ page }) => {
  await enter(page, { path: '/purchases?tab=suppliers' });
  await expect(page.getByTestId('supplier-row')).toHaveCount(2);
  await page.getByTestId('purchase-create').click();
  await page.getByTestId('supplier-name').fill('Опішня Кераміка');
  await page.getByTestId('supplier-id').fill('opishnia');
  await page.getByTestId('supplier-do').click();
  await expect(page.getByTestId('supplier-row')).toHaveCount(3);
  await page.getByTestId('tab-orders').click();
  await page.getByTestId('purchase-create').click();
  await choose(page, 'purchase-supplier', 'Опішня Кераміка');
  await choose(page, 'purchase-place', 'Склад Бровари');
  await page.getByTestId('lines-scan').focus();
  await scan(page, 'SH-OP-3');
  await page.getByTestId('line-quantity').fill('10');
  await page.getByTestId('line-cost').fill('245,50');
  await expect(page.getByText('₴2,455.00')).toBeVisible();
  await dialogAxe(page);
  await page.getByTestId('purchase-do').click();
  await expect(page.getByTestId('purchase-state')).toHaveText('draft');
  await page.getByTestId('purchase-place-order').click();
  await page.getByTestId('purchase-place-do').click();
  await expect(page.getByTestId('purchase-state')).toHaveText('ordered');
  await page.getByTestId('came-0').fill('11');
  await page.getByTestId('purchase-receive').click();
  await expect(page.getByText('10 are awaited')).toBeVisible();
  await page.getByTestId('came-0').fill('7');
  await page.getByTestId('purchase-document').fill('ВН-2290');
  await page.getByTestId('purchase-receive').click();
  await expect(page.getByTestId('purchase-state')).toHaveText('partly received');
  await page.getByTestId('purchase-end').click();
  await page.getByTestId('purchase-end-do').click();
  await expect(page.getByTestId('purchase-state')).toHaveText('received');
});

test('a place is paused with a reason and opened again; a channel holds longer', async ({ page }) => {
  await enter(page, { path: '/locations' });
  const row = page.getByTestId('place-row').filter({ hasText: 'Сихів' });
  await row.getByTestId('place-pause').click();
  await page.getByTestId('pause-why').fill('немає світла');
  await dialogAxe(page);
  await page.getByTestId('pause-do').click();
  await expect(row).toContainText('paused');
  await expect(row).toContainText('немає світла');
  await row.getByTestId('place-open').click();
  await expect(row).toContainText('open');
  await page.getByRole('button', { name: /Undo/ }).click();
  await expect(row).toContainText('paused');
  await page.getByTestId('tab-channels').click();
  await page.getByTestId('outlet-change').first().click();
  await page.getByTestId('outlet-hold').fill('0,1');
  await page.getByTestId('outlet-do').click();
  await expect(page.getByText('a cart holds goods from 30 seconds to a day')).toBeVisible();
  await page.getByTestId('outlet-hold').fill('20');
  await page.getByTestId('outlet-do').click();
  await expect(page.getByTestId('outlet-row').first()).toContainText('20 min');
});

test('who may only look sees locks in the same places', async ({ page }) => {
  await enter(page, { path: '/stock/HM-200220', email: 'danylo@svitlytsia.ua' });
  await expect(page.getByTestId('act-move')).toHaveAttribute('aria-disabled', 'true');
  await page.getByTestId('act-move').click({ force: true });
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await page.goto('/transfers/88');
  await expect(page.getByTestId('came-0')).toHaveCount(0);
  await expect(page.getByRole('button', { name: 'Receive' })).toHaveAttribute('aria-disabled', 'true');
});

const pages = ['/stock', '/stock/HM-200220', '/stock/HM-200220?act=move', '/stock/NO-SUCH', '/stock/movements', '/transfers', '/transfers/87', '/transfers/88', '/transfers/80', '/counts', '/counts/51', '/purchases', '/purchases?tab=suppliers', '/purchases/22', '/locations', '/locations?tab=channels'];
// Every path in two complementary combinations with every rule; the other two with what a colour or a language can change.
for (const [language, scheme] of [['en', 'light'], ['uk', 'dark']] as const)
  test(`goods have nothing for axe to say: ${language}, ${scheme} first`, async ({ page }) => {
    test.setTimeout(300_000);
    await enter(page, { language, scheme });
    expect(await inBothSchemes(page, pages, scheme, language, 'goods')).toEqual([]);
  });
