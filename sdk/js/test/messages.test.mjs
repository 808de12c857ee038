// What a call becomes: fields, identity, context. And that no call can harm the page.
import assert from "node:assert/strict";
import { test } from "node:test";
import { readFile } from "node:fs/promises";
import vm from "node:vm";
import { Braid } from "../dist/braid.mjs";
import { FakeStorage, HOST, makeWindow, mockTime, wait } from "./fakes.mjs";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

function start(window, options) {
  return new Braid(window).load("key", { host: HOST, ...options });
}

test("a track call carries who, when and where", async (t) => {
  mockTime(t);
  const window = makeWindow({
    url: "https://shop.test/mugs?utm_source=mail&utm_campaign=Spring&utm_id=7&gclid=G1&mid=m.1&q=tea#top",
  });
  start(window).track("Product Viewed", { sku: "85123A", price: 2.95 });
  await wait(2000);

  const { address, init, body } = window.requests[0];
  assert.equal(address, HOST + "/v1/batch");
  assert.equal(init.method, "POST");
  assert.deepEqual(init.headers, { "Content-Type": "text/plain" });
  assert.equal(body.writeKey, "key");
  assert.equal(body.sentAt, "2026-11-22T12:32:02.000Z");

  const [message] = body.batch;
  assert.equal(message.type, "track");
  assert.equal(message.event, "Product Viewed");
  assert.deepEqual(message.properties, { sku: "85123A", price: 2.95 });
  assert.equal(message.timestamp, "2026-11-22T12:32:00.000Z");
  assert.match(message.messageId, UUID);
  assert.match(message.anonymousId, UUID);
  assert.ok(!("userId" in message));
  const { context } = message;
  assert.deepEqual(context.page, {
    path: "/mugs",
    referrer: "https://search.test/",
    search: "?utm_source=mail&utm_campaign=Spring&utm_id=7&gclid=G1&mid=m.1&q=tea",
    title: "Shop",
    url: "https://shop.test/mugs?utm_source=mail&utm_campaign=Spring&utm_id=7&gclid=G1&mid=m.1&q=tea#top",
  });
  assert.deepEqual(context.campaign, { source: "mail", name: "Spring", id: "7" });
  assert.equal(context.gclid, "G1");
  assert.equal(context.mid, "m.1");
  assert.equal(context.locale, "uk-UA");
  assert.equal(context.timezone, Intl.DateTimeFormat().resolvedOptions().timeZone);
  assert.deepEqual(context.screen, { width: 1180, height: 820, density: 2 });
  assert.equal(context.userAgent, "Fake/1.0");
  assert.equal(context.library.name, "braid.js");
  assert.match(context.sessionId, UUID);
});

test("page takes a name, a category and a name, or properties alone", async (t) => {
  mockTime(t);
  const window = makeWindow();
  start(window).page().page("Home").page("Catalogue", "Mugs", { list_id: "l1" }).page({ theme: "dark" });
  await wait(2000);
  const [plain, named, both, properties] = window.sent();
  assert.equal(plain.name, undefined);
  assert.equal(plain.properties.path, "/shop");
  assert.deepEqual([named.category, named.name, named.properties.name], [undefined, "Home", "Home"]);
  assert.deepEqual([both.category, both.name, both.properties.list_id], ["Catalogue", "Mugs", "l1"]);
  assert.deepEqual([properties.name, properties.properties.theme], [undefined, "dark"]);
});

test("identify works with an id, with traits alone, and its knowledge outlives the page", async (t) => {
  mockTime(t);
  const storage = new FakeStorage();
  const window = makeWindow({ storage });
  const braid = start(window);
  braid.identify({ email: "a@example.com" });
  braid.identify("u1", { name: "Ann" });
  braid.identify(42);
  await wait(2000);
  const [traitsOnly, both, number] = window.sent();
  assert.deepEqual([traitsOnly.userId, traitsOnly.traits], [undefined, { email: "a@example.com" }]);
  assert.deepEqual([both.userId, both.traits], ["u1", { name: "Ann" }]);
  assert.equal(number.userId, "42");

  const later = makeWindow({ storage });
  start(later).track("Seen");
  await wait(2000);
  assert.equal(later.sent()[0].userId, "42");
});

test("traits of the same person add up", (t) => {
  mockTime(t);
  const braid = start(makeWindow());
  braid.identify({ email: "a@example.com" }).identify("u1", { name: "Ann" });
  assert.deepEqual(braid.user().traits, { email: "a@example.com", name: "Ann" });
});

test("reset makes a new visitor", (t) => {
  mockTime(t);
  const braid = start(makeWindow());
  braid.identify("u1", { name: "Ann" });
  const before = braid.user();
  braid.reset();
  const after = braid.user();
  assert.equal(before.userId, "u1");
  assert.match(after.anonymousId, UUID);
  assert.notEqual(after.anonymousId, before.anonymousId);
  assert.equal(after.userId, undefined);
  assert.deepEqual(after.traits, {});
});

test("someone else on the same browser gets another anonymousId and none of the traits", (t) => {
  mockTime(t);
  const braid = start(makeWindow());
  braid.identify("u1", { name: "Ann" });
  const ann = braid.user();
  braid.identify("u2", { city: "Lviv" });
  const other = braid.user();
  assert.notEqual(other.anonymousId, ann.anonymousId);
  assert.deepEqual(other.traits, { city: "Lviv" });
});

test("alias and group", async (t) => {
  mockTime(t);
  const window = makeWindow();
  const braid = start(window);
  const { anonymousId } = braid.user();
  braid.alias("u1").group("g1", { name: "Friends" });
  await wait(2000);
  const [alias, group] = window.sent();
  assert.deepEqual([alias.type, alias.userId, alias.previousId], ["alias", "u1", anonymousId]);
  assert.deepEqual([group.type, group.groupId, group.traits, group.userId], ["group", "g1", { name: "Friends" }, "u1"]);
  assert.equal(braid.user().anonymousId, anonymousId);
});

test("a session ends after half an hour of silence", async (t) => {
  mockTime(t);
  const window = makeWindow();
  const braid = start(window);
  braid.track("A");
  await wait(29 * 60_000);
  braid.track("B");
  await wait(31 * 60_000);
  braid.track("C");
  await wait(2000);
  const [a, b, c] = window.sent().map((message) => message.context.sessionId);
  assert.equal(a, b);
  assert.notEqual(b, c);
});

test("without local storage the anonymousId lives in a cookie", (t) => {
  mockTime(t);
  const storage = new FakeStorage();
  storage.broken = true;
  const window = makeWindow({ storage });
  const { anonymousId } = start(window).user();
  assert.match(window.document.cookie, new RegExp("braid_anonymous_id=" + anonymousId));
  assert.equal(new Braid(window).user().anonymousId, anonymousId);
});

test("with local storage no cookie is set", (t) => {
  mockTime(t);
  const window = makeWindow();
  start(window).identify("u1", { a: 1 });
  assert.equal(window.document.cookie, "");
});

test("nothing a page passes makes it throw, and good messages still go out", async (t) => {
  mockTime(t);
  const told = [];
  const window = makeWindow();
  window.localStorage.broken = true;
  delete window.navigator.sendBeacon;
  const braid = start(window, {
    onError: (reason) => {
      told.push(reason);
      throw new Error("the page's own handler is broken too");
    },
  });
  const circle = {};
  circle.self = circle;
  braid.track("Circle", circle);
  braid.track("Big number", { n: 1n });
  braid.track("Trap", { get x() { throw new Error("no"); } });
  braid.track();
  braid.track(null, null);
  braid.identify(null, undefined);
  braid.page(undefined, null, 5);
  braid.ready(() => { throw new Error("no"); });
  braid.track("Too long", { text: "є".repeat(17_000) });
  braid.track("Good");
  window.fire("pagehide");
  await wait(3000);
  assert.ok(window.sent().some((message) => message.event === "Good"));
  assert.ok(!window.sent().some((message) => ["Circle", "Big number", "Trap", "Too long"].includes(message.event)));
  assert.equal(told.filter((reason) => reason === "message over 32 KiB").length, 1);
});

test("what the caller changes later does not change the message", async (t) => {
  mockTime(t);
  const window = makeWindow();
  const properties = { sku: "A" };
  start(window).track("Product Added", properties);
  properties.sku = "B";
  await wait(2000);
  assert.equal(window.sent()[0].properties.sku, "A");
});

test("the script takes over the calls that the snippet kept, with their times", async (t) => {
  mockTime(t);
  const window = makeWindow();
  const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
  const snippet = readme.match(/<script>\n([\s\S]*?)<\/script>/)[1].replaceAll("https://braid.example.com", HOST);
  const loaded = [];
  Object.assign(window.document, {
    createElement: () => ({}),
    head: { appendChild: (script) => loaded.push(script.src) },
  });
  window.window = window;
  const page = vm.createContext(Object.assign(window, { Date, URLSearchParams, TextEncoder, Intl, AbortController, Promise }));
  vm.runInContext(snippet, page);
  vm.runInContext('braid.track("Early", {n: 1}); braid.identify("u9")', page);
  assert.deepEqual(loaded, [HOST + "/braid.js"]);

  await wait(5000);
  vm.runInContext(await readFile(new URL("../dist/braid.js", import.meta.url), "utf8"), page);
  await wait(2000);
  const [view, early, identify] = window.sent();
  assert.equal(view.type, "page");
  assert.deepEqual([early.event, early.properties], ["Early", { n: 1 }]);
  assert.equal(early.timestamp, "2026-11-22T12:32:00.000Z");
  assert.equal(identify.userId, "u9");
  assert.equal(window.requests[0].body.writeKey, "YOUR_WRITE_KEY");
});
