// Decision served: where do we keep goods, which of it works today, and what may each channel sell from there?
import { MultiSelect, Select, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import { ActButton, ActLink } from '../session/Guarded';
import { useMay, useMe } from '../session/session';
import { EmptyState, ErrorNote, None, PageHeader } from '../ui/base';
import { type Column, DataTable } from '../ui/DataTable';
import * as f from '../ui/format';
import { IconPlus } from '../ui/icons';
import { useTitle } from '../ui/Shell';
import { useShortcut } from '../ui/shortcuts';
import { say, sayError } from '../ui/toast';
import { Acts, Dialog } from './acts';
import { LocationTabs } from './LocationTabs';
import { faultsOf, quantity } from './forms';
import { Amount, type Places, State, usePlaces } from './parts';
import { GOODS, KINDS, type Location, locationsQuery, type Outlet, outletsQuery } from './query';

const route = getRouteApi('/locations');
const match = (version: number) => ({ 'if-match': `"v${version}"` });

export default function LocationsPage() {
  const { t } = useTranslation();
  useTitle(t('nav.locations'));
  const search = route.useSearch();
  const navigate = useNavigate({ from: '/locations' });
  const may = useMay('settings:write');
  const places = usePlaces();
  const channels = search.tab === 'channels';
  const create = (on: boolean) => void navigate({ search: (s) => ({ ...s, create: on || undefined }) });
  useShortcut('KeyC', () => create(true), { enabled: may && !search.create });
  const Body = channels ? Channels : PlacesTable;
  return (
    <div className="page fill">
      <PageHeader title={t('nav.locations')} actions={<ActButton right="settings:write" leftSection={<IconPlus />} rightSection={<kbd>C</kbd>} onClick={() => create(true)} data-testid="location-create">{channels ? t('outlet.add') : t('place.add')}</ActButton>} />
      <LocationTabs at={channels ? 'channels' : 'places'} />
      <Body places={places} create={Boolean(search.create) && may} close={() => create(false)} />
    </div>
  );
}

interface Props { places: Places; create: boolean; close: () => void }

function PlacesTable({ places, create, close }: Props) {
  const { t } = useTranslation();
  const list = useQuery(locationsQuery);
  const { sel } = route.useSearch();
  const navigate = useNavigate({ from: '/locations' });
  const [editing, setEditing] = useState<Location | null>(null);
  const [pausing, setPausing] = useState<Location | null>(null);
  const [leaving, setLeaving] = useState<Location | null>(null);
  const client = useQueryClient();
  const set = useMutation({
    mutationFn: (v: { id: string; state: string; why: string; undo?: { state: string; why: string } }) => must(api.POST('/api/v1/locations/{id}/state', { params: { path: { id: v.id } }, body: { state: v.state, why: v.why } })),
    onError: sayError,
    onSuccess: (l, v) => {
      void client.invalidateQueries({ queryKey: GOODS });
      say(t(`place.now.${l.state}`, { name: l.name || l.id }), v.undo && (() => set.mutate({ id: v.id, ...v.undo! })));
    },
  });
  const columns = useMemo<Column<Location>[]>(
    () => [
      { id: 'name', header: t('stock.place'), meta: { width: '23%' }, cell: ({ row: { original: l } }) => <span className="col"><Link to="/stock" search={{ at: l.id }} className="plain b name el">{l.name || l.id}</Link><span className="t12 m2 mono el">{l.id}</span></span> },
      { id: 'kind', header: t('place.kind'), meta: { width: 136 }, cell: ({ row: { original: l } }) => t(`place.kind.${l.kind}`) },
      { id: 'state', header: t('col.state'), meta: { width: 176 }, cell: ({ row: { original: l } }) => <span className="row g8"><State of="place" state={l.state} />{l.why && <span className="t12 m2 el" title={l.why}>{l.why}</span>}</span> },
      { id: 'address', header: t('place.address'), cell: ({ row: { original: l } }) => (l.address ? <span className="el" title={l.address}>{l.address}</span> : <None why={t('place.noAddress')} />) },
      { id: 'zone', header: t('place.zone'), meta: { width: 116 }, cell: ({ row: { original: l } }) => <span className="m2 el">{l.time_zone}</span> },
      {
        id: 'act',
        header: () => <span className="hidden-text">{t('place.change')}</span>,
        meta: { width: 312, right: true, title: t('place.change') },
        cell: ({ row: { original: l } }) => (
          <span className="row g12" style={{ justifyContent: 'flex-end' }}>
            {l.state === 'open' ? <ActLink right="settings:write" onClick={() => setPausing(l)} aria-label={t('place.pauseOf', { name: l.name || l.id })} data-testid="place-pause">{t('place.pause')}</ActLink> : <ActLink right="settings:write" onClick={() => set.mutate({ id: l.id, state: 'open', why: '', undo: { state: l.state, why: l.why } })} aria-label={t('place.reopenOf', { name: l.name || l.id })} data-testid="place-open">{t('place.reopen')}</ActLink>}
            <ActLink right="orders:write" onClick={() => setLeaving(l)} aria-label={t('place.rerouteOf', { name: l.name || l.id })} data-testid="place-reroute">{t('place.reroute')}</ActLink>
            <ActLink right="settings:write" onClick={() => setEditing(l)} aria-label={t('place.changeOf', { name: l.name || l.id })}>{t('place.change')}</ActLink>
          </span>
        ),
      },
    ],
    // `set` is the same in every respect that matters here.
    [t],
  );
  return (
    <>
      <div className="card scroll">
        <DataTable label={t('place.title')} rows={list.data && places.own} columns={columns} rowHeight={44} rowId={(l) => l.id} selected={sel ?? null} onSelect={(id) => void navigate({ search: (s) => ({ ...s, sel: id ?? undefined }), replace: true })} onOpen={(l) => void navigate({ to: '/stock', search: { at: l.id } })} rowTestId="place-row" error={list.error} retry={() => void list.refetch()} empty={<EmptyState title={t('stock.noPlaces')}>{t('stock.noPlacesText')}</EmptyState>} />
      </div>
      {(editing || create) && <PlaceForm key={editing?.id ?? ''} of={editing} close={() => { setEditing(null); if (create) close(); }} />}
      {leaving && <Reroute of={leaving} close={() => setLeaving(null)} />}
      {pausing && <Pause of={pausing} close={() => setPausing(null)} done={(state, why) => { set.mutate({ id: pausing.id, state, why, undo: { state: pausing.state, why: pausing.why } }); setPausing(null); }} />}
    </>
  );
}

/** A place is down: what it was asked for and has not taken goes elsewhere. It leaves the house, so the button says what will happen. */
function Reroute({ of: l, close }: { of: Location; close: () => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [why, setWhy] = useState('');
  const move = useMutation({
    mutationFn: () => must(api.POST('/api/v1/locations/{id}/reroute', { params: { path: { id: l.id } }, body: { why: why.trim() } })),
    onSuccess: (done) => {
      void client.invalidateQueries({ queryKey: ['orders'] });
      void client.invalidateQueries({ queryKey: GOODS });
      say(done.moved === 0 ? t('place.reroutedNone') : done.more ? t('place.reroutedMore', { n: f.number(done.moved) }) : t('place.rerouted', { count: done.moved, n: f.number(done.moved) }));
      if (!done.more) close();
    },
  });
  return (
    <Dialog title={t('place.rerouteTitle', { name: l.name || l.id })} close={close} submit={() => why.trim() && move.mutate()}>
      <p className="m2">{t('place.rerouteText')}</p>
      <TextInput label={t('stock.reason')} placeholder={t('place.rerouteExample')} value={why} maxLength={200} onChange={(e) => setWhy(e.currentTarget.value)} data-autofocus data-testid="reroute-why" />
      {move.error && <ErrorNote error={move.error} kept={t('error.formKept')} />}
      <Acts label={t('place.rerouteDo')} busy={move.isPending} disabled={!why.trim()} close={close} testId="reroute-do" />
    </Dialog>
  );
}

function Pause({ of: l, close, done }: { of: Location; close: () => void; done: (state: string, why: string) => void }) {
  const { t } = useTranslation();
  const [state, setState] = useState('paused');
  const [why, setWhy] = useState('');
  return (
    <Dialog title={t('place.pauseTitle', { name: l.name || l.id })} close={close} submit={() => done(state, why.trim())}>
      <p className="m2">{t('place.pauseText')}</p>
      <Select label={t('col.state')} value={state} allowDeselect={false} onChange={(v) => v && setState(v)} data={['paused', 'closed'].map((s) => ({ value: s, label: t(`place.state.${s}`) }))} />
      <TextInput label={t('stock.reason')} placeholder={t('place.pauseExample')} value={why} maxLength={200} onChange={(e) => setWhy(e.currentTarget.value)} data-autofocus data-testid="pause-why" />
      <Acts label={state === 'closed' ? t('place.closeDo') : t('place.pauseDo')} busy={false} close={close} testId="pause-do" />
    </Dialog>
  );
}

function PlaceForm({ of, close }: { of: Location | null; close: () => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const { time_zone } = useMe().shop;
  const [form, setForm] = useState({ id: of?.id ?? '', kind: of?.kind ?? 'store', name: of?.name ?? '', address: of?.address ?? '', zone: of?.time_zone ?? time_zone, lat: of?.lat == null ? '' : String(of.lat), lon: of?.lon == null ? '' : String(of.lon) });
  const set = (part: Partial<typeof form>) => setForm((old) => ({ ...old, ...part }));
  const degrees = (v: string) => { const n = Number(v.replace(',', '.')); return v.trim() === '' || !Number.isFinite(n) ? undefined : n; };
  const save = useMutation({
    mutationFn: () => must(api.POST('/api/v1/locations', { body: { id: form.id.trim(), kind: form.kind, name: form.name.trim(), address: form.address.trim(), time_zone: form.zone.trim(), lat: degrees(form.lat), lon: degrees(form.lon), entity: of?.entity ?? '' }, headers: of ? match(of.version) : undefined })),
    onSuccess: (l) => {
      void client.invalidateQueries({ queryKey: GOODS });
      say(t('place.saved', { name: l.name || l.id }));
      close();
    },
  });
  const faults = faultsOf(save.error, (x) => x);
  const at = { id: faults.at('/id'), kind: faults.at('/kind'), name: faults.at('/name'), address: faults.at('/address'), zone: faults.at('/time_zone'), lat: faults.at('/lat') };
  return (
    <Dialog title={of ? t('place.changeTitle') : t('place.add')} close={close} submit={() => save.mutate()}>
      <TextInput label={t('col.name')} placeholder={t('place.nameExample')} value={form.name} error={at.name} onChange={(e) => set({ name: e.currentTarget.value })} data-autofocus data-testid="place-name" />
      <TextInput label={t('place.id')} description={of ? undefined : t('place.idHelp')} inputWrapperOrder={['label', 'input', 'description', 'error']} value={form.id} disabled={Boolean(of)} error={at.id} onChange={(e) => set({ id: e.currentTarget.value })} data-testid="place-id" />
      <Select label={t('place.kind')} value={form.kind} allowDeselect={false} error={at.kind} onChange={(v) => v && set({ kind: v })} data={KINDS.map((k) => ({ value: k, label: t(`place.kind.${k}`) }))} />
      <TextInput label={t('place.address')} value={form.address} error={at.address} onChange={(e) => set({ address: e.currentTarget.value })} />
      <div className="grid2">
        <TextInput label={t('place.lat')} inputMode="decimal" value={form.lat} error={at.lat} onChange={(e) => set({ lat: e.currentTarget.value })} />
        <TextInput label={t('place.lon')} inputMode="decimal" value={form.lon} onChange={(e) => set({ lon: e.currentTarget.value })} />
      </div>
      <TextInput label={t('place.zone')} value={form.zone} error={at.zone} onChange={(e) => set({ zone: e.currentTarget.value })} />
      {Boolean(faults.rest()) && <ErrorNote error={faults.rest()} kept={t('error.formKept')} />}
      <Acts label={t('save')} busy={save.isPending} disabled={!form.id.trim() || !form.name.trim()} close={close} testId="place-do" />
    </Dialog>
  );
}

function Channels({ places, create, close }: Props) {
  const { t } = useTranslation();
  const list = useQuery(outletsQuery);
  const { sel } = route.useSearch();
  const navigate = useNavigate({ from: '/locations' });
  const [editing, setEditing] = useState<Outlet | null>(null);
  const columns = useMemo<Column<Outlet>[]>(
    () => [
      { id: 'name', header: t('outlet.one'), meta: { width: '22%' }, cell: ({ row: { original: c } }) => <span className="col"><span className="b el">{c.name || c.id}</span><span className="t12 m2 mono el">{c.id}</span></span> },
      { id: 'from', header: t('outlet.from'), cell: ({ row: { original: c } }) => { const text = c.only.length ? f.list(c.only.map(places.name)) : f.list(c.kinds.map((k) => t(`place.kind.${k}`))); return <span className="col"><span className="el" title={text}>{text}</span>{c.excluded.length > 0 && <span className="t12 m2 el">{t('outlet.without', { places: f.list(c.excluded.map(places.name)) })}</span>}</span>; } },
      { id: 'serving', header: t('outlet.serving'), meta: { width: 120, right: true }, cell: ({ row: { original: c } }) => <span className={c.serving === 0 ? 'warn-text b' : 'b'}>{f.number(c.serving)}</span> },
      { id: 'hold', header: t('outlet.hold'), meta: { width: 148, right: true }, cell: ({ row: { original: c } }) => t('outlet.minutes', { n: f.number(Math.round(c.hold_seconds / 6) / 10) }) },
      { id: 'buffer', header: t('outlet.buffer'), meta: { width: 132, right: true }, cell: ({ row: { original: c } }) => (c.buffer ? f.number(c.buffer) : <span className="m">0</span>) },
      { id: 'act', header: () => <span className="hidden-text">{t('place.change')}</span>, meta: { width: 120, right: true, title: t('place.change') }, cell: ({ row: { original: c } }) => <ActLink right="settings:write" onClick={() => setEditing(c)} aria-label={t('place.changeOf', { name: c.name || c.id })} data-testid="outlet-change">{t('place.change')}</ActLink> },
    ],
    [t, places],
  );
  return (
    <>
      <div className="card scroll">
        <DataTable label={t('outlet.title')} rows={list.data?.items} columns={columns} rowHeight={44} rowId={(c) => c.id} selected={sel ?? null} onSelect={(id) => void navigate({ search: (s) => ({ ...s, sel: id ?? undefined }), replace: true })} rowTestId="outlet-row" error={list.error} retry={() => void list.refetch()} empty={<EmptyState title={t('outlet.none')}>{t('outlet.noneText')}</EmptyState>} />
      </div>
      {(editing || create) && <ChannelForm key={editing?.id ?? ''} of={editing} places={places} close={() => { setEditing(null); if (create) close(); }} />}
    </>
  );
}

function ChannelForm({ of, places, close }: { of: Outlet | null; places: Places; close: () => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [form, setForm] = useState({ id: of?.id ?? '', name: of?.name ?? '', hold: String(of ? of.hold_seconds / 60 : 15), buffer: String(of?.buffer ?? 0), kinds: of?.kinds ?? ['store', 'warehouse'], only: of?.only ?? [], excluded: of?.excluded ?? [] });
  const set = (part: Partial<typeof form>) => setForm((old) => ({ ...old, ...part }));
  const [hold, buffer] = [quantity(form.hold), quantity(form.buffer)];
  const save = useMutation({
    mutationFn: () => must(api.PUT('/api/v1/stock-channels/{id}', { params: { path: { id: form.id.trim() } }, body: { name: form.name.trim(), hold_seconds: Math.round((hold ?? 0) * 60), buffer: buffer ?? 0, kinds: form.kinds, only: form.only, excluded: form.excluded }, headers: of ? match(of.version) : undefined })),
    onSuccess: (c) => {
      void client.invalidateQueries({ queryKey: GOODS });
      say(t('outlet.saved', { name: c.name || c.id }));
      close();
    },
  });
  const faults = faultsOf(save.error, places.name);
  const at = { id: faults.at('/id'), name: faults.at('/name'), hold: faults.at('/hold_seconds'), buffer: faults.at('/buffer'), kinds: faults.at('/kinds', ...form.kinds.map((_, i) => `/kinds/${i}`)), only: faults.at(...form.only.map((_, i) => `/only/${i}`)), excluded: faults.at(...form.excluded.map((_, i) => `/excluded/${i}`)) };
  const own = places.own.map((l) => ({ value: l.id, label: l.name || l.id }));
  return (
    <Dialog title={of ? t('outlet.change') : t('outlet.add')} close={close} submit={() => save.mutate()}>
      <TextInput label={t('col.name')} placeholder={t('outlet.nameExample')} value={form.name} error={at.name} onChange={(e) => set({ name: e.currentTarget.value })} data-autofocus data-testid="outlet-name" />
      <TextInput label={t('place.id')} description={of ? undefined : t('outlet.idHelp')} inputWrapperOrder={['label', 'input', 'description', 'error']} value={form.id} disabled={Boolean(of)} error={at.id} onChange={(e) => set({ id: e.currentTarget.value })} data-testid="outlet-id" />
      <MultiSelect label={t('outlet.kinds')} value={form.kinds} onChange={(kinds) => set({ kinds })} data={KINDS.map((k) => ({ value: k, label: t(`place.kind.${k}`) }))} error={at.kinds} />
      <MultiSelect label={t('outlet.only')} description={t('outlet.onlyHelp')} inputWrapperOrder={['label', 'input', 'description', 'error']} value={form.only} onChange={(only) => set({ only })} data={own} searchable error={at.only} />
      <MultiSelect label={t('outlet.excluded')} value={form.excluded} onChange={(excluded) => set({ excluded })} data={own} searchable error={at.excluded} />
      <div className="grid2">
        <Amount label={t('outlet.holdMinutes')} value={form.hold} onChange={(v) => set({ hold: v })} error={at.hold} testId="outlet-hold" />
        <Amount label={t('outlet.bufferLabel')} value={form.buffer} onChange={(v) => set({ buffer: v })} error={at.buffer} />
      </div>
      {Boolean(faults.rest()) && <ErrorNote error={faults.rest()} kept={t('error.formKept')} />}
      <Acts label={t('save')} busy={save.isPending} disabled={!form.id.trim() || !form.name.trim() || hold === null || buffer === null || form.kinds.length === 0} close={close} testId="outlet-do" />
    </Dialog>
  );
}

