// What every table offers: columns, views, a workbook, rows from a spreadsheet, many rows changed and taken back.
import { expect, type Page, test } from '@playwright/test';
import { enter } from './signin';

const paste = (page: Page, text: string) =>
  page.evaluate((t) => {
    const data = new DataTransfer();
    data.setData('text/plain', t);
    document.body.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));
  }, text);
const heads = (page: Page) => page.locator('.tbl th:not(.chk)').allInnerTexts();

test('columns are arranged with the keyboard, and the address says how', async ({ page }) => {
  await enter(page, { path: '/customers' });
  await expect(page.getByTestId('customer-row').first()).toBeVisible();
  await page.getByTestId('columns').focus();
  await page.keyboard.press('Enter');
  const list = page.getByTestId('column-list');
  await expect(list.getByRole('checkbox').first()).toBeFocused();
  await page.keyboard.press('Space');
  expect((await heads(page))[0]).toBe('Customer');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Space');
  await expect(page).toHaveURL(/cols=name%2C-reach/);
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Alt+ArrowDown');
  await page.keyboard.press('ArrowRight');
  await expect(page).toHaveURL(/segments%2Clast%3A144/);
  await page.keyboard.press('Escape');
  await expect(page.getByTestId('columns')).toBeFocused();
  expect(await heads(page)).not.toContain('Reachable');
  // The same address, the same table; without it this browser remembers.
  await page.reload();
  await expect(page.getByTestId('customer-row').first()).toBeVisible();
  const before = await heads(page);
  expect(before).not.toContain('Reachable');
  await page.goto('/customers');
  await expect(page.getByTestId('customer-row').first()).toBeVisible();
  expect(await heads(page)).toEqual(before);
  await page.getByTestId('columns').click();
  await page.getByRole('button', { name: 'As it was at first' }).click();
  await expect(page).toHaveURL(/\/customers$/);
  await page.evaluate(() => localStorage.removeItem('braid-table-customers'));
});

test('a view keeps filter, order and columns, and a link to it opens it', async ({ page }) => {
  await enter(page, { path: '/customers?view=v-1' });
  await expect(page).toHaveURL(/segment=seg-loyal/);
  await expect(page).toHaveURL(/sort=orders/);
  await expect(page.getByTestId('views').getByRole('button', { name: 'Loyal, by orders', exact: true })).toHaveAttribute('aria-current', 'page');
  expect(await heads(page)).not.toContain('Last event');
  await page.getByTestId('customers-search').fill('Olena');
  await expect(page.getByTestId('views')).toContainText('changed');
  await page.getByTestId('view-new').click();
  await page.getByTestId('view-name').fill('Olenas');
  const sent = page.waitForRequest((r) => r.url().endsWith('/views') && r.method() === 'POST');
  await page.getByTestId('view-save').click();
  expect((await sent).postDataJSON()).toMatchObject({ page: 'customers', name: 'Olenas', shared: false, state: { q: 'Olena', segment: 'seg-loyal', sort: 'orders' } });
  await expect(page.getByTestId('views').getByRole('button', { name: 'Olenas', exact: true })).toHaveAttribute('aria-current', 'page');
  await page.getByTestId('views').getByRole('button', { name: 'All' }).click();
  await expect(page).toHaveURL(/\/customers$/);
  await expect(page.getByTestId('customers-search')).toHaveValue('');
  await page.getByTestId('views').getByRole('button', { name: 'Olenas', exact: true }).click();
  await expect(page.getByTestId('customers-search')).toHaveValue('Olena');
  await page.getByTestId('view-menu').click();
  await page.getByTestId('view-delete').click();
  await expect(page.getByText('The view “Olenas” was deleted')).toBeVisible();
});

test('a workbook leaves with leave and a mark, and only for who may', async ({ page }) => {
  await enter(page, { path: '/customers' });
  await expect(page.getByTestId('customer-row').first()).toBeVisible();
  const [file] = await Promise.all([page.waitForEvent('download'), page.getByTestId('xlsx').click()]);
  expect(file.suggestedFilename()).toMatch(/^Customers \d{4}-\d\d-\d\d\.xlsx$/);
  await expect(page.getByText(/rows saved as a workbook/)).toBeVisible();
  await enter(page, { path: '/segments' });
  await expect(page.getByTestId('segment-row').first()).toBeVisible();
  await expect(page.getByTestId('xlsx')).toBeEnabled();
});

test('a trait is set for many: chosen by keys, looked at, done, taken back after a reload', async ({ page }) => {
  await enter(page, { path: '/customers' });
  await expect(page.getByTestId('customer-row').first()).toBeVisible();
  await page.keyboard.press('KeyJ');
  await page.keyboard.press('KeyX');
  await page.keyboard.press('KeyJ');
  await page.keyboard.press('KeyJ');
  await page.keyboard.press('Shift+KeyX');
  await expect(page.getByTestId('bulk-bar')).toContainText('3 of');
  await page.getByTestId('bulk-trait').click();
  await page.getByTestId('trait-name').fill('email');
  await page.getByTestId('trait-value').fill('x');
  await expect(page.getByTestId('change-counts')).toContainText('3 rows passed over');
  await expect(page.getByTestId('edit-apply')).toBeDisabled();
  await page.getByTestId('trait-name').fill('tier');
  await page.getByTestId('trait-value').fill('gold');
  await expect(page.getByTestId('change-counts')).toContainText('3 customers will change');
  const sent = page.waitForRequest((r) => r.url().endsWith('/bulk-edits') && r.method() === 'POST');
  await page.getByTestId('edit-apply').click();
  expect((await sent).postDataJSON()).toMatchObject({ title: 'tier: gold', rows: [{ traits: { tier: 'gold' } }, {}, {}] });
  await expect(page.getByText('3 customers changed: tier: gold')).toBeVisible();
  await expect(page.getByTestId('bulk-bar')).toHaveCount(0);
  await page.reload();
  await page.getByTestId('recent-changes').click();
  await page.getByTestId('undo-edit').first().click();
  await expect(page.getByText('Taken back for 3 customers')).toBeVisible();
  await expect(page.getByRole('dialog', { name: 'Recent changes' })).toContainText('taken back');
});

test('a list is a segment that people fill', async ({ page }) => {
  await enter(page, { path: '/customers' });
  await page.getByTestId('check').first().check({ force: true });
  await page.getByTestId('bulk-join').click();
  await page.getByTestId('list-choose').selectOption('new');
  await page.getByTestId('list-name').fill('Гості відкриття');
  await expect(page.getByTestId('change-counts')).toContainText('1 customer will change');
  const segment = page.waitForRequest((r) => r.url().endsWith('/segments') && r.method() === 'POST');
  const edit = page.waitForRequest((r) => r.url().endsWith('/bulk-edits') && r.method() === 'POST');
  await page.getByTestId('edit-apply').click();
  const made = (await segment).postDataJSON() as { name: string; expression: string };
  expect(made.name).toBe('Гості відкриття');
  expect(made.expression).toMatch(/^trait\.list_hosti_vidkryttia_\w+ = true$/);
  expect(Object.keys((await edit).postDataJSON().rows[0].traits)).toEqual([/trait\.(\w+)/.exec(made.expression)![1]]);
});

test('rows come from a spreadsheet: heads matched, faults named, the rest applied', async ({ page }) => {
  await enter(page, { path: '/customers' });
  await expect(page.getByTestId('customer-row').first()).toBeVisible();
  await paste(page, 'Телефон\tCity\tБали\n067 123 45 67\tTernopil\t1 249,5\n0000\tKyiv\t3\n+380671234567\tLviv\t4\n');
  const dialog = page.getByTestId('paste-dialog');
  await expect(page.getByTestId('paste-field-0')).toHaveValue('phone');
  await expect(page.getByTestId('paste-field-1')).toHaveValue('trait:city');
  await expect(page.getByTestId('paste-field-2')).toHaveValue('trait:Бали');
  await expect(page.getByTestId('change-counts')).toContainText('1 customer will change');
  await expect(page.getByTestId('change-counts')).toContainText('2 rows passed over');
  await expect(dialog).toContainText('Nobody has this');
  await expect(dialog).toContainText('The same customer stands in an earlier row');
  await expect(dialog).toContainText('Ternopil');
  const sent = page.waitForRequest((r) => r.url().endsWith('/bulk-edits') && r.method() === 'POST');
  await page.getByTestId('edit-apply').click();
  expect((await sent).postDataJSON().rows[0]).toEqual({ identifier: { kind: 'phone', value: '067 123 45 67' }, traits: { city: 'Ternopil', Бали: 1249.5 } });
  await expect(page.getByText(/^1 customer changed/)).toBeVisible();
});

test('an analyst looks, and changes nothing', async ({ page }) => {
  await enter(page, { path: '/customers', email: 'danylo@svitlytsia.ua' });
  await expect(page.getByTestId('customer-row').first()).toBeVisible();
  await expect(page.getByTestId('check')).toHaveCount(0);
  await expect(page.getByTestId('paste')).toHaveCount(0);
  await paste(page, 'Phone\tCity\n1\t2\n');
  await expect(page.getByTestId('paste-dialog')).toHaveCount(0);
  await page.getByTestId('nav-settings').click();
  await expect(page.getByTestId('nav-users')).toHaveCount(0);
});

test('notes are written, changed and taken back; files are put and deleted', async ({ page }) => {
  await enter(page, { path: '/customers/p-olena' });
  const notes = page.getByTestId('notes');
  await expect(notes).toContainText('Asks for Taras');
  await page.getByTestId('note-new').click();
  await page.getByTestId('note-text').fill('Birthday cake for 8 May');
  await page.keyboard.press('Control+Enter');
  await expect(notes.getByTestId('note').first()).toContainText('Birthday cake');
  await notes.getByTestId('note-delete').first().click();
  await expect(notes).not.toContainText('Birthday cake');
  await page.keyboard.press('KeyZ');
  await expect(notes).toContainText('Birthday cake');
  await page.getByTestId('file-input').setInputFiles({ name: 'Чек.txt', mimeType: 'text/plain', buffer: Buffer.from('чек') });
  await expect(page.getByTestId('files')).toContainText('Чек.txt');
});

test('many pairs are decided at once, after one more look', async ({ page }) => {
  await enter(page, { path: '/identity' });
  await expect(page.getByTestId('review-row').first()).toBeVisible();
  await page.getByTestId('check-all').check();
  const count = await page.getByTestId('review-row').count();
  await page.getByTestId('bulk-keep_apart').click();
  await expect(page.getByTestId('bulk-decide')).toContainText('Look once more');
  const sent = page.waitForRequest((r) => r.url().endsWith('/identity/review') && r.method() === 'POST');
  await page.getByTestId('bulk-decide-do').click();
  const body = (await sent).postDataJSON() as { pairs: unknown[]; decision: string };
  expect([body.decision, body.pairs.length]).toEqual(['keep_apart', count]);
  await expect(page.getByText(/pairs? decided/)).toBeVisible();
});
