// The demo till beside the console, in one browser: BRAID_TILL_URL names the demo server.
import { expect, test } from '@playwright/test';
import { accepted, enter, hasMark, keepMark, needShop, personOf, seen, streaming, tell, unique, uniquePhone } from './shop';

needShop();
test.setTimeout(60_000);
const till = process.env.BRAID_TILL_URL;
test.skip(!till, 'BRAID_TILL_URL names no till');

test('what is paid at the till stands on the customer’s open page within a second', async ({ page, context, request }) => {
  const tag = unique();
  const phone = uniquePhone();
  await accepted('identify', { userId: `u-${tag}`, traits: { name: `Dahlia ${tag}`, phone } });
  const person = await personOf(request, 'phone', phone);
  await enter(page, `/customers/${person}`);
  await expect(page.getByTestId('person-name')).toHaveText(`Dahlia ${tag}`);

  const register = await context.newPage();
  await register.goto(new URL('/till/', till).href);
  await register.getByTestId('till-scan').fill('85123A');
  await register.getByTestId('till-scan').press('Enter');
  await expect(register.getByTestId('till-line')).toHaveCount(1);
  await register.getByTestId('till-phone').fill(`0${phone.slice(3, 7)} ${phone.slice(7, 10)} ${phone.slice(10)}`);
  await register.getByTestId('till-phone').press('Enter');
  await expect(register.getByTestId('till-customer')).toContainText(`Dahlia ${tag}`);
  await expect(register.getByTestId('till-customer')).toHaveAttribute('data-person-id', person);
  await streaming(page);
  await keepMark(page);

  const line = seen(page, '[data-testid=timeline-entry]', 'Bought 1 item');
  const start = Date.now();
  await register.getByTestId('till-pay').click();
  const shown = (await line) - start;
  tell('paid at the till, on the open page', shown);
  expect(shown).toBeLessThan(1000);
  const receipt = await register.getByTestId('till-receipt').getAttribute('data-receipt-id');
  const entry = page.getByTestId('timeline-entry').filter({ hasText: receipt! });
  await expect(entry).toContainText('Bought 1 item');
  await expect(entry).toHaveAttribute('data-strand', 'store');
  await expect(register.getByTestId('till-receipt')).toHaveAttribute('data-state', 'sent');
  expect(await hasMark(page)).toBe(true);
});
