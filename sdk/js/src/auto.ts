/**
 * What is noticed without a call for each: page views, clicks, visible time, forms.
 *
 * Nothing that a person types is ever read: of a form only its name, the names of its fields and the time.
 */
import type { Auto, Properties, Scope } from "./types";

/** What this part may ask of the client. */
export interface Voice {
  page(): void;
  track(event: string, properties: Properties): void;
  safely(run: () => void): void;
}

interface Form {
  steps: string[];
  /** Where the visitor is, and in the end where they left. */
  at?: string;
  since: number;
}

interface Watch {
  seen: boolean;
  since: number;
  ms: number;
}

const PRODUCT = "[data-braid-product]";
/** Titles are mostly set a moment after the address. */
const SETTLE_MS = 50;
const SCAN_MS = 500;
const MAX_CARDS = 200;

export class Observer {
  private url: string;
  private forms = new Map<Element, Form>();
  private cards = new Map<Element, Watch>();
  private whole: Watch = { seen: true, since: 0, ms: 0 };
  private path: string;
  private moved?: number;
  private scanning?: number;
  private sight?: IntersectionObserver;
  /** Where the visitor was before, on this page without reloads. */
  referrer?: string;

  constructor(private scope: Scope, private auto: Auto, private voice: Voice) {
    this.url = address(scope);
    this.path = scope.location.pathname;
  }

  /** The client's own listeners come after, so that what is said here at the last moment is still handed over. */
  start(): void {
    const { scope, auto } = this;
    const { document } = scope;
    this.whole.since = Date.now();
    const on = (target: unknown, name: string, run: (event: Event) => void) =>
      (target as EventTarget).addEventListener(name, (event) => this.voice.safely(() => run(event)), true);
    if (auto.pages) this.voice.page();
    if (auto.pages || auto.time || auto.forms) this.followHistory(on);
    if (auto.clicks) on(document, "click", (event) => this.clicked(event.target as Element));
    if (auto.forms) {
      on(document, "focusin", (event) => this.form(event.target as Element));
      on(document, "change", (event) => this.filled(event.target as Element));
      on(document, "submit", (event) => this.close(event.target as Element, "Form Completed"));
    }
    if (auto.time) {
      this.watchCards();
      on(document, "visibilitychange", () => (document.visibilityState === "hidden" ? this.tell() : this.restart()));
    }
    on(scope, "pagehide", () => this.leave());
    on(scope, "pageshow", (event) => (event as PageTransitionEvent).persisted && this.restart());
  }

  private followHistory(on: (target: unknown, name: string, run: () => void) => void): void {
    const { history } = this.scope;
    const check = () => this.navigated();
    for (const name of ["pushState", "replaceState"] as const) {
      const before = history?.[name];
      if (!before) continue;
      history[name] = (...args: Parameters<History["pushState"]>) => {
        before.apply(history, args);
        this.voice.safely(check);
      };
    }
    on(this.scope, "popstate", check);
  }

  /** Frameworks also write their own state into the history, and go through addresses that nobody sees. */
  private navigated(): void {
    this.scope.clearTimeout(this.moved);
    if (address(this.scope) === this.url) return;
    this.moved = this.scope.setTimeout(() => {
      this.voice.safely(() => {
        this.leave();
        this.referrer = this.url;
        this.url = address(this.scope);
        this.path = this.scope.location.pathname;
        this.restart();
        if (this.auto.pages) this.voice.page();
        this.scan();
      });
    }, SETTLE_MS);
  }

  private leave(): void {
    if (this.auto.time) this.tell();
    for (const form of [...this.forms.keys()]) this.close(form, "Form Abandoned");
  }

  // Clicks

  private clicked(target: Element): void {
    const { clicks } = this.auto;
    const chosen: [selector: string, event?: string][] = [["[data-braid-click]"]];
    if (typeof clicks === "string") chosen.push([clicks]);
    else if (typeof clicks === "object") chosen.push(...Object.entries(clicks));
    for (const [selector, event] of chosen) {
      const element = target.closest?.(selector);
      if (!element) continue;
      const name = event || element.getAttribute("data-braid-click") || "Element Clicked";
      return this.voice.track(name, { ...productOf(element), ...describe(element) });
    }
  }

  // Forms

  private form(field: Element): [element: Element, form: Form] | undefined {
    const { forms } = this.auto;
    const element = field.closest?.(typeof forms === "string" ? forms : "[data-braid-form]");
    if (!element) return;
    let form = this.forms.get(element);
    if (!form) {
      this.forms.set(element, (form = { steps: [], since: Date.now() }));
      this.voice.track("Form Started", { form: nameOf(element) });
    }
    if (/^(input|textarea|select)$/i.test(field.tagName)) form.at = stepOf(field);
    return [element, form];
  }

  private filled(field: Element): void {
    const found = this.form(field);
    if (!found) return;
    const [element, { steps }] = found;
    const step = stepOf(field);
    if (!step || steps.includes(step)) return;
    steps.push(step);
    this.voice.track("Form Step Completed", { form: nameOf(element), step, number: steps.length });
  }

  private close(element: Element, event: string): void {
    const form = this.forms.get(element);
    if (!form) return;
    this.forms.delete(element);
    const { steps, at, since } = form;
    const properties = { form: nameOf(element), steps: steps.length, seconds: seconds(Date.now() - since) };
    this.voice.track(event, at ? { ...properties, last_step: at } : properties);
  }

  // Time

  /** Tells what has passed in sight since the last time; several of these on one page add up. */
  private tell(): void {
    this.scope.clearTimeout(this.scanning);
    this.scanning = undefined;
    const say = (watch: Watch, event: string, properties: Properties) => {
      if (watch.since) watch.ms += Date.now() - watch.since;
      watch.since = 0;
      if (watch.ms < 1000) return;
      this.voice.track(event, { ...properties, seconds: seconds(watch.ms) });
      watch.ms = 0;
    };
    say(this.whole, "Page Time Spent", { path: this.path });
    this.cards.forEach((watch, card) => {
      say(watch, "Product Time Spent", productOf(card));
      // The page has thrown it away.
      if (!card.isConnected) this.cards.delete(card);
    });
  }

  private restart(): void {
    const visible = this.scope.document.visibilityState !== "hidden";
    for (const watch of [this.whole, ...this.cards.values()]) watch.since = visible && watch.seen ? Date.now() : 0;
  }

  private watchCards(): void {
    const { scope } = this;
    if (!scope.IntersectionObserver) return;
    this.sight = new scope.IntersectionObserver(
      (entries) => this.voice.safely(() => entries.forEach((entry) => this.sighted(entry))),
      { threshold: [0, 0.5] },
    );
    const later = () => {
      this.scanning ??= scope.setTimeout(() => {
        this.scanning = undefined;
        this.voice.safely(() => this.scan());
      }, SCAN_MS);
    };
    if (scope.MutationObserver) new scope.MutationObserver(later).observe(scope.document, { childList: true, subtree: true });
    this.scan();
  }

  private scan(): void {
    if (!this.sight) return;
    for (const card of Array.from(this.scope.document.querySelectorAll(PRODUCT))) {
      if (this.cards.size >= MAX_CARDS) return;
      if (this.cards.has(card)) continue;
      this.cards.set(card, { seen: false, since: 0, ms: 0 });
      this.sight.observe(card);
    }
  }

  /** A card counts when half of it is in sight, or when it fills half of the window, as a product's own page does. */
  private sighted(entry: IntersectionObserverEntry): void {
    const watch = this.cards.get(entry.target);
    if (!watch) return;
    const window = entry.rootBounds?.height ?? 0;
    watch.seen = entry.isIntersecting && (entry.intersectionRatio >= 0.5 || entry.intersectionRect.height * 2 >= window);
    if (watch.since) watch.ms += Date.now() - watch.since;
    watch.since = watch.seen && this.scope.document.visibilityState !== "hidden" ? Date.now() : 0;
  }
}

/** A fragment is a place on a page, not another page. */
function address(scope: Scope): string {
  return scope.location.href.split("#")[0]!;
}

function seconds(ms: number): number {
  return Math.round(ms / 100) / 10;
}

function nameOf(element: Element): string {
  return ["data-braid-form", "name", "id"].map((name) => element.getAttribute(name)).find(Boolean) ?? "";
}

/** A step is what the page calls one, else a field. */
function stepOf(field: Element): string {
  return field.closest("[data-braid-step]")?.getAttribute("data-braid-step") || nameOf(field);
}

/** `data-braid-product` holds a product as JSON, or only its sku. */
function productOf(element: Element): Properties {
  const text = element.closest(PRODUCT)?.getAttribute("data-braid-product");
  if (!text) return {};
  try {
    const product = JSON.parse(text);
    if (typeof product === "object" && product) return product;
  } catch {
    // No JSON, so it is the sku itself.
  }
  return { sku: text };
}

function describe(element: Element): Properties {
  const found: Properties = {};
  for (const { name, value } of Array.from(element.attributes)) {
    if (name === "id" || name === "href") found[name] = value;
    else if (name.startsWith("data-braid-prop-")) found[name.slice(16).replace(/-/g, "_")] = value;
  }
  // What stands in a field belongs to the person.
  const text = /^(input|textarea|select)$/i.test(element.tagName) ? "" : element.textContent?.replace(/\s+/g, " ").trim().slice(0, 100);
  if (text) found.text = text;
  return found;
}
