/**
 * Who the visitor is, as far as this browser knows.
 *
 * Values are read anew for each message: another tab may have identified or reset the visitor meanwhile.
 */
import type { Store } from "./storage";
import type { Properties, Scope } from "./types";

const ANONYMOUS_ID = "braid_anonymous_id";
const USER_ID = "braid_user_id";
const TRAITS = "braid_traits";
const SESSION = "braid_session";
const CART = "braid_cart";

export class Identity {
  /** Whether Segment's library on this page says who the visitor is. */
  segment = false;

  constructor(private scope: Scope, private store: Store) {}

  anonymousId(): string {
    const borrowed = this.borrow("anonymousId");
    if (borrowed) return borrowed;
    let id = this.store.get(ANONYMOUS_ID);
    if (!id) this.store.set(ANONYMOUS_ID, (id = uuid(this.scope)));
    return id;
  }

  userId(): string | undefined {
    return this.borrow("id") || this.store.get(USER_ID) || undefined;
  }

  private borrow(what: "id" | "anonymousId"): string | undefined {
    if (!this.segment) return;
    try {
      const id = this.scope.analytics!.user!()[what]!();
      return typeof id === "string" ? id : undefined;
    } catch {
      // Not there yet, or only its snippet is.
    }
  }

  /** Joins the steps from the first article to the order; a new one begins after the order. */
  cartId(ends = false): string {
    const id = this.store.get(CART) || uuid(this.scope);
    this.store.set(CART, ends ? null : id);
    return id;
  }

  traits(): Properties {
    try {
      return JSON.parse(this.store.get(TRAITS) || "{}");
    } catch {
      return {};
    }
  }

  /** Remembers what `identify` said. Someone else on this browser starts with a new anonymousId, else two people become one. */
  learn(userId: string | undefined, traits: Properties): void {
    const known = this.userId();
    const other = known !== undefined && userId !== undefined && known !== userId;
    if (other) this.forget();
    if (userId !== undefined) this.store.set(USER_ID, userId);
    this.store.set(TRAITS, JSON.stringify(other ? traits : { ...this.traits(), ...traits }));
  }

  /** The same person under another id. */
  rename(userId: string): void {
    this.store.set(USER_ID, userId);
  }

  forget(): void {
    this.store.set(USER_ID, null);
    this.store.set(TRAITS, null);
    this.store.set(SESSION, null);
    this.store.set(CART, null);
    this.store.set(ANONYMOUS_ID, uuid(this.scope));
  }

  /** Visits are counted by the server from this id; it changes after a pause without events. */
  sessionId(now: number, timeout: number): string {
    const [last, kept] = (this.store.get(SESSION) ?? "").split("|");
    const id = kept && now - Number(last) < timeout ? kept : uuid(this.scope);
    this.store.set(SESSION, now + "|" + id);
    return id;
  }
}

/** UUID version 4. `crypto.randomUUID` exists on secure pages only, and shops have tills and test sites without TLS. */
export function uuid(scope: Scope): string {
  const bytes = new Uint8Array(16);
  if (scope.crypto?.getRandomValues) scope.crypto.getRandomValues(bytes);
  else for (let i = 0; i < 16; i++) bytes[i] = Math.random() * 256;
  bytes[6] = (bytes[6]! & 15) | 64;
  bytes[8] = (bytes[8]! & 63) | 128;
  const hex = Array.from(bytes, (byte) => (byte + 256).toString(16).slice(1)).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
