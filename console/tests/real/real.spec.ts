// Against a running Braid: BRAID_URL, BRAID_EMAIL, BRAID_PASSWORD, BRAID_WRITE_KEY, BRAID_API_KEY.
import { expect, test } from '@playwright/test';
import { accepted, archive, enter, get, hasMark, keepMark, needShop, order, personOf, post, seen, segment, send, streaming, tell, unique, uniquePhone } from './shop';

needShop();
test.setTimeout(60_000);

test('home counts what the records hold; a customer is found in any spelling', async ({ page, request }) => {
  const tag = unique();
  const phone = uniquePhone();
  await accepted('identify', { userId: `u-${tag}`, traits: { name: `Zinnia ${tag}`, email: `Zinnia.${tag}@Example.com`, phone, city: 'York' } });
  const person = await personOf(request, 'user_id', `u-${tag}`);

  await enter(page);
  await expect(page.getByTestId('home-count-events')).toHaveAttribute('data-value', /^\d+$/);
  await expect
    .poll(async () => {
      const { counts } = await get<{ counts: Record<string, number> }>(request, '/home');
      const shown: Record<string, number> = {};
      for (const name of Object.keys(counts)) shown[name] = Number(await page.getByTestId(`home-count-${name}`).getAttribute('data-value'));
      return JSON.stringify(shown) === JSON.stringify(counts);
    })
    .toBe(true);

  await page.getByTestId('nav-customers').click();
  const rows = page.getByTestId('customer-row');
  await expect(rows.first()).toBeVisible();
  const field = page.getByTestId('customers-search');
  const national = `0${phone.slice(3)}`;
  for (const text of [`zinnia ${tag}`.toUpperCase(), `ZINNIA.${tag}@EXAMPLE.COM`, phone, `00 44 (${phone.slice(3, 7)}) ${phone.slice(7, 10)}-${phone.slice(10)}`, `${phone.slice(0, 3)} (0) ${national.slice(1, 5)} ${national.slice(5)}`]) {
    await field.fill(text);
    await expect(rows, text).toHaveCount(1);
    await expect(rows.first(), text).toContainText(`Zinnia ${tag}`);
  }
  await rows.first().locator('a').first().click();
  await expect(page).toHaveURL(new RegExp(`/customers/${person}$`));
  await expect(page.getByTestId('person-name')).toHaveText(`Zinnia ${tag}`);
  await expect(page.getByTestId('timeline-entry').first()).toContainText(`Zinnia ${tag}`);
});

test('a sale shows on the open page and moves an open segment within a second', async ({ page, context, request }) => {
  const tag = unique();
  const user = `u-${tag}`;
  await accepted('track', { userId: user, event: 'Product Viewed', properties: { name: 'Khmara', category: 'Blankets' } });
  const person = await personOf(request, 'user_id', user);
  const id = await segment(request, `Bought ${tag}`, `count("Order Completed" where properties.shelf = "${tag}" in last 7 days) >= 1`);

  await enter(page, `/customers/${person}`);
  await expect(page.getByTestId('timeline-entry').first()).toContainText('Khmara');
  const other = await context.newPage();
  await enter(other, `/segments/${id}`);
  await expect(other.getByTestId('segment-count')).toHaveAttribute('data-value', '0');
  await Promise.all([streaming(page), streaming(other)]);
  await Promise.all([keepMark(page), keepMark(other)]);

  const line = seen(page, '[data-testid=timeline-entry]', `R-${tag}`);
  const count = seen(other, '[data-testid=segment-count]', '1');
  const sale = order(user, `R-${tag}`);
  (sale.properties as Record<string, unknown>).shelf = tag;
  const start = Date.now();
  await accepted('track', sale);
  const answered = Date.now() - start;
  const [shown, moved] = [(await line) - start, (await count) - start];
  tell('the sale is accepted', answered);
  tell('its line stands on the open page', shown);
  tell('the open segment counts it', moved);
  expect(shown).toBeLessThan(1000);
  expect(moved).toBeLessThan(1000);
  const entry = page.getByTestId('timeline-entry').filter({ hasText: `R-${tag}` });
  await expect(entry).toContainText('Bought 1 item in Demo store');
  await expect(entry).toHaveAttribute('data-strand', 'store');
  await expect(other.getByRole('row', { name: /an event/ })).toBeVisible();
  expect([await hasMark(page), await hasMark(other)]).toEqual([true, true]);
  await archive(request, `/segments/${id}`);
});

test('the editor shows where it is wrong; preview, live count and members are the same people', async ({ page, request }) => {
  const tag = unique();
  for (const n of [1, 2, 3]) await accepted('identify', { userId: `u-${tag}-${n}`, traits: { name: `Aster${n} ${tag}`, bed: n < 3 ? tag : 'other' } });
  await personOf(request, 'user_id', `u-${tag}-3`);

  await enter(page, '/segments/new');
  await page.getByTestId('segment-name').fill(`Bed ${tag}`);
  const expression = page.getByTestId('segment-expression');
  await expression.fill(`trait.bed == "${tag}"`);
  const goTo = page.getByRole('button', { name: 'Go to character 11' });
  await expect(goTo).toBeVisible();
  await expect(page.locator('mark.err')).toContainText('=');
  await expect(page.getByTestId('segment-save')).toBeDisabled();
  await goTo.click();
  expect(await expression.evaluate((e: HTMLTextAreaElement) => e.selectionStart)).toBe(10);

  await expression.fill(`trait.bed = "${tag}"`);
  await expect(page.getByTestId('segment-preview-count')).toHaveText('2');
  await page.getByTestId('segment-save').click();
  await expect(page.getByRole('heading', { level: 1, name: `Bed ${tag}` })).toBeVisible();
  await expect(page.getByTestId('segment-count')).toHaveAttribute('data-value', '2', { timeout: 15_000 });
  const members = page.getByRole('group', { name: 'Members' });
  await expect(members.locator('tbody tr.row-data')).toHaveCount(2, { timeout: 10_000 });
  await expect(members).toContainText(`Aster1 ${tag}`);
  await expect(members).toContainText(`Aster2 ${tag}`);
  const id = page.url().split('/').pop()!;
  expect((await get<{ count: number }>(request, `/segments/${id}`)).count).toBe(2);
  await page.getByRole('link', { name: 'As a list of customers' }).click();
  await expect(page.getByTestId('customer-row')).toHaveCount(2);
  await archive(request, `/segments/${id}`);
});

test('a message that a rule stops says why', async ({ page, request }) => {
  const tag = unique();
  const user = `u-${tag}`;
  const email = `iris.${tag}@example.com`;
  await accepted('identify', { userId: user, traits: { name: `Iris ${tag}`, email, bed: 'none' } });
  const person = await personOf(request, 'user_id', user);
  await post(request, '/consents', { channel: 'email', address: email, purpose: 'marketing', state: 'granted', wording: 'Yes, write to me' });
  const id = await segment(request, `Iris ${tag}`, `trait.bed = "${tag}"`);
  const members = async (n: number) => expect.poll(async () => (await get<{ count: number }>(request, `/segments/${id}`)).count).toBe(n);

  await enter(page, '/templates/new');
  await page.getByLabel('Name', { exact: true }).fill(`Thanks ${tag}`);
  await page.getByLabel('Subject').fill(`Thank you ${tag}`);
  await page.getByRole('textbox', { name: 'HTML' }).fill('<p>{{ customer.name }</p>');
  await expect(page.getByRole('alert')).toContainText('Line 1');
  await page.getByRole('textbox', { name: 'HTML' }).fill('<p>Hello {{ customer.name | default("friend") }}, <a href="{{ links.unsubscribe }}">no more</a></p>');
  await expect(page.locator('iframe.preview-frame')).toBeVisible();
  await page.getByTestId('template-save').click();
  await expect(page.getByRole('heading', { level: 1, name: `Thanks ${tag}` })).toBeVisible();

  await page.goto('/rules?create=true');
  const form = page.getByRole('complementary', { name: 'New rule' });
  await form.getByLabel('Name').fill(`Rule ${tag}`);
  await form.getByLabel('Who: on entering the segment').fill(`Iris ${tag}`);
  await page.getByRole('option', { name: `Iris ${tag}` }).click();
  await form.getByLabel('What: the template').fill(`Thanks ${tag}`);
  await page.getByRole('option', { name: `Thanks ${tag}` }).click();
  await form.getByRole('switch', { name: 'The rule is on' }).check({ force: true });
  await form.locator('button[type=submit]').click();
  await expect(page.getByTestId('rule-row').filter({ hasText: `Rule ${tag}` })).toContainText('on');
  const rule = (await get<{ items: { id: string; name: string }[] }>(request, '/message-rules')).items.find((r) => r.name === `Rule ${tag}`)!;

  // In, out, in again: the rule writes once to each customer, so the second message is stopped, with or without a mail server.
  for (const [n, bed] of [tag, 'none', tag].entries()) {
    await accepted('identify', { messageId: `${tag}-${n}`, userId: user, traits: { bed } });
    await members(n === 1 ? 0 : 1);
    // Where there is a mail server, the first one goes out before the customer leaves.
    if (n === 0) await expect.poll(async () => (await get<{ items: { status: string }[] }>(request, `/messages?rule_id=${rule.id}`)).items[0]?.status, { timeout: 3000 }).toMatch(/sent|refused/).catch(() => undefined);
  }
  await expect.poll(async () => (await get<{ items: unknown[] }>(request, `/messages?rule_id=${rule.id}`)).items.length, { timeout: 15_000 }).toBe(2);
  await page.goto(`/messages?rule=${rule.id}&status=stopped`);
  const row = page.getByTestId('message-row');
  await expect(row).toHaveCount(1);
  await expect(row).toContainText(`Iris ${tag}`);
  await expect(row).toContainText('sent before');
  await row.getByRole('button', { name: 'Why?' }).click();
  const why = page.getByRole('dialog');
  await expect(why).toContainText('Why it was not sent');
  await expect(why).toContainText('this rule reached the person already');
  await page.keyboard.press('Escape');

  await page.goto(`/customers/${person}`);
  await expect(page.getByTestId('person-message').filter({ hasText: `Rule ${tag}` }).filter({ hasText: 'stopped' })).toHaveCount(1);
  await expect(page.getByTestId('timeline-entry').filter({ hasText: 'Message not sent: sent before' })).toBeVisible();
  await archive(request, `/message-rules/${rule.id}`);
  await archive(request, `/segments/${id}`);
});

test('a source shows its key once; live events show what came and what was refused', async ({ page, request }) => {
  const tag = unique();
  await enter(page, '/sources');
  await page.getByTestId('source-create').click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill(`Till ${tag}`);
  await dialog.locator('button[type=submit]').click();
  await expect(page.getByTestId('write-key')).toBeVisible();
  const key = (await page.getByTestId('write-key').textContent())!.trim();
  expect(key).toMatch(/^wk_/);
  const id = new URL(page.url()).searchParams.get('sel')!;
  await page.reload();
  await expect(page.getByRole('complementary', { name: `Till ${tag}` })).toBeVisible();
  await expect(page.getByTestId('write-key')).toHaveCount(0);
  await expect(page.locator('body')).not.toContainText(key);

  await page.goto(`/live?source=${id}`);
  await streaming(page);
  await keepMark(page);
  const good = seen(page, '[data-testid=live-row]', `L-${tag}`);
  const bad = seen(page, '[data-testid=reject-row]', 'Nobody');
  const start = Date.now();
  await accepted('track', order(`u-${tag}`, `L-${tag}`), key);
  await send('track', { event: `Nobody ${tag}`, properties: { tag } }, key);
  const [came, refused] = [(await good) - start, (await bad) - start];
  tell('an accepted event stands among live events', came);
  tell('a rejected one', refused);
  expect(came).toBeLessThan(1000);
  expect(refused).toBeLessThan(2000);
  expect(await hasMark(page)).toBe(true);
  await page.getByTestId('reject-row').first().click();
  await expect(page.getByRole('complementary', { name: `Nobody ${tag}` })).toContainText('No identifier');
  expect((await get<{ items: { source: { id: string } }[] }>(request, `/rejects?source_id=${id}`)).items).toHaveLength(1);
});

test('two profiles that an identify joined are separated through the page', async ({ page, request }) => {
  const tag = unique();
  const [user, visitor] = [`u-${tag}`, `a-${tag}`];
  await accepted('identify', { userId: user, traits: { name: `Rose ${tag}`, email: `rose.${tag}@example.com` } });
  await accepted('track', { anonymousId: visitor, event: 'Product Viewed', properties: { name: `Vase ${tag}` } });
  const [before, guest] = [await personOf(request, 'user_id', user), await personOf(request, 'anonymous_id', visitor)];
  expect(before).not.toBe(guest);

  await enter(page, `/customers/${before}`);
  await expect(page.getByTestId('person-name')).toHaveText(`Rose ${tag}`);
  await expect(page.getByText('1 profile, one person')).toBeVisible();
  await streaming(page);
  await accepted('identify', { userId: user, anonymousId: visitor });
  await expect.poll(() => personOf(request, 'anonymous_id', visitor)).toBe(before);
  // The open page learns of it by itself.
  await expect(page.getByText('2 profiles, one person')).toBeVisible();
  await expect(page.getByTestId('timeline-entry').filter({ hasText: `Vase ${tag}` })).toBeVisible();

  await page.getByText('List', { exact: true }).click();
  const line = page.getByRole('listitem').filter({ hasText: visitor });
  const cut = line.getByRole('button', { name: 'Separate' });
  await (await cut.count() ? cut : page.getByRole('button', { name: 'Separate' })).first().click();
  const popover = page.getByRole('dialog');
  await expect(popover).toContainText('Who will result');
  await popover.getByRole('button', { name: 'Separate into 2 customers' }).click();
  await expect(page.getByText('Separated into 2 customers')).toBeVisible();
  await expect(page.getByText('1 profile, one person')).toBeVisible();
  await expect(page.getByTestId('timeline-entry').filter({ hasText: `Vase ${tag}` })).toHaveCount(0);
  const [after, freed] = [await personOf(request, 'user_id', user), await personOf(request, 'anonymous_id', visitor)];
  expect(after).toBe(before);
  expect(freed).not.toBe(after);
  await page.getByRole('button', { name: 'Open' }).click();
  await expect(page).toHaveURL(new RegExp(`/customers/${freed}$`));
  await expect(page.getByTestId('timeline-entry').filter({ hasText: `Vase ${tag}` })).toBeVisible();
});

test('one identifier is taken from a person and becomes another one', async ({ page, request }) => {
  const tag = unique();
  const [user, mail] = [`u-${tag}`, `lily.${tag}@example.com`];
  await accepted('identify', { userId: user, traits: { name: `Lily ${tag}`, email: mail } });
  const person = await personOf(request, 'email', mail);
  await enter(page, `/customers/${person}`);
  await page.getByText('List', { exact: true }).click();
  await page.getByRole('listitem').filter({ hasText: mail }).getByRole('button', { name: 'Separate' }).first().click();
  const popover = page.getByRole('dialog');
  await expect(popover).toContainText('Who will result');
  await popover.getByRole('button', { name: 'Separate into 2 customers' }).click();
  await expect(page.getByText('Separated into 2 customers')).toBeVisible();
  const [stays, goes] = [await personOf(request, 'user_id', user), await personOf(request, 'email', mail)];
  expect(goes).not.toBe(stays);
});

test('an analyst sees everything but what only owners may see, and locks where acting is not allowed', async ({ page, request }) => {
  const tag = unique();
  const as = { email: `analyst.${tag}@example.com`, password: `walnut-${tag}-lantern` };
  await post(request, '/users', { ...as, name: `Analyst ${tag}`, role: 'analyst' });
  const id = await segment(request, `Analyst ${tag}`, `trait.bed = "${tag}"`);
  await enter(page, `/segments/${id}`, as);
  const edit = page.getByRole('button', { name: /Edit/ });
  await expect(edit).toHaveAttribute('aria-disabled', 'true');
  await edit.hover();
  await expect(page.getByText('Your role does not allow this')).toBeVisible();
  await page.goto('/sources');
  await expect(page.getByTestId('source-create')).toHaveAttribute('aria-disabled', 'true');
  await page.goto('/settings/users');
  await expect(page.getByText('Users: for owners only')).toBeVisible();
  await archive(request, `/segments/${id}`);
});
