// The running Braid that xtask started, asked as any program outside would ask it: over the admin API.
import assert from "node:assert/strict";

const WAIT_MS = 20_000;

function setting(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set; run this with \`cargo xtask test --only clients\``);
  return value;
}

export const HOST = setting("BRAID_URL").replace(/\/$/, "");
const API_KEY = setting("BRAID_API_KEY");

export async function api(path, body) {
  const answer = await fetch(`${HOST}/api/v1${path}`, {
    method: body ? "POST" : "GET",
    headers: { Authorization: `Bearer ${API_KEY}`, ...(body && { "Content-Type": "application/json" }) },
    body: body && JSON.stringify(body),
  });
  if (answer.status === 404) return undefined;
  const text = await answer.text();
  assert.ok(answer.ok, `${path}: ${answer.status} ${text}`);
  return JSON.parse(text);
}

/** A source of this test's own, so that its counts are its own too. Gives the write key. */
export async function newSource(name, kind) {
  const source = await api("/sources", { name: `${name} ${Date.now().toString(36)}`, kind });
  assert.match(source.write_key ?? "", /^wk_/);
  return { id: source.id, writeKey: source.write_key };
}

export async function lookup(kind, value) {
  return api(`/customers/lookup?${kind}=${encodeURIComponent(value)}`);
}

/** Everything on a person's timeline, oldest first; pages are fetched until there are no more. */
export async function timeline(personId) {
  const items = [];
  for (let cursor = ""; cursor !== null; ) {
    const page = await api(`/customers/${personId}/timeline?limit=100${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
    items.push(...page.items);
    cursor = page.next_cursor ?? null;
  }
  return items.reverse();
}

/** Asks until `question` has an answer: what a library sends from the background arrives when it arrives. */
export async function until(what, question) {
  const end = Date.now() + WAIT_MS;
  for (;;) {
    const answer = await question();
    if (answer) return answer;
    if (Date.now() > end) throw new Error(`waited ${WAIT_MS / 1000} s in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** The person of `kind`=`value` once its timeline holds `count` items, and that timeline. */
export async function personWith(kind, value, count) {
  let seen = "nobody";
  const found = await until(`${count} events of ${kind} ${value}`, async () => {
    const person = await lookup(kind, value);
    if (!person) return;
    const items = await timeline(person.person_id);
    seen = items.map(summary).join(", ");
    if (items.length >= count) return { person, items };
  }).catch((error) => {
    throw new Error(`${error.message}; there is: ${seen}`);
  });
  assert.equal(found.items.length, count, `more than was sent: ${seen}`);
  return found;
}

export const summary = (item) => (item.event ? `${item.type} ${item.event}` : item.type);
export const identifiers = (person, kind) =>
  person.identifiers.filter((identifier) => identifier.kind === kind).map((identifier) => identifier.value).sort();
