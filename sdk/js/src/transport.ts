/** How messages travel: one POST per batch, without anything that would make the browser ask for permission first. */
import type { Item, Scope } from "./types";

const KIB = 1024;
/** Limits of the tracking API. */
export const MAX_EVENT_BYTES = 32 * KIB;
const MAX_BATCH_BYTES = 500 * KIB;
const MAX_BATCH_ITEMS = 2500;
/** Browsers let a leaving page hand over 64 KiB in all; a little is left for whoever else on the page wants some. */
const MAX_BEACON_BYTES = 60 * KIB;
/** Commas, brackets, `sentAt` and the write key around the messages. */
const ENVELOPE_BYTES = 512;
/** A request without an answer for so long counts as failed. */
const TIMEOUT_MS = 30_000;

/** 0 means that no answer came. `retryAfter` is in milliseconds. */
export interface Answer {
  status: number;
  retryAfter: number;
}

export class Transport {
  private url: string;

  constructor(private scope: Scope, private writeKey: string, host: string) {
    this.url = host.replace(/\/+$/, "") + "/v1/batch";
  }

  /** `text/plain` is among the types that another origin may receive without a preflight, which halves the requests. */
  async post(items: Item[]): Promise<Answer> {
    const abort = typeof AbortController === "undefined" ? undefined : new AbortController();
    const timer = this.scope.setTimeout(() => abort?.abort(), TIMEOUT_MS);
    try {
      const answer = await this.scope.fetch(this.url, {
        method: "POST",
        headers: { "Content-Type": "text/plain" },
        credentials: "omit",
        body: this.body(items),
        signal: abort?.signal,
      });
      return { status: answer.status, retryAfter: parseRetryAfter(answer.headers.get("Retry-After")) };
    } catch {
      return { status: 0, retryAfter: 0 };
    } finally {
      this.scope.clearTimeout(timer);
    }
  }

  /** Hands over what a leaving page still has. Returns what was taken; that it arrived is never known. */
  beacon(items: Item[]): Item[] {
    const taken = takeBatch(items, MAX_BEACON_BYTES);
    if (!taken.length) return [];
    const body = this.body(taken);
    // A string goes out as text/plain.
    if (this.scope.navigator.sendBeacon?.(this.url, body)) return taken;
    this.scope
      .fetch(this.url, {
        method: "POST",
        headers: { "Content-Type": "text/plain" },
        credentials: "omit",
        keepalive: true,
        body,
      })
      .catch(() => {});
    return taken;
  }

  private body(items: Item[]): string {
    const batch = items.map((item) => item.json).join(",");
    return `{"batch":[${batch}],"sentAt":"${new Date().toISOString()}","writeKey":${JSON.stringify(this.writeKey)}}`;
  }
}

/** The longest beginning of `items` that one request may carry. */
export function takeBatch(items: Item[], maxBytes = MAX_BATCH_BYTES): Item[] {
  let bytes = ENVELOPE_BYTES;
  let count = 0;
  for (const item of items) {
    bytes += item.bytes + 1;
    if (bytes > maxBytes || count === MAX_BATCH_ITEMS) break;
    count++;
  }
  return items.slice(0, count);
}

/** Seconds or an HTTP date. */
function parseRetryAfter(header: string | null): number {
  if (!header) return 0;
  const ms = /^\d+$/.test(header.trim()) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return ms > 0 ? ms : 0;
}
