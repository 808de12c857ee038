import { type ColumnDef, flexRender, getCoreRowModel, useReactTable } from '@tanstack/react-table';
import { useVirtualizer } from '@tanstack/react-virtual';
import { type ReactNode, useEffect, useRef } from 'react';
import { ErrorNote, Skeleton } from './base';
import { useShortcut } from './shortcuts';

export type Column<T> = ColumnDef<T, unknown> & { meta?: { right?: boolean; width?: string | number } };

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
}) {
  const height = p.rowHeight ?? 40;
  const rows = p.rows ?? [];
  const scroller = useRef<HTMLDivElement>(null);
  const table = useReactTable({ data: rows, columns: p.columns, getCoreRowModel: getCoreRowModel(), getRowId: p.rowId });
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

  const move = (step: number) => {
    const at = model.findIndex((r) => r.id === p.selected);
    const to = Math.min(model.length - 1, Math.max(0, at + step));
    const row = model[to];
    if (!row) return;
    p.onSelect?.(row.id, row.original);
    virtual.scrollToIndex(to, { align: 'auto' });
    requestAnimationFrame(() => scroller.current?.querySelector<HTMLElement>(`tr[data-index="${to}"]`)?.focus({ preventScroll: true }));
  };

  useShortcut('KeyJ', () => move(1), { enabled: Boolean(p.onSelect) });
  useShortcut('KeyK', () => move(-1), { enabled: Boolean(p.onSelect) });
  useShortcut('Escape', () => p.onSelect?.(null, null), { enabled: Boolean(p.onSelect && p.selected) });

  if (!p.rows && p.error) return <div className="body"><ErrorNote error={p.error} retry={p.retry} /></div>;
  if (!p.rows) return <Skeleton rows={8} height={height} />;
  if (rows.length === 0 && p.empty) return <>{p.empty}</>;
  const can = Boolean(p.onSelect || p.onOpen);
  return (
    <div
      className="tbl"
      ref={scroller}
      style={{ maxHeight: p.maxHeight }}
      tabIndex={can ? -1 : 0}
      role="group"
      aria-label={p.label}
      onScroll={(e) => p.onScrolled?.(e.currentTarget.scrollTop > 8)}
      onKeyDown={(e) => {
        if (!can || (e.target as HTMLElement).closest('input, button')) return;
        const step = e.code === 'ArrowDown' || e.code === 'KeyJ' ? 1 : e.code === 'ArrowUp' || e.code === 'KeyK' ? -1 : 0;
        if (step && !e.ctrlKey && !e.metaKey) {
          e.preventDefault();
          move(step);
        } else if (e.code === 'Enter' && p.onOpen && !(e.target as HTMLElement).closest('a')) {
          const row = model.find((r) => r.id === p.selected);
          if (row) p.onOpen(row.original);
        }
      }}
    >
      {p.overlay}
      <table aria-rowcount={model.length + 1}>
        <colgroup>
          {table.getAllLeafColumns().map((c) => (
            <col key={c.id} style={{ width: (c.columnDef as Column<T>).meta?.width }} />
          ))}
        </colgroup>
        <thead>
          {table.getHeaderGroups().map((g) => (
            <tr key={g.id} aria-rowindex={1}>
              {g.headers.map((h) => (
                <th key={h.id} scope="col" className={(h.column.columnDef as Column<T>).meta?.right ? 'r' : undefined}>
                  {flexRender(h.column.columnDef.header, h.getContext())}
                </th>
              ))}
            </tr>
          ))}
        </thead>
        <tbody>
          {first > 0 && (
            <tr className="pad" aria-hidden="true">
              <td style={{ height: first }} colSpan={p.columns.length} />
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
                  if ((e.target as HTMLElement).closest('a, button')) return;
                  if (p.onSelect) p.onSelect(row.id, row.original);
                  else p.onOpen?.(row.original);
                }}
                onDoubleClick={() => p.onOpen?.(row.original)}
              >
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
              <td style={{ height: after }} colSpan={p.columns.length} />
            </tr>
          )}
        </tbody>
      </table>
    </div>
  );
}
