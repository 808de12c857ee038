// What comes from a spreadsheet: cells between tabs, quoted where they hold a tab, a line break or a quote.

export function parseTsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let cell = '';
  let quoted = false;
  const body = text.replace(/^\ufeff/, '');
  for (let i = 0; i < body.length; i++) {
    const c = body[i]!;
    if (quoted) {
      if (c === '"' && body[i + 1] === '"') { cell += '"'; i++; }
      else if (c === '"') quoted = false;
      else cell += c;
    } else if (c === '"' && cell === '') quoted = true;
    else if (c === '\t') { row.push(cell); cell = ''; }
    else if (c === '\n' || c === '\r') {
      if (c === '\r' && body[i + 1] === '\n') i++;
      row.push(cell);
      rows.push(row);
      row = [];
      cell = '';
    } else cell += c;
  }
  if (cell !== '' || row.length > 0) { row.push(cell); rows.push(row); }
  return rows.map((r) => r.map((x) => x.trim())).filter((r) => r.some((x) => x !== ''));
}

export const toTsv = (rows: string[][]): string => rows.map((r) => r.map((c) => (/[\t\n\r"]/.test(c) ? `"${c.replaceAll('"', '""')}"` : c)).join('\t')).join('\n');

/** Headers are compared without case, marks and spaces: "Номер телефону" and "номер_телефону" are one. */
export const plain = (header: string): string => header.toLocaleLowerCase('uk').normalize('NFKC').replace(/[’'`ʼ"]/g, '').replace(/[^\p{L}\p{N}]+/gu, ' ').trim();

/** A cell as people mean it: a number, yes or no, nothing, or the text itself. Long digits and leading zeros are codes, not numbers. */
export function meaning(cell: string): string | number | boolean | null {
  const text = cell.trim();
  if (text === '' || text === '–' || text === '-') return null;
  const word = text.toLocaleLowerCase('uk');
  if (word === 'так' || word === 'yes' || word === 'true') return true;
  if (word === 'ні' || word === 'no' || word === 'false') return false;
  const bare = text.replace(/[\s\u00a0\u202f]/g, '').replace('\u2212', '-');
  if (/^-?(0|[1-9]\d{0,11})([.,]\d{1,6})?$/.test(bare) && /^-?\d{1,3}([\s\u00a0\u202f]\d{3})*([.,]\d+)?$|^-?\d+([.,]\d+)?$/.test(text.replace('\u2212', '-'))) return Number(bare.replace(',', '.'));
  return text;
}
