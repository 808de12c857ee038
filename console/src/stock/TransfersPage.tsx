// Decision served: which goods wait to leave or to arrive, and what do I ask for?
import { TextInput } from '@mantine/core';
import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import { ActButton } from '../session/Guarded';
import { useMay } from '../session/session';
import { EmptyState, ErrorNote, PageHeader, When } from '../ui/base';
import { type Column, DataTable } from '../ui/DataTable';
import * as f from '../ui/format';
import { IconArrowRight, IconPlus } from '../ui/icons';
import { useTitle } from '../ui/Shell';
import { useShortcut } from '../ui/shortcuts';
import { say } from '../ui/toast';
import { Acts, Dialog } from './acts';
import { dayStart, faultsOf, quantity, useOnce } from './forms';
import { Day, Lines, type NewLine, Note, type Places, PlaceSelect, State, usePlaces } from './parts';
import { GOODS, type TransferRow, transfersQuery } from './query';

const route = getRouteApi('/transfers');

export default function TransfersPage() {
  const { t } = useTranslation();
  useTitle(t('nav.transfers'));
  const search = route.useSearch();
  const navigate = useNavigate({ from: '/transfers' });
  const may = useMay('stock:write');
  const places = usePlaces();
  const all = search.show === 'all';
  const list = useInfiniteQuery(transfersQuery(all));
  const rows = useMemo(() => list.data?.pages.flatMap((p) => p.items), [list.data]);
  const create = (on: boolean) => void navigate({ search: (s) => ({ ...s, create: on || undefined }) });
  useShortcut('KeyC', () => create(true), { enabled: may && !search.create });
  const columns = useMemo<Column<TransferRow>[]>(
    () => [
      { id: 'no', header: '№', meta: { width: 96, value: (r) => r.id }, cell: ({ row: { original: r } }) => <Link to="/transfers/$id" params={{ id: r.id }} className="plain b name">{r.id}</Link> },
      { id: 'way', header: t('movements.way'), meta: { value: (r) => `${places.name(r.from)} – ${places.name(r.to)}` }, cell: ({ row: { original: r } }) => <span className="row g4"><span className="el">{places.name(r.from)}</span><IconArrowRight className="s m" aria-label={t('move.towards')} /><span className="el">{places.name(r.to)}</span></span> },
      { id: 'state', header: t('col.state'), meta: { width: 148, value: (r) => t(`transfer.state.${r.state}`) }, cell: ({ row: { original: r } }) => <State of="transfer" state={r.state} /> },
      { id: 'lines', header: t('lines.title'), meta: { width: 88, right: true, value: (r) => r.lines }, cell: ({ row: { original: r } }) => f.number(r.lines) },
      { id: 'pieces', header: t('transfer.pieces'), meta: { width: 96, right: true, value: (r) => r.requested }, cell: ({ row: { original: r } }) => f.number(r.requested) },
      { id: 'expected', header: t('transfer.expected'), meta: { width: 112, right: true, value: (r) => (r.expected_at ? new Date(r.expected_at) : null) }, cell: ({ row: { original: r } }) => <Day at={r.expected_at} why={t('transfer.noDay')} /> },
      { id: 'who', header: t('audit.who'), meta: { width: 180, value: (r) => r.created_by }, cell: ({ row: { original: r } }) => <span className="m2 el" title={r.created_by}>{r.created_by}</span> },
      { id: 'when', header: t('transfer.moved'), meta: { width: 128, right: true, value: (r) => new Date(r.updated_at) }, cell: ({ row: { original: r } }) => <When at={r.updated_at} className="m2" /> },
    ],
    [t, places],
  );
  const tab = (show: 'all' | undefined, name: string) => <Link to="/transfers" search={show ? { show } : {}} className={all === Boolean(show) ? 'on' : ''} aria-current={all === Boolean(show) ? 'page' : undefined}>{name}</Link>;
  return (
    <div className="page fill">
      <PageHeader title={t('nav.transfers')} actions={<ActButton right="stock:write" leftSection={<IconPlus />} rightSection={<kbd>C</kbd>} onClick={() => create(true)} data-testid="transfer-create">{t('transfer.ask')}</ActButton>} />
      <nav className="tabs" aria-label={t('nav.transfers')}>{tab(undefined, t('transfer.open'))}{tab('all', t('all'))}</nav>
      <div className="card scroll">
        <DataTable
          label={t('nav.transfers')}
          rows={rows}
          columns={columns}
          rowId={(r) => r.id}
          selected={search.sel ?? null}
          onSelect={(id) => void navigate({ search: (s) => ({ ...s, sel: id ?? undefined }), replace: true })}
          onOpen={(r) => void navigate({ to: '/transfers/$id', params: { id: r.id } })}
          rowTestId="transfer-row"
          error={list.error}
          retry={() => void list.refetch()}
          more={{ has: list.hasNextPage, busy: list.isFetchingNextPage, fetch: () => void list.fetchNextPage() }}
          empty={<EmptyState title={all ? t('transfer.none') : t('transfer.noneOpen')} action={<ActButton right="stock:write" variant="default" leftSection={<IconPlus />} onClick={() => create(true)}>{t('transfer.ask')}</ActButton>}>{t('transfer.noneText')}</EmptyState>}
        />
      </div>
      {search.create && may && <Ask places={places} close={() => create(false)} />}
    </div>
  );
}

function Ask({ places, close }: { places: Places; close: () => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const navigate = useNavigate();
  const once = useOnce();
  const [form, setForm] = useState({ from: '', to: '', day: '', note: '', lines: [] as NewLine[] });
  const set = (part: Partial<typeof form>) => setForm((old) => ({ ...old, ...part }));
  const quantities = form.lines.map((l) => quantity(l.quantity));
  const make = useMutation({
    mutationFn: () => {
      const body = { from: form.from, to: form.to, note: form.note.trim(), expected_at: dayStart(form.day), lines: form.lines.map((l, i) => ({ sku: l.sku, quantity: quantities[i] ?? 0 })) };
      return must(api.POST('/api/v1/transfers', { body, headers: once(body) }));
    },
    onSuccess: (made) => {
      void client.invalidateQueries({ queryKey: GOODS });
      say(t('transfer.asked', { id: made.id, to: places.name(made.to) }));
      void navigate({ to: '/transfers/$id', params: { id: made.id } });
    },
  });
  const faults = faultsOf(make.error, places.name);
  const at = { from: faults.at('/from'), to: faults.at('/to'), note: faults.at('/note') };
  return (
    <Dialog title={t('transfer.ask')} close={close} submit={() => make.mutate()} size={560}>
      <div className="grid2">
        <PlaceSelect label={t('transfer.from')} value={form.from} onChange={(from) => set({ from })} places={places} error={at.from} testId="transfer-from" autoFocus />
        <PlaceSelect label={t('transfer.to')} value={form.to} onChange={(to) => set({ to })} places={places} error={at.to} testId="transfer-to" />
      </div>
      <Lines lines={form.lines} onChange={(lines) => set({ lines })} faults={faults} from={form.from || undefined} />
      <TextInput type="date" label={t('transfer.expected')} value={form.day} w={180} onChange={(e) => set({ day: e.currentTarget.value })} />
      <Note label={t('stock.note')} value={form.note} onChange={(note) => set({ note })} error={at.note} />
      {Boolean(faults.rest()) && <ErrorNote error={faults.rest()} kept={t('error.formKept')} />}
      <Acts label={t('transfer.askDo')} busy={make.isPending} disabled={!form.from || !form.to || form.lines.length === 0 || quantities.some((n) => n === null || n <= 0)} close={close} testId="transfer-do" />
    </Dialog>
  );
}
