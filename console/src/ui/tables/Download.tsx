import { Tooltip } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { api, must } from '../../api/client';
import { Problem } from '../../api/problem';
import { useRight } from '../../session/rights';
import * as f from '../format';
import { IconDownload, IconLock } from '../icons';
import { say, sayError } from '../toast';
import type { Column } from '../DataTable';
import { type Arranged, titleOf } from './useArranged';
import type { Cell } from './xlsx';

/** A column that says nothing of workbooks gives the plain field of its own name, if the row has one. */
function plainField(row: unknown, id: string): Cell {
  const v = (row as Record<string, unknown>)[id];
  if (typeof v === 'string' && /^\d{4}-\d\d-\d\dT/.test(v)) return new Date(v);
  return typeof v === 'string' || typeof v === 'number' || typeof v === 'boolean' ? v : null;
}
const hasValue = <T,>(c: Column<T>, rows: T[]) => Boolean(c.meta?.value) || rows.some((r) => plainField(r, c.id!) !== null);

/** The table as a workbook: what is shown, masked as it is shown, with leave of the server and its mark. */
export function Download<T>({ table, rows, file, filter, upTo }: { table: Arranged<T>; rows: T[] | undefined; file: string; filter?: string; upTo?: (count: number) => Promise<T[]> }) {
  const { t } = useTranslation();
  const may = useRight('exports:write');
  const load = useMutation({
    mutationFn: async () => {
      const all = upTo ? await upTo(500) : (rows ?? []);
      const columns = table.columns.filter((c) => hasValue(c, all));
      const leave = await must(api.POST('/api/v1/table-downloads', { body: { table: table.name, rows: all.length } }));
      const { workbook } = await import('./xlsx');
      const head = columns.map((c) => titleOf(c));
      const body = all.map((r) => columns.map((c) => (c.meta?.value ? c.meta.value(r) : plainField(r, c.id!))));
      const about: [string, Cell][] = [[t('table.aboutTable'), file], [t('table.aboutWho'), leave.actor], [t('table.aboutWhen'), new Date(leave.at)], [t('table.aboutFilter'), filter ?? ''], [t('table.aboutRows'), all.length], [t('table.aboutMark'), leave.mark], [t('table.aboutCanary'), leave.canary]];
      const blob = await workbook(
        [
          { name: file, head, rows: body, widths: columns.map((c) => Math.max(10, Math.min(40, (typeof c.meta?.width === 'number' ? c.meta.width : 180) / 7))) },
          { name: t('table.about'), head: [t('table.about'), ''], rows: about, widths: [24, 48] },
        ],
        { title: file, author: leave.actor, at: new Date(leave.at), mark: leave.mark },
      );
      const url = URL.createObjectURL(blob);
      const a = document.createElement('a');
      a.href = url;
      a.download = `${file} ${f.dayKey(leave.at)}.xlsx`;
      a.click();
      setTimeout(() => URL.revokeObjectURL(url), 10_000);
      return all.length;
    },
    onSuccess: (n) => say(t('table.saved', { count: n, n: f.number(n) })),
    onError: (e) => (e instanceof Problem && e.code === 'approval_needed' ? say(<>{t('table.tooMany')} <a href="/exports">{t('table.toExports')}</a></>) : sayError(e)),
  });
  if (!may)
    return (
      <Tooltip label={t('locked.right')}>
        <button type="button" className="chip" aria-disabled="true"><IconLock className="s" />XLSX</button>
      </Tooltip>
    );
  return (
    <Tooltip label={t('table.xlsx')}>
      <button type="button" className="chip" disabled={!rows?.length || load.isPending} aria-busy={load.isPending} onClick={() => load.mutate()} data-testid="xlsx">
        <IconDownload className="s" /> <b>XLSX</b>
      </button>
    </Tooltip>
  );
}
