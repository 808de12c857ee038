// Decision served: what is ordered, when does it come, and from whom do we order?
import { Select, TextInput } from '@mantine/core';
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { lazy, Suspense, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import { ActButton, ActLink } from '../session/Guarded';
import { useMay, useMe } from '../session/session';
import { EmptyState, ErrorNote, None, PageHeader, Skeleton, When } from '../ui/base';
import { type Column, DataTable } from '../ui/DataTable';
import * as f from '../ui/format';
import { IconPlus } from '../ui/icons';
import { useTitle } from '../ui/Shell';
import { useShortcut } from '../ui/shortcuts';
import { say } from '../ui/toast';
import { Acts, Dialog } from './acts';
import { dayStart, faultsOf, minor, quantity, useOnce } from './forms';
import { Amount, Day, Lines, type NewLine, Note, type Places, PlaceSelect, State, usePlaces } from './parts';
import { GOODS, type PurchaseRow, purchasesQuery, type Supplier, suppliersQuery } from './query';

const Promises = lazy(() => import('./Promises').then((m) => ({ default: m.Promises })));
const route = getRouteApi('/purchases');

export default function PurchasesPage() {
  const { t } = useTranslation();
  useTitle(t('nav.purchases'));
  const search = route.useSearch();
  const navigate = useNavigate({ from: '/purchases' });
  const may = useMay('stock:write');
  const places = usePlaces();
  const ofSuppliers = search.tab === 'suppliers';
  const ofPromises = search.tab === 'promises';
  const create = (on: boolean) => void navigate({ search: (s) => ({ ...s, create: on || undefined }) });
  useShortcut('KeyC', () => create(true), { enabled: may && !search.create && !ofPromises });
  const tab = (on: boolean, to: 'suppliers' | 'promises' | undefined, name: string) => <Link to="/purchases" search={to ? { tab: to } : {}} className={on ? 'on' : ''} aria-current={on ? 'page' : undefined} data-testid={`tab-${to ?? 'orders'}`}>{name}</Link>;
  return (
    <div className="page fill">
      <PageHeader title={t('nav.purchases')} actions={ofPromises ? undefined : <ActButton right="stock:write" leftSection={<IconPlus />} rightSection={<kbd>C</kbd>} onClick={() => create(true)} data-testid="purchase-create">{ofSuppliers ? t('supplier.add') : t('purchase.add')}</ActButton>} />
      <nav className="tabs" aria-label={t('nav.purchases')}>{tab(!ofSuppliers && !ofPromises, undefined, t('purchase.orders'))}{tab(ofSuppliers, 'suppliers', t('supplier.title'))}{tab(ofPromises, 'promises', t('ahead.tab'))}</nav>
      {ofPromises ? <Suspense fallback={<Skeleton rows={6} />}><Promises /></Suspense> : ofSuppliers ? <Suppliers create={Boolean(search.create) && may} close={() => create(false)} /> : <Orders places={places} open={() => create(true)} />}
      {!ofSuppliers && !ofPromises && search.create && may && <NewOrder places={places} close={() => create(false)} />}
    </div>
  );
}

function Orders({ places, open }: { places: Places; open: () => void }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const { sel } = route.useSearch();
  const list = useInfiniteQuery(purchasesQuery);
  const rows = useMemo(() => list.data?.pages.flatMap((p) => p.items), [list.data]);
  const columns = useMemo<Column<PurchaseRow>[]>(
    () => [
      { id: 'supplier', header: t('supplier.one'), cell: ({ row: { original: o } }) => <Link to="/purchases/$id" params={{ id: o.id }} className="plain b name el">{o.supplier}</Link> },
      { id: 'no', header: '№', meta: { width: 88 }, cell: ({ row: { original: o } }) => <span className="m2">{o.id}</span> },
      { id: 'state', header: t('col.state'), meta: { width: 148 }, cell: ({ row: { original: o } }) => <State of="purchase" state={o.state} /> },
      { id: 'place', header: t('purchase.to'), cell: ({ row: { original: o } }) => <span className="el">{places.name(o.location_id)}</span> },
      { id: 'lines', header: t('lines.title'), meta: { width: 88, right: true }, cell: ({ row: { original: o } }) => f.number(o.lines) },
      { id: 'total', header: t('purchase.total'), meta: { width: 136, right: true }, cell: ({ row: { original: o } }) => (o.total ? <span className="b" title={f.money(o.total)}>{f.moneyReport(o.total)}</span> : '—') },
      { id: 'expected', header: t('transfer.expected'), meta: { width: 120, right: true }, cell: ({ row: { original: o } }) => <Day at={o.expected_at} why={t('incoming.unknown')} /> },
      { id: 'when', header: t('purchase.made'), meta: { width: 124, right: true }, cell: ({ row: { original: o } }) => <span title={o.created_by}><When at={o.created_at} className="m2" /></span> },
    ],
    [t, places],
  );
  return (
    <div className="card scroll">
      <DataTable
        label={t('purchase.orders')}
        rows={rows}
        columns={columns}
        rowId={(o) => o.id}
        selected={sel ?? null}
        onSelect={(id) => void navigate({ to: '/purchases', search: id ? { sel: id } : {}, replace: true })}
        onOpen={(o) => void navigate({ to: '/purchases/$id', params: { id: o.id } })}
        rowTestId="purchase-row"
        error={list.error}
        retry={() => void list.refetch()}
        more={{ has: list.hasNextPage, busy: list.isFetchingNextPage, fetch: () => void list.fetchNextPage() }}
        empty={<EmptyState title={t('purchase.none')} action={<ActButton right="stock:write" variant="default" leftSection={<IconPlus />} onClick={open}>{t('purchase.add')}</ActButton>}>{t('purchase.noneText')}</EmptyState>}
      />
    </div>
  );
}

function NewOrder({ places, close }: { places: Places; close: () => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const navigate = useNavigate();
  const once = useOnce();
  const { currency } = useMe().shop;
  const suppliers = useQuery(suppliersQuery);
  const [form, setForm] = useState({ supplier: '', at: '', day: '', freight: '', note: '', lines: [] as NewLine[] });
  const set = (part: Partial<typeof form>) => setForm((old) => ({ ...old, ...part }));
  const quantities = form.lines.map((l) => quantity(l.quantity));
  const costs = form.lines.map((l) => minor(l.cost, currency));
  const freight = form.freight.trim() ? minor(form.freight, currency) : 0;
  const chosen = suppliers.data?.items.find((s) => s.id === form.supplier);
  const make = useMutation({
    mutationFn: () => {
      const body = { supplier_id: form.supplier, location_id: form.at, freight_minor: freight ?? 0, expected_at: dayStart(form.day), note: form.note.trim(), lines: form.lines.map((l, i) => ({ sku: l.sku, quantity: quantities[i] ?? 0, cost_minor: costs[i] ?? 0 })) };
      return must(api.POST('/api/v1/purchase-orders', { body, headers: once(body) }));
    },
    onSuccess: (made) => {
      void client.invalidateQueries({ queryKey: GOODS });
      say(t('purchase.drafted', { id: made.id }));
      void navigate({ to: '/purchases/$id', params: { id: made.id } });
    },
  });
  const faults = faultsOf(make.error, places.name);
  const at = { supplier: faults.at('/supplier_id'), place: faults.at('/location_id'), freight: faults.at('/freight', '/freight_minor') };
  const sum = form.lines.reduce((n, _, i) => n + Math.round((quantities[i] ?? 0) * (costs[i] ?? 0)), freight ?? 0);
  return (
    <Dialog title={t('purchase.add')} close={close} submit={() => make.mutate()} size={600}>
      <div className="grid2">
        <Select label={t('supplier.one')} data={(suppliers.data?.items ?? []).map((s) => ({ value: s.id, label: s.name }))} value={form.supplier || null} onChange={(v) => v && set({ supplier: v })} searchable allowDeselect={false} error={at.supplier} description={chosen && chosen.lead_days > 0 ? t('supplier.usually', { count: chosen.lead_days, n: f.number(chosen.lead_days) }) : undefined} inputWrapperOrder={['label', 'input', 'description', 'error']} nothingFoundMessage={t('supplier.nobody')} data-testid="purchase-supplier" data-autofocus />
        <PlaceSelect label={t('purchase.to')} value={form.at} onChange={(id) => set({ at: id })} places={places} error={at.place} testId="purchase-place" />
      </div>
      <Lines lines={form.lines} onChange={(lines) => set({ lines })} faults={faults} cost={f.currencySign(currency)} />
      <div className="grid2">
        <TextInput type="date" label={t('transfer.expected')} value={form.day} onChange={(e) => set({ day: e.currentTarget.value })} />
        <Amount label={t('purchase.freight', { sign: f.currencySign(currency) })} value={form.freight} onChange={(v) => set({ freight: v })} error={at.freight} />
      </div>
      <Note label={t('stock.note')} value={form.note} onChange={(note) => set({ note })} />
      {sum > 0 && <p><span className="m2">{t('purchase.total')}</span> <b className="bb">{f.money({ minor: sum, currency })}</b></p>}
      {Boolean(faults.rest()) && <ErrorNote error={faults.rest()} kept={t('error.formKept')} />}
      <Acts label={t('purchase.draftDo')} busy={make.isPending} disabled={!form.supplier || !form.at || form.lines.length === 0 || freight === null || costs.some((n) => n === null) || quantities.some((n) => n === null || n <= 0)} close={close} testId="purchase-do" />
    </Dialog>
  );
}

function Suppliers({ create, close }: { create: boolean; close: () => void }) {
  const { t } = useTranslation();
  const list = useQuery(suppliersQuery);
  const [editing, setEditing] = useState<Supplier | null>(null);
  const columns = useMemo<Column<Supplier>[]>(
    () => [
      { id: 'name', header: t('col.name'), meta: { width: '32%' }, cell: ({ row: { original: s } }) => <span className="b el">{s.name}</span> },
      { id: 'id', header: t('place.id'), meta: { width: 160 }, cell: ({ row: { original: s } }) => <span className="mono el">{s.id}</span> },
      { id: 'lead', header: t('supplier.lead'), meta: { width: 160, right: true }, cell: ({ row: { original: s } }) => (s.lead_days ? f.number(s.lead_days) : <None why={t('incoming.unknown')} />) },
      { id: 'note', header: t('stock.note'), cell: ({ row: { original: s } }) => (s.note ? <span className="el" title={s.note}>{s.note}</span> : <None why={t('counting.noNote')} />) },
      { id: 'act', header: () => <span className="hidden-text">{t('place.change')}</span>, meta: { width: 120, right: true, title: t('place.change') }, cell: ({ row: { original: s } }) => <ActLink right="stock:write" onClick={() => setEditing(s)} aria-label={t('place.changeOf', { name: s.name })}>{t('place.change')}</ActLink> },
    ],
    [t],
  );
  return (
    <>
      <div className="card scroll">
        <DataTable label={t('supplier.title')} rows={list.data?.items} columns={columns} rowId={(s) => s.id} rowTestId="supplier-row" error={list.error} retry={() => void list.refetch()} empty={<EmptyState title={t('supplier.none')}>{t('supplier.noneText')}</EmptyState>} />
      </div>
      {(editing || create) && <SupplierForm key={editing?.id ?? ''} of={editing} close={() => { setEditing(null); if (create) close(); }} />}
    </>
  );
}

function SupplierForm({ of, close }: { of: Supplier | null; close: () => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [form, setForm] = useState({ id: of?.id ?? '', name: of?.name ?? '', lead: String(of?.lead_days ?? 0), note: of?.note ?? '' });
  const set = (part: Partial<typeof form>) => setForm((old) => ({ ...old, ...part }));
  const lead = quantity(form.lead);
  const save = useMutation({
    mutationFn: () => must(api.POST('/api/v1/suppliers', { body: { id: form.id.trim(), name: form.name.trim(), lead_days: lead ?? 0, note: form.note.trim() } })),
    onSuccess: (s) => {
      void client.invalidateQueries({ queryKey: GOODS });
      say(t('supplier.saved', { name: s.name }));
      close();
    },
  });
  const faults = faultsOf(save.error, (x) => x);
  const at = { id: faults.at('/id'), name: faults.at('/name'), lead: faults.at('/lead_days'), note: faults.at('/note') };
  return (
    <Dialog title={of ? t('supplier.change') : t('supplier.add')} close={close} submit={() => save.mutate()}>
      <TextInput label={t('col.name')} value={form.name} error={at.name} onChange={(e) => set({ name: e.currentTarget.value })} data-autofocus data-testid="supplier-name" />
      <TextInput label={t('place.id')} description={of ? undefined : t('place.idHelp')} inputWrapperOrder={['label', 'input', 'description', 'error']} value={form.id} disabled={Boolean(of)} error={at.id} onChange={(e) => set({ id: e.currentTarget.value })} data-testid="supplier-id" />
      <Amount label={t('supplier.lead')} width={160} value={form.lead} onChange={(v) => set({ lead: v })} error={at.lead} />
      <Note label={t('stock.note')} value={form.note} onChange={(note) => set({ note })} error={at.note} />
      {Boolean(faults.rest()) && <ErrorNote error={faults.rest()} kept={t('error.formKept')} />}
      <Acts label={t('save')} busy={save.isPending} disabled={!form.id.trim() || !form.name.trim() || lead === null} close={close} testId="supplier-do" />
    </Dialog>
  );
}
