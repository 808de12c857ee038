import { expect, test } from '@playwright/test';
import { enter } from './signin';

test('a wrong password is told and what was typed stays', async ({ page }) => {
  await page.goto('/');
  await page.getByTestId('login-email').fill('iryna@svitlytsia.ua');
  await page.getByTestId('login-password').fill('wrong');
  await page.getByTestId('login-submit').click();
  await expect(page.getByText('do not match')).toBeVisible();
  await expect(page.getByTestId('login-email')).toHaveValue('iryna@svitlytsia.ua');
});

test('home: counts stand, and each opens its list', async ({ page }) => {
  await enter(page);
  await expect(page.getByTestId('home-count-people')).toHaveText('2,041,386');
  await expect(page.getByTestId('home-count-events')).toHaveAttribute('data-value', '20418233');
  await page.getByTestId('home-count-rejected').click();
  await expect(page).toHaveURL(/\/live\?status=rejected/);
  await expect(page.getByTestId('reject-row').first()).toBeVisible();
});

test('customers: search in any spelling, keys, preview, the address restores the view', async ({ page }) => {
  await enter(page, { path: '/customers' });
  await expect(page.getByTestId('customer-row').first()).toContainText('Olena Gudz');
  await page.keyboard.press('Slash');
  await page.keyboard.type('067 123 45');
  await expect(page.getByTestId('customer-row')).toHaveCount(1);
  await page.getByTestId('customer-row').first().click();
  await expect(page.getByText('Latest steps')).toBeVisible();
  await page.reload();
  await expect(page.getByText('Latest steps')).toBeVisible();
  await page.getByTestId('customer-row').first().focus();
  await page.keyboard.press('Enter');
  await expect(page.getByTestId('person-name')).toHaveText('Olena Gudz');
});

test('what is still being typed calls nobody back who has opened a customer', async ({ page }) => {
  // The next page takes its time to load, and the list stands until then.
  await page.route(/PersonPage-.*\.js/, async (r) => {
    await new Promise((done) => setTimeout(done, 1000));
    await r.continue();
  });
  await enter(page, { path: '/customers?q=067%20123%2045' });
  const rows = page.getByTestId('customer-row');
  await expect(rows).toHaveCount(1);
  await page.getByTestId('customers-search').fill('067 123 45 67');
  await rows.first().locator('a').first().click();
  await expect(page.getByTestId('person-name')).toHaveText('Olena Gudz');
});

test('a long list keeps few rows in the page and scrolls to the end', async ({ page }) => {
  await enter(page, { path: '/customers' });
  const rows = page.getByTestId('customer-row');
  await expect(rows.first()).toBeVisible();
  for (let i = 0; i < 12; i++) {
    await page.locator('.tbl').evaluate((el) => el.scrollTo(0, el.scrollHeight));
    await page.waitForTimeout(60);
  }
  expect(await rows.count()).toBeLessThan(60);
  expect(Number(await rows.last().getAttribute('aria-rowindex'))).toBeGreaterThan(300);
});

test('a person: the receipt slides in within a second; scrolled down it waits', async ({ page, request }) => {
  await enter(page, { path: '/customers/p-olena' });
  const entries = page.getByTestId('timeline-entry');
  await expect(entries.first()).toContainText('Bought 3 items in Lviv, Horodotska');
  await expect(page.getByText('Viewed 7 items in “Blankets”')).toBeVisible();
  await page.waitForTimeout(300);
  await request.get('/mock/receipt');
  await expect(entries.first()).toContainText('No. 184240', { timeout: 1000 });
  await page.locator('.tl-scroll').evaluate((el) => el.scrollTo(0, 600));
  await page.waitForTimeout(100);
  await request.get('/mock/receipt');
  await expect(page.getByRole('button', { name: '1 new' })).toBeVisible();
});

test('separating shows who will result before it happens', async ({ page }) => {
  await enter(page, { path: '/customers/p-olena' });
  await page.getByRole('button', { name: /How they were joined/ }).click();
  await page.getByRole('button', { name: 'Separate' }).first().click();
  const popover = page.getByRole('dialog');
  await expect(popover).toContainText('Who will result');
  await expect(popover).toContainText('1 profile');
  await popover.getByRole('button', { name: 'Separate into 2 customers' }).click();
  await expect(page.getByText('Separated into 2 customers')).toBeVisible();
});

test('a stopped message says why', async ({ page }) => {
  await enter(page, { path: '/messages?status=stopped' });
  await page.getByRole('button', { name: 'Why?' }).first().click();
  await expect(page.getByRole('dialog')).toContainText('has already had 3 messages in 7 days');
});

test('an unknown message is settled by a person', async ({ page }) => {
  await enter(page, { path: '/messages?status=unknown' });
  await page.getByTestId('message-row').first().click();
  await page.getByRole('button', { name: 'It went' }).click();
  await expect(page.getByText('Settled as sent')).toBeVisible();
});

test('a segment moves by itself in the list and on its page', async ({ page, request }) => {
  await enter(page, { path: '/segments' });
  const count = page.locator('[data-segment-id="seg-loyal"]');
  await expect(count).toBeVisible();
  const before = Number(await count.getAttribute('data-value'));
  await request.get('/mock/receipt');
  await expect(count).toHaveAttribute('data-value', String(before + 1), { timeout: 1000 });
  await page.getByRole('link', { name: 'Loyal' }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'Loyal' })).toBeVisible();
  await expect(page.getByTestId('segment-count')).toHaveAttribute('data-value', String(before + 1));
  await page.waitForTimeout(200);
  await request.get('/mock/receipt');
  await expect(page.getByTestId('segment-count')).toHaveAttribute('data-value', String(before + 2), { timeout: 1000 });
});

test('the editor counts while typing and shows where it is wrong', async ({ page }) => {
  await enter(page, { path: '/segments/new' });
  await page.getByTestId('segment-name').fill('Twice in two weeks');
  await page.getByTestId('segment-expression').fill('count("Перегляд" in last 14 days) >= 2');
  await expect(page.getByTestId('segment-preview-count')).toHaveText('22,640');
  await expect(page.locator('.tok', { hasText: '14 days' })).toBeVisible();
  await page.getByTestId('segment-expression').fill('count("Перегляд" in last 14 days) == 2');
  await expect(page.getByRole('button', { name: /Go to character 35/ })).toBeVisible();
  await expect(page.getByTestId('segment-save')).toBeDisabled();
});

test('live events: Space holds the stream, a cut is told and filled in', async ({ page, request }) => {
  await enter(page, { path: '/live' });
  await expect(page.getByTestId('live-row').first()).toBeVisible();
  await page.keyboard.press('Space');
  await request.get('/mock/receipt');
  await expect(page.getByTestId('live-waiting')).toHaveText('1 new');
  await page.keyboard.press('Space');
  await expect(page.getByTestId('live-row').first()).toContainText('184 240');
  await request.get('/mock/cut');
  await expect(page.getByText(/Reconnected, \d+ s filled in/)).toBeVisible({ timeout: 8000 });
  await page.getByTestId('reject-row').first().click();
  await expect(page.locator('.code .er')).toContainText('1 249 грн');
});

test('the palette finds a person by a piece of a phone, and letters work in the Ukrainian layout', async ({ page }) => {
  await enter(page);
  await page.keyboard.press('Control+KeyK');
  await expect(page.getByTestId('palette')).toBeVisible();
  await page.keyboard.type('067 123');
  await expect(page.getByRole('option').first()).toContainText('Olena Gudz');
  await page.keyboard.press('Enter');
  await expect(page.getByTestId('person-name')).toHaveText('Olena Gudz');
  // С stands on the key C: the code is what counts.
  await page.evaluate(() => {
    for (const [key, code] of [['п', 'KeyG'], ['с', 'KeyC']] as const) window.dispatchEvent(new KeyboardEvent('keydown', { key, code, bubbles: true }));
  });
  await expect(page).toHaveURL(/\/customers$/);
});

test('language and scheme are switched and remembered', async ({ page }) => {
  await enter(page);
  await page.getByTestId('nav-settings').click();
  await page.getByTestId('scheme-dark').click();
  await expect(page.locator('html')).toHaveAttribute('data-mantine-color-scheme', 'dark');
  await page.getByTestId('nav-settings').click();
  await page.getByTestId('language-uk').click();
  await expect(page.getByTestId('nav-customers')).toHaveText('Клієнти');
  await expect(page.getByTestId('home-count-people')).toHaveText('2 041 386');
});

test('archiving a segment is undone by Z', async ({ page }) => {
  await enter(page, { path: '/segments/seg-new' });
  await page.getByRole('button', { name: 'Archive' }).click();
  await expect(page.getByText('Segment “New this week” archived')).toBeVisible();
  await page.keyboard.press('KeyZ');
  await expect(page).toHaveURL(/\/segments\/seg-new/);
});

test('an analyst sees the same places, with locks where acting is not allowed', async ({ page }) => {
  await enter(page, { path: '/segments/seg-loyal', email: 'danylo@svitlytsia.ua' });
  const edit = page.getByRole('button', { name: /Edit/ });
  await expect(edit).toHaveAttribute('aria-disabled', 'true');
  await edit.hover();
  await expect(page.getByText('Your role does not allow this')).toBeVisible();
  await page.goto('/settings/users');
  await expect(page.getByText('Users: for owners only')).toBeVisible();
});

test('freshness turns ochre when the feed is cut', async ({ page, request }) => {
  await enter(page, { clock: false });
  const fresh = page.getByTestId('freshness');
  await expect(fresh).toHaveAttribute('data-state', 'live');
  await page.route('**/api/v1/live*', (route) => route.abort());
  await request.get('/mock/cut');
  await expect(fresh).toHaveAttribute('data-state', 'late', { timeout: 12_000 });
  await expect(fresh).toContainText('behind');
});

test('J moves and Escape lets go, without a click', async ({ page }) => {
  await enter(page, { path: '/customers' });
  await expect(page.getByTestId('customer-row').first()).toBeVisible();
  await page.keyboard.press('KeyJ');
  await page.keyboard.press('KeyJ');
  await expect(page).toHaveURL(/sel=p-taras/);
  await page.keyboard.press('Escape');
  await expect(page).not.toHaveURL(/sel=/);
});
