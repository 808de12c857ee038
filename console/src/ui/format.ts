import i18next from 'i18next';
import type { Money } from '../api/types';

// Every number, sum and date on a screen is made here. Tables hold thousands of them, so each formatter is made once.
let locale = 'en-GB';
let zone: string | undefined;
let shopCurrency = 'UAH';
const cache = new Map<string, unknown>();

export function setLanguage(language: string): void {
  locale = language === 'uk' ? 'uk-UA' : 'en-GB';
  cache.clear();
}

export function setShop(shop: { time_zone: string; currency: string }): void {
  try {
    new Intl.DateTimeFormat('en', { timeZone: shop.time_zone });
    zone = shop.time_zone;
  } catch {
    zone = undefined;
  }
  shopCurrency = shop.currency;
  cache.clear();
}

const once = <T>(key: string, make: () => T): T => {
  if (!cache.has(key)) cache.set(key, make());
  return cache.get(key) as T;
};
const tidy = (s: string) => s.replace(/\u202f/g, '\u00a0').replace(/^-/, '\u2212').replace(/(\s)-(\d)/g, '$1\u2212$2');
const numbers = (o: Intl.NumberFormatOptions) => once(`n${JSON.stringify(o)}`, () => new Intl.NumberFormat(locale, o));
const dates = (o: Intl.DateTimeFormatOptions) => once(`d${JSON.stringify(o)}`, () => new Intl.DateTimeFormat(locale, { timeZone: zone, ...o }));

export const NONE = '–';
export const number = (n: number): string => tidy(numbers({ maximumFractionDigits: 2 }).format(n));
export const short = (n: number): string => tidy(numbers({ notation: 'compact', maximumFractionDigits: 1 }).format(n));
export const percent = (share: number, digits = 1): string => tidy(numbers({ style: 'percent', maximumFractionDigits: digits }).format(share));
export const signed = (n: number): string => tidy(numbers({ signDisplay: 'exceptZero', maximumFractionDigits: 1 }).format(n));
/** A share of few things is a count: "7 of 12" is honest where 58% is not. */
export const shareOf = (part: number, all: number): string =>
  all < 30 ? i18next.t('format.of', { part: number(part), all: number(all) }) : percent(part / all, 0);

/** How many decimals a currency has: UAH 2, JPY 0, KWD 3. */
export const minorDigits = (currency: string = shopCurrency): number =>
  once(`m${currency}`, () => {
    try {
      return new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2;
    } catch {
      return 2;
    }
  });
/** A sum as a field shows it: decimals of its currency, a point, no spaces. */
export const moneyField = (minor: number, currency: string = shopCurrency): string => (minor / 10 ** minorDigits(currency)).toFixed(minorDigits(currency));
export const currencyOfShop = (): string => shopCurrency;
export const amountOf = (m: Money): number => m.minor / 10 ** minorDigits(m.currency);

function currencyText(value: number, currency: string, whole: boolean): string {
  const digits = whole ? 0 : minorDigits(currency);
  return tidy(numbers({ style: 'currency', currency, currencyDisplay: 'narrowSymbol', minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value));
}
/** Exact, with kopecks: one order, one receipt. */
export const money = (m: Money): string => currencyText(amountOf(m), m.currency, false);
/** For reports: no kopecks from a thousand up. */
export const moneyReport = (m: Money): string => currencyText(amountOf(m), m.currency, Math.abs(amountOf(m)) >= 1000);
export const moneyList = (list: Money[] | null | undefined, exact = false): string =>
  list?.length ? list.map(exact ? money : moneyReport).join(' + ') : NONE;
/** A sum as it stands in an event: decimal, with or without its currency. */
export function sum(value: unknown, currency: unknown): string | null {
  const n = typeof value === 'number' ? value : typeof value === 'string' && value.trim() !== '' ? Number(value) : NaN;
  if (!Number.isFinite(n)) return null;
  const code = typeof currency === 'string' && /^[A-Z]{3}$/.test(currency) ? currency : shopCurrency;
  return currencyText(n, code, false);
}
export const currencySign = (currency = shopCurrency): string =>
  numbers({ style: 'currency', currency, currencyDisplay: 'narrowSymbol' }).formatToParts(0).find((p) => p.type === 'currency')?.value ?? currency;

type When = string | number | Date;
const at = (w: When) => (w instanceof Date ? w : new Date(w));
const dropYearWord = (s: string) => tidy(s).replace(/\sр\.$/, '');

export const time = (w: When): string => dates({ hour: '2-digit', minute: '2-digit', hour12: false }).format(at(w));
export const clock = (w: When): string => dates({ hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false }).format(at(w));
export const date = (w: When): string => dropYearWord(dates({ day: 'numeric', month: 'short', year: 'numeric' }).format(at(w)));
export const dayMonth = (w: When): string => dropYearWord(dates({ day: 'numeric', month: 'short' }).format(at(w)));
export const dateLong = (w: When): string => tidy(dates({ day: 'numeric', month: 'long', year: 'numeric' }).format(at(w)));
export const weekday = (w: When): string => dates({ weekday: 'long', day: 'numeric', month: 'long' }).format(at(w));
/** The whole truth, for tooltips. */
export const exact = (w: When): string => `${date(w)}, ${clock(w)}`;

/** The shop's day of a moment, as a sortable key. */
export const dayKey = (w: When): string =>
  once('key', () => new Intl.DateTimeFormat('en-CA', { timeZone: zone, year: 'numeric', month: '2-digit', day: '2-digit' })).format(at(w));
export const hourOf = (w: When): number =>
  Number(once('hour', () => new Intl.DateTimeFormat('en-GB', { timeZone: zone, hour: '2-digit', hour12: false })).format(at(w))) % 24;

const DAY = 86_400_000;
export function dayHeading(w: When): string {
  const key = dayKey(w);
  const now = Date.now();
  if (key === dayKey(now)) return i18next.t('day.today');
  const long = dates({ day: 'numeric', month: 'long' }).format(at(w));
  if (key === dayKey(now - DAY)) return i18next.t('day.yesterday', { date: long });
  if (now - at(w).getTime() < 300 * DAY) return capital(dates({ weekday: 'long', day: 'numeric', month: 'long' }).format(at(w)));
  return dateLong(w);
}
export const capital = (s: string) => s.charAt(0).toLocaleUpperCase(locale) + s.slice(1);

/** Relative within a day, a date after that. */
export function ago(w: When): string {
  const passed = Date.now() - at(w).getTime();
  const minutes = Math.floor(passed / 60_000);
  if (passed < 45_000) return i18next.t('ago.now');
  if (minutes < 60) return i18next.t('ago.minutes', { n: number(Math.max(1, minutes)) });
  const key = dayKey(w);
  if (key === dayKey(Date.now())) return time(w);
  if (key === dayKey(Date.now() - DAY)) return i18next.t('ago.yesterday', { time: time(w) });
  return Math.abs(passed) < 300 * DAY ? dayMonth(w) : date(w);
}

/** Where there is room for one word: the time today, the day before that. */
export const brief = (w: When): string => (dayKey(w) === dayKey(Date.now()) ? time(w) : dayMonth(w));

export function seconds(ms: number): string {
  return i18next.t('format.seconds', { n: tidy(numbers({ maximumFractionDigits: ms < 10_000 ? 1 : 0 }).format(Math.max(0, ms) / 1000)) });
}

/** E.164 in the groups in which people read it. */
export function phone(value: string): string {
  const ua = /^\+380(\d{2})(\d{3})(\d{2})(\d{2})$/.exec(value);
  if (ua) return `+380 ${ua[1]} ${ua[2]} ${ua[3]} ${ua[4]}`;
  const gb = /^\+44(\d{4})(\d{3})(\d{3})$/.exec(value);
  if (gb) return `+44 ${gb[1]} ${gb[2]} ${gb[3]}`;
  return value;
}

/** Ids are told apart by both ends. */
export const middle = (value: string, keep = 6): string => (value.length > keep * 2 + 2 ? `${value.slice(0, keep)}…${value.slice(-keep + 1)}` : value);

export const initials = (name: string): string => {
  const words = name.trim().split(/[\s@.]+/).filter(Boolean);
  return ((words[0]?.[0] ?? '') + (words[1]?.[0] ?? '')).toLocaleUpperCase(locale) || '?';
};

export const list = (items: string[]): string => once('list', () => new Intl.ListFormat(locale, { type: 'conjunction' })).format(items);
export const compareText = (a: string, b: string): number => once('collator', () => new Intl.Collator('uk')).compare(a, b);
