// That every message arrives: batches, persistence, retries, tabs, leaving pages.
import assert from "node:assert/strict";
import { test } from "node:test";
import { readFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { Braid } from "../dist/braid.mjs";
import { FakeStorage, HOST, makeWindow, mockTime, wait } from "./fakes.mjs";

function start(window, options) {
  return new Braid(window).load("key", { host: HOST, ...options });
}
const events = (messages) => messages.map((message) => message.event);
const bytes = (text) => Buffer.byteLength(text);

test("a few messages go out together after the interval", async (t) => {
  mockTime(t);
  const window = makeWindow();
  const braid = start(window);
  braid.track("A").track("B");
  await wait(1900);
  assert.equal(window.requests.length, 0);
  await wait(200);
  assert.deepEqual(window.requests.map((request) => events(request.body.batch)), [["A", "B"]]);
});

test("flushAt messages go out at once", async (t) => {
  mockTime(t);
  const window = makeWindow();
  const braid = start(window, { flushAt: 3 });
  braid.track("A").track("B");
  await wait(1);
  assert.equal(window.requests.length, 0);
  braid.track("C");
  await wait(1);
  assert.deepEqual(events(window.sent()), ["A", "B", "C"]);
});

test("flush sends now and says whether all arrived", async (t) => {
  mockTime(t);
  let status = 200;
  const window = makeWindow({ answer: () => status });
  const braid = start(window);
  braid.track("A");
  assert.equal(await braid.flush(), true);
  status = 500;
  braid.track("B");
  assert.equal(await braid.flush(), false);
  assert.equal(window.requests.length, 2);
});

test("calls before load wait for it", async (t) => {
  mockTime(t);
  const window = makeWindow();
  const braid = new Braid(window);
  let ready = false;
  braid.ready(() => (ready = true));
  braid.track("Early");
  await wait(5000);
  assert.equal(window.requests.length, 0);
  assert.equal(ready, false);
  braid.load("key", { host: HOST });
  await wait(2000);
  assert.deepEqual(events(window.sent()), ["Early"]);
  assert.equal(ready, true);
});

test("a message is stored until it is acknowledged and survives a reload", async (t) => {
  mockTime(t);
  const storage = new FakeStorage();
  const first = makeWindow({ storage, answer: () => Promise.reject(new TypeError("offline")) });
  start(first).track("A").track("B");
  assert.deepEqual(events(storage.queued()), ["A", "B"]);
  await wait(2100);
  assert.deepEqual(events(storage.queued()), ["A", "B"]);
  first.fire("pagehide");

  const second = makeWindow({ storage });
  start(second);
  await wait(100);
  assert.deepEqual(second.sent().map((m) => m.messageId), first.sent().slice(0, 2).map((m) => m.messageId));
  assert.deepEqual(storage.queued(), []);
});

test("tabs neither lose nor take away each other's messages", async (t) => {
  mockTime(t);
  const storage = new FakeStorage();
  let up = false;
  const answer = () => (up ? 200 : 503);
  const one = makeWindow({ storage, answer });
  const two = makeWindow({ storage, answer });
  const first = start(one);
  const second = start(two);
  first.track("One");
  second.track("Two");
  await wait(10 * 60_000);
  assert.deepEqual(events(storage.queued()).sort(), ["One", "Two"]);
  const before = [one.requests.length, two.requests.length];
  up = true;
  await wait(2 * 60_000);
  assert.deepEqual(events(one.requests.slice(before[0]).flatMap((r) => r.body.batch)), ["One"]);
  assert.deepEqual(events(two.requests.slice(before[1]).flatMap((r) => r.body.batch)), ["Two"]);
  assert.deepEqual(storage.queued(), []);
});

test("what a crashed tab left is adopted when its lease is over, not before", async (t) => {
  mockTime(t);
  const storage = new FakeStorage();
  const crashed = makeWindow({ storage });
  start(crashed).track("Orphan");
  // A crash: its timers never run again.
  crashed.fetch = () => new Promise(() => {});
  crashed.localStorage = new FakeStorage();

  const alive = makeWindow({ storage });
  start(alive);
  await wait(60_000);
  assert.deepEqual(events(alive.sent()), []);
  await wait(150_000);
  assert.deepEqual(events(alive.sent()), ["Orphan"]);
  assert.deepEqual(storage.queued(), []);
});

test("queues of another write key are left alone", async (t) => {
  mockTime(t);
  const storage = new FakeStorage();
  const other = makeWindow({ storage, answer: () => 500 });
  new Braid(other).load("key_2", { host: HOST }).track("Theirs");
  other.fire("pagehide");
  const window = makeWindow({ storage });
  start(window);
  await wait(60_000);
  assert.deepEqual(events(window.sent()), []);
  assert.deepEqual(events(storage.queued()), ["Theirs"]);
});

test("a page from the back/forward cache does not send again what another page has sent", async (t) => {
  mockTime(t);
  const storage = new FakeStorage();
  const cached = makeWindow({ storage });
  const braid = start(cached, { flushInterval: 60_000 });
  braid.track("A");
  cached.fire("pagehide");
  const next = makeWindow({ storage });
  start(next);
  await wait(100);
  assert.deepEqual(events(next.sent()), ["A"]);
  cached.fire("pageshow", { persisted: true });
  braid.track("B");
  await wait(61_000);
  assert.deepEqual(events(cached.sent()), ["B"]);
});

test("failures are tried again with growing, scattered pauses", async (t) => {
  mockTime(t);
  let calls = 0;
  const window = makeWindow({
    answer: () => {
      calls++;
      if (calls === 1) throw new TypeError("network");
      return calls < 6 ? 503 : 200;
    },
  });
  start(window).track("A");
  await wait(120_000);
  assert.equal(window.requests.length, 6);
  assert.equal(new Set(window.sent().map((message) => message.messageId)).size, 1);
  const times = window.requests.map((request) => request.at);
  const pauses = times.slice(1).map((time, i) => time - times[i]);
  pauses.forEach((pause, i) => {
    const full = 1000 * 2 ** i;
    assert.ok(pause >= full / 2 && pause <= full + 100, `pause ${i} is ${pause} ms, wanted ${full / 2} to ${full}`);
  });
});

test("pauses are not the same for everyone", async (t) => {
  mockTime(t);
  const pauses = new Set();
  for (let i = 0; i < 8; i++) {
    const window = makeWindow({ answer: (_, n) => (n === 1 ? 500 : 200) });
    start(window, { retryBase: 100_000, retryMax: 100_000 }).track("A");
    await wait(103_000);
    pauses.add(window.requests[1].at - window.requests[0].at);
  }
  assert.ok(pauses.size > 1);
});

test("a new message does not break a pause", async (t) => {
  mockTime(t);
  const window = makeWindow({ answer: () => 500 });
  const braid = start(window, { flushAt: 1, retryBase: 40_000 });
  braid.track("A");
  await wait(10);
  for (let i = 0; i < 30; i++) braid.track("B");
  await braid.flush();
  await wait(19_000);
  assert.equal(window.requests.length, 1);
});

for (const [form, header] of [["seconds", () => "90"], ["a date", () => new Date(Date.now() + 92_000).toUTCString()]]) {
  test(`Retry-After is honoured as ${form}`, async (t) => {
    mockTime(t);
    const answer = (_, n) => (n === 1 ? { status: 429, headers: { "Retry-After": header() } } : 200);
    const window = makeWindow({ answer });
    start(window).track("A");
    await wait(2100);
    window.fire("online");
    await wait(80_000);
    assert.equal(window.requests.length, 1);
    await wait(20_000);
    assert.equal(window.requests.length, 2);
  });
}

test("the network's return ends our own pause", async (t) => {
  mockTime(t);
  const window = makeWindow({ answer: (_, n) => { if (n === 1) throw new TypeError("offline"); return 200; } });
  start(window, { retryBase: 60_000 }).track("A");
  await wait(2100);
  window.fire("online");
  await wait(100);
  assert.equal(window.requests.length, 2);
});

test("a request that never ends counts as failed", async (t) => {
  mockTime(t);
  const window = makeWindow({
    answer: (_, n, init) =>
      n > 1 ? 200 : new Promise((_, reject) => init.signal.addEventListener("abort", () => reject(new Error("aborted")))),
  });
  start(window).track("A");
  await wait(36_000);
  assert.equal(window.requests.length, 2);
});

test("one bad message does not take others with it", async (t) => {
  mockTime(t);
  const told = [];
  const arrived = [];
  const window = makeWindow({
    answer: ({ batch }) => {
      if (batch.some((message) => message.event === "Bad")) return 400;
      arrived.push(...events(batch));
      return 200;
    },
  });
  const braid = start(window, { flushAt: 100, onError: (reason) => told.push(reason) });
  for (let i = 0; i < 11; i++) braid.track(i === 6 ? "Bad" : "Good " + i);
  await wait(2000);
  assert.deepEqual(arrived, [0, 1, 2, 3, 4, 5, 7, 8, 9, 10].map((i) => "Good " + i));
  assert.deepEqual(told, ["message refused by the server"]);
  assert.deepEqual(window.localStorage.queued(), []);
});

test("a refused key keeps the messages and stops asking", async (t) => {
  mockTime(t);
  const window = makeWindow({ answer: () => 401 });
  const braid = start(window);
  braid.track("A");
  await wait(600_000);
  braid.track("B");
  await wait(600_000);
  assert.equal(window.requests.length, 1);
  assert.deepEqual(events(window.localStorage.queued()), ["A", "B"]);
});

test("requests stay under 2,500 messages and 500 KiB", async (t) => {
  mockTime(t);
  const many = makeWindow();
  const braid = new Braid(many);
  for (let i = 0; i < 2600; i++) braid.track("E");
  braid.load("key", { host: HOST, maxQueue: 5000 });
  await wait(100);
  assert.equal(many.sent().length, 2600 - 600, "calls before load are bounded by the default limit");

  const big = makeWindow();
  const heavy = start(big, { flushAt: 1000, maxQueue: 5000 });
  for (let i = 0; i < 40; i++) heavy.track("Ї", { text: "ї".repeat(15_000) });
  for (let i = 0; i < 3000; i++) heavy.track("E");
  await wait(2000);
  assert.equal(big.sent().length, 3040);
  for (const { init, body } of big.requests) {
    assert.ok(bytes(init.body) <= 500 * 1024, `${bytes(init.body)} bytes`);
    assert.ok(body.batch.length <= 2500);
  }
});

test("an event may have 32 KiB and not a byte more", async (t) => {
  mockTime(t);
  const window = makeWindow();
  const braid = start(window);
  braid.track("E", { text: "" });
  await wait(2000);
  const room = 32 * 1024 - bytes(JSON.stringify(window.sent()[0]));
  braid.track("E", { text: "x".repeat(room) }).track("E", { text: "x".repeat(room + 1) });
  await wait(2000);
  assert.deepEqual(window.sent().map((message) => message.properties.text.length), [0, room]);
});

test("over the limit of the queue the oldest go", async (t) => {
  mockTime(t);
  const told = [];
  const window = makeWindow({ answer: () => 500 });
  const braid = start(window, { maxQueue: 3, onError: (reason, detail) => told.push([reason, detail.length]) });
  for (const name of ["A", "B", "C", "D"]) braid.track(name);
  assert.deepEqual(events(window.localStorage.queued()), ["B", "C", "D"]);
  assert.deepEqual(told, [["queue over its limit, oldest messages dropped", 1]]);
});

test("a leaving page hands its messages to a beacon, once, and keeps them until an answer", async (t) => {
  mockTime(t);
  const window = makeWindow();
  const braid = start(window);
  braid.track("A");
  window.document.visibilityState = "hidden";
  window.document.fire("visibilitychange");
  window.fire("pagehide");
  assert.equal(window.beacons.length, 1);
  const [{ address, body }] = window.beacons;
  assert.equal(address, HOST + "/v1/batch");
  assert.equal(typeof body, "string", "a string travels as text/plain, without a preflight");
  const { batch, writeKey, sentAt } = JSON.parse(body);
  assert.deepEqual([events(batch), writeKey, sentAt], [["A"], "key", "2026-11-22T12:32:00.000Z"]);
  assert.deepEqual(events(window.localStorage.queued()), ["A"]);
});

test("a beacon stays under 64 KiB, the rest waits in storage", (t) => {
  mockTime(t);
  const window = makeWindow();
  const braid = start(window, { flushAt: 1000 });
  for (let i = 0; i < 10; i++) braid.track("E" + i, { text: "ї".repeat(5000) });
  window.fire("pagehide");
  assert.ok(bytes(window.beacons[0].body) < 64 * 1024);
  assert.ok(JSON.parse(window.beacons[0].body).batch.length >= 5);
  assert.equal(window.localStorage.queued().length, 10);
});

for (const [name, beacon] of [["refuses", () => false], ["is missing", null]]) {
  test(`when sendBeacon ${name}, a keepalive request takes its place`, async (t) => {
    mockTime(t);
    const window = makeWindow({ beacon });
    start(window).track("A");
    window.fire("pagehide");
    assert.equal(window.requests.length, 1);
    assert.equal(window.requests[0].init.keepalive, true);
    assert.deepEqual(window.requests[0].init.headers, { "Content-Type": "text/plain" });
  });
}

test("full storage does not stop delivery", async (t) => {
  mockTime(t);
  const window = makeWindow();
  window.localStorage.broken = true;
  start(window).track("A");
  await wait(2000);
  assert.deepEqual(events(window.sent()), ["A"]);
});

test("the bundle is under 8 KiB gzipped", async () => {
  for (const name of ["braid.js", "braid.mjs"]) {
    const size = gzipSync(await readFile(new URL("../dist/" + name, import.meta.url)), { level: 9 }).length;
    assert.ok(size < 8 * 1024, `${name} has ${size} bytes`);
  }
});
