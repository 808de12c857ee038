// The web server with a Braid that is played here.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, stat } from "node:fs/promises";
import { createServer, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { start } from "../server.mjs";

async function fakeBraid(t, answer) {
  const seen = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    seen.push({ method: request.method, url: request.url, headers: request.headers, body: body && JSON.parse(body) });
    const { status = 200, headers = {}, json = {} } = answer(request.url, seen.length);
    response.writeHead(status, { "Content-Type": "application/json", ...headers });
    response.end(JSON.stringify(json));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  return { url: `http://127.0.0.1:${server.address().port}`, seen };
}

async function demo(t, options) {
  const server = await start({ port: 0, smtpPort: 0, shopWriteKey: "shop-key", tillWriteKey: "till-key", apiKey: "secret", ...options });
  t.after(() => server.close());
  return server;
}

const receipt = { type: "track", event: "Order Completed", messageId: "m1", context: { channel: "browser" }, properties: { total: 1 } };
const post = (url, body, headers = {}) => fetch(url, { method: "POST", headers: { "Content-Type": "application/json", ...headers }, body: JSON.stringify(body) });

test("the browser learns the shop's key only", async (t) => {
  const { url } = await demo(t, { braidUrl: "http://127.0.0.1:9", consoleUrl: "http://console.test" });
  assert.deepEqual(await (await fetch(url + "/config.json")).json(), { braid_url: "http://127.0.0.1:9", shop_write_key: "shop-key", console_url: "http://console.test" });
});

test("pages come with a policy that lets them talk to Braid and to nobody else", async (t) => {
  const { url } = await demo(t, { braidUrl: "http://127.0.0.1:4321/" });
  for (const path of ["/shop/", "/shop/product/85123A", "/till/", "/mail/"]) {
    const answer = await fetch(url + path);
    assert.equal(answer.status, 200, path);
    const policy = answer.headers.get("Content-Security-Policy");
    assert.match(policy, /default-src 'self'; connect-src 'self' http:\/\/127\.0\.0\.1:4321;/);
    assert.ok(!policy.includes("unsafe"));
  }
  assert.equal((await fetch(url + "/products.json")).status, 200);
  assert.equal((await fetch(url + "/", { redirect: "manual" })).headers.get("Location"), "/shop/");
});

test("nothing but the public folders is served", async (t) => {
  const { url } = await demo(t);
  for (const path of ["/server.mjs", "/server/http.mjs", "/tests/web.test.mjs", "/shop/..%2fserver.mjs", "/shop/%2e%2e/server.mjs", "/assets/..%2f..%2fsdk/js/package.json"]) {
    assert.equal((await fetch(url + path)).status, 404, path);
  }
});

test("a receipt reaches Braid with the till's key, as a server's event, with its own id", async (t) => {
  const braid = await fakeBraid(t, () => ({ json: { success: true } }));
  const { url } = await demo(t, { braidUrl: braid.url });
  const answer = await post(url + "/till/api/event", receipt);
  assert.deepEqual([answer.status, await answer.json()], [200, { success: true }]);
  const [seen] = braid.seen;
  assert.deepEqual([seen.method, seen.url], ["POST", "/v1/track"]);
  assert.equal(seen.headers.authorization, "Basic " + Buffer.from("till-key:").toString("base64"));
  assert.deepEqual([seen.body.messageId, seen.body.context.channel, seen.body.properties.total], ["m1", "server", 1]);
  assert.ok(Math.abs(Date.parse(seen.body.sentAt) - Date.now()) < 5000);
});

test("what Braid says to a receipt is what the till hears", async (t) => {
  const braid = await fakeBraid(t, (_, n) => (n === 1 ? { status: 503, headers: { "Retry-After": "7" }, json: { code: "busy" } } : { status: 400, json: { code: "bad" } }));
  const { url } = await demo(t, { braidUrl: braid.url });
  const busy = await post(url + "/till/api/event", receipt);
  assert.deepEqual([busy.status, busy.headers.get("Retry-After")], [503, "7"]);
  assert.equal((await post(url + "/till/api/event", receipt)).status, 400);
});

test("a Braid that is not there is a 502, so that the till keeps the receipt", async (t) => {
  const { url } = await demo(t, { braidUrl: "http://127.0.0.1:1" });
  assert.equal((await post(url + "/till/api/event", receipt)).status, 502);
  assert.equal((await fetch(url + "/till/api/lookup?phone=0671234567", { method: "POST" })).status, 502);
});

test("a customer is found by phone with the API key, purchases added up", async (t) => {
  const order = (event, total) => ({ event, properties: { total } });
  const braid = await fakeBraid(t, (path) =>
    path.includes("timeline")
      ? { json: { items: [order("Order Completed", 12.1), order("Order Refunded", 2.05), order("Order Completed", 0.2), order("Product Viewed", 9)] } }
      : { json: { person_id: "p/1", identifiers: [], traits: { name: "Olena" } } });
  const { url } = await demo(t, { braidUrl: braid.url });
  const answer = await fetch(url + "/till/api/lookup?" + new URLSearchParams({ phone: "+380 67 123 45 67" }), { method: "POST" });
  const person = await answer.json();
  assert.equal(person.traits.name, "Olena");
  assert.deepEqual(person.purchases, { count: 2, total: 10.25, complete: true });
  assert.equal(braid.seen[0].url, "/api/v1/customers/lookup?phone=%2B380+67+123+45+67");
  assert.ok(braid.seen.every((request) => request.headers.authorization === "Bearer secret"));
  assert.equal(braid.seen[1].url, "/api/v1/customers/p%2F1/timeline?limit=100");
});

test("an unknown phone is a 404, a missing one a 400", async (t) => {
  const braid = await fakeBraid(t, () => ({ status: 404, json: { title: "not found" } }));
  const { url } = await demo(t, { braidUrl: braid.url });
  assert.equal((await fetch(url + "/till/api/lookup?phone=0991234567", { method: "POST" })).status, 404);
  assert.equal((await fetch(url + "/till/api/lookup", { method: "POST" })).status, 400);
  assert.equal((await fetch(url + "/till/api/lookup?phone=0991234567")).status, 405);
});

test("foreign sites cannot use the till's keys, nor reach us under another name", async (t) => {
  const braid = await fakeBraid(t, () => ({}));
  const { url } = await demo(t, { braidUrl: braid.url });
  assert.equal((await post(url + "/till/api/event", receipt, { Origin: "https://evil.test" })).status, 403);
  const { port } = new URL(url);
  const foreign = request({ port, host: "127.0.0.1", path: "/config.json", headers: { Host: "evil.test" } }).end();
  const [answer] = await once(foreign, "response");
  answer.resume();
  assert.equal(answer.statusCode, 421);
  assert.equal(braid.seen.length, 0);
});

test("bad and large bodies are refused here", async (t) => {
  const braid = await fakeBraid(t, () => ({}));
  const { url } = await demo(t, { braidUrl: braid.url });
  assert.equal((await fetch(url + "/till/api/event", { method: "POST", body: "{" })).status, 400);
  assert.equal((await post(url + "/till/api/event", { event: "X" })).status, 400);
  assert.equal((await post(url + "/till/api/event", { ...receipt, properties: { text: "x".repeat(70_000) } })).status, 413);
  assert.equal(braid.seen.length, 0);
});

test("started as a program it says where it is, and leaves cleanly", async () => {
  const file = join(await mkdtemp(join(tmpdir(), "demo-")), "ready.json");
  const program = spawn(process.execPath, [fileURLToPath(new URL("../server.mjs", import.meta.url)), "--port", "0", "--smtp-port", "0", "--ready-file", file]);
  let ready;
  for (let i = 0; i < 100 && !ready; i++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    ready = await readFile(file, "utf8").then(JSON.parse, () => undefined);
  }
  assert.match(ready.url, /^http:\/\/127\.0\.0\.1:\d+$/);
  assert.match(ready.smtp, /^smtp:\/\/127\.0\.0\.1:\d+$/);
  assert.equal((await fetch(ready.url + "/till/")).status, 200);
  program.kill("SIGTERM");
  const [code] = await once(program, "exit");
  assert.equal(code, 0);
  await assert.rejects(stat(file));
});
