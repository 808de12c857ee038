// Decision served: which return, claim or case needs somebody now, and which is late?
import { Select, TextInput } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useEffect, useMemo, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { word } from '../orders/parts';
import { usePlaces } from '../stock/parts';
import { EmptyState, None, PageHeader, When } from '../ui/base';
import { type Column, DataTable } from '../ui/DataTable';
import * as f from '../ui/format';
import { IconSearch } from '../ui/icons';
import { useTitle } from '../ui/Shell';
import { useShortcut } from '../ui/shortcuts';
import { TableTools } from '../ui/tables/TableTools';
import { useArranged } from '../ui/tables/useArranged';
import { AfterBadge, AfterTabs, Due, isOver, STATE_OF } from './parts';
import { type AfterFilter, type AfterRow, afterQuery, CASE_KINDS, CASE_STATES, CLAIM_STATES, type Of, REASONS, RETURN_STATES } from './query';

const STATES = { returns: RETURN_STATES, claims: CLAIM_STATES, cases: CASE_STATES };
const PATH = { returns: '/returns', claims: '/returns/claims', cases: '/returns/cases' } as const;
export const ONE = { returns: '/returns/$id', claims: '/returns/claims/$id', cases: '/returns/cases/$id' } as const;

export function AfterPage({ of }: { of: Of }) {
  const { t } = useTranslation();
  useTitle(t(`after.tab.${of}`));
  const search = useSearch({ strict: false }) as AfterFilter & { sel?: string };
  const { state, kind, reason, place, owner, due, q, sel } = search;
  const navigate = useNavigate();
  const to = PATH[of];
  const places = usePlaces();
  const list = useInfiniteQuery(afterQuery(of, { state, kind, reason, place, owner, due, q }));
  const rows = useMemo(() => list.data?.pages.flatMap((p) => p.items), [list.data]);
  const field = useRef<HTMLInputElement>(null);
  const [text, setText] = useState(q ?? '');
  useEffect(() => setText(q ?? ''), [q]);
  useShortcut('Slash', () => field.current?.focus(), { shift: false });
  const set = (part: AfterFilter) => void navigate({ to, search: { ...search, ...part, sel: undefined } as never, replace: true });
  const clear = () => void navigate({ to, search: {}, replace: true });
  const said = [state && word(STATE_OF[of], state), kind && word('akind', kind), reason && word('reason_of', reason), place && places.name(place), owner, due && t(`after.due.${due}`), q && `“${q}”`].filter((x): x is string => Boolean(x));
  const columns = useMemo<Column<AfterRow>[]>(() => {
    const all: (Column<AfterRow> | null)[] = [
      { id: 'id', header: '№', meta: { width: 96, value: (r) => r.id }, cell: ({ row: { original: r } }) => <Link to={ONE[of]} params={{ id: r.id }} className="plain b name">{r.id}</Link> },
      { id: 'order', header: t('after.order'), meta: { width: 128, value: (r) => r.order_number }, cell: ({ row: { original: r } }) => (r.order_number ? <Link to="/orders/$id" params={{ id: r.order_number }} className="plain el">{r.order_number}</Link> : <None why={t('after.noOrder')} />) },
      { id: 'name', header: t('col.customer'), meta: { value: (r) => r.name }, cell: ({ row: { original: r } }) => (r.name ? <span className="el" title={r.name}>{r.name}</span> : <None why={t('order.noName')} />) },
      of === 'claims' ? null : { id: 'kind', header: t('after.kind'), meta: { width: 136, value: (r) => word('akind', r.kind) }, cell: ({ row: { original: r } }) => <span className="el">{word('akind', r.kind)}</span> },
      { id: 'state', header: t('col.state'), meta: { width: 152, value: (r) => word(STATE_OF[of], r.state) }, cell: ({ row: { original: r } }) => <AfterBadge of={STATE_OF[of]} state={r.state} /> },
      of !== 'cases' ? null : { id: 'owner', header: t('case.owner'), meta: { width: 160, value: (r) => r.owner }, cell: ({ row: { original: r } }) => (r.owner ? <span className="el" title={r.owner}>{r.owner}</span> : <span className="warn-text">{t('case.nobody')}</span>) },
      { id: 'due', header: t('after.dueHead'), meta: { width: 176, right: true, value: (r) => new Date(r.due_at) }, cell: ({ row: { original: r } }) => <Due at={r.due_at} over={isOver(r.state) && !(of === 'claims' && r.state === 'open')} /> },
      { id: 'opened', header: t('after.opened'), meta: { width: 128, right: true, value: (r) => new Date(r.opened_at) }, cell: ({ row: { original: r } }) => <When at={r.opened_at} className="m2" /> },
    ];
    return all.filter((c): c is Column<AfterRow> => c !== null);
  }, [t, of]);
  const table = useArranged(of === 'returns' ? 'returns' : `returns-${of}`, columns);
  const choose = (label: string, any: string, value: string | undefined, data: { value: string; label: string }[], onChange: (v: string | undefined) => void, testId: string, w = 160) => (
    <Select aria-label={label} placeholder={any} clearable allowDeselect value={value ?? null} onChange={(v) => onChange(v ?? undefined)} data={data} w={w} data-testid={testId} clearButtonProps={{ 'aria-label': any }} />
  );
  return (
    <div className="page fill">
      <PageHeader title={t('nav.returns')} note={t(`after.note.${of}`)} />
      <AfterTabs at={of} />
      <div className="row wrap-row" role="search">
        <TextInput ref={field} aria-label={t('after.find')} placeholder={t('after.find')} leftSection={<IconSearch />} rightSection={<kbd>/</kbd>} value={text} w={248} onChange={(e) => setText(e.currentTarget.value)} onBlur={() => text.trim() !== (q ?? '') && set({ q: text.trim() || undefined })} onKeyDown={(e) => { if (e.key === 'Enter') set({ q: text.trim() || undefined }); }} data-testid="after-find" />
        {choose(t('col.state'), t('order.anyState'), state, STATES[of].map((s) => ({ value: s, label: word(STATE_OF[of], s) })), (v) => set({ state: v }), 'after-state')}
        {of === 'returns' && choose(t('after.kind'), t('after.anyKind'), kind, ['return', 'exchange'].map((k) => ({ value: k, label: word('akind', k) })), (v) => set({ kind: v }), 'after-kind', 152)}
        {of === 'cases' && choose(t('after.kind'), t('after.anyKind'), kind, CASE_KINDS.map((k) => ({ value: k, label: word('akind', k) })), (v) => set({ kind: v }), 'after-kind', 152)}
        {of !== 'cases' && choose(t('col.reason'), t('after.anyReason'), reason, REASONS.map((r) => ({ value: r, label: word('reason_of', r) })), (v) => set({ reason: v }), 'after-reason', 176)}
        {of === 'returns' && choose(t('after.place'), t('after.anyPlace'), place, places.own.map((l) => ({ value: l.id, label: l.name || l.id })), (v) => set({ place: v }), 'after-place', 176)}
        {choose(t('after.dueHead'), t('after.anyDue'), due, ['late', 'today', 'week'].map((d) => ({ value: d, label: t(`after.due.${d}`) })), (v) => set({ due: v }), 'after-due', 160)}
        {said.length > 0 && <button type="button" className="textlink" onClick={clear} data-testid="after-clear">{t('order.clear')}</button>}
        <span className="sp" />
        <TableTools table={table} rows={rows} file={t(`after.tab.${of}`)} />
      </div>
      <div className="card scroll">
        <DataTable
          label={t(`after.tab.${of}`)}
          arranged={table}
          rows={rows}
          columns={table.columns}
          rowId={(r) => r.id}
          selected={sel ?? null}
          onSelect={(id) => void navigate({ to, search: { ...search, sel: id ?? undefined } as never, replace: true })}
          onOpen={(r) => void navigate({ to: ONE[of], params: { id: r.id } })}
          rowTestId="after-row"
          error={list.error}
          retry={() => void list.refetch()}
          more={{ has: list.hasNextPage, busy: list.isFetchingNextPage, fetch: () => void list.fetchNextPage() }}
          empty={
            said.length ? <EmptyState title={t('after.noneFound')} action={<button type="button" className="textlink" onClick={clear}>{t('order.clear')}</button>}>{f.list(said)}</EmptyState>
              : <EmptyState title={t(`after.none.${of}`)} action={<Link to="/orders" search={{}}>{t('after.toOrders')}</Link>}>{t(`after.noneText.${of}`)}</EmptyState>
          }
        />
      </div>
    </div>
  );
}
