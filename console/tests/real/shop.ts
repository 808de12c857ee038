// What the tests against a running Braid share. Each makes its own people, so none minds what else is in the shop.
import { type APIRequestContext, expect, type Page, test } from '@playwright/test';

const { BRAID_URL: url = '', BRAID_EMAIL: email = '', BRAID_PASSWORD: password = '', BRAID_WRITE_KEY: writeKey = '', BRAID_API_KEY: apiKey = '' } = process.env;

export const named = Boolean(url && email && password && writeKey && apiKey);
export const needShop = () => test.skip(!named, 'BRAID_URL, BRAID_EMAIL, BRAID_PASSWORD, BRAID_WRITE_KEY and BRAID_API_KEY name no shop');

let last = 0;
/** A word that nothing else in the shop carries. */
export const unique = (): string => `${Date.now().toString(36)}${(last++).toString(36)}`;
/** A number that nobody else has, as +44 7… of ten digits. */
export const uniquePhone = (): string => `+447${String(Date.now()).slice(-7)}${String(last++ % 100).padStart(2, '0')}`;

export async function enter(page: Page, path = '/', as = { email, password }): Promise<void> {
  await page.addInitScript(() => localStorage.setItem('braid-language', 'en'));
  await page.goto(path);
  const field = page.getByTestId('login-email');
  await expect(field.or(page.getByTestId('nav-home'))).toBeVisible();
  if (await field.isVisible()) {
    await field.fill(as.email);
    await page.getByTestId('login-password').fill(as.password);
    await page.getByTestId('login-submit').click();
  }
  await expect(page.getByTestId('nav-home')).toBeVisible();
}

/** Sends to /v1/track, /v1/identify, … as a shop's page or till does; gives the answer's status. */
export async function send(call: 'track' | 'identify' | 'page', body: Record<string, unknown>, key = writeKey): Promise<number> {
  const authorization = `Basic ${Buffer.from(`${key}:`).toString('base64')}`;
  const answer = await fetch(`${url}/v1/${call}`, { method: 'POST', headers: { 'content-type': 'application/json', authorization }, body: JSON.stringify(body) });
  return answer.status;
}

export async function accepted(call: 'track' | 'identify' | 'page', body: Record<string, unknown>, key = writeKey): Promise<void> {
  expect(await send(call, body, key)).toBe(200);
}

export const order = (userId: string, id: string, total = 249): Record<string, unknown> => ({
  userId,
  event: 'Order Completed',
  properties: { order_id: id, receipt_id: id, store_id: 'store-1', register_id: 'till-2', affiliation: 'Demo store', total, currency: 'GBP', products: [{ sku: '22423', name: 'Regency Cakestand', quantity: 1, price: total }] },
});

export async function get<T>(request: APIRequestContext, path: string): Promise<T> {
  const answer = await request.get(`${url}/api/v1${path}`, { headers: { authorization: `Bearer ${apiKey}` } });
  expect(answer.status(), `GET ${path}`).toBe(200);
  return (await answer.json()) as T;
}

export async function post<T>(request: APIRequestContext, path: string, data: unknown): Promise<T> {
  const answer = await request.post(`${url}/api/v1${path}`, { headers: { authorization: `Bearer ${apiKey}` }, data: data as Record<string, unknown> });
  expect(answer.status(), `POST ${path}: ${await answer.text()}`).toBeLessThan(300);
  return (await answer.json()) as T;
}

export async function archive(request: APIRequestContext, path: string): Promise<void> {
  await request.delete(`${url}/api/v1${path}`, { headers: { authorization: `Bearer ${apiKey}` } });
}

/** The person behind an identifier, as soon as the pipeline knows it. */
export async function personOf(request: APIRequestContext, kind: 'user_id' | 'anonymous_id' | 'email' | 'phone', value: string): Promise<string> {
  const path = `${url}/api/v1/customers/lookup`;
  let id = '';
  await expect
    .poll(async () => {
      const answer = await request.get(path, { params: { [kind]: value }, headers: { authorization: `Bearer ${apiKey}` } });
      if (answer.ok()) id = ((await answer.json()) as { person_id: string }).person_id;
      return answer.status();
    })
    .toBe(200);
  return id;
}

export async function segment(request: APIRequestContext, name: string, expression: string): Promise<string> {
  const { id } = await post<{ id: string }>(request, '/segments', { name, expression });
  await expect.poll(async () => (await get<{ state: string }>(request, `/segments/${id}`)).state, { timeout: 20_000 }).toBe('live');
  return id;
}

/** The moment at which an element shows the text or carries the value, seen by the page itself. Ask before the cause. */
export function seen(page: Page, selector: string, what: string): Promise<number> {
  return page.evaluate(
    ([selector, what]) =>
      new Promise<number>((found) => {
        const look = () => {
          const there = [...document.querySelectorAll<HTMLElement>(selector!)].some((e) => e.dataset.value === what || (e.dataset.value === undefined && e.textContent?.includes(what!)));
          if (!there) return;
          watch.disconnect();
          found(Date.now());
        };
        const watch = new MutationObserver(look);
        watch.observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
        look();
      }),
    [selector, what],
  );
}

export function tell(what: string, ms: number): void {
  console.log(`      ${what}: ${ms} ms`);
  test.info().annotations.push({ type: 'milliseconds', description: `${what}: ${ms}` });
}

/** A page that was loaded again would have lost this. */
export const keepMark = (page: Page) => page.evaluate(() => Object.assign(window, { stillHere: true })).then(() => undefined);
export const hasMark = (page: Page) => page.evaluate(() => 'stillHere' in window);
/** The stream stands once the page says so; what comes earlier is fetched, not streamed. */
export async function streaming(page: Page): Promise<void> {
  await expect(page.getByTestId('freshness')).toHaveAttribute('data-state', 'live');
  await page.waitForLoadState('networkidle').catch(() => undefined);
  await page.waitForTimeout(300);
}
