// Decision served: whose money did not arrive yet, and what do I do about it?
import { Select } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { word } from '../orders/parts';
import { EmptyState, PageHeader, When } from '../ui/base';
import { type Column, DataTable } from '../ui/DataTable';
import * as f from '../ui/format';
import { useTitle } from '../ui/Shell';
import { TableTools } from '../ui/tables/TableTools';
import { useArranged } from '../ui/tables/useArranged';
import { AfterBadge, AfterTabs } from './parts';
import { type Refund, REFUND_STATES, refundsQuery } from './query';
import { Cause, RefundActs } from './Refunds';

const route = getRouteApi('/returns/refunds');

export default function RefundsPage() {
  const { t } = useTranslation();
  useTitle(t('after.tab.refunds'));
  const { state, sel } = route.useSearch();
  const navigate = useNavigate({ from: '/returns/refunds' });
  const list = useInfiniteQuery(refundsQuery(state));
  const rows = useMemo(() => list.data?.pages.flatMap((p) => p.items), [list.data]);
  const columns = useMemo<Column<Refund>[]>(() => [
    { id: 'cause', header: t('refund.cause'), meta: { value: (r) => r.cause }, cell: ({ row: { original: r } }) => <Cause of={r.cause} /> },
    { id: 'sum', header: t('order.sum'), meta: { width: 128, right: true, value: (r) => f.amountOf(r.amount) }, cell: ({ row: { original: r } }) => <span className="b">{f.money(r.amount)}</span> },
    { id: 'state', header: t('col.state'), meta: { width: 136, value: (r) => word('mstate', r.state) }, cell: ({ row: { original: r } }) => <AfterBadge of="mstate" state={r.state} /> },
    { id: 'way', header: t('refund.way'), meta: { width: 136, value: (r) => word('provider', r.provider) }, cell: ({ row: { original: r } }) => <span className="el">{word('provider', r.provider)}</span> },
    { id: 'why', header: t('col.reason'), meta: { width: 160, value: (r) => r.why }, cell: ({ row: { original: r } }) => <span className="el m2" title={r.why}>{r.why || f.NONE}</span> },
    { id: 'at', header: t('refund.asked'), meta: { width: 112, right: true, value: (r) => new Date(r.at) }, cell: ({ row: { original: r } }) => <When at={r.at} /> },
    { id: 'acts', header: () => <span className="hidden-text">{t('refund.acts')}</span>, meta: { width: 264, title: t('refund.acts') }, cell: ({ row: { original: r } }) => <span className="row g4" style={{ justifyContent: 'flex-end' }}><RefundActs of={r} /></span> },
  ], [t]);
  const table = useArranged('returns-refunds', columns);
  return (
    <div className="page fill">
      <PageHeader title={t('nav.returns')} note={t('after.note.refunds')} />
      <AfterTabs at="refunds" />
      <div className="row wrap-row" role="search">
        <Select aria-label={t('col.state')} placeholder={t('order.anyState')} clearable allowDeselect value={state ?? null} onChange={(v) => void navigate({ search: (s) => ({ ...s, state: v ?? undefined, sel: undefined }), replace: true })} data={REFUND_STATES.map((s) => ({ value: s, label: word('mstate', s) }))} w={176} data-testid="refunds-state" clearButtonProps={{ 'aria-label': t('order.anyState') }} />
        <span className="sp" />
        <TableTools table={table} rows={rows} file={t('after.tab.refunds')} />
      </div>
      <div className="card scroll">
        <DataTable
          label={t('after.tab.refunds')}
          arranged={table}
          rows={rows}
          columns={table.columns}
          rowId={(r) => r.id}
          selected={sel ?? null}
          onSelect={(id) => void navigate({ search: (s) => ({ ...s, sel: id ?? undefined }), replace: true })}
          rowTestId="refund-row"
          error={list.error}
          retry={() => void list.refetch()}
          more={{ has: list.hasNextPage, busy: list.isFetchingNextPage, fetch: () => void list.fetchNextPage() }}
          empty={<EmptyState title={state ? t('after.noneFound') : t('after.none.refunds')}>{state ? word('mstate', state) : t('after.noneText.refunds')}</EmptyState>}
        />
      </div>
    </div>
  );
}
