// What is shown stands in the address: a reload, or a link to a colleague, shows the same.
import { useCallback, useSyncExternalStore } from 'react';

export type Tab = 'pick' | 'hand' | 'find' | 'who' | 'new' | 'more';
export const TABS: Tab[] = ['pick', 'hand', 'find', 'who', 'new', 'more'];
/** `who` is the customer whose card is open, `talk` the consultation. */
export interface At { at: string; tab: Tab; sel: string; sku: string; who: string; talk: string }

const watchers = new Set<() => void>();
const watch = (w: () => void) => {
  watchers.add(w);
  addEventListener('popstate', w);
  return () => {
    watchers.delete(w);
    removeEventListener('popstate', w);
  };
};
const KEPT = 'braid-store-place';
const kept = (): string => {
  try {
    return localStorage.getItem(KEPT) ?? '';
  } catch {
    return '';
  }
};

export function useAddress(): [At, (part: Partial<At>, replace?: boolean) => void] {
  const search = useSyncExternalStore(watch, () => location.search);
  const p = new URLSearchParams(search);
  const tab = p.get('tab') as Tab;
  const now: At = { at: p.get('at') ?? kept(), tab: TABS.includes(tab) ? tab : 'pick', sel: p.get('sel') ?? '', sku: p.get('sku') ?? '', who: p.get('who') ?? '', talk: p.get('talk') ?? '' };
  const go = useCallback((part: Partial<At>, replace = false) => {
    const q = new URLSearchParams(location.search);
    for (const [k, v] of Object.entries(part)) if (v) q.set(k, v); else q.delete(k);
    if (part.at) {
      try {
        localStorage.setItem(KEPT, part.at);
      } catch {
        // the address remembers it
      }
    }
    history[replace ? 'replaceState' : 'pushState'](null, '', `/store${q.size ? `?${q}` : ''}`);
    watchers.forEach((w) => w());
  }, []);
  return [now, go];
}
