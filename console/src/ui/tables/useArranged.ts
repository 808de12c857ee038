import { useNavigate, useSearch } from '@tanstack/react-router';
import { useMemo } from 'react';
import type { Column } from '../DataTable';
import { complete, format, isUsual, type Place, parse } from './arrange';

const KEY = 'braid-table-';
function kept(name: string): string | undefined {
  try {
    return localStorage.getItem(KEY + name) ?? undefined;
  } catch {
    return undefined;
  }
}
function keep(name: string, text: string | null): void {
  try {
    if (text === null) localStorage.removeItem(KEY + name);
    else localStorage.setItem(KEY + name, text);
  } catch {
    // not remembered, that is all: the address still says it
  }
}

/** A column's name where a text is needed. */
export const titleOf = <T,>(c: Column<T>): string => c.meta?.title ?? (typeof c.header === 'string' && c.header ? c.header : c.id!);

export interface Arranged<T> {
  name: string;
  /** As they stand, with widths; hidden ones are left out. */
  columns: Column<T>[];
  places: Place[];
  all: Column<T>[];
  /** Whether the table stands as it does by itself. */
  usual: boolean;
  arrange: (places: Place[]) => void;
  reset: () => void;
}

/** The columns of a table as somebody arranged them: what the address says, else what this browser remembers. */
export function useArranged<T>(name: string, all: Column<T>[], off: readonly string[] = []): Arranged<T> {
  const search = useSearch({ strict: false }) as { cols?: string };
  const navigate = useNavigate();
  const ids = all.map((c) => c.id!);
  const key = `${ids.join()}|${off.join()}`;
  const text = search.cols ?? kept(name);
  const places = useMemo(() => complete(parse(text), ids, off), [text, key]); // eslint-disable-line -- `key` stands for both lists
  const columns = useMemo(
    () =>
      places
        .filter((p) => !p.hidden)
        .flatMap((p) => {
          const column = all.find((c) => c.id === p.id);
          return column ? [p.width ? { ...column, meta: { ...column.meta, width: p.width } } : column] : [];
        }),
    [places, all],
  );
  const write = (to: string | undefined) => void navigate({ to: '.', search: ((s: Record<string, unknown>) => ({ ...s, cols: to })) as never, replace: true });
  return {
    name,
    columns,
    places,
    all,
    usual: isUsual(places, ids, off),
    arrange: (next) => {
      const usual = isUsual(next, ids, off);
      keep(name, usual ? null : format(next));
      write(usual ? undefined : format(next));
    },
    reset: () => {
      keep(name, null);
      write(undefined);
    },
  };
}
