// A browser window as small as the SDK needs it. Time is node's mocked time; the server is a function.
import { mock } from "node:test";

export const HOST = "https://braid.test";

/** Local storage that can be shared between windows (tabs of one browser) and can be full or forbidden. */
export class FakeStorage {
  values = new Map();
  broken = false;
  get length() {
    this.check();
    return this.values.size;
  }
  key(index) {
    return [...this.values.keys()][index] ?? null;
  }
  getItem(key) {
    this.check();
    return this.values.get(key) ?? null;
  }
  setItem(key, value) {
    this.check();
    this.values.set(key, String(value));
  }
  removeItem(key) {
    this.check();
    this.values.delete(key);
  }
  check() {
    if (this.broken) throw new Error("SecurityError");
  }
  /** Messages that wait in this storage, of all tabs. */
  queued() {
    return [...this.values]
      .filter(([key]) => key.startsWith("braid_queue_"))
      .flatMap(([, value]) => JSON.parse(value.slice(value.indexOf("\n") + 1)));
  }
}

class FakeTarget {
  listeners = {};
  addEventListener(name, run) {
    (this.listeners[name] ??= []).push(run);
  }
  fire(name, event = {}) {
    for (const run of this.listeners[name] ?? []) run(event);
  }
}

/**
 * `answer(body, requestNumber)` plays the server: a status, `{status, headers}`, or a thrown error for a broken network.
 * With `beacon: null` the browser has no `sendBeacon`.
 */
export function makeWindow({ storage = new FakeStorage(), url = HOST + "/shop?x=1", answer = () => 200, beacon = () => true } = {}) {
  const target = new FakeTarget();
  const document = new FakeTarget();
  const jar = new Map();
  Object.assign(document, { title: "Shop", referrer: "https://search.test/", visibilityState: "visible" });
  Object.defineProperty(document, "cookie", {
    get: () => [...jar].map(([key, value]) => `${key}=${value}`).join("; "),
    set: (text) => {
      const [pair] = text.split(";");
      const cut = pair.indexOf("=");
      if (/max-age=0/.test(text)) jar.delete(pair.slice(0, cut));
      else jar.set(pair.slice(0, cut), pair.slice(cut + 1));
    },
  });
  const window = {
    localStorage: storage,
    document,
    location: new URL(url),
    navigator: { language: "uk-UA", userAgent: "Fake/1.0" },
    screen: { width: 1180, height: 820 },
    devicePixelRatio: 2,
    crypto: globalThis.crypto,
    requests: [],
    beacons: [],
    addEventListener: (name, run) => target.addEventListener(name, run),
    fire: (name, event) => target.fire(name, event),
    setTimeout: (run, ms) => setTimeout(run, ms),
    clearTimeout: (timer) => clearTimeout(timer),
    async fetch(address, init) {
      const body = JSON.parse(init.body);
      window.requests.push({ address, init, body, at: Date.now() });
      const given = await answer(body, window.requests.length, init);
      const { status, headers = {} } = typeof given === "number" ? { status: given } : given;
      return { status, headers: new Headers(headers) };
    },
  };
  if (beacon) {
    window.navigator.sendBeacon = (address, body) => {
      if (!beacon(address, body)) return false;
      window.beacons.push({ address, body });
      return true;
    };
  }
  window.sent = () => window.requests.flatMap((request) => request.body.batch);
  return window;
}

export function mockTime(context) {
  mock.timers.enable({ apis: ["setTimeout", "Date"], now: Date.parse("2026-11-22T12:32:00Z") });
  context.after(() => mock.timers.reset());
}

/** Lets promises run, then time pass, then promises again. In steps, because timers start timers. */
export async function wait(ms = 0) {
  await settle();
  for (let left = ms; left > 0; left -= 100) {
    mock.timers.tick(Math.min(100, left));
    await settle();
  }
}

async function settle() {
  for (let i = 0; i < 12; i++) await new Promise((resolve) => setImmediate(resolve));
}
