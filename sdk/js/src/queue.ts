/**
 * Messages that the server has not acknowledged, in memory and in local storage.
 *
 * Each page writes a key of its own, so that tabs never overwrite one another. The key holds `<lease>\n[messages]`; a page
 * that is alive renews its lease, a page that goes away writes 0, and whoever finds an expired key adopts its messages. Two pages may
 * adopt the same key at once, and a page may die between copying and deleting: then messages are sent twice, with
 * the same ids, and the server keeps one of each. Nothing that was written is ever lost.
 */
import type { Store } from "./storage";
import type { Item, Scope } from "./types";
import { uuid } from "./identity";

/** Browsers let a hidden tab run only once a minute, so a lease lives longer than two such turns. */
export const LEASE_MS = 150_000;
export const RENEW_MS = 30_000;

export class Queue {
  items: Item[] = [];
  private prefix = "";
  private key = "";
  /** Whether our key holds what `items` holds; false when storage is forbidden or full. */
  private written = false;
  private released = false;

  constructor(private scope: Scope, private store: Store) {}

  /** Messages before this are kept in memory only: it is not known yet whose they are. */
  open(writeKey: string): void {
    this.prefix = `braid_queue_${writeKey}_`;
    this.key = this.prefix + uuid(this.scope);
    this.persist();
  }

  add(item: Item, max: number): Item[] {
    this.items.push(item);
    const dropped = this.items.splice(0, Math.max(0, this.items.length - max));
    this.persist();
    return dropped;
  }

  remove(done: Item[]): void {
    this.items = this.items.filter((item) => !done.includes(item));
    this.persist();
  }

  clear(): void {
    this.items = [];
    this.persist();
  }

  /** Takes over what pages left behind that are no longer there. */
  adopt(max: number): void {
    for (const key of this.store.keys(this.prefix)) {
      // The length tells keys of this write key from those of a longer one that begins alike.
      if (key === this.key || key.length !== this.key.length) continue;
      const [lease, items] = parse(this.store.getLocal(key));
      if (lease > Date.now()) continue;
      const known = this.items.map((item) => item.id);
      this.items = items.filter((item) => !known.includes(item.id)).concat(this.items).slice(-max);
      this.persist();
      this.store.setLocal(key, null);
    }
  }

  /** Writes the messages down and renews the lease. */
  persist(): void {
    if (!this.key) return;
    const lease = this.released ? 0 : Date.now() + LEASE_MS;
    const body = this.items.map((item) => item.json).join(",");
    // An idle page leaves nothing behind.
    this.written = this.store.setLocal(this.key, body ? `${lease}\n[${body}]` : null) && body !== "";
  }

  /** The page goes away: the next one need not wait for the lease to end. */
  release(): void {
    this.released = true;
    this.persist();
  }

  /** A page that came back from the back/forward cache: what another page has adopted meanwhile is no longer ours. */
  resume(): void {
    if (this.written && this.store.getLocal(this.key) === null) this.items = [];
    this.released = false;
    this.persist();
  }
}

export function itemOf(id: string, json: string): Item {
  return { id, json, bytes: new TextEncoder().encode(json).length };
}

function parse(text: string | null): [lease: number, items: Item[]] {
  try {
    const cut = text!.indexOf("\n");
    const messages = JSON.parse(text!.slice(cut + 1)) as { messageId: string }[];
    return [Number(text!.slice(0, cut)), messages.map((message) => itemOf(message.messageId, JSON.stringify(message)))];
  } catch {
    // Not a queue, so nothing can be saved from it; an expired lease makes the caller clear it away.
    return [0, []];
  }
}
