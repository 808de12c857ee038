// The demonstration's web server: shop, till, mailbox, and the till's way to Braid.
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { extname, join, normalize, sep } from "node:path";
import { fileURLToPath } from "node:url";

const HERE = fileURLToPath(new URL("..", import.meta.url));
const SDK = fileURLToPath(new URL("../../sdk/js/dist/braid.js", import.meta.url));
const MAX_BODY_BYTES = 64 * 1024;
const BRAID_TIMEOUT_MS = 10_000;
const TIMELINE_ITEMS = 100;
const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json; charset=utf-8",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
  ".txt": "text/plain; charset=utf-8",
};
/** Folders that anyone may read; everything else of this folder is not served. */
const STATIC = ["shop", "till", "mail", "assets"];

export function createHttpServer({ config, mailbox }) {
  const braidOrigin = config.braidUrl ? new URL(config.braidUrl).origin : "";
  const pagePolicy = [
    "default-src 'self'",
    `connect-src 'self' ${braidOrigin}`.trim(),
    "img-src 'self' data:",
    "frame-src 'self'",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join("; ");

  return createServer(async (request, response) => {
    try {
      await route(request, response);
    } catch (error) {
      if (error instanceof Problem) return sendJson(response, error.status, { success: false, code: error.code, detail: error.message });
      console.error(request.method, request.url, error);
      if (!response.headersSent) sendJson(response, 500, { success: false, code: "internal", detail: "Something broke here." });
      else response.destroy();
    }
  });

  async function route(request, response) {
    requireLocalHost(request);
    const url = new URL(request.url, "http://localhost");
    const path = decodeURIComponent(url.pathname);
    if (request.method !== "GET" && request.method !== "HEAD") requireSameOrigin(request);

    if (path === "/") return redirect(response, "/shop/");
    if (path === "/config.json") return sendJson(response, 200, publicConfig(config));
    if (path === "/products.json") return sendFile(response, join(HERE, "products.json"));
    if (path === "/braid.js") return sendFile(response, SDK);
    if (path === "/till/api/lookup") return lookup(request, response, url);
    if (path === "/till/api/event") return event(request, response);
    if (path.startsWith("/mail/api/")) return mail(request, response, url, path.slice("/mail/api/".length));
    if (request.method !== "GET" && request.method !== "HEAD") throw new Problem(405, "method", "Only GET here.");
    return sendStatic(response, path);
  }

  async function sendStatic(response, path) {
    const [folder] = path.slice(1).split("/");
    if (!STATIC.includes(folder)) throw new Problem(404, "not_found", "No such page.");
    if (path === "/" + folder) return redirect(response, path + "/");
    const file = normalize(join(HERE, path));
    if (!file.startsWith(join(HERE, folder) + sep)) throw new Problem(404, "not_found", "No such page.");
    // Addresses inside the shop are made by the page itself (`/shop/product/85123A`), so they all give the same document.
    const document = extname(file) === "";
    return sendFile(response, document ? join(HERE, folder, "index.html") : file, { "Content-Security-Policy": pagePolicy });
  }

  /** Who has this phone: Braid's answer, and what they bought in all if Braid's answer does not say. */
  async function lookup(request, response, url) {
    requireMethod(request, "POST");
    const phone = url.searchParams.get("phone")?.trim();
    if (!phone) throw new Problem(400, "phone_missing", "A phone is needed.");
    if (!config.apiKey) throw new Problem(503, "not_configured", "The demo server was started without --api-key.");
    const headers = { Authorization: `Bearer ${config.apiKey}`, Accept: "application/json" };
    const answer = await askBraid("/api/v1/customers/lookup?" + new URLSearchParams({ phone }), { headers });
    if (answer.status !== 200) return sendJson(response, answer.status, answer.body);
    const person = answer.body;
    if (!person.purchases) person.purchases = await countPurchases(person.person_id, headers);
    sendJson(response, 200, person);
  }

  async function countPurchases(personId, headers) {
    try {
      const path = `/api/v1/customers/${encodeURIComponent(personId)}/timeline?limit=${TIMELINE_ITEMS}`;
      const { status, body } = await askBraid(path, { headers });
      if (status !== 200) return null;
      const total = (name) => body.items.filter((item) => item.event === name).map((item) => Number(item.properties?.total) || 0);
      const orders = total("Order Completed");
      const sum = [...orders, ...total("Order Refunded").map((value) => -value)].reduce((a, b) => a + Math.round(b * 100), 0);
      return { count: orders.length, total: sum / 100, complete: body.items.length < TIMELINE_ITEMS };
    } catch {
      // A till can greet a customer without the sum.
      return null;
    }
  }

  /** A receipt or a refund. The till's key stays here; the till itself makes the message id, so a repeat is harmless. */
  async function event(request, response) {
    requireMethod(request, "POST");
    if (!config.tillWriteKey) throw new Problem(503, "not_configured", "The demo server was started without --till-write-key.");
    const message = await readJson(request);
    if (typeof message !== "object" || message === null || typeof message.event !== "string" || typeof message.messageId !== "string") {
      throw new Problem(400, "event_invalid", "An event with a name and a messageId is needed.");
    }
    message.context = { ...message.context, channel: "server" };
    message.sentAt = new Date().toISOString();
    const answer = await askBraid("/v1/track", {
      method: "POST",
      headers: {
        Authorization: "Basic " + Buffer.from(config.tillWriteKey + ":").toString("base64"),
        "Content-Type": "application/json",
      },
      body: JSON.stringify(message),
    });
    if (answer.retryAfter) response.setHeader("Retry-After", answer.retryAfter);
    sendJson(response, answer.status, answer.body);
  }

  async function askBraid(path, init) {
    if (!config.braidUrl) throw new Problem(503, "not_configured", "The demo server was started without --braid-url.");
    try {
      const answer = await fetch(new URL(path, config.braidUrl), { ...init, redirect: "error", signal: AbortSignal.timeout(BRAID_TIMEOUT_MS) });
      const text = await answer.text();
      return { status: answer.status, retryAfter: answer.headers.get("Retry-After"), body: parseJson(text) ?? { detail: text.slice(0, 500) } };
    } catch (error) {
      throw new Problem(502, "braid_unreachable", `Braid does not answer: ${error.cause?.code ?? error.name}.`);
    }
  }

  async function mail(request, response, url, rest) {
    const [name, id, form] = rest.split("/");
    if (name === "events") return liveMail(request, response);
    if (name !== "messages") throw new Problem(404, "not_found", "No such page.");
    if (request.method === "DELETE") return sendJson(response, 200, { deleted: await mailbox.remove(id || undefined) });
    requireMethod(request, "GET");
    if (!id) {
      const to = url.searchParams.get("to")?.toLowerCase();
      const found = mailbox.mails.filter((item) => !to || item.envelope.to.some((address) => address.toLowerCase() === to));
      const limit = Math.min(500, Number(url.searchParams.get("limit")) || 500);
      const items = found.slice(-limit).reverse().map(({ raw, html, text, headers, ...item }) => item);
      return sendJson(response, 200, { items, total: found.length });
    }
    const found = mailbox.find(id);
    if (!found) throw new Problem(404, "not_found", "No such mail.");
    if (form === "raw") return send(response, 200, "text/plain; charset=utf-8", found.raw);
    if (form === "html") return sendMailHtml(response, found);
    const { raw, ...item } = found;
    return sendJson(response, 200, item);
  }

  /** Foreign HTML: no scripts, no origin, nothing but pictures and its own styles; links open in a new window. */
  function sendMailHtml(response, { html, text }) {
    response.setHeader(
      "Content-Security-Policy",
      "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; img-src http: https: data:; style-src 'unsafe-inline'; font-src http: https: data:; frame-ancestors 'self'",
    );
    send(response, 200, "text/html; charset=utf-8", '<base target="_blank">' + (html ?? `<pre>${escapeHtml(text ?? "")}</pre>`));
  }

  function liveMail(request, response) {
    response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
    const tell = () => response.write(`data: ${mailbox.mails.length}\n\n`);
    const beat = setInterval(() => response.write(": here\n\n"), 20_000);
    mailbox.on("change", tell);
    tell();
    request.on("close", () => {
      clearInterval(beat);
      mailbox.off("change", tell);
    });
  }
}

/** What a browser may know. The API key and the till's key are not among it. */
function publicConfig({ braidUrl, shopWriteKey, consoleUrl }) {
  return { braid_url: braidUrl, shop_write_key: shopWriteKey, console_url: consoleUrl };
}

class Problem extends Error {
  constructor(status, code, detail) {
    super(detail);
    this.status = status;
    this.code = code;
  }
}

/** Another name that leads here would be a foreign site playing with addresses (DNS rebinding). */
function requireLocalHost(request) {
  const host = (request.headers.host ?? "").replace(/:\d+$/, "");
  if (!["127.0.0.1", "localhost", "[::1]"].includes(host)) throw new Problem(421, "host", "This server is for this machine only.");
}

/** The proxies act with keys that the caller does not have, so only our own pages and plain programs may use them. */
function requireSameOrigin(request) {
  const { origin, host } = request.headers;
  const site = request.headers["sec-fetch-site"];
  if ((origin && origin !== `http://${host}`) || (site && site !== "same-origin" && site !== "none")) {
    throw new Problem(403, "origin", "Only pages of this server may do this.");
  }
}

function requireMethod(request, ...methods) {
  if (methods.includes("GET")) methods.push("HEAD");
  if (!methods.includes(request.method)) throw new Problem(405, "method", `Only ${methods.join(", ")} here.`);
}

async function readJson(request) {
  const chunks = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) throw new Problem(413, "too_large", "The body is over 64 KiB.");
    chunks.push(chunk);
  }
  const value = parseJson(Buffer.concat(chunks).toString("utf8"));
  if (value === undefined) throw new Problem(400, "json", "The body is not JSON.");
  return value;
}

function parseJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function sendFile(response, file, headers = {}) {
  let content;
  try {
    content = await readFile(file);
  } catch (error) {
    if (error.code !== "ENOENT" && error.code !== "EISDIR") throw error;
    const detail = file === SDK ? "braid.js is not built: npm ci && npm run build in sdk/js." : "No such page.";
    throw new Problem(404, "not_found", detail);
  }
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  send(response, 200, TYPES[extname(file)] ?? "application/octet-stream", content);
}

function sendJson(response, status, value) {
  send(response, status, TYPES[".json"], JSON.stringify(value));
}

function send(response, status, type, content) {
  response.writeHead(status, {
    "Content-Type": type,
    "Content-Length": Buffer.byteLength(content),
    // Pages change while one works on them, and they come from this very machine.
    "Cache-Control": "no-cache",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
  });
  response.end(response.req.method === "HEAD" ? undefined : content);
}

function redirect(response, location) {
  response.writeHead(302, { Location: location });
  response.end();
}

function escapeHtml(text) {
  return text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`);
}
