// Rules of tables, without a browser: arrangements, pasted cells, workbooks.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inflateRawSync } from 'node:zlib';
import { expect, test } from '@playwright/test';
import { complete, format, isUsual, move, parse, toggle, widen } from '../../src/ui/tables/arrange';
import { meaning, parseTsv, plain, toTsv } from '../../src/ui/tables/tsv';
import { columnName, crc32, workbook } from '../../src/ui/tables/xlsx';

test('an arrangement comes back from an address as it went', () => {
  const all = ['name', 'reach', 'last', 'events', 'orders'];
  const start = complete([], all, ['events']);
  expect(format(start)).toBe('name,reach,last,-events,orders');
  expect(isUsual(start, all, ['events'])).toBe(true);
  const own = widen(toggle(move(start, 'orders', -1), 'reach'), 'last', 131.6);
  expect(format(own)).toBe('name,-reach,last:132,orders,-events');
  expect(parse(format(own))).toEqual(own);
  expect(isUsual(own, all, ['events'])).toBe(false);
  // The name stays first and shown, whatever is asked.
  expect(format(toggle(move(start, 'name', 1), 'name'))).toBe(format(start));
  expect(format(move(start, 'reach', -1))).toBe(format(start));
  // Nonsense, repeats and columns that are gone do no harm; new ones stand by their neighbour.
  expect(format(complete(parse('name,<b>,orders,orders:9999,gone:80'), all))).toBe('name,reach,last,events,orders');
  expect(parse('a:1,b:99999')).toEqual([{ id: 'a', width: 56 }]);
});

test('cells come from a spreadsheet as they stood there', () => {
  expect(parseTsv('Телефон\tБали\r\n"0671"\t1 249,50\r\n\r\n"два\nрядки"\t"a ""b"" c"\n')).toEqual([['Телефон', 'Бали'], ['0671', '1 249,50'], ['два\nрядки', 'a "b" c']]);
  const odd = [['a\tb', 'c"d', 'e\nf'], ['1', '2', '3']];
  expect(parseTsv(toTsv(odd))).toEqual(odd);
  expect(parseTsv('\ufeffa')).toEqual([['a']]);
  expect(plain('  Номер_телефону ')).toBe(plain('номер телефону'));
  expect(plain('Ім’я')).toBe(plain("ім'я"));
});

test('a number is a number and a code stays a code', () => {
  for (const [cell, value] of [['1 249,50', 1249.5], ['12', 12], ['−3', -3], ['0', 0], ['так', true], ['No', false], ['', null], ['–', null], ['0671234567', '0671234567'], ['2004118000000001', '2004118000000001'], ['+380', '+380'], ['12 34', '12 34'], ['1,2,3', '1,2,3'], ['Ґанок', 'Ґанок']] as const) expect(meaning(cell), cell).toBe(value);
});

/** The parts of a zip, told apart by their own lengths, with their sums checked. */
function unzip(bytes: Buffer): Map<string, string> {
  const out = new Map<string, string>();
  for (let at = 0; bytes.readUInt32LE(at) === 0x04034b50; ) {
    const [crc, packed, size, name, extra] = [bytes.readUInt32LE(at + 14), bytes.readUInt32LE(at + 18), bytes.readUInt32LE(at + 22), bytes.readUInt16LE(at + 26), bytes.readUInt16LE(at + 28)];
    const from = at + 30 + name + extra;
    const text = inflateRawSync(bytes.subarray(from, from + packed));
    expect([text.length, crc32(text)]).toEqual([size, crc]);
    out.set(bytes.toString('utf8', at + 30, at + 30 + name), text.toString('utf8'));
    at = from + packed;
  }
  return out;
}

test('a workbook is whole, and nothing in it is a formula', async () => {
  expect([columnName(0), columnName(25), columnName(26), columnName(701), columnName(702)]).toEqual(['A', 'Z', 'AA', 'ZZ', 'AAA']);
  expect(crc32(new TextEncoder().encode('123456789'))).toBe(0xcbf43926);
  const rows = [['=1+1', 12.5, true, new Date('2026-11-22T12:00:00Z'), null], ['<b>&"Ґ"\u0001\ud800', -3, false, new Date(NaN), '']];
  const blob = await workbook([{ name: 'Клієнти/[1]', head: ['Клієнт', 'Сума', 'Так', 'Коли', 'Ще'], rows }], { title: 'Клієнти', author: 'iryna@svitlytsia.ua', at: new Date('2026-11-22T12:00:00Z'), mark: 'ab12' });
  const bytes = Buffer.from(await blob.arrayBuffer());
  const parts = unzip(bytes);
  const sheet = parts.get('xl/worksheets/sheet1.xml')!;
  expect(sheet).toContain('<t xml:space="preserve">=1+1</t>');
  expect(sheet).toContain('&lt;b&gt;&amp;&quot;Ґ&quot;\ufffd');
  expect(sheet).not.toContain('<f>');
  expect(sheet).toContain('<c r="B2"><v>12.5</v></c>');
  expect(sheet).toContain('<c r="C3" t="b"><v>0</v></c>');
  expect(parts.get('xl/workbook.xml')).toContain('name="Клієнти  1"');
  expect(parts.get('docProps/core.xml')).toContain('<dc:identifier>ab12</dc:identifier>');
  // Another program's opinion, where there is one.
  const file = join(mkdtempSync(join(tmpdir(), 'xlsx-')), 'a.xlsx');
  writeFileSync(file, bytes);
  let found: string;
  try {
    found = execFileSync('python3', ['-c', 'import sys, zipfile\nz = zipfile.ZipFile(sys.argv[1])\nprint(z.testzip(), len(z.namelist()))\nimport xml.dom.minidom\n[xml.dom.minidom.parseString(z.read(n)) for n in z.namelist()]', file], { encoding: 'utf8' });
  } catch (e) {
    if ((e as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw e;
  }
  expect(found.trim()).toBe('None 7');
});
