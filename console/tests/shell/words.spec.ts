// The words of the trade: one word for one thing, no English left over, every code of the server with words of its own.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import i18next from 'i18next';
import { setLanguage } from '../../src/ui/format';
import { evidenceText, isKnown, said } from '../../src/words/server';

const root = join(import.meta.dirname, '../../..');
/** A language with the words of every area. */
async function whole(language: 'en' | 'uk'): Promise<Record<string, string>> {
  const dir = join(root, 'console/src/i18n');
  const files = readdirSync(dir).filter((f) => f === `${language}.ts` || f.endsWith(`.${language}.ts`));
  const parts = await Promise.all(files.map(async (f) => ((await import(join(dir, f))) as { default: Record<string, string> }).default));
  return Object.assign({}, ...parts) as Record<string, string>;
}
let en: Record<string, string> = {};
let uk: Record<string, string> = {};
const source = (path: string) => readFileSync(join(root, path), 'utf8');

test.beforeAll(async () => {
  [en, uk] = await Promise.all([whole('en'), whole('uk')]);
  await i18next.init({ lng: 'uk', fallbackLng: false, keySeparator: false, nsSeparator: false, interpolation: { escapeValue: false }, resources: { uk: { translation: uk } } });
});

/** Rust's placeholders as they look once they are filled. */
function filled(text: string): string {
  let n = 0;
  return text
    .replace(/"?\{[^}]*:\?\}"?/g, '"Кошик"')
    .replace(/\{(?:self\.)?(?:input\.shop\.)?[a-zA-Z_.]*time_zone\}/g, 'Europe/Kyiv')
    .replace(/\{what\}/g, 'orders')
    .replace(/\{at\}/g, '2026-11-22T12:00:00Z')
    .replace(/\{(channel)\}/g, 'email')
    .replace(/\{(purpose)\}/g, 'marketing')
    .replace(/\{[^}]*\}/g, () => String((n += 3)));
}

test('every sentence with which the gate explains itself is said in the reader’s words', () => {
  const gate = source('crates/messaging/src/gate.rs').split('#[cfg(test)]')[0]!;
  const body = gate.slice(gate.indexOf('fn rule_line'), gate.indexOf('fn is_marketing'));
  const sentences = [...body.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map((m) => m[1]!.replace(/\\\s+/g, '')).filter((s) => /[a-z]{2} |\} /.test(s) && !/^(reason|template)_/.test(s));
  expect(sentences.length).toBeGreaterThan(20);
  const unknown = sentences
    .map((s) => {
      // Pieces of one sentence stand apart: the cap's line, and the zone and moment of quiet hours.
      if (s === '{} of {} ({} {}) in {}') return '3 of 3 (email marketing) in 7d used';
      if (/^\{\} (already )?used$/.test(s)) return `3 of 3 (email marketing) in 7d ${s.slice(3)}`;
      if (s.startsWith('quiet hours in {}')) return 'quiet hours in Europe/Kyiv last until 2026-11-22T06:00:00Z';
      if (s === 'any address') return 'nobody agreed to email for marketing at any address';
      return filled(s);
    })
    .filter((s) => !isKnown(s));
  expect(unknown).toEqual([]);
});

test('every sentence with which a derived trait explains itself is said in the reader’s words', () => {
  const dir = join(root, 'crates/customers/src/derived');
  const unknown: string[] = [];
  let count = 0;
  for (const file of readdirSync(dir).filter((f) => f.endsWith('.rs') && !f.includes('test'))) {
    const text = readFileSync(join(dir, file), 'utf8').split('#[cfg(test)]')[0]!;
    for (const m of text.matchAll(/because\(asked, \|\| (?:format!\()?\s*"((?:[^"\\]|\\.)*)"/g)) {
      count += 1;
      const s = filled(m[1]!.replace(/\\\s+/g, ''));
      if (!isKnown(s)) unknown.push(`${file}: ${s}`);
    }
  }
  expect(count).toBeGreaterThan(15);
  expect(unknown).toEqual([]);
});

test('what trying an identity provider says is said in the reader’s words', () => {
  const files = ['connect/src/oidc/discovery.rs', 'connect/src/oidc/keys.rs', 'connect/src/oidc/client.rs', 'server/src/oidc/check.rs'];
  const sentences = files.flatMap((file) => {
    const text = source(`crates/${file}`).split('#[cfg(test)]')[0]!;
    const errors = [...text.matchAll(/#\[error\(\s*"((?:[^"\\]|\\.)*)"/g)].map((m) => m[1]!);
    const steps = [...text.matchAll(/(?:StepState::\w+, (?:format!\()?|= \n? *|&str =\s*)"((?:[^"\\]|\\.)*)"/g)].map((m) => m[1]!);
    return [...errors, ...steps].filter((s) => / .* /.test(s) && s !== 'RS256 or ES256' && !s.includes('_basic or '));
  });
  expect(sentences.length).toBeGreaterThan(20);
  const shown = sentences.map((s) => s.replace(/\{status\}/, '500').replace(/\{limit_s\}/, '10').replace(/\{\}/g, '').replace('larger than  KiB', 'larger than 256 KiB').replace(/keys that can be used: $/, 'keys that can be used: 2').replace(/\{[^}]*\}/g, 'x'));
  expect(shown.filter((s) => !isKnown(s))).toEqual([]);
});

test('every reason for which nobody comes in has words', () => {
  const text = source('crates/server/src/oidc/refusal.rs');
  const reasons = [...text.matchAll(/Reason::\w+ => "(\w+)"/g)].map((m) => m[1]!);
  expect(reasons.length).toBeGreaterThan(12);
  expect(reasons.filter((r) => !(`provider.why.${r}` in en) || !(`provider.why.${r}` in uk))).toEqual([]);
});

test('sentences keep their values on the way into Ukrainian', () => {
  expect(said('the rule "Кинутий кошик" is on (version 4)')).toBe('правило «Кинутий кошик» увімкнено (версія 4)');
  expect(said('email for marketing is denied at o.hudz@ukr.net')).toBe('E-mail, реклама: відмова на o.hudz@ukr.net');
  expect(said('3 of 3 (email marketing) in 7d already used')).toContain('3 із 3');
  expect(said('14 orders, the last 0 days ago; at risk after 60, lapsed after 121 days of the customer\'s own rhythm')).toContain('замовлень: 14');
  expect(said('2 orders collected in a shop')).toBe('замовлень забрано в магазині: 2');
  expect(said('a sentence that nobody knows')).toBe('a sentence that nobody knows');
  expect(evidenceText('phone: the same, and rare; surname: one typing mistake apart; city: different')).toBe('телефон: те саме, і рідкісне; прізвище: різниця в одну літеру; місто: різне');
});

test('every refusal about goods is said in the reader’s words', () => {
  const files = ['commands.rs', 'commands/claims.rs', 'commands/documents.rs', 'commands/locations.rs', 'counting.rs', 'purchasing.rs', 'transfers.rs', 'error.rs'].map((f) => `crates/stock/src/${f}`);
  const found = new Set<string>();
  for (const file of files) {
    const text = source(file).split('#[cfg(test)]')[0]!;
    for (const m of text.matchAll(/StockError::field\(\s*(?:format!\("[^"]*"\)|"[^"]*"|\w+),\s*(?:format!\(\s*)?"((?:[^"\\]|\\.)*)"/g)) found.add(m[1]!);
    // A sentence that is put into a variable first.
    for (const m of text.matchAll(/let detail = (?:format!\()?"((?:[^"\\]|\\.)*)"/g)) found.add(m[1]!);
  }
  const api = source('crates/server/src/api/stock.rs') + ['claims', 'locations', 'purchases'].map((f) => source(`crates/server/src/api/stock/${f}.rs`)).join('');
  for (const s of ['it belongs to an order or a transfer: cancel that', 'give both lat and lon, in degrees, or neither', 'there is no such supplier']) {
    expect(api).toContain(s);
    found.add(s);
  }
  expect(found.size).toBeGreaterThan(50);
  const shown = [...found].map((s) => s.replace(/\{id:\?\}/, '"Lviv-1"').replace(/\{[^}]*\}/g, '3'));
  expect(shown.filter((s) => !isKnown(s))).toEqual([]);
  // Sentences of crates/stock/src/error.rs, as they come.
  expect(said('transfer 12 is received and cannot be shipped')).toBe('зараз: прийнято');
  expect(said('reservation 7 has ended: expired')).toBe('резерв уже завершився: строк минув');
  expect(said('of HM-200220 at Lviv-1 5 are wanted and 3 available')).toBe('HM-200220 (Lviv-1): треба 5, є 3');
  expect(said('location "Lviv-1" was changed meanwhile: read it again')).toContain('тим часом');
});

test('why an order comes from where it comes is said in the reader’s words', () => {
  const sentences: string[] = [];
  for (const [file, from, to] of [['offers.rs', 'fn sentence', '\n}'], ['confirmation.rs', 'pub fn decide', '\n}']] as const) {
    const text = source(`crates/orders/src/${file}`);
    const body = text.slice(text.indexOf(from), text.indexOf(to, text.indexOf(from)));
    for (const m of body.matchAll(/"((?:[^"\\]|\\.)*)"/g)) if (/[a-z]/.test(m[1]!)) sentences.push(m[1]!);
  }
  expect(sentences.length).toBeGreaterThan(15);
  const at = '2026-11-22T12:00:00Z';
  // The kinds of pauses stand apart from the sentence that they begin.
  const shown = sentences.filter((s) => s !== 'about ').map((s) => (/^(switched off|the territory is closed|an air-raid alert|no power|curfew)$/.test(s) ? `${s} until ${at}` : s.startsWith('{kind}') ? `curfew until about ${at}` : s.replace(/until \{\}|at \{\}/, (x) => x.replace('{}', at)).replace(/\{[^}]*\}/g, '3')));
  expect(shown.filter((s) => !isKnown(s))).toEqual([]);
  const parked = [...source('crates/orders/src/sourcing/why.rs').matchAll(/(?:=> |_ => )"([a-z][^"{]+)",/g)].map((m) => m[1]!).filter((s) => / /.test(s));
  expect(parked.length).toBeGreaterThan(5);
  expect(parked.filter((why) => !isKnown(`nothing can be sent; line 2 waits: ${why}`))).toEqual([]);
  // Sentences of crates/orders/src/sourcing/why.rs, as they come.
  setLanguage('uk');
  expect(said('from the shop Lviv-1 by np: arrives tomorrow, saves 38.50 UAH against all from Hub')).toBe('із «Lviv-1»: надійде завтра, економить 38,50\u00a0₴ проти всього з «Hub»');
  expect(said('in 2 parcels, 3 pieces from the warehouse Hub by np, 1 pieces from the shop Lviv-1 by np: arrives in 2 days, no other single place has everything')).toBe('2 посилками: 3 штуки із «Hub» і 1 штука із «Lviv-1»: надійде за 2 дні, в жодному іншому місці всього немає');
  expect(said('what the shop lacks is brought: from the warehouse Hub by own: arrives today, as cheap as all from Lviv-2')).toBe('чого бракує в магазині, привезуть: із «Hub»: надійде сьогодні, так само дешево, як усе з «Lviv-2»');
});

test('every state and kind of goods has words in both languages', () => {
  const model = source('crates/stock/src/model.rs');
  const names = (type: string) => {
    const from = model.indexOf(`impl ${type} {`);
    return [...model.slice(from, model.indexOf('\n}', from)).matchAll(/"([a-z_]+)"/g)].map((m) => m[1]!);
  };
  const keys = [
    ...names('LocationKind').map((n) => (['supplier', 'customer', 'loss', 'transit'].includes(n) ? `place.${n}` : `place.kind.${n}`)),
    ...names('LocationState').map((n) => `place.state.${n}`),
    ...names('Condition').map((n) => `condition.${n}`),
    ...names('ReservationKind').map((n) => `claim.kind.${n}`),
  ];
  expect(keys.length).toBeGreaterThan(20);
  expect(keys.filter((k) => !(k in en) || !(k in uk))).toEqual([]);
});

test('every field and level that speaks for a pair has words', () => {
  const text = source('crates/resolve/src/field.rs');
  const words = (from: string, to: string) => [...text.slice(text.indexOf(from), text.indexOf(to, text.indexOf(from))).matchAll(/=> "([^"]+)"/g)].map((m) => m[1]!);
  const fields = words('pub fn word(', 'pub fn level_word(');
  const levels = words('pub fn level_word(', '\n}');
  expect([fields.length > 10, levels.length > 10]).toEqual([true, true]);
  for (const field of fields) for (const level of levels) expect(evidenceText(`${field}: ${level}`), `${field}: ${level}`).not.toMatch(/[a-z]{4,}(?<!mail)/);
});

test('every problem of the server has words in both languages', () => {
  const codes = readdirSync(join(root, 'crates/server/problems')).map((f) => f.replace('.md', ''));
  expect(codes.filter((c) => !(`problem.${c}` in en) || !(`problem.${c}` in uk))).toEqual([]);
});

test('every line of the audit has words in both languages', () => {
  const files = readdirSync(join(root, 'crates/server/src'), { recursive: true, encoding: 'utf8' }).filter((f) => f.endsWith('.rs') && !f.includes('tests'));
  const found = new Set<string>();
  for (const file of files) {
    const text = source(`crates/server/src/${file}`);
    for (const m of text.matchAll(/(?:noted\(|audit::note\([^;]{0,120}?|what:\s*)\(\s*"([a-z_]+)",\s*"([a-z_ ]+)"\s*\)/gs)) {
      found.add(`audit.act.${m[1]}`);
      found.add(`audit.kind.${m[2]!.replaceAll(' ', '_')}`);
    }
  }
  expect(found.size).toBeGreaterThan(80);
  expect([...found].filter((key) => !(key in en) || !(key in uk))).toEqual([]);
});

test('Ukrainian texts use the words of docs/glossary.md and none that it rejects', () => {
  const rows = source('docs/glossary.md').split('\n').filter((l) => /^\| [a-z]/i.test(l) && !l.startsWith('| en ')).map((l) => l.split('|').map((c) => c.trim()));
  expect(rows.length).toBeGreaterThan(40);
  const found: string[] = [];
  for (const [, , , rejected] of rows) {
    for (const wrong of (rejected ?? '').split(',').map((w) => w.trim()).filter(Boolean)) {
      // A rejected word is a stem where it ends in an asterisk.
      const stem = wrong.endsWith('*');
      const pattern = new RegExp(`(?<![\\p{L}’])${wrong.replace('*', '').replace(/[.+?^${}()|[\]\\]/g, '\\$&')}${stem ? '' : '(?![\\p{L}’])'}`, 'iu');
      for (const [key, text] of Object.entries(uk)) if (pattern.test(text)) found.push(`${key}: “${text}” has “${wrong}”`);
    }
  }
  expect(found).toEqual([]);
  // The glossary is of this program: each of its words is used, or marked as one of a later area.
  const all = Object.values(uk).join('\n').toLocaleLowerCase('uk');
  const unused = rows.filter(([, , word, , later]) => later === '' && !(word ?? '').split('/').some((w) => all.includes(w.trim().toLocaleLowerCase('uk').slice(0, 5)))).map((r) => r[1]);
  expect(unused).toEqual([]);
});

test('Ukrainian is written as it is printed', () => {
  const wrong: string[] = [];
  for (const [key, text] of Object.entries(uk)) {
    if (/[ыэъё]/i.test(text)) wrong.push(`${key}: a Russian letter`);
    if (/[a-zA-Z][а-яіїєґ]|[а-яіїєґ][a-zA-Z](?!\b)/i.test(text.replace(/\{\{\w+\}\}/g, '').replace(/\(?(XLSX|CSV|SMS|push|Braid|JSON|e-mail)\)?/g, ''))) wrong.push(`${key}: letters of two alphabets in one word: ${text}`);
    if (/[\p{L}]'[\p{L}]/u.test(text)) wrong.push(`${key}: a straight apostrophe`);
    if (/"/.test(text.replace(/`[^`]*`/g, '').replace(/[=(]\s*"[^"]*"/g, ''))) wrong.push(`${key}: straight quotes: ${text}`);
  }
  expect(wrong).toEqual([]);
});
