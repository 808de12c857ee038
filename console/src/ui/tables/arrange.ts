// How a table is arranged, as one short text that stands in an address: `name,reach:120,-events` is "name first, then reach
// 120 wide, events hidden". Columns that the text does not know keep their place behind those it does.

export interface Place { id: string; width?: number; hidden?: boolean }
export const LEAST = 56;
export const MOST = 640;
const clamp = (n: number) => Math.min(MOST, Math.max(LEAST, Math.round(n)));

export function parse(text: string | undefined): Place[] {
  if (!text) return [];
  const seen = new Set<string>();
  const out: Place[] = [];
  for (const part of text.split(',')) {
    const m = /^(-?)([\w.-]+?)(?::(\d{1,4}))?$/.exec(part.trim());
    if (!m || seen.has(m[2]!)) continue;
    seen.add(m[2]!);
    out.push({ id: m[2]!, ...(m[3] ? { width: clamp(Number(m[3])) } : {}), ...(m[1] ? { hidden: true } : {}) });
  }
  return out;
}

export const format = (places: Place[]): string => places.map((p) => `${p.hidden ? '-' : ''}${p.id}${p.width ? `:${p.width}` : ''}`).join(',');

/** All columns in the order in which they stand; `off` names those that are hidden until somebody asks for them. */
export function complete(places: Place[], all: readonly string[], off: readonly string[] = []): Place[] {
  const known = places.filter((p) => all.includes(p.id));
  const out = [...known];
  // A column that came later stands behind its neighbour of before, not at the end of everything.
  all.forEach((id, at) => {
    if (out.some((p) => p.id === id)) return;
    const before = all.slice(0, at).reverse().find((x) => out.some((p) => p.id === x));
    const to = before === undefined ? 0 : out.findIndex((p) => p.id === before) + 1;
    out.splice(to, 0, { id, ...(off.includes(id) ? { hidden: true } : {}) });
  });
  return out;
}

/** The first column is the name of the row: it stays first and is never hidden. */
export function move(places: Place[], id: string, step: -1 | 1): Place[] {
  const at = places.findIndex((p) => p.id === id);
  const to = at + step;
  if (at < 1 || to < 1 || to >= places.length) return places;
  const out = [...places];
  [out[at], out[to]] = [out[to]!, out[at]!];
  return out;
}
export const toggle = (places: Place[], id: string): Place[] => places.map((p, at) => (p.id === id && at > 0 ? { ...p, hidden: !p.hidden } : p));
export const widen = (places: Place[], id: string, width: number): Place[] => places.map((p) => (p.id === id ? { ...p, width: clamp(width) } : p));

/** Whether it says more than the table says by itself. */
export const isUsual = (places: Place[], all: readonly string[], off: readonly string[] = []): boolean => format(complete(places, all, off)) === format(complete([], all, off));
