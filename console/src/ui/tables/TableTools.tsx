import { ColumnPicker } from './ColumnPicker';
import { Download } from './Download';
import type { Arranged } from './useArranged';

/** What every table offers at its right: its columns, and itself as a workbook. */
export function TableTools<T>({ table, rows, file, filter }: { table: Arranged<T>; rows: T[] | undefined; file: string; filter?: string }) {
  return (
    <>
      <ColumnPicker table={table} />
      <Download table={table} rows={rows} file={file} filter={filter} />
    </>
  );
}
