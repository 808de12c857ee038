// Decision served: how did it come to be there, by which paper and by whom?
import { useInfiniteQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { EmptyState, None, PageHeader, When } from '../ui/base';
import { type Column, DataTable } from '../ui/DataTable';
import * as f from '../ui/format';
import { IconX } from '../ui/icons';
import { useTitle } from '../ui/Shell';
import { TableTools } from '../ui/tables/TableTools';
import { useArranged } from '../ui/tables/useArranged';
import { useStockLive } from './live';
import { isLate, paperName, Way } from './movement';
import { SkuField, usePlaces, useSku } from './parts';
import { type Movement, movementsQuery } from './query';

const route = getRouteApi('/stock/movements');

export default function MovementsPage() {
  const { t } = useTranslation();
  useTitle(t('movements.title'));
  const search = route.useSearch();
  const navigate = useNavigate({ from: '/stock/movements' });
  const places = usePlaces();
  const of = { sku: search.document ? undefined : search.sku, document: search.document };
  const list = useInfiniteQuery(movementsQuery(of));
  const rows = useMemo(() => list.data?.pages.flatMap((p) => p.items), [list.data]);
  useStockLive(() => { if (!of.document) void list.refetch(); });
  const look = useSku();
  const filter = (part: { sku?: string; document?: string }) => void navigate({ search: (s) => ({ view: s.view, cols: s.cols, ...part }) });
  const bySku = async (text: string) => filter({ sku: (await look(text)).sku });
  const columns = useMemo<Column<Movement>[]>(
    () => [
      { id: 'sku', header: t('stock.sku'), meta: { width: 150, value: (m) => m.sku }, cell: ({ row: { original: m } }) => <Link to="/stock/$sku" params={{ sku: m.sku }} search={{}} className="plain b name mono el">{m.sku}</Link> },
      { id: 'quantity', header: t('stock.quantity'), meta: { width: 92, right: true, value: (m) => m.quantity }, cell: ({ row: { original: m } }) => <span className="b">{f.number(m.quantity)}</span> },
      { id: 'way', header: t('movements.way'), meta: { value: (m) => `${places.name(m.from)} – ${places.name(m.to)}` }, cell: ({ row: { original: m } }) => <Way of={m} places={places} /> },
      {
        id: 'paper',
        header: t('movements.paper'),
        meta: { width: 168, value: (m) => `${t(`paper.${m.kind}`)} ${paperName(m)}` },
        cell: ({ row: { original: m } }) => (
          <span className="col">
            <span className="el">{t(`paper.${m.kind}`)}</span>
            <Link to="/stock/movements" search={{ document: m.document_id }} className="t12 el" title={m.external_id}>{paperName(m)}</Link>
          </span>
        ),
      },
      { id: 'reason', header: t('stock.reason'), meta: { width: 128, value: (m) => m.reason }, cell: ({ row: { original: m } }) => (m.reason ? <span className="el" title={m.reason}>{m.reason}</span> : <None why={t('movements.noReason')} />) },
      { id: 'who', header: t('movements.who'), meta: { width: 156, value: (m) => `${m.source} ${m.actor}` }, cell: ({ row: { original: m } }) => <span className="col"><span className="el">{m.source}</span><span className="t12 m2 el" title={m.actor}>{m.actor}</span></span> },
      {
        id: 'when',
        header: t('col.when'),
        meta: { width: 140, right: true, value: (m) => new Date(m.at) },
        cell: ({ row: { original: m } }) => (
          <span className="col" style={{ alignItems: 'flex-end' }}>
            <When at={m.at} />
            {isLate(m) && <span className="t12 warn-text" title={f.exact(m.recorded_at)} data-testid="late">{t('movements.late', { time: f.brief(m.recorded_at) })}</span>}
          </span>
        ),
      },
    ],
    [t, places],
  );
  const table = useArranged('stock-movements', columns);
  const paper = of.document ? rows?.[0] : undefined;
  return (
    <div className="page fill">
      <PageHeader title={t('movements.title')} note={t('movements.note')} />
      <div className="row wrap-row">
        <SkuField everywhere label={t('movements.bySku')} onSku={bySku} testId="movements-sku" width={300} />
        {of.sku && <span className="chip on">{t('stock.sku')} <b>{of.sku}</b><button type="button" className="x" aria-label={t('filter.drop')} onClick={() => filter({})}><IconX className="s" /></button></span>}
        {of.document && <span className="chip on" data-testid="by-document">{paper ? t(`paper.${paper.kind}`) : t('movements.paper')} <b>{paper ? paperName(paper) : of.document}</b><button type="button" className="x" aria-label={t('filter.drop')} onClick={() => filter({})}><IconX className="s" /></button></span>}
        <span className="sp" />
        <TableTools table={table} rows={rows} file={t('movements.title')} filter={of.sku ?? of.document} />
      </div>
      <div className="card scroll">
        <DataTable
          label={t('movements.title')}
          arranged={table}
          rows={rows}
          columns={table.columns}
          rowHeight={44}
          rowId={(m) => m.id}
          selected={search.sel ?? null}
          onSelect={(id) => void navigate({ search: (s) => ({ ...s, sel: id ?? undefined }), replace: true })}
          onOpen={(m) => void navigate({ to: '/stock/$sku', params: { sku: m.sku }, search: {} })}
          rowTestId="movement-row"
          error={list.error}
          retry={() => void list.refetch()}
          more={{ has: list.hasNextPage, busy: list.isFetchingNextPage, fetch: () => void list.fetchNextPage() }}
          empty={<EmptyState title={t('movements.none')} action={of.sku || of.document ? <button type="button" className="chip" onClick={() => filter({})}>{t('filter.clear')}</button> : undefined}>{t('movements.noneText')}</EmptyState>}
        />
      </div>
    </div>
  );
}
