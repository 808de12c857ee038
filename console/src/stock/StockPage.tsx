// Decision served: what lies here, and of what is there too little?
import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { useEffect, useMemo, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { EmptyState, None, PageHeader, When } from '../ui/base';
import { type Column, DataTable } from '../ui/DataTable';
import { IconArrowRight } from '../ui/icons';
import { useTitle } from '../ui/Shell';
import { useShortcut } from '../ui/shortcuts';
import { TableTools } from '../ui/tables/TableTools';
import { useArranged } from '../ui/tables/useArranged';
import { useStockLive } from './live';
import { PlaceSelect, Qty, SkuField, State, usePlaces, useSku } from './parts';
import { GOODS, type Lying, lyingQuery } from './query';

const route = getRouteApi('/stock');

export default function StockPage() {
  const { t } = useTranslation();
  useTitle(t('nav.stock'));
  const client = useQueryClient();
  const navigate = useNavigate({ from: '/stock' });
  const search = route.useSearch();
  const places = usePlaces();
  const at = search.at ?? places.own.find((l) => l.state === 'open')?.id ?? places.own[0]?.id ?? '';
  const place = places.own.find((l) => l.id === at);
  const list = useInfiniteQuery(lyingQuery(at));
  const rows = useMemo(() => list.data?.pages.flatMap((p) => p.items), [list.data]);
  const field = useRef<HTMLInputElement>(null);
  useShortcut('Slash', () => field.current?.focus(), { shift: false });

  const look = useSku();
  const open = (sku: string) => void navigate({ to: '/stock/$sku', params: { sku }, search: {} });
  const find = async (text: string) => {
    // A name that only one row carries will do; anything else is an SKU that the server knows or not.
    const low = text.toLocaleLowerCase('uk');
    const named = rows?.filter((r) => r.sku.toLocaleLowerCase('uk') === low) ?? [];
    const like = named.length ? named : (rows?.filter((r) => r.name.toLocaleLowerCase('uk').includes(low)) ?? []);
    open(like.length === 1 ? like[0]!.sku : (await look(text)).sku);
  };

  // The table is read anew when a row of it moved, but no more often than a person can read.
  const due = useRef<ReturnType<typeof setTimeout>>(undefined);
  const here = useRef(rows);
  here.current = rows;
  useStockLive((m) => {
    if (!here.current?.some((r) => r.sku === m.sku)) return;
    due.current ??= setTimeout(() => {
      due.current = undefined;
      void client.invalidateQueries({ queryKey: [...GOODS, 'lying'] });
    }, 400);
  });
  useEffect(() => () => clearTimeout(due.current), []);

  const columns = useMemo<Column<Lying>[]>(() => {
    const n = (id: 'on_hand' | 'reserved' | 'available' | 'display' | 'damaged' | 'quarantine' | 'safety', header: string, width = 96): Column<Lying> => ({
      id,
      header,
      meta: { right: true, width, value: (r) => r[id] },
      cell: ({ row: { original: r } }) => <Qty n={r[id]} strong={id === 'available'} tone={id === 'available' && r.available <= 0 && r.on_hand > 0 ? 'warn' : undefined} />,
    });
    return [
      { id: 'name', header: t('stock.goods'), meta: { value: (r) => r.name }, cell: ({ row: { original: r } }) => <Link to="/stock/$sku" params={{ sku: r.sku }} search={{}} className="plain b name el" title={r.name}>{r.name || r.sku}</Link> },
      { id: 'sku', header: t('stock.sku'), meta: { width: 136, value: (r) => r.sku }, cell: ({ row: { original: r } }) => <span className="mono el" title={r.sku}>{r.sku}</span> },
      n('on_hand', t('stock.onHand')),
      n('reserved', t('stock.reserved'), 88),
      n('available', t('stock.available')),
      n('display', t('stock.display'), 88),
      n('damaged', t('stock.damaged'), 112),
      n('quarantine', t('stock.quarantine'), 100),
      n('safety', t('stock.safety'), 104),
      { id: 'counted', header: t('stock.counted'), meta: { width: 136, right: true, value: (r) => (r.counted_at ? new Date(r.counted_at) : null) }, cell: ({ row: { original: r } }) => (r.counted_at ? <When at={r.counted_at} className="m2" /> : <None why={t('stock.neverCounted')} />) },
    ];
  }, [t]);
  const table = useArranged('stock', columns);

  return (
    <div className="page fill">
      <PageHeader
        title={t('nav.stock')}
        badge={place && place.state !== 'open' ? <State of="place" state={place.state} /> : undefined}
        note={place?.state !== 'open' ? place?.why : place.address || undefined}
        actions={<Link to="/stock/movements" search={{}} className="row g4">{t('movements.title')}<IconArrowRight className="s" /></Link>}
      />
      <div className="row wrap-row">
        <PlaceSelect hidden label={t('stock.place')} places={places} value={at} onChange={(id) => void navigate({ search: (s) => ({ ...s, at: id }), replace: true })} width={260} testId="stock-place" />
        <SkuField inputRef={field} label={t('stock.findExample')} keys="/" everywhere onSku={find} testId="stock-find" width={340} />
        <span className="sp" />
        <TableTools table={table} rows={rows} file={`${t('nav.stock')} ${place?.name ?? ''}`} filter={place?.name} />
      </div>
      <div className="card scroll">
        <DataTable
          label={t('stock.at', { place: place?.name ?? '' })}
          arranged={table}
          rows={places.ready && !at ? [] : rows}
          columns={table.columns}
          rowId={(r) => r.sku}
          selected={search.sel ?? null}
          onSelect={(id) => void navigate({ search: (s) => ({ ...s, sel: id ?? undefined }), replace: true })}
          onOpen={(r) => open(r.sku)}
          rowTestId="stock-row"
          error={list.error}
          retry={() => void list.refetch()}
          more={{ has: list.hasNextPage, busy: list.isFetchingNextPage, fetch: () => void list.fetchNextPage() }}
          empty={
            at ? (
              <EmptyState title={t('stock.emptyTitle')} action={<Link to="/purchases" search={{}}>{t('nav.purchases')}</Link>}>{t('stock.emptyText')}</EmptyState>
            ) : (
              <EmptyState title={t('stock.noPlaces')} action={<Link to="/locations" search={{}}>{t('nav.locations')}</Link>}>{t('stock.noPlacesText')}</EmptyState>
            )
          }
        />
      </div>
    </div>
  );
}
