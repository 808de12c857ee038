import { contact } from './client';

export type StreamState = 'connecting' | 'live' | 'lost';
type Handler = (data: never) => void;

/**
 * One server-sent stream. It reconnects for ever, says for how long it was away (so that the page can fetch what it
 * missed), and closes while the tab is hidden: browsers allow six connections to a host, and tabs are many.
 */
export class Stream {
  state: StreamState = 'connecting';
  /** When the connection was lost, in ms; null while it stands. */
  lostAt: number | null = null;
  private source: EventSource | null = null;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private hide: ReturnType<typeof setTimeout> | undefined;
  private delay = 500;
  private closed = false;
  private asleep = false;
  private readonly handlers = new Map<string, Set<Handler>>();
  private readonly watchers = new Set<() => void>();
  private readonly returns = new Set<(seconds: number) => void>();

  constructor(private readonly url: string) {
    this.open();
    document.addEventListener('visibilitychange', this.onVisibility);
  }

  on<T>(event: string, handler: (data: T) => void): () => void {
    const set = this.handlers.get(event) ?? new Set();
    if (!this.handlers.has(event)) {
      this.handlers.set(event, set);
      this.source?.addEventListener(event, this.dispatch);
    }
    set.add(handler as Handler);
    return () => set.delete(handler as Handler);
  }

  /** Called with the length of the gap after the connection came back. */
  onReturn(handler: (seconds: number) => void): () => void {
    this.returns.add(handler);
    return () => this.returns.delete(handler);
  }

  watch = (handler: () => void): (() => void) => {
    this.watchers.add(handler);
    return () => this.watchers.delete(handler);
  };

  close(): void {
    this.closed = true;
    this.source?.close();
    clearTimeout(this.retry);
    clearTimeout(this.hide);
    document.removeEventListener('visibilitychange', this.onVisibility);
  }

  private dispatch = (e: Event) => {
    contact.at = Date.now();
    const data: unknown = JSON.parse((e as MessageEvent<string>).data || '{}');
    this.handlers.get(e.type)?.forEach((h) => h(data as never));
  };

  private set(state: StreamState): void {
    this.state = state;
    this.watchers.forEach((w) => w());
  }

  private open(): void {
    if (this.closed) return;
    const source = new EventSource(this.url);
    this.source = source;
    for (const event of this.handlers.keys()) source.addEventListener(event, this.dispatch);
    source.onopen = () => {
      contact.at = Date.now();
      this.delay = 500;
      const gap = this.lostAt === null ? null : Math.max(1, Math.round((Date.now() - this.lostAt) / 1000));
      this.lostAt = null;
      const slept = this.asleep;
      this.asleep = false;
      this.set('live');
      if (gap !== null) this.returns.forEach((r) => r(slept ? 0 : gap));
    };
    source.onerror = () => {
      // The browser's own retry waits three seconds and gives up on an HTTP error; ours does neither.
      source.close();
      this.lostAt ??= Date.now();
      this.set('lost');
      clearTimeout(this.retry);
      this.retry = setTimeout(() => this.open(), this.delay);
      this.delay = Math.min(this.delay * 2, 8000);
    };
  }

  private onVisibility = () => {
    clearTimeout(this.hide);
    if (document.hidden) {
      this.hide = setTimeout(() => {
        this.source?.close();
        clearTimeout(this.retry);
        this.lostAt ??= Date.now();
        this.asleep = true;
      }, 5_000);
    } else if (this.asleep || this.source?.readyState === EventSource.CLOSED) {
      clearTimeout(this.retry);
      this.open();
    }
  };
}

/**
 * How much of what happens in the shop this window is told: `whole` while the shop's stream stands, `part` where only goods are
 * told of, `none` while the connection is cut. Pages ask again and again only for what nobody tells them.
 */
export const told: { state: 'none' | 'part' | 'whole' } = { state: 'none' };
const SLOW = 30_000;
/** How often a query is asked anew: never while its changes are told, as often as said while they are not. */
export const whenCut = (ms: number) => (): number | false => (told.state === 'whole' ? false : told.state === 'part' ? Math.max(ms, SLOW) : ms);

/** Does it at once, and then at most once in so many ms, the last time for sure: a busy shop changes many times a second. */
export function seldom(act: () => void, ms: number): { call: () => void; stop: () => void } {
  let last = 0;
  let due: ReturnType<typeof setTimeout> | undefined;
  const now = () => {
    due = undefined;
    last = performance.now();
    act();
  };
  return {
    call: () => {
      const left = last + ms - performance.now();
      if (left <= 0 && !due) now();
      else due ??= setTimeout(now, Math.max(0, left));
    },
    stop: () => clearTimeout(due),
  };
}
