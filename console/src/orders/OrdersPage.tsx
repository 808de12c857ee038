// Decision served: which order needs somebody now, and where is the one that the customer asks about?
import { Select, TextInput } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { useEffect, useMemo, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { usePlaces } from '../stock/parts';
import { EmptyState, PageHeader, When } from '../ui/base';
import { type Column, DataTable } from '../ui/DataTable';
import * as f from '../ui/format';
import { IconBuildingStore, IconSearch } from '../ui/icons';
import { useTitle } from '../ui/Shell';
import { useShortcut } from '../ui/shortcuts';
import { TableTools } from '../ui/tables/TableTools';
import { useArranged } from '../ui/tables/useArranged';
import { cash, OrderBadge, OrderTabs, useOutlets, word } from './parts';
import { type OrderRow, ordersQuery, STATES } from './query';

const route = getRouteApi('/orders');

export default function OrdersPage() {
  const { t } = useTranslation();
  useTitle(t('nav.orders'));
  const { state, channel, place, q, from, to, sel } = route.useSearch();
  const navigate = useNavigate({ from: '/orders' });
  const outlets = useOutlets();
  const places = usePlaces();
  const list = useInfiniteQuery(ordersQuery({ state, channel, place, q, from, to }));
  const rows = useMemo(() => list.data?.pages.flatMap((p) => p.items), [list.data]);
  const field = useRef<HTMLInputElement>(null);
  const [text, setText] = useState(q ?? '');
  useEffect(() => setText(q ?? ''), [q]);
  useShortcut('Slash', () => field.current?.focus(), { shift: false });
  const set = (part: Partial<{ state: string; channel: string; place: string; q: string; from: string; to: string }>) => void navigate({ search: (s) => ({ ...s, ...part, sel: undefined }), replace: true });
  const filtered = Boolean(state || channel || place || q || from || to);
  const columns = useMemo<Column<OrderRow>[]>(
    () => [
      { id: 'number', header: '№', meta: { width: 128, value: (r) => r.number }, cell: ({ row: { original: r } }) => <Link to="/orders/$id" params={{ id: r.order_id }} search={{}} className="plain b name el">{r.number}</Link> },
      { id: 'name', header: t('col.customer'), meta: { value: (r) => r.name }, cell: ({ row: { original: r } }) => (r.name ? <span className="el" title={r.name}>{r.name}</span> : <span className="m" title={t('order.noName')}>{f.NONE}</span>) },
      { id: 'state', header: t('col.state'), meta: { width: 172, value: (r) => word('ostate', r.state) }, cell: ({ row: { original: r } }) => <OrderBadge of="ostate" state={r.state} /> },
      { id: 'channel', header: t('order.channel'), meta: { width: 136, value: (r) => outlets.name(r.sales_channel) }, cell: ({ row: { original: r } }) => <span className="el">{outlets.name(r.sales_channel)}</span> },
      { id: 'total', header: t('order.total'), meta: { width: 140, right: true, value: (r) => f.amountOf({ minor: r.total_minor, currency: r.currency }) }, cell: ({ row: { original: r } }) => cash(r.total_minor, r.currency) },
      { id: 'placed', header: t('order.placed'), meta: { width: 128, right: true, value: (r) => new Date(r.placed_at) }, cell: ({ row: { original: r } }) => <When at={r.placed_at} /> },
      { id: 'updated', header: t('col.changed'), meta: { width: 128, right: true, value: (r) => new Date(r.updated_at) }, cell: ({ row: { original: r } }) => <When at={r.updated_at} className="m2" /> },
    ],
    [t, outlets.items.length], // eslint-disable-line -- names follow the list
  );
  const table = useArranged('orders', columns);
  return (
    <div className="page fill">
      <PageHeader title={t('nav.orders')} actions={<a href="/store" className="row g4" data-testid="open-store"><IconBuildingStore />{t('store.open')}</a>} />
      <OrderTabs at="list" />
      <div className="row wrap-row" role="search">
        <TextInput
          ref={field}
          aria-label={t('order.find')}
          placeholder={t('order.find')}
          leftSection={<IconSearch />}
          rightSection={<kbd>/</kbd>}
          value={text}
          w={248}
          onChange={(e) => setText(e.currentTarget.value)}
          onBlur={() => text.trim() !== (q ?? '') && set({ q: text.trim() || undefined })}
          onKeyDown={(e) => { if (e.key === 'Enter') set({ q: text.trim() || undefined }); }}
          data-testid="orders-find"
        />
        <Select aria-label={t('col.state')} placeholder={t('order.anyState')} clearable allowDeselect value={state ?? null} onChange={(v) => set({ state: v ?? undefined })} data={STATES.map((s) => ({ value: s, label: word('ostate', s) }))} w={160} data-testid="orders-state" clearButtonProps={{ 'aria-label': t('order.anyState') }} />
        <Select aria-label={t('order.channel')} placeholder={t('order.anyChannel')} clearable allowDeselect value={channel ?? null} onChange={(v) => set({ channel: v ?? undefined })} data={channel && !outlets.items.some((c) => c.value === channel) ? [...outlets.items, { value: channel, label: outlets.name(channel) }] : outlets.items} w={140} data-testid="orders-channel" clearButtonProps={{ 'aria-label': t('order.anyChannel') }} />
        <Select aria-label={t('order.place')} placeholder={t('order.anyPlace')} clearable allowDeselect searchable value={place ?? null} onChange={(v) => set({ place: v ?? undefined })} data={places.own.map((l) => ({ value: l.id, label: l.name || l.id }))} w={160} data-testid="orders-place" clearButtonProps={{ 'aria-label': t('order.anyPlace') }} />
        <span className="row g4"><span className="m2">{t('order.from')}</span><TextInput type="date" aria-label={t('order.fromDay')} value={from ?? ''} onChange={(e) => set({ from: e.currentTarget.value || undefined })} data-testid="orders-from" /></span>
        <span className="row g4"><span className="m2">{t('order.to')}</span><TextInput type="date" aria-label={t('order.toDay')} value={to ?? ''} onChange={(e) => set({ to: e.currentTarget.value || undefined })} /></span>
        {filtered && <button type="button" className="textlink" onClick={() => void navigate({ search: {}, replace: true })} data-testid="orders-clear">{t('order.clear')}</button>}
        <span className="sp" />
        <TableTools table={table} rows={rows} file={t('nav.orders')} />
      </div>
      <div className="card scroll">
        <DataTable
          label={t('nav.orders')}
          arranged={table}
          rows={rows}
          columns={table.columns}
          rowId={(r) => r.order_id}
          selected={sel ?? null}
          onSelect={(id) => void navigate({ search: (s) => ({ ...s, sel: id ?? undefined }), replace: true })}
          onOpen={(r) => void navigate({ to: '/orders/$id', params: { id: r.order_id }, search: {} })}
          rowTestId="order-row"
          error={list.error}
          retry={() => void list.refetch()}
          more={{ has: list.hasNextPage, busy: list.isFetchingNextPage, fetch: () => void list.fetchNextPage() }}
          empty={
            filtered ? (
              <EmptyState title={t('order.noneFound')} action={<button type="button" className="textlink" onClick={() => void navigate({ search: {}, replace: true })}>{t('order.clear')}</button>}>
                {f.list([state && word('ostate', state), channel && outlets.name(channel), place && places.name(place), q && `“${q}”`, from && t('order.sinceDay', { day: f.date(`${from}T12:00:00`) }), to && t('order.untilDay', { day: f.date(`${to}T12:00:00`) })].filter((x): x is string => Boolean(x)))}
              </EmptyState>
            ) : <EmptyState title={t('order.none')} action={<a href="/store?tab=new">{t('store.tab.new')}</a>}>{t('order.noneText')}</EmptyState>
          }
        />
      </div>
    </div>
  );
}
