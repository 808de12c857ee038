// What is kept and sent with, without and after a visitor's consent; carts; ids shared with Segment's library.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Braid } from "../dist/braid.mjs";
import { FakeStorage, HOST, makeWindow, mockTime, wait } from "./fakes.mjs";

const load = (window, options) => new Braid(window).load("key", { host: HOST, ...options });
const events = (messages) => messages.map((message) => message.event);
const keys = (storage) => [...storage.values.keys()];

test("before consent nothing is stored or sent, not even by a leaving page; afterwards everything is", async (t) => {
  mockTime(t);
  const window = makeWindow();
  const braid = new Braid(window);
  braid.track("Before load");
  assert.deepEqual(keys(window.localStorage), []);
  braid.load("key", { host: HOST, consent: true });
  braid.identify("u1", { email: "a@example.com" }).track("A").cart("added", { sku: "s" });
  const { anonymousId } = braid.user();
  assert.equal(braid.user().userId, "u1");
  assert.equal(await braid.flush(), false);
  window.document.visibilityState = "hidden";
  window.document.fire("visibilitychange");
  await wait(70_000);
  assert.deepEqual([window.requests.length, window.beacons.length, keys(window.localStorage), window.document.cookie], [0, 0, [], ""]);

  braid.consent(true);
  await wait(100);
  assert.deepEqual(events(window.sent()), ["Before load", undefined, "A", "Product Added"]);
  assert.ok(window.sent().every((message) => message.anonymousId === anonymousId));
  assert.equal(window.localStorage.getItem("braid_consent"), "yes");
  assert.equal(window.localStorage.getItem("braid_anonymous_id"), anonymousId);
  assert.equal(window.localStorage.getItem("braid_user_id"), "u1");

  const next = makeWindow({ storage: window.localStorage });
  load(next, { consent: true }).track("Next page");
  await wait(2100);
  assert.deepEqual(events(next.sent()), ["Next page"]);
  assert.equal(next.sent()[0].userId, "u1");
});

test("withdrawal drops what waits, clears the browser, reaches other tabs and outlives the page", async (t) => {
  mockTime(t);
  const storage = new FakeStorage();
  storage.setItem("shop_cart", "the shop's own");
  const offline = () => Promise.reject(new TypeError("offline"));
  const [one, two] = [makeWindow({ storage, answer: offline }), makeWindow({ storage, answer: offline })];
  const [first, second] = [load(one), load(two)];
  first.identify("u1", { email: "a@example.com" }).track("A");
  second.track("B");
  await wait(2100);
  assert.equal(storage.queued().length, 3);
  first.consent(false);
  two.fire("storage", { key: "braid_consent", newValue: "no" });
  assert.deepEqual(keys(storage).sort(), ["braid_consent", "shop_cart"]);
  const tried = one.requests.length + two.requests.length;
  first.track("C");
  second.track("D");
  one.fire("pagehide");
  two.fire("pagehide");
  await wait(120_000);
  assert.equal(one.requests.length + two.requests.length + one.beacons.length + two.beacons.length, tried);
  assert.deepEqual(keys(storage).sort(), ["braid_consent", "shop_cart"]);

  const later = makeWindow({ storage });
  const third = load(later);
  third.track("E");
  await wait(5000);
  assert.equal(later.requests.length, 0);
  third.consent(true).track("F");
  await wait(5000);
  assert.deepEqual(events(later.sent()), ["F"]);
  assert.equal(later.sent()[0].userId, undefined);
});

test("a consent that the snippet kept counts before load", async (t) => {
  mockTime(t);
  const window = makeWindow();
  const now = Date.now();
  new Braid(window).replay([["load", ["key", { host: HOST }], now], ["track", ["A"], now], ["consent", [false], now]]);
  await wait(5000);
  assert.equal(window.requests.length, 0);
  assert.deepEqual(keys(window.localStorage), ["braid_consent"]);
});

test("where local storage is forbidden, a withdrawal takes the cookies away", async (t) => {
  mockTime(t);
  const window = makeWindow();
  window.localStorage.broken = true;
  const braid = load(window).track("A");
  assert.match(window.document.cookie, /braid_anonymous_id=/);
  braid.consent(false);
  assert.equal(window.document.cookie, "braid_consent=no");
});

test("cart speaks the standard's words, with numbers as numbers and one id until the order", async (t) => {
  mockTime(t);
  const window = makeWindow();
  const told = [];
  const braid = load(window, { onError: (reason) => told.push(reason) });
  braid.cart("added", { sku: "85123A", price: "1 249,50", quantity: "2" }).cart("removed", { sku: "85123A", price: "n/a", value: "1,249" });
  braid.cart("viewed", { products: [{ sku: "x", price: "3.10" }] }).cart("checkout", { value: 10 }).cart("step", { step: "1" });
  braid.cart("stepDone", { step: 1 }).cart("payment").cart("ordered", { order_id: "o1", total: "10" }).cart("added", { sku: "y" });
  braid.cart("toString").cart("stolen");
  await wait(2100);
  const sent = window.sent();
  assert.deepEqual(events(sent), [
    "Product Added", "Product Removed", "Cart Viewed", "Checkout Started", "Checkout Step Viewed", "Checkout Step Completed",
    "Payment Info Entered", "Order Completed", "Product Added",
  ]);
  const { cart_id, ...product } = sent[0].properties;
  assert.deepEqual(product, { sku: "85123A", price: 1249.5, quantity: 2 });
  assert.deepEqual([sent[1].properties.price, sent[1].properties.value], ["n/a", "1,249"]);
  assert.deepEqual(sent[2].properties, { cart_id, products: [{ sku: "x", price: 3.1 }] });
  assert.ok(sent.slice(3, 8).every((message) => message.properties.checkout_id === cart_id));
  assert.equal(sent[4].properties.step, 1);
  assert.notEqual(sent[8].properties.cart_id, cart_id);
  assert.equal(told.length, 2);
});

test("beside Segment's library both mean the same visitor; without it our own ids count", async (t) => {
  mockTime(t);
  const window = makeWindow();
  let id = null;
  const braid = load(window, { segment: true });
  braid.track("Alone");
  window.analytics = { user: () => ({ id: () => id, anonymousId: () => "seg-anon" }) };
  braid.track("Beside");
  id = "seg-user";
  braid.track("Known");
  window.analytics = { user: () => { throw new Error("not yet"); } };
  braid.track("Broken");
  await wait(2100);
  const [alone, beside, known, broken] = window.sent();
  assert.deepEqual([beside.anonymousId, beside.userId], ["seg-anon", undefined]);
  assert.deepEqual([known.anonymousId, known.userId], ["seg-anon", "seg-user"]);
  assert.notEqual(alone.anonymousId, "seg-anon");
  assert.equal(broken.anonymousId, alone.anonymousId);
});
