// Decision served: which shelves are being counted, and what do we count next?
import { Switch, Textarea } from '@mantine/core';
import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import { Problem } from '../api/problem';
import { ActButton } from '../session/Guarded';
import { useMay } from '../session/session';
import { Badge, EmptyState, ErrorNote, None, PageHeader, When } from '../ui/base';
import { type Column, DataTable } from '../ui/DataTable';
import * as f from '../ui/format';
import { IconPlus } from '../ui/icons';
import { useTitle } from '../ui/Shell';
import { useShortcut } from '../ui/shortcuts';
import { say, sayError } from '../ui/toast';
import { Acts, Dialog } from './acts';
import { faultsOf, quantity, useOnce } from './forms';
import { Amount, Note, type Places, PlaceSelect, SkuField, usePlaces, useSku } from './parts';
import { type CountRow, countsQuery, GOODS } from './query';

const route = getRouteApi('/counts');
/** So many lines a count takes. */
const MOST = 5000;

export default function CountsPage() {
  const { t } = useTranslation();
  useTitle(t('nav.counts'));
  const search = route.useSearch();
  const navigate = useNavigate({ from: '/counts' });
  const may = useMay('stock:write');
  const places = usePlaces();
  const list = useInfiniteQuery(countsQuery);
  const rows = useMemo(() => list.data?.pages.flatMap((p) => p.items), [list.data]);
  const create = (on: boolean) => void navigate({ search: (s) => ({ ...s, create: on || undefined }) });
  useShortcut('KeyC', () => create(true), { enabled: may && !search.create });
  const columns = useMemo<Column<CountRow>[]>(
    () => [
      { id: 'place', header: t('stock.place'), cell: ({ row: { original: c } }) => <Link to="/counts/$id" params={{ id: c.id }} className="plain b name el">{places.name(c.location_id)}</Link> },
      { id: 'no', header: '№', meta: { width: 88 }, cell: ({ row: { original: c } }) => <span className="m2">{c.id}</span> },
      { id: 'state', header: t('col.state'), meta: { width: 128 }, cell: ({ row: { original: c } }) => (c.closed ? <Badge>{t('counting.closed')}</Badge> : <Badge tone="info">{t('counting.open')}</Badge>) },
      { id: 'lines', header: t('counting.settledOf'), meta: { width: 132, right: true }, cell: ({ row: { original: c } }) => t('format.of', { part: f.number(c.settled), all: f.number(c.lines) }) },
      { id: 'off', header: t('counting.variances'), meta: { width: 128, right: true }, cell: ({ row: { original: c } }) => (c.variances > 0 ? <span className="warn-text b">{f.number(c.variances)}</span> : <span className="m">0</span>) },
      { id: 'note', header: t('stock.note'), cell: ({ row: { original: c } }) => (c.note ? <span className="el" title={c.note}>{c.note}</span> : <None why={t('counting.noNote')} />) },
      { id: 'who', header: t('audit.who'), meta: { width: 190 }, cell: ({ row: { original: c } }) => <span className="m2 el" title={c.created_by}>{c.created_by}</span> },
      { id: 'when', header: t('col.when'), meta: { width: 124, right: true }, cell: ({ row: { original: c } }) => <When at={c.created_at} className="m2" /> },
    ],
    [t, places],
  );
  return (
    <div className="page fill">
      <PageHeader title={t('nav.counts')} actions={<span className="row g16"><Link to="/counts/tags" search={{}} data-testid="to-tags">{t('tags.title')}</Link><ActButton right="stock:write" leftSection={<IconPlus />} rightSection={<kbd>C</kbd>} onClick={() => create(true)} data-testid="count-create">{t('counting.begin')}</ActButton></span>} />
      <div className="card scroll">
        <DataTable
          label={t('nav.counts')}
          rows={rows}
          columns={columns}
          rowId={(c) => c.id}
          selected={search.sel ?? null}
          onSelect={(id) => void navigate({ search: (s) => ({ ...s, sel: id ?? undefined }), replace: true })}
          onOpen={(c) => void navigate({ to: '/counts/$id', params: { id: c.id } })}
          rowTestId="count-row"
          error={list.error}
          retry={() => void list.refetch()}
          more={{ has: list.hasNextPage, busy: list.isFetchingNextPage, fetch: () => void list.fetchNextPage() }}
          empty={<EmptyState title={t('counting.none')} action={<ActButton right="stock:write" variant="default" leftSection={<IconPlus />} onClick={() => create(true)}>{t('counting.begin')}</ActButton>}>{t('counting.noneText')}</EmptyState>}
        />
      </div>
      {search.create && may && <Begin places={places} close={() => create(false)} />}
    </div>
  );
}

const skusOf = (text: string): string[] => [...new Set(text.split(/[\n\t;,]+/).map((x) => x.trim()).filter(Boolean))];

function Begin({ places, close }: { places: Places; close: () => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const navigate = useNavigate();
  const look = useSku();
  const once = useOnce();
  const [form, setForm] = useState({ at: '', text: '', blind: true, tolerance: '0', note: '' });
  const set = (part: Partial<typeof form>) => setForm((old) => ({ ...old, ...part }));
  const skus = skusOf(form.text);
  const tolerance = quantity(form.tolerance);
  const add = (more: string[]) => setForm((old) => ({ ...old, text: [...new Set([...skusOf(old.text), ...more])].join('\n') }));
  const all = useMutation({
    mutationFn: async () => {
      const found: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await must(api.GET('/api/v1/stock', { params: { query: { location: form.at, limit: 500, cursor } } }));
        found.push(...page.items.map((i) => i.sku));
        cursor = page.next_cursor ?? undefined;
      } while (cursor && found.length < MOST);
      return found.slice(0, MOST);
    },
    onSuccess: add,
    onError: sayError,
  });
  const make = useMutation({
    mutationFn: () => {
      const body = { location_id: form.at, blind: form.blind, tolerance_permille: Math.round((tolerance ?? 0) * 10), note: form.note.trim(), skus };
      return must(api.POST('/api/v1/stock-counts', { body, headers: once(body) }));
    },
    onSuccess: (made) => {
      void client.invalidateQueries({ queryKey: GOODS });
      say(t('counting.begun', { place: places.name(made.location_id) }));
      void navigate({ to: '/counts/$id', params: { id: made.id } });
    },
  });
  // An SKU that there is not is named by its place in the list.
  const unknown = (make.error instanceof Problem ? make.error.errors : []).map((e) => /^\/skus\/(\d+)$/.exec(e.pointer)?.[1]).filter((i) => i !== undefined).map((i) => skus[Number(i)]);
  const faults = faultsOf(make.error, places.name);
  const at = { place: faults.at('/location_id'), tolerance: faults.at('/tolerance_permille'), note: faults.at('/note'), skus: unknown.length ? (faults.at(...skus.map((_, i) => `/skus/${i}`)), t('stock.noSku', { sku: unknown.join(', ') })) : faults.at('/lines', '/skus') };
  return (
    <Dialog title={t('counting.begin')} close={close} submit={() => make.mutate()} size={560}>
      <PlaceSelect label={t('stock.place')} value={form.at} onChange={(id) => set({ at: id })} places={places} error={at.place} testId="count-place" autoFocus />
      <div className="col g8">
        <SkuField label={t('lines.scan')} width="100%" onSku={async (sku) => add([(await look(sku)).sku])} testId="count-scan" />
        <Textarea className="pastearea" label={t('counting.skus', { n: f.number(skus.length) })} description={t('counting.skusHelp')} inputWrapperOrder={['label', 'input', 'description', 'error']} autosize minRows={4} maxRows={12} value={form.text} error={at.skus} onChange={(e) => set({ text: e.currentTarget.value })} data-testid="count-skus" />
        <button type="button" className="textlink" disabled={!form.at || all.isPending} onClick={() => all.mutate()} data-testid="count-all">{t('counting.all')}</button>
      </div>
      <Switch label={t('counting.blind')} description={t('counting.blindHelp')} checked={form.blind} onChange={(e) => set({ blind: e.currentTarget.checked })} />
      <Amount label={t('counting.tolerance')} width={180} value={form.tolerance} onChange={(v) => set({ tolerance: v })} help={t('counting.toleranceHelp')} error={at.tolerance} />
      <Note label={t('stock.note')} value={form.note} onChange={(note) => set({ note })} error={at.note} />
      {Boolean(faults.rest()) && <ErrorNote error={faults.rest()} kept={t('error.formKept')} />}
      <Acts label={t('counting.beginDo', { count: skus.length, n: f.number(skus.length) })} busy={make.isPending} disabled={!form.at || skus.length === 0 || skus.length > MOST || tolerance === null} close={close} testId="count-do" />
    </Dialog>
  );
}
