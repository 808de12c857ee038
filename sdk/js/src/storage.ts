/**
 * Small values that outlive the page: local storage, else a cookie, else this page's memory.
 *
 * Local storage throws when the user forbids it, when it is full and inside some frames; none of that may reach the page.
 */
import type { Scope } from "./types";

const COOKIE_AGE_S = 31536000;

export class Store {
  private memory: Record<string, string | null> = {};
  /** Nothing is written until it is known that it may be: before `load`, and without a consent that was asked for. */
  private locked = true;

  constructor(private scope: Scope, public cookieDomain?: string) {}

  get(key: string): string | null {
    if (this.locked && key in this.memory) return this.memory[key]!;
    return this.getLocal(key) ?? this.getCookie(key) ?? this.memory[key] ?? null;
  }

  set(key: string, value: string | null): void {
    // A cookie travels with every request of the site, so it is only written when there is no other way.
    const kept = this.setLocal(key, value);
    if (!kept || value === null) this.setCookie(key, value);
    if (value === null && !this.locked) delete this.memory[key];
    else this.memory[key] = value;
  }

  lock(): void {
    this.locked = true;
  }

  /** Writes down what was only remembered. */
  unlock(): void {
    if (!this.locked) return;
    this.locked = false;
    Object.entries(this.memory).forEach(([key, value]) => this.set(key, value));
  }

  /** Takes everything of ours away, of all tabs. */
  clear(): void {
    this.memory = {};
    const cookies = () => this.scope.document.cookie.split("; ").map((pair) => pair.split("=")[0]!);
    let names: string[] = [];
    try {
      names = cookies().filter((name) => name.startsWith("braid_"));
    } catch {
      // No cookies here, so there is none of ours.
    }
    const before = this.locked;
    this.locked = false;
    [...this.keys("braid_"), ...names].forEach((key) => this.set(key, null));
    this.locked = before;
  }

  getLocal(key: string): string | null {
    try {
      return this.scope.localStorage.getItem(key);
    } catch {
      return null;
    }
  }

  /** Whether the value is kept now. */
  setLocal(key: string, value: string | null): boolean {
    if (this.locked) return false;
    try {
      if (value === null) this.scope.localStorage.removeItem(key);
      else this.scope.localStorage.setItem(key, value);
      return true;
    } catch {
      return false;
    }
  }

  keys(prefix: string): string[] {
    const keys: string[] = [];
    try {
      const all = this.scope.localStorage;
      for (let i = 0; i < all.length; i++) {
        const key = all.key(i);
        if (key?.startsWith(prefix)) keys.push(key);
      }
    } catch {
      // Nothing can be listed, so there is nothing of another page to care for.
    }
    return keys;
  }

  private getCookie(key: string): string | null {
    try {
      const found = this.scope.document.cookie.split("; ").find((pair) => pair.startsWith(key + "="));
      return found ? decodeURIComponent(found.slice(key.length + 1)) : null;
    } catch {
      return null;
    }
  }

  private setCookie(key: string, value: string | null): void {
    if (this.locked) return;
    try {
      if (value === null && this.getCookie(key) === null) return;
      const domain = this.cookieDomain ? "; domain=" + this.cookieDomain : "";
      const secure = this.scope.location.protocol === "https:" ? "; secure" : "";
      this.scope.document.cookie =
        `${key}=${encodeURIComponent(value ?? "")}; path=/; max-age=${value === null ? 0 : COOKIE_AGE_S}; samesite=lax${domain}${secure}`;
    } catch {
      // Sandboxed frames refuse cookies; the value then lives as long as the page.
    }
  }
}
