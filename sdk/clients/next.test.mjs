// @segment/analytics-next in Chromium against Braid: `cdnURL` is all that differs; where to send comes from the settings.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, serveSite } from "./browser.mjs";
import { HOST, identifiers, lookup, newSource, personWith } from "./braid.mjs";

const HTML = `<!doctype html><title>Mugs</title><script src="/umd/index.js"></script>`;
const run = Date.now().toString(36);
let site, browser, source;

before(async () => {
  source = await newSource("analytics-next", "browser");
  site = await serveSite(HTML, { "/umd/": new URL("node_modules/@segment/analytics-next/dist/umd/", import.meta.url) });
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await site?.close();
});

/** A page of a new visitor with the library loaded. `strategy` is how it delivers: one by one, or in batches. */
async function visit(strategy, context) {
  context ??= await browser.newContext();
  const page = await context.newPage();
  const requests = [];
  const refused = [];
  page.on("request", (request) => {
    const { origin, pathname } = new URL(request.url());
    if (origin === HOST) requests.push([request.method(), pathname]);
  });
  page.on("response", (response) => {
    if (response.url().startsWith(HOST) && !response.ok()) refused.push([response.url(), response.status()]);
  });
  await page.goto(`${site.url}/mugs?utm_source=mail&utm_campaign=Spring`);
  await page.evaluate(
    async ([writeKey, cdnURL, strategy]) => {
      const integrations = strategy && { "Segment.io": { deliveryStrategy: strategy } };
      const [analytics] = await AnalyticsNext.AnalyticsBrowser.load({ writeKey, cdnURL }, { integrations });
      window.analytics = analytics;
    },
    [source.writeKey, HOST, strategy],
  );
  return { page, context, requests, refused };
}

async function journey(page, name) {
  return page.evaluate(
    async ([name, run]) => {
      const analytics = window.analytics;
      const anonymousId = analytics.user().anonymousId();
      await Promise.all([
        analytics.page("Catalogue", "Mugs"),
        analytics.track("Product Viewed", { sku: "85123A", price: 2.95 }),
        analytics.identify(`${name}-${run}`, { email: `${name}.${run}@Example.com`, firstName: "Ганна" }),
        analytics.track("Order Completed", { order_id: `${name}-${run}`, total: 5.9, currency: "GBP" }),
        analytics.screen("Checkout", "Thanks"),
        analytics.group(`g-${run}`, { name: "Household" }),
      ]);
      return anonymousId;
    },
    [name, run],
  );
}

async function check(name, anonymousId) {
  const { person, items } = await personWith("user_id", `${name}-${run}`, 6);
  // Requests of one page overtake each other, so that the order is the clock's, to the millisecond.
  const types = items.map((item) => item.type).sort();
  assert.deepEqual(types, ["group", "identify", "page", "screen", "track", "track"]);
  const viewed = items.find((item) => item.event === "Product Viewed");
  assert.deepEqual(viewed.properties, { sku: "85123A", price: 2.95 });
  const page = items.find((item) => item.type === "page");
  assert.equal(page.properties.path, "/mugs");
  assert.equal(page.properties.title, "Mugs");
  assert.deepEqual(identifiers(person, "user_id"), [`${name}-${run}`]);
  assert.deepEqual(identifiers(person, "anonymous_id"), [anonymousId]);
  assert.equal(person.traits.firstName, "Ганна");
  const email = await lookup("email", `${name}.${run}@example.com`);
  assert.equal(email?.person_id, person.person_id);
  return person;
}

test("settings name Braid as the place to send to, and one call is one request", async () => {
  const { page, context, requests, refused } = await visit();
  const anonymousId = await journey(page, "next-ann");
  await check("next-ann", anonymousId);
  const paths = requests.filter(([method]) => method === "POST").map(([, path]) => path).sort();
  assert.deepEqual(paths, ["/v1/g", "/v1/i", "/v1/p", "/v1/s", "/v1/t", "/v1/t"]);
  const settings = requests.filter(([, path]) => path === `/v1/projects/${source.writeKey}/settings`);
  assert.ok(settings.length > 0, "the library asked for its settings");
  assert.deepEqual(refused, []);
  await context.close();
});

test("batches are taken too, and what waits when the page is left arrives", async () => {
  const strategy = { strategy: "batching", config: { size: 4, timeout: 60_000 } };
  const { page, context, requests } = await visit(strategy);
  const anonymousId = await journey(page, "next-bat");
  // Four went at once; two wait for a minute, unless the page is left.
  await page.goto("about:blank");
  await check("next-bat", anonymousId);
  assert.ok(requests.some(([, path]) => path === "/v1/b"), JSON.stringify(requests));
  await context.close();
});

test("a visitor stays anonymous until known, over pages; the one after the log-out is somebody else", async () => {
  const { page, context } = await visit();
  const anonymousId = await page.evaluate(async () => {
    await window.analytics.track("Product Viewed", { sku: "22423" });
    return window.analytics.user().anonymousId();
  });
  const { items } = await personWith("anonymous_id", anonymousId, 1);
  assert.equal(items[0].event, "Product Viewed");
  assert.equal(await lookup("user_id", `next-late-${run}`), undefined);

  const { page: second } = await visit(undefined, context);
  const other = await second.evaluate(async (run) => {
    await window.analytics.identify(`next-late-${run}`, {});
    await window.analytics.reset();
    await window.analytics.track("Product Added", { sku: "21212" });
    return window.analytics.user().anonymousId();
  }, run);
  assert.notEqual(other, anonymousId);
  const known = await personWith("user_id", `next-late-${run}`, 2);
  assert.deepEqual(known.items.map((item) => item.type), ["track", "identify"]);
  assert.equal((await lookup("anonymous_id", anonymousId)).person_id, known.person.person_id);
  const stranger = await personWith("anonymous_id", other, 1);
  assert.notEqual(stranger.person.person_id, known.person.person_id);
  await context.close();
});

test("alias makes one person of two ids", async () => {
  // The library sends the id that it knows by itself as the new one, so that alias only works before identify.
  const { page: first, context: one } = await visit();
  await first.evaluate(async (run) => {
    await window.analytics.identify(`next-old-${run}`);
    await window.analytics.track("Product Added", { sku: "22423" });
  }, run);
  await one.close();
  const { page: second, context: two } = await visit();
  const anonymousId = await second.evaluate(async (run) => {
    await window.analytics.alias(`next-new-${run}`, `next-old-${run}`);
    return window.analytics.user().anonymousId();
  }, run);
  await two.close();
  const { person, items } = await personWith("user_id", `next-new-${run}`, 3);
  assert.deepEqual(items.map((item) => item.type), ["identify", "track", "alias"]);
  assert.equal((await lookup("user_id", `next-old-${run}`)).person_id, person.person_id);
  assert.equal((await lookup("anonymous_id", anonymousId)).person_id, person.person_id);
});
