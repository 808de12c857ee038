// Barcode scanners are keyboards that type faster than people and end with Enter. They press keys of the Latin layout, so
// what they typed is read from the keys: under the Ukrainian layout the characters would be Cyrillic.
import { useEffect, useRef } from 'react';

/** No finger is this fast, key after key. */
const GAP_MS = 50;
const SHORTEST = 4;
const MARKS: Record<string, [string, string]> = { Minus: ['-', '_'], Period: ['.', '>'], Slash: ['/', '?'], Equal: ['=', '+'], Space: [' ', ' '], Semicolon: [';', ':'] };

type Key = Pick<KeyboardEvent, 'code' | 'key' | 'timeStamp'>;
/** The Latin character of a key, if SKUs and barcodes have it; a capital where the key made one. */
export function characterOf(e: Pick<KeyboardEvent, 'code' | 'key'>): string {
  const letter = /^Key([A-Z])$/.exec(e.code)?.[1];
  if (letter) return e.key !== e.key.toLocaleLowerCase('uk') ? letter : letter.toLowerCase();
  const digit = /^(?:Digit|Numpad)(\d)$/.exec(e.code)?.[1];
  if (digit) return digit;
  const mark = MARKS[e.code];
  return mark ? mark[e.key === mark[1] ? 1 : 0] : '';
}

/** Collects keys as they come; `take` gives what was scanned, or null where a person typed. */
export class Scanned {
  /** What the keys said, and what they would have said under a Latin layout. */
  private text = '';
  private latin = '';
  private at = -Infinity;
  private keys = 0;

  push(e: Key): void {
    if (/^(Shift|Caps|Control|Alt)/.test(e.code)) return;
    if (e.timeStamp - this.at > GAP_MS) this.clear();
    this.at = e.timeStamp;
    this.keys += 1;
    this.text += e.key.length === 1 ? e.key : '';
    this.latin += characterOf(e);
  }
  /** A second key so soon: no person. */
  get fast(): boolean {
    return this.keys >= 2;
  }
  take(at: number): string | null {
    const text = /[^\x20-\x7e]/.test(this.text) ? this.latin : this.text;
    const found = at - this.at <= GAP_MS && text.length >= SHORTEST && text.length === this.keys ? text.trim() : null;
    this.clear();
    return found;
  }
  clear(): void {
    this.text = '';
    this.latin = '';
    this.keys = 0;
    this.at = -Infinity;
  }
}

/** A shortcut of one letter on a page that hears a scanner: it waits whether the letter was the first of a code. */
export function unlessScanned(run: () => void): void {
  const more = () => clearTimeout(timer);
  const timer = setTimeout(() => {
    window.removeEventListener('keydown', more, true);
    run();
  }, 2 * GAP_MS);
  window.addEventListener('keydown', more, { capture: true, once: true });
}

/** Hears a scanner wherever the focus is, as long as it is in no field: fields take what is scanned into them. */
export function useScanner(scanned: (sku: string) => void, enabled = true): void {
  const ref = useRef(scanned);
  ref.current = scanned;
  useEffect(() => {
    if (!enabled) return undefined;
    const buffer = new Scanned();
    const hear = (e: KeyboardEvent) => {
      const el = e.target as HTMLElement | null;
      if (e.ctrlKey || e.metaKey || e.altKey || el?.closest?.('input, textarea, select, [role="dialog"]')) return buffer.clear();
      if (e.code !== 'Enter' && e.code !== 'NumpadEnter') {
        buffer.push(e);
        // Shortcuts stay out of it.
        if (buffer.fast) e.stopPropagation();
        return undefined;
      }
      const sku = buffer.take(e.timeStamp);
      if (!sku) return undefined;
      e.preventDefault();
      e.stopPropagation();
      return ref.current(sku);
    };
    document.addEventListener('keydown', hear, true);
    return () => document.removeEventListener('keydown', hear, true);
  }, [enabled]);
}
