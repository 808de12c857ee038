// Forms about goods: quantities as people type them, refusals at their field, and sending that may be repeated.
import i18next from 'i18next';
import { useRef } from 'react';
import { Problem } from '../api/problem';
import { said } from '../words/server';
import * as f from '../ui/format';

/** A quantity of at most three decimals; comma or point, with spaces. Null where it is none. */
export function quantity(text: string): number | null {
  const plain = text.replace(/[\s\u00a0]/g, '').replace(',', '.').replace('\u2212', '-');
  return /^-?\d{1,9}(\.\d{1,3})?$/.test(plain) ? Number(plain) : null;
}
/** Money as it is typed, in minor units of its currency; null where it is none or has more decimals than the currency. */
export function minor(text: string, currency?: string): number | null {
  const n = quantity(text);
  const digits = f.minorDigits(currency);
  if (n === null || n < 0) return null;
  const whole = n * 10 ** digits;
  return Math.abs(whole - Math.round(whole)) > 1e-6 ? null : Math.round(whole);
}

const SHORT = /^of (.+?)(?: at (.+?))? (\S+) are wanted and (\S+) available$/;

/** What a refusal says in the reader's words. `place` names a location. */
export function detailText(detail: string, place: (id: string) => string): string {
  const m = SHORT.exec(detail);
  if (!m) return said(detail);
  const [wanted, available] = [f.number(Number(m[3])), f.number(Number(m[4]))];
  return m[2] ? i18next.t('stock.shortAt', { sku: m[1], place: place(m[2]), wanted, available }) : i18next.t('stock.short', { sku: m[1], wanted, available });
}

export interface Faults {
  /** What is wrong at a field, under any of these pointers. */
  at: (...pointers: string[]) => string | undefined;
  /** The error, unless all of it stands at fields that were asked for. */
  rest: () => unknown;
}

/** The field errors of a refusal. Ask `rest` after all fields. */
export function faultsOf(error: unknown, place: (id: string) => string): Faults {
  const errors = error instanceof Problem ? error.errors : [];
  const shown = new Set<number>();
  return {
    at: (...pointers) => {
      const i = errors.findIndex((e) => pointers.includes(e.pointer));
      if (i < 0) return undefined;
      shown.add(i);
      return detailText(errors[i]!.detail, place);
    },
    rest: () => (error && (errors.length === 0 || errors.some((_, i) => !shown.has(i))) ? error : null),
  };
}

/** The key under which the same content counts once, however often it is sent. */
export function useOnce(): (body: unknown) => { 'idempotency-key': string } {
  const last = useRef({ text: '', key: '' });
  return (body) => {
    const text = JSON.stringify(body);
    if (last.current.text !== text) last.current = { text, key: newKey() };
    return { 'idempotency-key': last.current.key };
  };
}

/** An id that nobody else has. `crypto.randomUUID` is there over https only. */
export const newKey = (): string => [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, '0')).join('');
/** A day of a date field as a moment. */
export const dayStart = (day: string): string | undefined => (day ? new Date(`${day}T12:00:00`).toISOString() : undefined);
