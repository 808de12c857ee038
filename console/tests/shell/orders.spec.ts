import AxeBuilder from '@axe-core/playwright';
import { expect, type Page, test } from '@playwright/test';
import { enter, MOMENT } from './signin';

test.beforeEach(async ({ request }) => {
  await request.get('/mock/stock-reset');
  await request.get('/mock/orders-reset');
});

const TABLET = { width: 1024, height: 768 };
const PHONE = { width: 390, height: 844 };
const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const clean = async (page: Page) => expect((await new AxeBuilder({ page }).withTags(tags).analyze()).violations.map((v) => `${v.id}: ${v.nodes[0]?.target.join(' ')} ${v.nodes[0]?.failureSummary}`)).toEqual([]);
const shot = (page: Page, name: string) => page.screenshot({ path: `test-results/orders/${name}.png` });
const scan = async (page: Page, text: string) => {
  await page.keyboard.type(text);
  await page.keyboard.press('Enter');
};
/** Opens the store app, signs in and chooses the place where nothing is remembered. */
async function store(page: Page, o: { path?: string; size?: { width: number; height: number }; language?: 'en' | 'uk'; scheme?: 'light' | 'dark'; choose?: boolean } = {}): Promise<void> {
  await page.setViewportSize(o.size ?? TABLET);
  await page.clock.install({ time: MOMENT });
  await page.emulateMedia({ colorScheme: o.scheme ?? 'light', reducedMotion: 'reduce' });
  await page.addInitScript(([language, choose]) => {
    localStorage.setItem('braid-language', language as string);
    if (!choose && !localStorage.getItem('braid-store-place')) localStorage.setItem('braid-store-place', 'Lviv-1');
  }, [o.language ?? 'uk', o.choose ?? false] as const);
  await page.goto(o.path ?? '/store');
  await page.getByTestId('login-email').fill('iryna@svitlytsia.ua');
  await page.getByTestId('login-password').fill('svitlytsia');
  await page.getByTestId('login-submit').click();
}

test('orders: filters stand in the address, the list goes on, keys open an order', async ({ page }) => {
  await enter(page, { path: '/orders' });
  await expect(page.getByTestId('order-row').first()).toContainText('Роман Гончар');
  await clean(page);
  await shot(page, 'list');
  await page.getByTestId('orders-state').click();
  await page.getByRole('option', { name: 'no goods' }).click();
  await expect(page).toHaveURL(/state=parked/);
  await expect(page.getByTestId('order-row')).toHaveCount(1);
  await page.getByTestId('orders-clear').click();
  await page.getByTestId('orders-place').click();
  await page.getByRole('option', { name: 'Склад Бровари' }).click();
  await expect(page).toHaveURL(/place=Hub/);
  await expect(page.getByTestId('order-row')).toHaveCount(1);
  await page.getByTestId('orders-clear').click();
  await page.locator('h1').click();
  await page.keyboard.press('/');
  await page.keyboard.type('31915');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/q=31915/);
  await expect(page.getByTestId('order-row')).toHaveCount(1);
  await page.locator('h1').click();
  await page.keyboard.press('j');
  await expect(page).toHaveURL(/sel=/);
  await page.keyboard.press('Enter');
  await expect(page.getByTestId('order-name')).toHaveText('Order 31915');
  // A pasted link shows the same.
  await page.goto('/orders?q=nobody');
  await expect(page.getByText('No such orders')).toBeVisible();
});

test('an order: held, let go on, noted, with what was promised and who it is', async ({ page }) => {
  await enter(page, { path: '/orders/o31915x' });
  await expect(page.getByTestId('order-state')).toHaveText('in progress');
  await expect(page.getByTestId('order-person')).toHaveAttribute('href', /p-olena/);
  // A place picks it: lines are not offered for change, and it says why.
  await expect(page.getByTestId('order-edit')).toHaveCount(0);
  await expect(page.getByTestId('why-no-edit')).toBeVisible();
  await clean(page);
  await shot(page, 'detail');
  await page.getByTestId('order-hold').click();
  await page.getByTestId('hold-why').fill('check the address');
  await page.getByTestId('hold-do').click();
  await expect(page.getByTestId('hold')).toContainText('check the address');
  await page.getByTestId('hold-release').click();
  await expect(page.getByTestId('hold')).toHaveCount(0);
  await page.getByTestId('order-note').click();
  await page.getByTestId('note-text').fill('comes after six');
  await page.getByTestId('note-do').click();
  await expect(page.getByTestId('happened').first()).toContainText('comes after six');
});

test('a place that is down gives its orders to others, once, with a reason', async ({ page }) => {
  await enter(page, { path: '/locations', language: 'uk' });
  await page.getByTestId('place-reroute').first().click();
  await expect(page.getByTestId('reroute-do')).toBeDisabled();
  await page.getByTestId('reroute-why').fill('залило магазин');
  await page.getByTestId('reroute-do').click();
  await expect(page.getByText('2 замовлення передано')).toBeVisible();
  // Why goods come from there is said in the reader's language, with the place's name.
  await page.goto('/orders/o31915x');
  await page.getByText('Чому звідси?').first().click();
  await expect(page.getByText('із «Львів, Городоцька 179»: надійде сьогодні, економить 38,00')).toBeVisible();
});

test('an order: confirmed, its lines changed, cancelled by parts, money taken and given back', async ({ page }) => {
  await enter(page, { path: '/orders/o31921x' });
  await page.getByTestId('order-confirm').click();
  await expect(page.getByTestId('order-state')).toHaveText('confirmed');
  await page.getByTestId('order-edit').click();
  await page.getByTestId('lines-scan').fill('KS-350-Z');
  await page.getByTestId('lines-scan').press('Enter');
  await expect(page.getByTestId('line')).toHaveCount(2);
  await page.getByTestId('edit-do').click();
  await expect(page.getByTestId('order-line')).toHaveCount(2);
  await page.getByTestId('pay-open').click();
  await page.getByTestId('pay-do').click();
  await expect(page.getByTestId('balance')).toContainText('0');
  await page.getByTestId('refund-open').click();
  await page.getByTestId('pay-sum').fill('999999');
  await page.getByTestId('pay-do').click();
  // Refused at the field, and what was typed stays.
  await expect(page.getByText('more than was taken cannot be given back')).toBeVisible();
  await page.getByTestId('pay-sum').fill('100');
  await page.getByTestId('pay-do').click();
  await expect(page.getByTestId('payment')).toContainText('partly given back');
  await page.getByTestId('order-cancel').click();
  await page.getByTestId('cancel-part-1').click();
  await page.getByTestId('cancel-why').fill('changed their mind');
  await page.getByTestId('cancel-do').click();
  await expect(page.getByTestId('order-line').first()).toContainText('cancelled');
});

test('an order that nobody has is sourced again; a parcel is dispatched and delivered, each asked for once', async ({ page }) => {
  await enter(page, { path: '/orders/o31917x' });
  await page.getByTestId('order-source').click();
  await expect(page.getByTestId('fulfilment-1')).toBeVisible();
  await page.goto('/orders/o31918x');
  await page.getByTestId('step-dispatch').click();
  await page.getByTestId('step-text').fill('20 4507 8812 3341');
  await page.getByTestId('step-do').click();
  await expect(page.getByTestId('fulfilment-1')).toContainText('20 4507 8812 3341');
  await page.getByTestId('step-deliver').click();
  await page.getByTestId('step-do').click();
  await expect(page.getByTestId('order-state')).toHaveText('delivered');
});

test('settings: refusals stand at their field, broken JSON is not published, numbers are kept', async ({ page }) => {
  await enter(page, { path: '/orders/settings?part=delivery' });
  await page.getByTestId('f-carriers-0-cut_off').fill('25 o’clock');
  await page.getByTestId('oset-policy').click();
  await page.getByTestId('oset-save').click();
  // It goes to the part where the fault is.
  await expect(page).toHaveURL(/part=delivery/);
  await expect(page.getByText('a time is HH:MM').last()).toBeVisible();
  await shot(page, 'settings-error');
  await page.getByTestId('f-carriers-0-cut_off').fill('18:30');
  await page.getByTestId('oset-sourcing').click();
  await page.getByTestId('json-rules').fill('[{');
  await expect(page.getByTestId('oset-save')).toBeDisabled();
  await page.getByTestId('json-rules').fill('[]');
  await page.getByTestId('oset-policy').click();
  await page.getByTestId('f-policy-refunds').click();
  await page.getByRole('option', { name: 'is priced again without lost discounts' }).click();
  await shot(page, 'settings-policy');
  await page.getByTestId('oset-save').click();
  await expect(page.getByText('Order settings are published')).toBeVisible();
  await page.reload();
  await page.getByTestId('oset-policy').click();
  await expect(page.getByTestId('f-policy-refunds')).toHaveValue('is priced again without lost discounts');
  await page.getByTestId('oset-delivery').click();
  await expect(page.getByTestId('f-carriers-0-cut_off')).toHaveValue('18:30');
  // Hours that are taken away again leave no closed day behind: nothing is left to publish.
  await page.getByTestId('oset-places').click();
  await page.getByTestId('f-places-Lviv-1-counter-1').fill('09:00-18:00');
  await expect(page.getByTestId('oset-save')).toBeEnabled();
  const sent = page.waitForRequest((r) => r.method() === 'PUT');
  await page.getByTestId('f-places-Lviv-1-counter-1').fill('');
  await page.getByTestId('oset-save').click();
  expect(((await sent).postDataJSON() as { places: Record<string, object> }).places['Lviv-1']).not.toHaveProperty('counter');
});

test('figures: numbers open the orders of their period and channel', async ({ page }) => {
  await enter(page, { path: '/orders/figures' });
  await expect(page.getByTestId('figure-row')).toHaveCount(4);
  await expect(page.getByTestId('figure-in30')).toHaveText('76%');
  await clean(page);
  await shot(page, 'figures');
  await page.getByTestId('figure-row').nth(2).getByRole('link').click();
  await expect(page).toHaveURL(/channel=site/);
  await expect(page).toHaveURL(/from=2026-11-16/);
});

test('store: the place is chosen once; the queue runs by the second and says what is late', async ({ page }) => {
  await store(page, { choose: true });
  await expect(page.getByTestId('store-choose')).toBeVisible();
  await page.getByRole('button', { name: /Городоцька/ }).click();
  await expect(page.getByTestId('queue-row')).toHaveCount(3);
  const first = page.getByTestId('queue-row').first();
  await expect(first).toContainText('запізнюється');
  await expect(first.getByTestId('due')).toContainText('−08:');
  const before = await first.getByTestId('due').innerText();
  await page.clock.runFor(3000);
  expect(await first.getByTestId('due').innerText()).not.toBe(before);
  await page.reload();
  await expect(page.getByTestId('queue-row')).toHaveCount(3);
});

test('store: pieces are picked by the scanner, one is missing, the rest is packed', async ({ page }) => {
  await store(page);
  await page.getByTestId('queue-row').filter({ hasText: 'Дарина' }).click();
  await expect(page.getByTestId('due-big')).toContainText('12:');
  await shot(page, 'store-pick');
  await clean(page);
  await page.getByRole('heading', { level: 2 }).click();
  await scan(page, 'HM-200220');
  await expect(page.getByText('HM-200220 зібрано')).toBeVisible();
  await scan(page, 'NO-SUCH-1');
  await expect(page.getByText('NO-SUCH-1 немає в цьому замовленні')).toBeVisible();
  await scan(page, 'KS-350-Z');
  await expect(page.getByTestId('pick-ready')).toBeDisabled();
  await page.getByTestId('pick-missing').click();
  await page.getByTestId('ask-do').click();
  await expect(page.getByTestId('pick-ready')).toBeEnabled();
  await page.getByTestId('pick-ready').click();
  await expect(page.getByTestId('queue-row')).toHaveCount(2);
  // Taken, and declined with a reason.
  await page.getByTestId('queue-row').first().click();
  await page.getByTestId('pick-accept').click();
  await expect(page.getByTestId('pick-ready')).toBeVisible();
  await page.getByTestId('queue-row').last().click();
  await page.getByTestId('pick-decline').click();
  await page.getByTestId('decline-why').fill('з дефектом');
  await page.getByTestId('ask-do').click();
  await expect(page.getByTestId('queue-row')).toHaveCount(1);
});

test('store: handed over by the right code only, after it is paid; by sight where there is none; a parcel with its waybill', async ({ page }) => {
  await store(page, { path: '/store?tab=hand' });
  await page.getByTestId('queue-row').filter({ hasText: 'Євгенія' }).click();
  await expect(page.getByTestId('to-pay')).toContainText('395');
  await page.getByTestId('take-pay').click();
  await expect(page.getByTestId('to-pay')).toHaveCount(0);
  await page.getByTestId('code').fill('0000');
  await page.getByTestId('hand-do').click();
  await expect(page.getByTestId('code-wrong')).toBeVisible();
  await shot(page, 'store-hand');
  await clean(page);
  await page.getByTestId('code').fill('4821');
  await page.getByTestId('hand-do').click();
  await expect(page.getByTestId('queue-row').filter({ hasText: 'Євгенія' })).toHaveCount(0);
  await page.getByTestId('queue-row').filter({ hasText: 'Марія' }).click();
  await page.getByTestId('tracking').fill('20450788123341');
  await page.getByTestId('hand-do').click();
  await expect(page.getByTestId('queue-row')).toHaveCount(1);
});

test('store: of a try-on one is kept and paid, the other goes back on sale', async ({ page }) => {
  await store(page, { path: '/store?tab=hand' });
  // The code as the customer’s phone may show it: with the order’s number.
  await expect(page.getByTestId('queue-row')).toHaveCount(3);
  await page.getByTestId('hand-find').fill('31899/4821');
  await page.getByTestId('hand-find').press('Enter');
  await expect(page.getByTestId('code')).toHaveValue('4821');
  await page.getByTestId('hand-line').last().getByTestId('less').click();
  await expect(page.getByText('Залишає 1 із 2')).toBeVisible();
  await page.getByTestId('hand-do').click();
  await expect(page.getByTestId('tried')).toContainText('2 300,00');
  await page.getByTestId('take-pay').click();
  await expect(page.getByTestId('take-pay')).toHaveCount(0);
});

test('store: goods are found anywhere, an order is taken for a customer; a phone shows one column', async ({ page }) => {
  await store(page, { path: '/store?tab=find', size: PHONE, scheme: 'dark' });
  await page.getByTestId('store-find').fill('HM-200220');
  await page.getByTestId('store-find').press('Enter');
  await expect(page.getByTestId('here')).toBeVisible();
  await clean(page);
  await shot(page, 'phone-find');
  await page.getByTestId('store-tab-new').click();
  await page.getByTestId('lines-scan').fill('KS-350-Z');
  await page.getByTestId('lines-scan').press('Enter');
  await expect(page.getByTestId('line')).toHaveCount(1);
  await page.getByTestId('new-name').fill('Ґанна Їжак');
  await page.getByTestId('new-phone').fill('12');
  await page.getByTestId('new-do').click();
  await expect(page.getByText('it is no phone').first()).toBeVisible();
  await page.getByTestId('new-phone').fill('067 123 45 67');
  await shot(page, 'phone-new');
  await page.getByTestId('new-do').click();
  await expect(page.getByTestId('made')).toContainText('31931');
  await page.getByTestId('store-tab-pick').click();
  await expect(page.getByTestId('queue-row')).toHaveCount(4);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
  await clean(page);
  await shot(page, 'phone-queue');
  await page.getByTestId('queue-row').filter({ hasText: 'Дарина' }).click();
  await expect(page.getByTestId('pick-ready')).toBeVisible();
  await shot(page, 'phone-pick');
});

test('the customer’s own page: state, big code, what is to pay; it keeps what it knew without a connection', async ({ page }) => {
  await page.setViewportSize(PHONE);
  await page.goto('/o/o31905x');
  await expect(page.locator('.code b')).toHaveText('4821');
  await clean(page);
  await shot(page, 'customer');
  await page.emulateMedia({ colorScheme: 'dark' });
  await clean(page);
  await page.goto('/o/nothing');
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
  expect(await page.evaluate(() => performance.getEntriesByType('resource').filter((r) => r.name.includes('/assets/')).length)).toBe(0);
});

test('the store app can be installed, and keeps its shell', async ({ page, request }) => {
  const manifest = (await (await request.get('/store.webmanifest')).json()) as { start_url: string; display: string; icons: unknown[] };
  expect(manifest).toMatchObject({ start_url: '/store', display: 'standalone' });
  await page.goto('/store');
  await expect(page.getByTestId('login-email')).toBeVisible();
  expect(await page.evaluate(async () => (await navigator.serviceWorker.ready).scope)).toMatch(/\/store$/);
});
