// braid.js in Chromium against Braid: what it notices by itself, beside Segment's library, and without consent.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, serveSite } from "./browser.mjs";
import { HOST, lookup, newSource, personWith, until, timeline } from "./braid.mjs";

const HTML = `<!doctype html><title>Mugs</title><body>
<article data-braid-product='{"sku":"85123A","price":2.95}' style="height:200px">A mug
  <button id="buy" data-braid-click="Buy Clicked" data-braid-prop-list-id="l1">Buy  now</button></article>
<a class="banner" href="#sale">Sale</a><p id="rest">Rest</p>
<form data-braid-form="checkout" onsubmit="event.preventDefault()">
  <input name="email"><div data-braid-step="delivery"><input name="street"></div><button id="send">Send</button></form>
<form data-braid-form="review"><input name="text"></form>
<div style="height:5000px"></div><article data-braid-product="22423">Below</article>
<script src="/umd/index.js"></script><script src="/js/braid.js"></script>`;
const SECRET = "Somebody's secret 4111";
let site, browser, source;

before(async () => {
  source = await newSource("braid.js", "browser");
  site = await serveSite(HTML, {
    "/umd/": new URL("node_modules/@segment/analytics-next/dist/umd/", import.meta.url),
    "/js/": new URL("../js/dist/", import.meta.url),
  });
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await site?.close();
});

async function visit(options) {
  const context = await browser.newContext();
  const page = await context.newPage();
  const sent = [];
  page.on("request", (request) => request.url().startsWith(HOST) && sent.push(request.url()));
  await page.goto(`${site.url}/mugs`);
  const load = (given) => page.evaluate(([key, host, given]) => void window.braid.load(key, { host, flushInterval: 100, ...given }), [source.writeKey, HOST, given]);
  if (options) await load(options);
  return { context, page, sent, load, anonymousId: () => page.evaluate(() => window.braid.user().anonymousId) };
}

test("page views, clicks, forms and time in sight are on the visitor's timeline, and nothing that was typed", async () => {
  const { context, page, anonymousId } = await visit({ auto: { pages: true, clicks: { ".banner": "Banner Clicked" }, time: true, forms: true } });
  const visitor = await anonymousId();
  await page.click("#buy");
  await page.click(".banner");
  await page.click("#rest");
  await page.fill("[name=email]", SECRET);
  await page.fill("[name=street]", SECRET);
  await page.click("#send");
  await page.focus("[name=text]");
  await page.waitForTimeout(1200);
  await page.evaluate(() => {
    history.pushState({}, "", "/mugs/1");
    document.title = "One mug";
    history.replaceState({ scroll: 10 }, "", "/mugs/1");
  });
  await page.waitForTimeout(300);
  await page.goto("about:blank");

  const { items } = await personWith("anonymous_id", visitor, 12);
  const of = (event) => items.filter((item) => item.event === event).map((item) => item.properties);
  const views = items.filter((item) => item.type === "page").map((item) => item.properties);
  assert.deepEqual(views.map((view) => [view.path, view.title]), [["/mugs", "Mugs"], ["/mugs/1", "One mug"]]);
  assert.equal(views[1].referrer, `${site.url}/mugs`);
  assert.deepEqual(of("Buy Clicked"), [{ sku: "85123A", price: 2.95, id: "buy", list_id: "l1", text: "Buy now" }]);
  assert.deepEqual(of("Banner Clicked"), [{ href: "#sale", text: "Sale" }]);
  assert.deepEqual(of("Form Started"), [{ form: "checkout" }, { form: "review" }]);
  const steps = of("Form Step Completed").map(({ form, step, number }) => [form, step, number]);
  assert.deepEqual(steps, [["checkout", "email", 1], ["checkout", "delivery", 2]]);
  const [completed] = of("Form Completed");
  assert.deepEqual([completed.form, completed.steps, completed.last_step], ["checkout", 2, "delivery"]);
  const [abandoned] = of("Form Abandoned");
  assert.deepEqual([abandoned.form, abandoned.steps, abandoned.last_step], ["review", 0, "text"]);
  const [spent] = of("Page Time Spent");
  assert.equal(spent.path, "/mugs");
  assert.ok(spent.seconds >= 1.2 && spent.seconds < 20, `${spent.seconds} s`);
  const products = of("Product Time Spent");
  assert.deepEqual(products.map((product) => product.sku), ["85123A"], "the one below was never in sight");
  // Not by its digits alone: ids and moments are full of digits, and now and then of these.
  assert.doesNotMatch(JSON.stringify(items), /Somebody|secret/);
  await context.close();
});

test("before consent nothing leaves the page; afterwards it does; a withdrawal clears the browser", async () => {
  const { context, page, sent, anonymousId } = await visit({ consent: true, auto: { pages: true, clicks: true } });
  await page.click("#buy");
  const visitor = await anonymousId();
  await page.waitForTimeout(500);
  const stored = () => page.evaluate(() => [Object.keys(localStorage).filter((key) => key.startsWith("braid_")), document.cookie]);
  assert.deepEqual([sent, await stored()], [[], [[], ""]]);
  await page.evaluate(() => void window.braid.consent(true));
  await personWith("anonymous_id", visitor, 2);
  await page.evaluate(() => void window.braid.consent(false).track("Product Viewed", { sku: "1" }));
  assert.deepEqual(await stored(), [["braid_consent"], ""]);
  assert.deepEqual(await context.cookies(), []);
  await page.waitForTimeout(500);
  await personWith("anonymous_id", visitor, 2);
  await context.close();
});

test("beside analytics-next both libraries speak of one person", async () => {
  const { context, page, load } = await visit();
  const visitor = await page.evaluate(async ([writeKey, cdnURL]) => {
    [window.analytics] = await AnalyticsNext.AnalyticsBrowser.load({ writeKey, cdnURL });
    return window.analytics.user().anonymousId();
  }, [source.writeKey, HOST]);
  await load({ segment: true });
  const user = `both-${Date.now().toString(36)}`;
  await page.evaluate(async (user) => {
    window.braid.cart("added", { sku: "85123A", price: "2,95" });
    await window.analytics.identify(user);
    window.braid.cart("viewed", {});
  }, user);
  const { person, items } = await personWith("user_id", user, 3);
  assert.deepEqual(items.map((item) => item.event), ["Product Added", null, "Cart Viewed"]);
  assert.equal(items[0].properties.price, 2.95);
  assert.equal((await lookup("anonymous_id", visitor)).person_id, person.person_id);
  await context.close();
});

test("what was said without network arrives after a reload, in order", async () => {
  const { context, page, load, anonymousId } = await visit({});
  const visitor = await anonymousId();
  const away = (route) => route.abort("internetdisconnected");
  await context.route(`${HOST}/**`, away);
  await page.evaluate(() => void ["A", "B", "C"].forEach((name) => window.braid.track(name)));
  await page.waitForTimeout(400);
  assert.equal(await lookup("anonymous_id", visitor), undefined);
  await page.reload();
  await context.unroute(`${HOST}/**`, away);
  await load({});
  const { person } = await until("the visitor", async () => {
    const person = await lookup("anonymous_id", visitor);
    return person && { person };
  });
  const items = await until("three events", async () => {
    const items = await timeline(person.person_id);
    return items.length >= 3 && items;
  });
  assert.deepEqual(items.map((item) => item.event), ["A", "B", "C"]);
  await context.close();
});
