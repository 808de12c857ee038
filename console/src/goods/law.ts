// Rules of law as the server keeps them: what each kind holds, when a rule counts, what is wrong with one, and what a change changes.
import i18next from 'i18next';
import * as f from '../ui/format';

export const KINDS = ['tax', 'cash', 'earlier_price', 'age', 'stamp', 'receipts', 'returns'] as const;
export type Kind = (typeof KINDS)[number];
export type Rule =
  | { kind: 'tax'; class: string; letter: string; vat_percent: number; excise_percent?: number }
  | { kind: 'cash'; rounding: { step_minor: number; up_from_minor: number } }
  | { kind: 'earlier_price'; shown: { as: 'previous' } | { as: 'lowest'; days: number } }
  | { kind: 'age'; goods: string[]; years: number }
  | { kind: 'stamp'; goods: string[] }
  | { kind: 'receipts'; kept_days: number }
  | { kind: 'returns'; days: number; fault_days: number; except?: { class: string; words: string }[] };
export interface Dated { rule: Rule; from: string; until?: string | null; source: string }
export interface Law { country: string; time_zone: string; standard: string; rules: Dated[] }

/** What the form holds: texts, until all of them are understood. */
export type Draft = { kind: Kind; from: string; until: string; source: string } & Record<string, string>;
export const FIELDS: Record<Kind, string[]> = {
  tax: ['class', 'letter', 'vat_percent', 'excise_percent'], cash: ['step', 'up_from'], earlier_price: ['as', 'days'], age: ['goods', 'years'], stamp: ['goods'], receipts: ['kept_days'], returns: ['days', 'fault_days', 'except'],
};
/** Where the server finds fault with a field. */
export const POINTERS: Record<string, string[]> = { step: ['rounding', 'rounding/step_minor'], up_from: ['rounding/up_from_minor'], as: ['shown', 'shown/as'], days: ['days', 'shown/days'], class: ['class', ''], except: ['except'] };

const money = (minor: number): string => String(minor / 10 ** f.minorDigits()).replace('.', ',');
export function draftOf(d: Dated | undefined, kind: Kind): Draft {
  const base = { kind, from: d?.from ?? '', until: d?.until ?? '', source: d?.source ?? '' };
  const r = d?.rule;
  if (!r || r.kind !== kind) return { ...base, ...Object.fromEntries(FIELDS[kind].map((k) => [k, k === 'as' ? 'previous' : k === 'excise_percent' ? '0' : k === 'days' && kind === 'earlier_price' ? '30' : ''])) };
  switch (r.kind) {
    case 'tax': return { ...base, class: r.class, letter: r.letter, vat_percent: String(r.vat_percent).replace('.', ','), excise_percent: String(r.excise_percent ?? 0).replace('.', ',') };
    case 'cash': return { ...base, step: money(r.rounding.step_minor), up_from: money(r.rounding.up_from_minor) };
    case 'earlier_price': return { ...base, as: r.shown.as, days: r.shown.as === 'lowest' ? String(r.shown.days) : '30' };
    case 'age': return { ...base, goods: r.goods.join(', '), years: String(r.years) };
    case 'stamp': return { ...base, goods: r.goods.join(', ') };
    case 'receipts': return { ...base, kept_days: String(r.kept_days) };
    case 'returns': return { ...base, days: String(r.days), fault_days: String(r.fault_days), except: (r.except ?? []).map((e) => `${e.class}: ${e.words}`).join('\n') };
  }
}

const num = (text: string | undefined): number => { const s = (text ?? '').replace(/[\s\u00a0]/g, '').replace(',', '.'); return /^\d+(\.\d+)?$/.test(s) ? Number(s) : NaN; };
const whole = (text: string | undefined, least: number, most: number): boolean => { const n = num(text); return Number.isInteger(n) && n >= least && n <= most; };
const words = (text: string | undefined): string[] => (text ?? '').split(/[\n,;]+/).map((s) => s.trim()).filter(Boolean);
const DAY = /^\d{4}-\d{2}-\d{2}$/;

/** What is wrong with a draft, by field: keys of texts. */
export function faultsIn(d: Draft): Record<string, { key: string; from?: number; to?: number }> {
  const out: Record<string, { key: string; from?: number; to?: number }> = {};
  const range = (field: string, from: number, to: number) => { if (!whole(d[field], from, to)) out[field] = { key: 'law.need.whole', from, to }; };
  if (!DAY.test(d.from)) out.from = { key: 'law.need.from' };
  if (d.until && d.until <= d.from) out.until = { key: 'law.need.later' };
  if (!d.source.trim()) out.source = { key: 'law.need.source' };
  switch (d.kind) {
    case 'tax':
      if (!d.class?.trim()) out.class = { key: 'law.need.class' };
      for (const k of ['vat_percent', 'excise_percent']) { const n = num(d[k]); if (!(n >= 0 && n <= 1000)) out[k] = { key: 'law.need.percent' }; }
      break;
    case 'cash': {
      const [step, up] = [num(d.step), num(d.up_from)];
      const unit = 10 ** f.minorDigits();
      if (!(Math.round(step * unit) >= 1)) out.step = { key: 'law.need.step' };
      if (!(up >= 0 && up <= step)) out.up_from = { key: 'law.need.within' };
      break;
    }
    case 'earlier_price': if (d.as === 'lowest') range('days', 1, 3650); break;
    case 'age': range('years', 1, 120); if (!words(d.goods).length) out.goods = { key: 'law.need.goods' }; break;
    case 'stamp': if (!words(d.goods).length) out.goods = { key: 'law.need.goods' }; break;
    case 'receipts': range('kept_days', 1, 36_500); break;
    case 'returns': {
      range('days', 0, 3650);
      range('fault_days', 0, 3650);
      if ((d.except ?? '').split('\n').some((l) => l.trim() && !/^[^:\s]+\s*:\s*\S/.test(l.trim()))) out.except = { key: 'law.need.except' };
      break;
    }
  }
  return out;
}

export function datedOf(d: Draft): Dated {
  const minor = (text: string | undefined) => Math.round(num(text) * 10 ** f.minorDigits());
  const rule = (): Rule => {
    switch (d.kind) {
      case 'tax': return { kind: 'tax', class: d.class!.trim(), letter: (d.letter ?? '').trim(), vat_percent: num(d.vat_percent), excise_percent: num(d.excise_percent) };
      case 'cash': return { kind: 'cash', rounding: { step_minor: minor(d.step), up_from_minor: minor(d.up_from) } };
      case 'earlier_price': return { kind: 'earlier_price', shown: d.as === 'lowest' ? { as: 'lowest', days: num(d.days) } : { as: 'previous' } };
      case 'age': return { kind: 'age', goods: words(d.goods), years: num(d.years) };
      case 'stamp': return { kind: 'stamp', goods: words(d.goods) };
      case 'receipts': return { kind: 'receipts', kept_days: num(d.kept_days) };
      case 'returns': return { kind: 'returns', days: num(d.days), fault_days: num(d.fault_days), except: (d.except ?? '').split('\n').map((l) => /^([^:\s]+)\s*:\s*(.+)$/.exec(l.trim())).filter((m) => m !== null).map((m) => ({ class: m[1]!, words: m[2]! })) };
    }
  };
  return { rule: rule(), from: d.from, ...(d.until ? { until: d.until } : {}), source: d.source.trim() };
}

const t = (key: string, o?: Record<string, unknown>): string => i18next.t(key, o ?? {});
/** A rule in words: its value. */
export function valueText(r: Rule): string {
  switch (r.kind) {
    case 'tax': return r.excise_percent ? t('law.v.excise', { vat: f.number(r.vat_percent), excise: f.number(r.excise_percent) }) : t('law.v.tax', { vat: f.number(r.vat_percent) });
    case 'cash': return t('law.v.cash', { step: f.money({ minor: r.rounding.step_minor, currency: f.currencyOfShop() }), up: f.money({ minor: r.rounding.up_from_minor, currency: f.currencyOfShop() }) });
    case 'earlier_price': return r.shown.as === 'lowest' ? t('law.v.lowest', { n: f.number(r.shown.days) }) : t('law.v.previous');
    case 'age': return t('law.v.age', { n: f.number(r.years) });
    case 'stamp': return t('law.v.stamp');
    case 'receipts': return t('law.v.receipts', { n: f.number(r.kept_days) });
    case 'returns': return t('law.v.returns', { n: f.number(r.days), fault: f.number(r.fault_days), except: f.number(r.except?.length ?? 0) });
  }
}
/** What a rule is about: rules of one subject take each other's place. */
export const subjectOf = (r: Rule): string => (r.kind === 'tax' ? `tax ${r.class}` : r.kind === 'age' || r.kind === 'stamp' ? `${r.kind} ${[...r.goods].sort().join(' ')}` : r.kind);
export const aboutText = (r: Rule): string => (r.kind === 'tax' ? `${r.class}${r.letter ? ` · ${r.letter}` : ''}` : r.kind === 'age' || r.kind === 'stamp' ? r.goods.join(', ') : '');

export type State = 'now' | 'coming' | 'past' | 'replaced';
/** Whether a rule counts on a day; `replaced`: a later one of the same subject does. */
export function stateOn(d: Dated, all: Dated[], day: string): State {
  if (d.from > day) return 'coming';
  if (d.until && d.until <= day) return 'past';
  const later = all.some((o) => o !== d && subjectOf(o.rule) === subjectOf(d.rule) && o.from > d.from && o.from <= day && (!o.until || o.until > day));
  return later ? 'replaced' : 'now';
}
/** What counts of a subject on a day. */
export const holds = (all: Dated[], subject: string, day: string): Dated | undefined => all.filter((d) => subjectOf(d.rule) === subject && d.from <= day && (!d.until || d.until > day)).sort((a, b) => b.from.localeCompare(a.from))[0];

export interface Change { subject: string; rule: Rule; from: string; before?: Dated; after?: Dated; back: boolean }
/** From which days on something else counts than before the change, by subject; `back`: days that are over count otherwise, too. */
export function changesOf(before: Dated[], after: Dated[], today: string): Change[] {
  const subjects = new Map([...before, ...after].map((d) => [subjectOf(d.rule), d.rule]));
  const out: Change[] = [];
  for (const [subject, rule] of subjects) {
    const days = [...new Set([...before, ...after].filter((d) => subjectOf(d.rule) === subject).flatMap((d) => [d.from, ...(d.until ? [d.until] : [])]))].sort();
    let last = '';
    for (const day of days) {
      const [b, a] = [holds(before, subject, day), holds(after, subject, day)];
      const same = JSON.stringify(b?.rule) === JSON.stringify(a?.rule);
      const what = same ? '' : JSON.stringify([b?.rule, a?.rule]);
      if (what && what !== last) out.push({ subject, rule, from: day, before: b, after: a, back: day <= today });
      last = what;
    }
  }
  return out.sort((x, y) => x.from.localeCompare(y.from));
}
