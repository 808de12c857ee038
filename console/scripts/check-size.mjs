// What a browser loads before Home can be read: entry, shell, Home and one language, gzipped. Charts and areas come later.
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const LIMIT = 250 * 1024;
const manifest = JSON.parse(readFileSync('dist/.vite/manifest.json', 'utf8'));
const files = new Set();
const seen = new Set();
const take = (key) => {
  if (seen.has(key)) return;
  seen.add(key);
  const chunk = manifest[key];
  if (!chunk) throw new Error(`${key} is not in the manifest`);
  files.add(chunk.file);
  for (const css of chunk.css ?? []) files.add(css);
  for (const dep of chunk.imports ?? []) take(dep);
};
for (const key of ['index.html', 'src/home/HomePage.tsx', 'src/i18n/en.ts']) take(key);
let total = 0;
for (const file of [...files].sort()) {
  const size = gzipSync(readFileSync(`dist/${file}`), { level: 9 }).length;
  total += size;
  if (size > 2048) console.log(`${String((size / 1024).toFixed(1)).padStart(8)} KB  ${file}`);
}
console.log(`first view ${(total / 1024).toFixed(1)} KB gzipped, limit ${LIMIT / 1024} KB`);
if (total > LIMIT) process.exit(1);
