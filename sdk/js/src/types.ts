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
  /** Told of every message that was given up and of every mistake that was swallowed. */
  onError?: (reason: string, detail?: unknown) => void;
}

export type Settings = Required<Omit<Options, "cookieDomain" | "onError">> & Pick<Options, "cookieDomain" | "onError">;

export type MessageType = "identify" | "track" | "page" | "group" | "alias";

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
  fetch: typeof fetch;
  setTimeout: (run: () => void, ms: number) => number;
  clearTimeout: (timer: number | undefined) => void;
};
