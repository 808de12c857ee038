// @segment/analytics-node against Braid: `host` is all that differs from what Segment's own page says.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { Analytics } from "@segment/analytics-node";
import { HOST, identifiers, lookup, newSource, personWith, summary } from "./braid.mjs";

let source;
const run = Date.now().toString(36);

before(async () => {
  source = await newSource("analytics-node", "server");
});

function connect(options) {
  const analytics = new Analytics({ writeKey: source.writeKey, host: HOST, ...options });
  const errors = [];
  analytics.on("error", (error) => errors.push(error));
  return { analytics, errors };
}

test("all six calls arrive, and what was anonymous belongs to the person who became known", async () => {
  const { analytics, errors } = connect();
  const [ann, anonymousId, email] = [`node-ann-${run}`, `node-anon-${run}`, `Node.Ann.${run}@Example.com`];
  analytics.page({ anonymousId, category: "Catalogue", name: "Mugs", properties: { path: "/mugs" } });
  analytics.track({ anonymousId, event: "Product Viewed", properties: { sku: "85123A", price: 2.95 } });
  analytics.identify({ userId: ann, anonymousId, traits: { email, firstName: "Ann" } });
  analytics.track({ userId: ann, event: "Order Completed", properties: { order_id: `o-${run}`, total: 5.9, currency: "GBP" } });
  analytics.screen({ userId: ann, name: "Home" });
  analytics.group({ userId: ann, groupId: `g-${run}`, traits: { name: "Household" } });
  await analytics.closeAndFlush();
  assert.deepEqual(errors, []);

  const { person, items } = await personWith("user_id", ann, 6);
  assert.deepEqual(items.map((item) => item.type), ["page", "track", "identify", "track", "screen", "group"]);
  assert.deepEqual(items[1].properties, { sku: "85123A", price: 2.95 });
  assert.equal(items[3].event, "Order Completed");
  assert.equal(items[3].properties.total, 5.9);
  assert.ok(items.every((item) => /^node-next-/.test(item.message_id)), "the library's own message ids are kept");
  assert.deepEqual(identifiers(person, "user_id"), [ann]);
  assert.deepEqual(identifiers(person, "anonymous_id"), [anonymousId]);
  for (const [kind, value] of [["anonymous_id", anonymousId], ["email", email.toLowerCase()]]) {
    assert.equal((await lookup(kind, value))?.person_id, person.person_id, `${kind} leads to Ann`);
  }
  assert.equal(person.traits.firstName, "Ann");
});

test("alias makes one person of two ids", async () => {
  const { analytics, errors } = connect();
  const [old, now] = [`node-old-${run}`, `node-new-${run}`];
  analytics.track({ userId: old, event: "Product Added", properties: { sku: "22423" } });
  analytics.identify({ userId: now, traits: { firstName: "Olha" } });
  analytics.alias({ previousId: old, userId: now });
  await analytics.closeAndFlush();
  assert.deepEqual(errors, []);

  const { person, items } = await personWith("user_id", now, 3);
  assert.deepEqual(items.map((item) => item.type).sort(), ["alias", "identify", "track"]);
  assert.equal((await lookup("user_id", old))?.person_id, person.person_id);
});

test("250 events of two people in batches: each on its own, none lost, none twice", async () => {
  const { analytics, errors } = connect({ flushAt: 50 });
  const people = [`node-b1-${run}`, `node-b2-${run}`];
  for (let n = 0; n < 250; n++) {
    analytics.track({ userId: people[n % 2], event: "Products Searched", properties: { query: `q${n}` } });
  }
  await analytics.closeAndFlush({ timeout: 20_000 });
  assert.deepEqual(errors, []);

  for (const [index, userId] of people.entries()) {
    const { items } = await personWith("user_id", userId, 125);
    const queries = new Set(items.map((item) => item.properties.query));
    assert.equal(queries.size, 125);
    assert.ok([...queries].every((query) => Number(query.slice(1)) % 2 === index), "nobody else's events");
    assert.ok(items.every((item) => summary(item) === "track Products Searched"));
  }
});

test("a wrong write key is an error that the library reports", async () => {
  const analytics = new Analytics({ writeKey: "wk_nobody", host: HOST, maxRetries: 0 });
  const errors = [];
  analytics.on("error", (error) => errors.push(error));
  analytics.track({ userId: `node-nobody-${run}`, event: "Product Viewed" });
  await analytics.closeAndFlush();
  assert.equal(errors.length, 1);
  assert.equal(errors[0].code, "delivery_failure");
  assert.equal(await lookup("user_id", `node-nobody-${run}`), undefined);
});
