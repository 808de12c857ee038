// Barcode scanners are keyboards that type faster than people and end with Enter. They press keys of the Latin layout, so
// what they typed is read from the keys: under the Ukrainian layout the characters would be Cyrillic.
import { useEffect, useRef } from 'react';

/** No finger is this fast, key after key. */
const GAP_MS = 50;
const SHORTEST = 4;
const MARKS: Record<string, [string, string]> = { Minus: ['-', '_'], Period: ['.', '>'], Slash: ['/', '?'], Equal: ['=', '+'], Space: [' ', ' '], Semicolon: [';', ':'] };

/** The Latin character of a key, if SKUs and barcodes have it. */
export function characterOf(e: Pick<KeyboardEvent, 'code' | 'shiftKey' | 'getModifierState'>): string {
  const letter = /^Key([A-Z])$/.exec(e.code)?.[1];
  if (letter) return e.shiftKey !== e.getModifierState('CapsLock') ? letter : letter.toLowerCase();
  const digit = /^(?:Digit|Numpad)(\d)$/.exec(e.code)?.[1];
  if (digit && !e.shiftKey) return digit;
  const mark = MARKS[e.code];
  return mark ? mark[e.shiftKey ? 1 : 0] : '';
}

/** Collects keys as they come; `take` gives what was scanned, or null where a person typed. */
export class Scanned {
  private text = '';
  private at = -Infinity;
  private keys = 0;

  push(e: Pick<KeyboardEvent, 'code' | 'shiftKey' | 'timeStamp' | 'getModifierState'>): void {
    if (/^(Shift|Caps|Control|Alt)/.test(e.code)) return;
    if (e.timeStamp - this.at > GAP_MS) this.clear();
    this.at = e.timeStamp;
    const c = characterOf(e);
    this.keys += 1;
    this.text += c;
  }
  get fast(): boolean {
    return this.keys >= 3;
  }
  take(at: number): string | null {
    const found = at - this.at <= GAP_MS && this.text.length >= SHORTEST && this.text.length === this.keys ? this.text.trim() : null;
    this.clear();
    return found;
  }
  clear(): void {
    this.text = '';
    this.keys = 0;
    this.at = -Infinity;
  }
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
        // From the third key on it is no person: shortcuts stay out of it.
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
