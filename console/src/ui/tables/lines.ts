import type { Pasted } from './PasteDialog';
import type { PasteSpec } from './PasteRows';

/** A row with its line in the spreadsheet, counted from 1 below the heads. */
export interface Line { line: number; row: Record<string, string>; wrong: string | null }

export function linesOf(pasted: Pick<Pasted, 'fields' | 'rows'>, spec: Pick<PasteSpec, 'required' | 'check' | 'name'>, words: { missing: string; twice: string }): Line[] {
  const seen = new Set<string>();
  return pasted.rows.map((cells, at) => {
    const row = Object.fromEntries(pasted.fields.flatMap((id, i) => (id ? [[id, (cells[i] ?? '').trim()]] : [])));
    const missing = spec.required.some((id) => !row[id]);
    const wrong = missing ? words.missing : (spec.check?.(row) ?? (seen.has(spec.name(row)) ? words.twice : null));
    seen.add(spec.name(row));
    return { line: at + 1, row, wrong };
  });
}
