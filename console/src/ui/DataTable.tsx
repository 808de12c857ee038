import { type ColumnDef, flexRender, getCoreRowModel, useReactTable } from '@tanstack/react-table';
import { useVirtualizer } from '@tanstack/react-virtual';
import { lazy, type ReactNode, Suspense, useCallback, useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ErrorNote, Skeleton } from './base';
import { useShortcut } from './shortcuts';
import { complete, widen } from './tables/arrange';
import type { PasteSpec } from './tables/PasteRows';
import { TableTools } from './tables/TableTools';
import { usePaste } from './tables/usePaste';
import { type Arranged, useArranged } from './tables/useArranged';
import { ViewTabs } from './tables/ViewTabs';
import type { Cell } from './tables/xlsx';

// One list for ever: the table takes another empty one for other data, and would draw itself anew without end.
const NOTHING: never[] = [];
const PasteRows = lazy(() => import('./tables/PasteRows'));

export interface ColumnMeta<T> {
  right?: boolean;
  width?: string | number;
  /** Its name where the head is no text, and in the list of columns. */
  title?: string;
  /** What stands in a workbook; a column without it stays out. */
  value?: (row: T) => Cell;
}
export type Column<T> = ColumnDef<T, unknown> & { meta?: ColumnMeta<T> };

/** A real table whose rows outside the window are two spacers. Arrow keys and J K move, Enter opens, Escape lets go. */
export function DataTable<T>(p: {
  label: string;
  rows: T[] | undefined;
  columns: Column<T>[];
  rowId: (row: T) => string;
  rowHeight?: 40 | 44;
  selected?: string | null;
  onSelect?: (id: string | null, row: T | null) => void;
  onOpen?: (row: T) => void;
  rowTestId?: string | ((row: T) => string);
  fresh?: (row: T) => boolean;
  more?: { has: boolean; busy: boolean; fetch: () => void };
  error?: unknown;
  retry?: () => void;
  empty?: ReactNode;
  overlay?: ReactNode;
  onScrolled?: (scrolled: boolean) => void;
  maxHeight?: number | string;
  /** Views, columns and XLSX above the table, under the table's name; a page with a place of its own for them gives `arranged`. */
  tools?: { name: string; file?: string };
  /** Lets people widen columns by their edges; widths are kept in the arrangement. */
  arranged?: Arranged<T>;
  /** Rows that are chosen for one act on all of them. X chooses the selected row, Shift extends from the last. */
  checks?: { chosen: ReadonlySet<string>; onChange: (chosen: ReadonlySet<string>) => void; name: (row: T) => string };
  /** Takes new rows from a spreadsheet: by its button, or Ctrl V outside of any field. */
  paste?: PasteSpec | null;
}) {
  const { t } = useTranslation();
  const [pasting, setPasting] = useState<string | null>(null);
  const openPaste = useCallback((clip: string) => setPasting(clip), []);
  usePaste(Boolean(p.paste) && pasting === null, openPaste);
  const height = p.rowHeight ?? 40;
  const rows = p.rows ?? NOTHING;
  const scroller = useRef<HTMLDivElement>(null);
  const own = useArranged(p.tools?.name ?? '', p.columns);
  const columns = p.tools ? own.columns : p.columns;
  const table = useReactTable({ data: rows, columns, getCoreRowModel: getCoreRowModel(), getRowId: p.rowId });
  const model = table.getRowModel().rows;
  const virtual = useVirtualizer({ count: model.length, getScrollElement: () => scroller.current, estimateSize: () => height, overscan: 12, initialRect: { width: 1000, height: 900 } });
  const items = virtual.getVirtualItems();
  const first = items[0]?.start ?? 0;
  const last = items[items.length - 1];
  const after = last ? virtual.getTotalSize() - last.end : 0;

  const { more } = p;
  const lastIndex = last?.index ?? 0;
  useEffect(() => {
    if (more?.has && !more.busy && lastIndex >= rows.length - 15 && rows.length > 0) more.fetch();
  }, [lastIndex, rows.length, more]);

  // The address holds what is selected and follows a moment later; keys that are pressed faster than that count from here.
  const current = useRef(p.selected);
  useEffect(() => {
    current.current = p.selected;
  }, [p.selected]);
  const move = (step: number) => {
    const at = model.findIndex((r) => r.id === current.current);
    const to = Math.min(model.length - 1, Math.max(0, at + step));
    const row = model[to];
    if (!row) return;
    current.current = row.id;
    p.onSelect?.(row.id, row.original);
    virtual.scrollToIndex(to, { align: 'auto' });
    const focus = () => {
      const tr = scroller.current?.querySelector<HTMLElement>(`tr[data-index="${to}"]`);
      tr?.focus({ preventScroll: true });
      return Boolean(tr);
    };
    // Only a row that was out of sight is not drawn yet.
    if (!focus()) requestAnimationFrame(focus);
  };

  useShortcut('KeyJ', () => move(1), { enabled: Boolean(p.onSelect) });
  useShortcut('KeyK', () => move(-1), { enabled: Boolean(p.onSelect) });
  useShortcut('Escape', () => p.onSelect?.(null, null), { enabled: Boolean(p.onSelect && p.selected) });

  const { checks } = p;
  const arranged = p.tools ? own : p.arranged;
  const anchor = useRef<string | null>(null);
  const check = (id: string, extend: boolean) => {
    if (!checks) return;
    const next = new Set(checks.chosen);
    const on = !next.has(id);
    const from = extend && anchor.current ? model.findIndex((r) => r.id === anchor.current) : -1;
    const to = model.findIndex((r) => r.id === id);
    for (let i = from < 0 ? to : Math.min(from, to); i <= (from < 0 ? to : Math.max(from, to)); i++) {
      const at = model[i]?.id;
      if (at) next[from < 0 ? (on ? 'add' : 'delete') : 'add'](at);
    }
    anchor.current = id;
    checks.onChange(next);
  };
  useShortcut('KeyX', () => p.selected && check(p.selected, false), { enabled: Boolean(checks && p.selected), shift: false });
  useShortcut('KeyX', () => p.selected && check(p.selected, true), { enabled: Boolean(checks && p.selected), shift: true });
  const drag = (id: string, e: React.PointerEvent<HTMLSpanElement>) => {
    if (!arranged) return;
    e.preventDefault();
    e.stopPropagation();
    const th = e.currentTarget.closest('th')!;
    const start = th.getBoundingClientRect().width;
    const x = e.clientX;
    const handle = e.currentTarget;
    handle.setPointerCapture(e.pointerId);
    const col = scroller.current?.querySelector<HTMLElement>(`col[data-col="${id}"]`);
    const moved = (m: PointerEvent) => col && (col.style.width = `${Math.max(56, start + m.clientX - x)}px`);
    const done = (m: PointerEvent) => {
      handle.removeEventListener('pointermove', moved);
      handle.removeEventListener('pointerup', done);
      const all = complete(arranged.places, arranged.all.map((c) => c.id!));
      if (Math.abs(m.clientX - x) > 2) arranged.arrange(widen(all, id, start + m.clientX - x));
    };
    handle.addEventListener('pointermove', moved);
    handle.addEventListener('pointerup', done);
  };

  const tools = (p.tools || p.paste) && (
    <div className="tbl-tools">
      {p.tools && <ViewTabs page={p.tools.name} all={t('all')} quiet />}
      {p.paste && <button type="button" className="textlink" onClick={() => setPasting('')} data-testid="table-paste">{t('paste.button')}</button>}
      {p.tools && <TableTools table={own} rows={p.rows} file={p.tools.file ?? p.label} />}
      {p.paste && pasting !== null && <Suspense fallback={null}><PasteRows spec={p.paste} start={pasting} opened close={() => setPasting(null)} /></Suspense>}
    </div>
  );
  if (!p.rows && p.error) return <div className="body"><ErrorNote error={p.error} retry={p.retry} /></div>;
  if (!p.rows) return <Skeleton rows={8} height={height} />;
  if (rows.length === 0 && p.empty) return <>{tools}{p.empty}</>;
  const can = Boolean(p.onSelect || p.onOpen);
  const leaf = table.getAllLeafColumns();
  const widthOf = (c: (typeof leaf)[number]) => (c.columnDef as Column<T>).meta?.width;
  // Columns that have no width of their own share what is left; many of them make the table scroll instead of hiding all.
  const least = leaf.reduce((n, c, at) => n + (typeof widthOf(c) === 'number' ? Number(widthOf(c)) : at === 0 ? 200 : 104), checks ? 36 : 0);
  const chosenHere = checks ? model.filter((r) => checks.chosen.has(r.id)).length : 0;
  const span = columns.length + (checks ? 1 : 0);
  return (
    <>
    {tools}
    <div
      className="tbl"
      ref={scroller}
      style={{ maxHeight: p.maxHeight }}
      tabIndex={can ? -1 : 0}
      role="group"
      aria-label={p.label}
      onScroll={(e) => p.onScrolled?.(e.currentTarget.scrollTop > 8)}
      onKeyDown={(e) => {
        if (!can || (e.target as HTMLElement).closest('input, button, label')) return;
        const step = e.code === 'ArrowDown' || e.code === 'KeyJ' ? 1 : e.code === 'ArrowUp' || e.code === 'KeyK' ? -1 : 0;
        if (step && !e.ctrlKey && !e.metaKey) {
          e.preventDefault();
          move(step);
        } else if (e.code === 'Enter' && p.onOpen && !(e.target as HTMLElement).closest('a')) {
          const row = model.find((r) => r.id === current.current);
          if (row) p.onOpen(row.original);
        }
      }}
    >
      {p.overlay}
      <table aria-rowcount={model.length + 1} style={{ minWidth: least }} className={checks ? 'checkable' : undefined}>
        <colgroup>
          {checks && <col style={{ width: 36 }} />}
          {leaf.map((c) => (
            <col key={c.id} data-col={c.id} style={{ width: widthOf(c) }} />
          ))}
        </colgroup>
        <thead>
          {table.getHeaderGroups().map((g) => (
            <tr key={g.id} aria-rowindex={1}>
              {checks && (
                <th scope="col" className="chk">
                  <label>
                    <input
                      type="checkbox"
                      aria-label={t('table.checkAll')}
                      checked={chosenHere > 0 && chosenHere === model.length}
                      ref={(el) => { if (el) el.indeterminate = chosenHere > 0 && chosenHere < model.length; }}
                      onChange={(e) => checks.onChange(e.currentTarget.checked ? new Set([...checks.chosen, ...model.map((r) => r.id)]) : new Set())}
                      data-testid="check-all"
                    />
                  </label>
                </th>
              )}
              {g.headers.map((h) => (
                <th key={h.id} scope="col" className={(h.column.columnDef as Column<T>).meta?.right ? 'r' : undefined}>
                  {flexRender(h.column.columnDef.header, h.getContext())}
                  {arranged && <span className="grip" aria-hidden="true" onPointerDown={(e) => drag(h.column.id, e)} onClick={(e) => e.stopPropagation()} />}
                </th>
              ))}
            </tr>
          ))}
        </thead>
        <tbody>
          {first > 0 && (
            <tr className="pad" aria-hidden="true">
              <td style={{ height: first }} colSpan={span} />
            </tr>
          )}
          {items.map((v) => {
            const row = model[v.index]!;
            const chosen = p.selected === row.id;
            return (
              <tr
                key={row.id}
                data-index={v.index}
                aria-rowindex={v.index + 2}
                aria-selected={can ? chosen : undefined}
                data-testid={typeof p.rowTestId === 'function' ? p.rowTestId(row.original) : p.rowTestId}
                className={`row-data${can ? ' can' : ''}${chosen ? ' sel' : ''}${p.fresh?.(row.original) ? ' fresh-row' : ''}`}
                tabIndex={can ? (chosen || (!p.selected && v.index === 0) ? 0 : -1) : undefined}
                onClick={(e) => {
                  if ((e.target as HTMLElement).closest('a, button, label')) return;
                  if (p.onSelect) p.onSelect(row.id, row.original);
                  else p.onOpen?.(row.original);
                }}
                onDoubleClick={() => p.onOpen?.(row.original)}
              >
                {checks && (
                  <td className="chk" style={{ height }}>
                    <label>
                      <input type="checkbox" tabIndex={-1} aria-label={t('table.check', { name: checks.name(row.original) })} checked={checks.chosen.has(row.id)} onChange={() => undefined} onClick={(e) => check(row.id, e.shiftKey)} data-testid="check" />
                    </label>
                  </td>
                )}
                {row.getVisibleCells().map((c) => (
                  <td key={c.id} style={{ height }} className={(c.column.columnDef as Column<T>).meta?.right ? 'r' : undefined}>
                    {flexRender(c.column.columnDef.cell, c.getContext())}
                  </td>
                ))}
              </tr>
            );
          })}
          {after > 0 && (
            <tr className="pad" aria-hidden="true">
              <td style={{ height: after }} colSpan={span} />
            </tr>
          )}
        </tbody>
      </table>
    </div>
    </>
  );
}
