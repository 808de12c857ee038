// Both languages say the same things, with every plural form of each, and no text in the code is without words.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

const load = async (name) => {
  const source = readFileSync(`src/i18n/${name}.ts`, 'utf8');
  const js = ts.transpileModule(source, { compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 } }).outputText;
  return (await import(`data:text/javascript;base64,${Buffer.from(js).toString('base64')}`)).default;
};
const whole = async (name) => ({ ...(await load(name)), ...(await load(`areas.${name}`)), ...(await load(`prices.${name}`)) });
const [en, uk] = await Promise.all([whole('en'), whole('uk')]);
const errors = [];
const suffix = /_(one|few|many|other)$/;
const group = (texts) => {
  const bases = new Map();
  for (const key of Object.keys(texts)) {
    const form = suffix.exec(key)?.[1];
    const base = key.replace(suffix, '');
    if (!bases.has(base)) bases.set(base, new Set());
    if (form) bases.get(base).add(form);
  }
  return bases;
};
const e = group(en), u = group(uk);
for (const [base, forms] of e) {
  if (!u.has(base)) { errors.push(`uk lacks ${base}`); continue; }
  if (forms.size === 0 && u.get(base).size === 0) continue;
  for (const f of ['one', 'other']) if (!forms.has(f)) errors.push(`en lacks ${base}_${f}`);
  for (const f of ['one', 'few', 'many', 'other']) if (!u.get(base).has(f)) errors.push(`uk lacks ${base}_${f}`);
}
for (const base of u.keys()) if (!e.has(base)) errors.push(`en lacks ${base}`);
const holes = (s) => [...s.matchAll(/{{\s*(\w+)/g)].map((m) => m[1]).sort().join();
for (const [key, text] of Object.entries(en)) {
  const other = uk[key];
  // English may say "once" where the number stands in other forms.
  if (other !== undefined && !key.endsWith('_one') && holes(text) !== holes(other)) errors.push(`${key}: placeholders differ`);
}
const walk = (dir) => readdirSync(dir, { withFileTypes: true }).flatMap((d) => (d.isDirectory() ? walk(join(dir, d.name)) : [join(dir, d.name)]));
for (const file of walk('src').filter((f) => /\.tsx?$/.test(f) && !f.includes('i18n/') && !f.includes('schema.d.ts'))) {
  const text = readFileSync(file, 'utf8');
  for (const m of text.matchAll(/\bt\(\s*'([^']+)'/g)) if (!e.has(m[1])) errors.push(`${file}: no text for '${m[1]}'`);
  for (const m of text.matchAll(/\bi18nKey="([^"]+)"/g)) if (!e.has(m[1])) errors.push(`${file}: no text for '${m[1]}'`);
}
if (errors.length) { console.error(errors.join('\n')); process.exit(1); }
console.log(`${e.size} texts in both languages`);
