/** What a caller may pass and what goes over the wire. The wire format is the Segment-style tracking API. */

/** Free-form properties or traits: a page may hand in anything, and we must survive it. */
export type Properties = Record<string, unknown>;

export interface Options {
  /** Origin of the Braid server, such as `https://braid.example.com`. Empty means the page's own origin. */
  host?: string;
  /** Send as soon as this many messages wait. */
  flushAt?: number;
  /** Send at the latest this many milliseconds after a message came. */
  flushInterval?: number;
  /** First pause after a failed request; doubles with each failure up to `retryMax`. */
  retryBase?: number;
  retryMax?: number;
  /** At most this many messages are kept while the server is out of reach; the oldest go first. */
  maxQueue?: number;
  /** A session ends after this many milliseconds without an event. */
  sessionTimeout?: number;
  /** Domain of the fallback cookie, such as `.example.com`. */
  cookieDomain?: string;
  /** What is noticed by itself. Nothing, unless asked for. */
  auto?: Auto;
  /** Store and send nothing until `consent(true)`; what happens before waits in the page's memory. */
  consent?: boolean;
  /** Use the ids of Segment's library on the same page (`analytics.user()`), so that both mean one visitor. */
  segment?: boolean;
  /** Told of every message that was given up and of every mistake that was swallowed. */
  onError?: (reason: string, detail?: unknown) => void;
}

export interface Auto {
  /** Page views, also where the address changes without a reload. */
  pages?: boolean;
  /** Clicks on `[data-braid-click]`, and on what a selector (or each selector with its event's name) finds. */
  clicks?: boolean | string | Record<string, string>;
  /** How long the page, and each `[data-braid-product]`, was in sight. */
  time?: boolean;
  /** Steps of `[data-braid-form]`, or of the forms that a selector finds. Never what was typed. */
  forms?: boolean | string;
}

type Loose = "cookieDomain" | "onError" | "auto" | "consent" | "segment";
export type Settings = Required<Omit<Options, Loose>> & Pick<Options, Loose>;

export type MessageType = "identify" | "track" | "page" | "screen" | "group" | "alias";

export interface Message {
  type: MessageType;
  messageId: string;
  anonymousId: string;
  userId?: string;
  timestamp: string;
  context: Properties;
  event?: string;
  name?: string;
  category?: string;
  properties?: Properties;
  traits?: Properties;
  groupId?: string;
  previousId?: string;
}

/** A message as it waits: written down once, so that later changes to the caller's objects cannot reach it. */
export interface Item {
  id: string;
  json: string;
  /** Size in UTF-8, the unit in which the server counts. */
  bytes: number;
  /** Handed to `sendBeacon`, which never says whether it arrived; so it waits on, but is not handed over twice. */
  beaconed?: boolean;
}

/** The part of `window` that is used. Everything goes through it, so that tests can be other windows. */
export type Scope = Pick<
  Window,
  "document" | "navigator" | "location" | "addEventListener"
> & {
  localStorage: Storage;
  screen?: Screen;
  devicePixelRatio?: number;
  crypto?: Crypto;
  history?: History;
  IntersectionObserver?: typeof IntersectionObserver;
  MutationObserver?: typeof MutationObserver;
  /** Segment's library, if the page has it. */
  analytics?: { user?: () => { id?: () => unknown; anonymousId?: () => unknown } };
  fetch: typeof fetch;
  setTimeout: (run: () => void, ms: number) => number;
  clearTimeout: (timer: number | undefined) => void;
};
