/**
 * The client that a page talks to.
 *
 * A call becomes a message at once (who, where and when are true at that moment), the message is written to the queue,
 * and the queue is sent in batches. A message leaves the queue when the server has acknowledged it, and otherwise only
 * when the server refuses that very message or the queue is over its limit. No public method throws: a shop must go on
 * selling whatever happens here.
 */
import { Observer } from "./auto";
import { cartEvent, type CartAction } from "./cart";
import { contextOf, pageOf } from "./context";
import { Identity, uuid } from "./identity";
import { Queue, RENEW_MS, itemOf } from "./queue";
import { Store } from "./storage";
import { MAX_EVENT_BYTES, Transport, takeBatch } from "./transport";
import type { Item, Message, MessageType, Options, Properties, Scope, Settings } from "./types";

declare const __VERSION__: string;

/** As the snippet writes it down: method, arguments, time. */
export type Call = ["load" | "page" | "track" | "identify" | "group" | "alias" | "reset" | "ready" | "flush" | "screen" | "cart" | "consent", ArrayLike<unknown>, number];

/** What the visitor said: "yes", "no", or nothing yet. A "no" is the one thing that is kept after it. */
const CONSENT = "braid_consent";

const DEFAULTS: Settings = {
  host: "",
  flushAt: 20,
  flushInterval: 2000,
  retryBase: 1000,
  retryMax: 60_000,
  maxQueue: 2000,
  sessionTimeout: 30 * 60_000,
};

export class Braid {
  readonly version = __VERSION__;
  private settings = DEFAULTS;
  private store: Store;
  private identity: Identity;
  private queue: Queue;
  private transport?: Transport;
  private flushTimer?: number;
  private retryAt = 0;
  private unreachable = false;
  private failures = 0;
  private sending?: Promise<boolean>;
  /** The key was refused: asking again on this page would change nothing. */
  private refused = false;
  /** When the call was made that is being replayed. */
  private calledAt?: number;
  private waiting: (() => void)[] = [];
  private observer?: Observer;
  private said: string | null = null;

  constructor(private scope: Scope) {
    this.store = new Store(scope);
    this.identity = new Identity(scope, this.store);
    this.queue = new Queue(scope, this.store);
  }

  /** Starts sending. Calls made before are kept and go out with the rest. */
  load(writeKey: string, options: Options = {}): this {
    return this.safely(() => {
      if (this.transport) return;
      const given = Object.entries(options).filter(([, value]) => value !== undefined);
      this.settings = { ...DEFAULTS, ...Object.fromEntries(given) };
      this.store.cookieDomain = this.settings.cookieDomain;
      this.transport = new Transport(this.scope, writeKey, this.settings.host);
      this.identity.segment = !!this.settings.segment;
      this.queue.open(writeKey);
      // A word given before `load` counts more than an older one.
      this.said ??= this.store.get(CONSENT);
      this.obey();
      const voice = {
        page: () => void this.page(),
        track: (event: string, properties: Properties) => void this.track(event, properties),
        safely: (run: () => void) => void this.safely(run),
      };
      if (this.settings.auto) {
        this.observer = new Observer(this.scope, this.settings.auto, voice);
        this.observer.start();
      }
      this.listen();
      this.renew();
      this.waiting.splice(0).forEach((run) => this.safely(run));
    });
  }

  /** The visitor agrees, or takes it back: then everything of ours leaves this browser, and nothing more is noticed. */
  consent(given: boolean): this {
    return this.safely(() => {
      this.said = given ? "yes" : "no";
      if (this.transport) this.obey();
    });
  }

  /** What happens to a cart, by the standard's names: `cart("added", {sku, price, quantity})`. */
  cart(action: CartAction, properties: Properties = {}): this {
    return this.safely(() => {
      const made = cartEvent(action, properties, this.identity.cartId(action === "ordered"));
      if (!made) return this.report("cart does not know this action", action);
      this.send("track", { event: made[0], properties: made[1] });
    });
  }

  screen(name: string, properties: Properties = {}): this {
    return this.safely(() => this.send("screen", { name: String(name), properties }));
  }

  page(name?: string, properties?: Properties): this;
  page(category: string, name: string, properties?: Properties): this;
  page(properties: Properties): this;
  page(...args: unknown[]): this {
    return this.safely(() => {
      const texts = args.filter((arg): arg is string => typeof arg === "string");
      const [category, name] = texts.length > 1 ? texts : [undefined, texts[0]];
      const properties = args.find(isObject) ?? {};
      this.send("page", { category, name, properties: { ...pageOf(this.scope, this.observer?.referrer), ...(name && { name }), ...properties } });
    });
  }

  track(event: string, properties: Properties = {}): this {
    return this.safely(() => {
      if (!event) return this.report("track needs the name of the event");
      this.send("track", { event: String(event), properties });
    });
  }

  identify(userId: string, traits?: Properties): this;
  identify(traits: Properties): this;
  identify(...args: unknown[]): this {
    return this.safely(() => {
      const userId = idOf(args[0]);
      const traits = args.find(isObject) ?? {};
      this.identity.learn(userId, traits);
      this.send("identify", { traits });
    });
  }

  group(groupId: string, traits: Properties = {}): this {
    return this.safely(() => this.send("group", { groupId: String(groupId), traits }));
  }

  /** Says that two ids are one person. The later id stays. */
  alias(userId: string, previousId?: string): this {
    return this.safely(() => {
      const previous = previousId ?? this.identity.userId() ?? this.identity.anonymousId();
      this.identity.rename(String(userId));
      this.send("alias", { userId: String(userId), previousId: previous });
    });
  }

  /** After a log-out: the next visitor of this browser is somebody else. What waits still goes out under the old name. */
  reset(): this {
    return this.safely(() => this.identity.forget());
  }

  /** What this browser knows of the visitor. */
  user(): { anonymousId: string; userId?: string; traits: Properties } {
    const { identity } = this;
    return { anonymousId: identity.anonymousId(), userId: identity.userId(), traits: identity.traits() };
  }

  ready(run?: () => void): Promise<void> {
    return new Promise((resolve) => {
      const both = () => (resolve(), run?.());
      if (this.transport) this.safely(both);
      else this.waiting.push(both);
    });
  }

  /** Sends what waits, now. True when the server has everything; false when something waits for a better moment. */
  flush(): Promise<boolean> {
    this.sending ??= this.drain()
      .catch((error) => (this.report("sending failed", error), false))
      .finally(() => {
        this.sending = undefined;
        if (this.queue.items.length) this.schedule(this.retryAt > Date.now() ? 0 : undefined);
      });
    return this.sending;
  }

  /** Makes the calls that the snippet kept while this script was on its way. What the visitor allows goes first, then `load`, wherever they stood. */
  replay(calls: Call[]): this {
    const rank = ([method]: Call) => ["consent", "load"].indexOf(method) + 1 || 3;
    for (const [method, args, time] of [...calls].sort((a, b) => rank(a) - rank(b))) {
      this.calledAt = time;
      this.safely(() => (this[method] as (...args: unknown[]) => unknown)(...Array.from(args)));
    }
    this.calledAt = undefined;
    return this;
  }

  private mayStore(): boolean {
    return this.said === "yes" || (this.said !== "no" && !this.settings.consent);
  }

  /** Brings storage and queue in line with what the visitor said. */
  private obey(): void {
    const { queue, store } = this;
    if (this.said === "no") {
      queue.clear();
      store.clear();
      store.unlock();
      store.set(CONSENT, "no");
      store.lock();
    } else if (this.mayStore()) {
      store.unlock();
      if (this.said && store.get(CONSENT) !== this.said) store.set(CONSENT, this.said);
      queue.persist();
      queue.adopt(this.settings.maxQueue);
      if (queue.items.length) this.schedule(0);
    }
  }

  private send(type: MessageType, fields: Partial<Message>): void {
    if (this.said === "no") return;
    const now = this.calledAt ?? Date.now();
    const { identity } = this;
    const message: Message = {
      type,
      messageId: uuid(this.scope),
      anonymousId: identity.anonymousId(),
      userId: identity.userId(),
      timestamp: new Date(now).toISOString(),
      context: { ...contextOf(this.scope, __VERSION__, this.observer?.referrer), sessionId: identity.sessionId(now, this.settings.sessionTimeout) },
      ...fields,
    };
    const item = itemOf(message.messageId, JSON.stringify(message));
    if (item.bytes > MAX_EVENT_BYTES) return this.report("message over 32 KiB", message);
    const dropped = this.queue.add(item, this.settings.maxQueue);
    if (dropped.length) this.report("queue over its limit, oldest messages dropped", dropped);
    if (this.queue.items.length >= this.settings.flushAt) this.schedule(0);
    else this.schedule();
  }

  /** Makes sure that a flush will come, after a running pause at the earliest. */
  private schedule(after = this.settings.flushInterval): void {
    if (!this.transport || this.refused || !this.mayStore()) return;
    const pause = Math.max(after, this.retryAt - Date.now());
    // One timer at a time; only an urgent flush may replace a patient one.
    if (this.flushTimer !== undefined && after > 0) return;
    this.scope.clearTimeout(this.flushTimer);
    this.flushTimer = this.scope.setTimeout(() => {
      this.flushTimer = undefined;
      void this.flush();
    }, pause);
  }

  private async drain(): Promise<boolean> {
    while (this.transport && this.queue.items.length) {
      if (this.refused || !this.mayStore() || Date.now() < this.retryAt) return false;
      if (!(await this.deliver(takeBatch(this.queue.items)))) return false;
    }
    return !this.queue.items.length;
  }

  /** True when nothing of the batch waits any more. */
  private async deliver(batch: Item[]): Promise<boolean> {
    if (!this.mayStore()) return false;
    const { status, retryAfter } = await this.transport!.post(batch);
    if (status >= 200 && status < 300) {
      this.failures = this.retryAt = 0;
      this.queue.remove(batch);
      return true;
    }
    if (status === 400 || status === 413 || status === 422) {
      // Refused for what it holds. Halving finds the one that is to blame, and the others arrive.
      if (batch.length > 1) {
        const half = batch.length >> 1;
        return (await this.deliver(batch.slice(0, half))) && this.deliver(batch.slice(half));
      }
      this.queue.remove(batch);
      this.report("message refused by the server", batch[0]!.json);
      return true;
    }
    if (status === 401 || status === 403) {
      this.refused = true;
      this.report("write key refused by the server", status);
      return false;
    }
    const pause = Math.min(this.settings.retryMax, this.settings.retryBase * 2 ** this.failures++);
    // Half of the pause is chance, so that all browsers of a shop do not come back in the same instant.
    this.unreachable = status === 0;
    this.retryAt = Date.now() + Math.max(retryAfter, pause / 2 + (Math.random() * pause) / 2);
    return false;
  }

  private listen(): void {
    const { scope } = this;
    const on = (target: EventTarget, name: string, run: (event: Event) => void) =>
      target.addEventListener(name, (event) => this.safely(() => run(event)));
    on(scope.document, "visibilitychange", () => {
      // On phones this is often the last that a page hears.
      if (scope.document.visibilityState === "hidden") this.handOver();
    });
    on(scope as unknown as EventTarget, "pagehide", () => {
      this.queue.release();
      this.handOver();
    });
    on(scope as unknown as EventTarget, "pageshow", (event) => {
      if (!(event as PageTransitionEvent).persisted) return;
      this.queue.resume();
      if (this.queue.items.length) this.schedule(0);
    });
    on(scope as unknown as EventTarget, "storage", (event) => {
      const { key, newValue } = event as StorageEvent;
      // Another tab was told.
      if (key !== CONSENT || !newValue || newValue === this.said) return;
      this.said = newValue;
      this.obey();
    });
    on(scope as unknown as EventTarget, "online", () => {
      // The network is back: our own pause ends, one that the server asked for does not.
      if (this.unreachable) this.retryAt = 0;
      if (this.queue.items.length) this.schedule(0);
    });
  }

  private handOver(): void {
    if (this.refused || !this.mayStore() || Date.now() < this.retryAt) return;
    // What does not fit into one beacon waits in storage for the next page.
    const fresh = this.queue.items.filter((item) => !item.beaconed);
    for (const item of this.transport!.beacon(fresh)) item.beaconed = true;
  }

  /** Keeps the lease while messages wait, and looks for what crashed tabs left behind. */
  private renew(): void {
    this.scope.setTimeout(() => {
      this.safely(() => {
        if (!this.mayStore()) return;
        if (this.queue.items.length) this.queue.persist();
        this.queue.adopt(this.settings.maxQueue);
        if (this.queue.items.length) this.schedule();
      });
      this.renew();
    }, RENEW_MS);
  }

  private safely(run: () => void): this {
    try {
      run();
    } catch (error) {
      this.report("mistake", error);
    }
    return this;
  }

  private report(reason: string, detail?: unknown): void {
    try {
      this.settings.onError?.(reason, detail);
    } catch {
      // The page's own handler failed; there is nobody left to tell.
    }
  }
}

function isObject(value: unknown): value is Properties {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Numbers are taken as ids too: shops number their customers. */
function idOf(value: unknown): string | undefined {
  return typeof value === "string" || typeof value === "number" ? String(value) || undefined : undefined;
}
