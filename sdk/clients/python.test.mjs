// Segment's library for Python against Braid: in batches from its own thread, gzipped, and one request a call.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { HOST, identifiers, lookup, newSource, personWith } from "./braid.mjs";

const PYTHON = process.env.BRAID_CLIENTS_PYTHON;
const PROGRAM = fileURLToPath(new URL("send.py", import.meta.url));
let source;

before(async () => {
  assert.ok(PYTHON, "BRAID_CLIENTS_PYTHON names the Python that has requirements.txt installed");
  source = await newSource("analytics-python", "server");
});

for (const [name, ...flags] of [["batches"], ["gzip", "--gzip"], ["sync", "--sync"]]) {
  test(`${name}: every call of analytics-python is on the right person`, { timeout: 120_000 }, async () => {
    const run = `${name}-${Date.now().toString(36)}`;
    const { stdout } = await promisify(execFile)(PYTHON, [PROGRAM, HOST, source.writeKey, run, ...flags]);
    assert.deepEqual(JSON.parse(stdout), { errors: [] });

    const { person, items } = await personWith("user_id", `py-ann-${run}`, 6);
    assert.deepEqual(items.map((item) => item.type), ["page", "track", "identify", "track", "screen", "group"]);
    assert.deepEqual(items[1].properties, { sku: "85123A", price: 2.95 });
    assert.equal(items[3].event, "Order Completed");
    assert.equal(person.traits.firstName, "Анна");
    assert.deepEqual(identifiers(person, "user_id"), [`py-ann-${run}`]);
    const known = [["anonymous_id", `py-anon-${run}`], ["email", `py.ann.${run}@example.com`]];
    for (const [kind, value] of known) {
      assert.equal((await lookup(kind, value))?.person_id, person.person_id, `${kind} leads to Ann`);
    }

    const merged = await personWith("user_id", `py-new-${run}`, 3);
    assert.equal((await lookup("user_id", `py-old-${run}`))?.person_id, merged.person.person_id);

    for (const index of [0, 1]) {
      const { items: searches } = await personWith("user_id", `py-b${index}-${run}`, 125);
      const queries = new Set(searches.map((item) => item.properties.query));
      assert.equal(queries.size, 125);
      assert.ok([...queries].every((query) => Number(query.slice(1)) % 2 === index), "nobody else's events");
    }
  });
}
