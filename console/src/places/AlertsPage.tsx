// Decision served: which places stand still now, for how long, and whom do we believe about it?
import { useMutation, useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { word } from '../orders/parts';
import { type Doc, settingsQuery } from '../orders/query';
import { ActButton, ActLink } from '../session/Guarded';
import { useMay } from '../session/session';
import { LocationTabs } from '../stock/LocationTabs';
import { type Places, usePlaces } from '../stock/parts';
import { Badge, EmptyState, ErrorNote, None, NumberStrip, PageHeader, Panel, Skeleton, When } from '../ui/base';
import { type Column, DataTable } from '../ui/DataTable';
import * as f from '../ui/format';
import { useTitle } from '../ui/Shell';
import { useShortcut } from '../ui/shortcuts';
import { say, sayError } from '../ui/toast';
import { said } from '../words/server';
import { EntryForm, FeedForm, KeyForm, TerritoryForm } from './Forms';
import { PauseBadge, untilText } from './parts';
import { type Alert, type Alerts, alertsQuery, entriesOf, type Entry, type List, LISTS, type Paused, placeOf, useChange, withEntry, withoutEntry } from './query';

const route = getRouteApi('/locations/alerts');
const PARTS = ['now', 'calendar', 'territories'] as const;
const FEED_TONE: Record<string, 'good' | 'warn' | 'bad' | undefined> = { alive: 'good', waiting: 'warn', no_key: 'warn', silent: 'bad' };

export default function AlertsPage() {
  const { t } = useTranslation();
  useTitle(t('still.title'));
  const search = route.useSearch();
  const navigate = useNavigate({ from: '/locations/alerts' });
  const alerts = useQuery(alertsQuery);
  const settings = useQuery({ ...settingsQuery, staleTime: 30_000 });
  const places = usePlaces();
  const may = useMay('settings:write');
  const part = PARTS.find((p) => p === search.part) ?? 'now';
  const list = LISTS.find((l) => l === search.add);
  const add = (l: List | undefined, at?: string) => void navigate({ search: (s) => ({ ...s, add: l, at }) });
  useShortcut('KeyC', () => add('switched_off'), { enabled: may && !list && Boolean(settings.data) });
  const doc = settings.data?.doc;
  const failed = alerts.error ?? settings.error;
  return (
    <div className="page">
      <PageHeader title={t('nav.locations')} note={t('still.note')} actions={<ActButton right="settings:write" rightSection={<kbd>C</kbd>} onClick={() => add('switched_off')} data-testid="still-switch">{t('still.switch')}</ActButton>} />
      <LocationTabs at="alerts" />
      <div className="row wrap-row" role="group" aria-label={t('still.title')}>
        {PARTS.map((p) => <Link key={p} to="/locations/alerts" search={{ part: p === 'now' ? undefined : p }} className={`chip ${p === part ? 'on' : ''}`} aria-current={p === part ? 'true' : undefined} data-testid={`still-${p}`}>{word('still.part', p)}</Link>)}
      </div>
      {Boolean(failed) && (!alerts.data || !doc) ? <ErrorNote error={failed} retry={() => { void alerts.refetch(); void settings.refetch(); }} /> : !alerts.data || !doc ? <Skeleton rows={8} /> : (
        <>
          {part === 'now' && <Now of={alerts.data} doc={doc} places={places} />}
          {part === 'calendar' && <Calendar doc={doc} places={places} add={add} />}
          {part === 'territories' && <Territories of={alerts.data} doc={doc} places={places} />}
          {list && may && <EntryForm key={`${list}-${search.at ?? ''}`} list={list} at={search.at} doc={doc} places={places} close={() => add(undefined)} />}
        </>
      )}
    </div>
  );
}

/** Territories are numbers of the feed; regions and large cities have names that everybody knows. */
export function territoryName(uid: string): string {
  const name = word('region', uid);
  return name === uid ? uid : `${name} · ${uid}`;
}

function Now({ of, doc, places }: { of: Alerts; doc: Doc; places: Places }) {
  const { t } = useTranslation();
  const { show } = route.useSearch();
  const going = of.items.filter((a) => a.goes_on);
  const shown = show === 'ours' ? going.filter((a) => a.locations.length > 0) : show === 'day' ? of.items : going;
  return (
    <>
      <NumberStrip label={t('still.title')} items={[
        { label: t('still.places'), value: f.number(of.paused.length), note: t('still.ofPlaces', { count: places.own.length, n: f.number(places.own.length) }), tone: of.paused.length ? 'warn' : undefined, to: '/locations/alerts', search: {}, testId: 'still-count' },
        { label: t('still.alerts'), value: f.number(going.length), note: t('still.alertsOurs', { n: f.number(going.filter((a) => a.locations.length > 0).length) }), to: '/locations/alerts', search: { show: 'ours' }, testId: 'still-alerts' },
        { label: t('still.feed'), value: word('still.state', of.state), note: of.age_seconds == null ? word('still.feed', of.feed) : t('still.age', { age: ageText(of.age_seconds, t) }), tone: FEED_TONE[of.state] },
      ]} />
      <div className="home2">
        <div className="col g16">
          <StillTable of={of.paused} doc={doc} places={places} />
          <AlertTable of={shown} show={show} places={places} />
        </div>
        <Feed of={of} doc={doc} />
      </div>
    </>
  );
}

type T = ReturnType<typeof useTranslation>['t'];
const ageText = (s: number, t: T): string => (s < 120 ? f.seconds(s * 1000) : s < 7200 ? t('still.minutes', { n: f.number(Math.round(s / 60)) }) : t('still.hours', { n: f.number(Math.round(s / 3600)) }));

/** The switch that holds a place now; its reason stands in the settings. */
const switchOf = (doc: Doc, id: string): Entry | undefined => entriesOf(doc, 'switched_off').find((e) => e.location === id && Date.parse(e.from) <= Date.now() && (!e.until || Date.parse(e.until) > Date.now()));

function StillTable({ of, doc, places }: { of: Paused[]; doc: Doc; places: Places }) {
  const { t } = useTranslation();
  const { sel } = route.useSearch();
  const navigate = useNavigate({ from: '/locations/alerts' });
  const change = useChange();
  const open = useMutation({
    mutationFn: async (id: string) => { const entry = switchOf(doc, id); if (entry) await change.mutateAsync(withoutEntry('switched_off', entry)); return { id, entry }; },
    onSuccess: ({ id, entry }) => say(t('still.opened', { name: places.name(id) }), entry && (() => change.mutate(withEntry('switched_off', entry), { onError: sayError }))),
    onError: sayError,
  });
  const columns = useMemo<Column<Paused>[]>(() => [
    { id: 'place', header: t('stock.place'), meta: { width: '30%' }, cell: ({ row: { original: p } }) => <span className="col"><Link to="/stock" search={{ at: p.location_id }} className="plain b name el">{places.name(p.location_id)}</Link>{p.kind === 'hand' && <span className="t12 m2 el">{switchOf(doc, p.location_id)?.why}</span>}</span> },
    { id: 'kind', header: t('stock.reason'), meta: { width: 152 }, cell: ({ row: { original: p } }) => <PauseBadge kind={p.kind} /> },
    { id: 'from', header: t('still.f.since'), meta: { width: 128, right: true }, cell: ({ row: { original: p } }) => <When at={p.from} className="m2" /> },
    { id: 'until', header: t('still.f.until'), meta: { width: 152, right: true }, cell: ({ row: { original: p } }) => (p.until ? <span title={p.assumed ? t('still.guess') : f.exact(p.until)}>{p.assumed ? t('still.guessed', { time: untilText(p) }) : untilText(p)}</span> : <None why={t('still.nobodyKnows')} />) },
    { id: 'act', header: () => <span className="hidden-text">{t('still.open.do')}</span>, meta: { width: 160, right: true, title: t('still.open.do') }, cell: ({ row: { original: p } }) => (p.kind === 'hand' && switchOf(doc, p.location_id) ? <ActLink right="settings:write" disabled={open.isPending} onClick={() => open.mutate(p.location_id)} aria-label={t('still.openOf', { name: places.name(p.location_id) })} data-testid="still-open">{t('still.open.do')}</ActLink> : <Link to="/orders" search={{ place: p.location_id }}>{t('still.orders')}</Link>) },
    // `open` is the same in every respect that matters here.
  ], [t, places, doc]);
  return (
    <Panel title={t('still.now')} count={f.number(of.length)} testId="still-places">
      <DataTable label={t('still.now')} rows={of} columns={columns} rowHeight={44} rowId={(p) => p.location_id} selected={sel ?? null} onSelect={(id) => void navigate({ search: (s) => ({ ...s, sel: id ?? undefined }), replace: true })} onOpen={(p) => void navigate({ to: '/orders', search: { place: p.location_id } })} rowTestId="still-row" maxHeight={400} empty={<EmptyState title={t('still.none')}>{t('still.noneText')}</EmptyState>} />
    </Panel>
  );
}

function AlertTable({ of, show, places }: { of: Alert[]; show: string | undefined; places: Places }) {
  const { t } = useTranslation();
  const chip = (id: 'ours' | 'day' | undefined, name: string) => <Link to="/locations/alerts" search={{ show: id }} className={`chip ${show === id ? 'on' : ''}`} aria-current={show === id ? 'true' : undefined} data-testid={`alerts-${id ?? 'now'}`}>{name}</Link>;
  return (
    <Panel title={t('still.alerts')} count={f.number(of.length)} right={<span className="row g4">{chip(undefined, t('still.show.now'))}{chip('ours', t('still.show.ours'))}{chip('day', t('still.show.day'))}</span>} testId="alerts">
      {of.length === 0 ? <p className="body m2">{show === 'ours' ? t('still.noneOurs') : show === 'day' ? t('still.noneDay') : t('still.noneNow')}</p> : (
        <div className="tbl" role="group" aria-label={t('still.alerts')} tabIndex={0}>
          <table style={{ minWidth: 560 }}>
            <colgroup><col /><col style={{ width: 104 }} /><col style={{ width: 112 }} /><col style={{ width: 136 }} /></colgroup>
            <thead><tr><th scope="col">{t('still.f.territory')}</th><th scope="col">{t('col.state')}</th><th scope="col" className="r">{t('still.f.since')}</th><th scope="col" className="r">{t('still.f.confirmed')}</th></tr></thead>
            <tbody>
              {of.map((a) => (
                <tr key={`${a.territory}-${a.began_at}`} className="row-data" data-testid="alert-row">
                  <td style={{ height: 44 }}><span className="col"><span className="b el">{territoryName(a.territory)}</span><span className="t12 m2 el">{a.locations.length ? f.list(a.locations.map(places.name)) : t('still.notOurs')}</span></span></td>
                  <td><Badge tone={a.goes_on ? 'bad' : undefined}>{a.goes_on ? t('still.goesOn') : t('still.over')}</Badge></td>
                  <td className="r"><When at={a.began_at} className="m2" /></td>
                  <td className="r">{a.ended_at ? <span title={f.exact(a.ended_at)}>{t('still.endedAt', { time: f.brief(a.ended_at) })}</span> : <When at={a.confirmed_at} className="m2" />}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Panel>
  );
}

/** Whom we believe: how old their last word is, what went wrong, and whether there is a key. */
function Feed({ of, doc }: { of: Alerts; doc: Doc }) {
  const { t } = useTranslation();
  const [open, setOpen] = useState<'feed' | 'key' | null>(null);
  const row = (name: string, value: React.ReactNode, testId?: string) => <div style={{ display: 'contents' }}><dt>{name}</dt><dd className="wrap" data-testid={testId}>{value}</dd></div>;
  return (
    <Panel title={t('still.feed')} right={<Badge tone={FEED_TONE[of.state]}>{word('still.state', of.state)}</Badge>} testId="feed">
      <div className="body col g12">
        <p className="m2">{word('still.stateText', of.state)}</p>
        <dl className="kv">
          {row(t('still.feedWhich'), word('still.feed', of.feed), 'feed-name')}
          {row(t('still.answered'), of.answered_at ? <When at={of.answered_at} /> : <None why={t('still.never')} />, 'feed-answered')}
          {row(t('still.asked'), of.asked_at ? <When at={of.asked_at} /> : <None why={t('still.never')} />)}
          {row(t('still.failures'), f.number(of.failures))}
          {row(t('still.key'), of.has_key ? t('still.keyThere') : t('still.keyNone'), 'feed-has-key')}
        </dl>
        {of.error && <div className="notice warn"><div className="col sp"><span className="b">{t('still.error')}</span><span className="t12 m2 wrap" data-testid="feed-error">{said(of.error)}</span></div></div>}
        <span className="row g12"><ActLink right="settings:write" onClick={() => setOpen('feed')} data-testid="feed-change">{t('still.feedChange')}</ActLink>{of.feed !== 'off' && <ActLink right="settings:write" onClick={() => setOpen('key')} data-testid="feed-key-open">{of.has_key ? t('still.keyChange') : t('still.keySet')}</ActLink>}</span>
        <p className="t12 m2">{t('still.advice')}</p>
      </div>
      {open === 'feed' && <FeedForm doc={doc} close={() => setOpen(null)} />}
      {open === 'key' && <KeyForm has={of.has_key} close={() => setOpen(null)} />}
    </Panel>
  );
}

/** What people entered: switches, power cuts, closures, curfews; what is over stands last. */
function Calendar({ doc, places, add }: { doc: Doc; places: Places; add: (l: List) => void }) {
  return <div className="grid2 oset" style={{ alignItems: 'start' }}>{LISTS.map((l) => <ListPanel key={l} list={l} doc={doc} places={places} add={() => add(l)} />)}</div>;
}

function ListPanel({ list, doc, places, add }: { list: List; doc: Doc; places: Places; add: () => void }) {
  const { t } = useTranslation();
  const change = useChange();
  const now = Date.now();
  const daily = list === 'curfews';
  const state = (e: Entry) => (daily ? 'now' : e.until && Date.parse(e.until) <= now ? 'past' : Date.parse(e.from) > now ? 'coming' : 'now');
  const order = { now: 0, coming: 1, past: 2 };
  const rows = [...entriesOf(doc, list)].sort((a, b) => order[state(a)] - order[state(b)] || a.from.localeCompare(b.from));
  const name = (e: Entry) => (e.location ? places.name(e.location) : e.queue ? t('still.queue', { queue: e.queue }) : territoryName(e.territory ?? ''));
  const when = (iso: string) => `${f.dayMonth(iso)}, ${f.time(iso)}`;
  const span = (e: Entry) => (daily ? t('still.daily', { from: e.from, until: e.until }) : e.until ? t('still.span', { from: when(e.from), until: when(e.until) }) : t('still.openEnd', { from: when(e.from) }));
  const remove = (e: Entry) => change.mutate(withoutEntry(list, e), { onSuccess: () => say(t('still.removed', { name: name(e) }), () => change.mutate(withEntry(list, e), { onError: sayError })), onError: sayError });
  return (
    <Panel title={word('oset.f', list)} count={f.number(rows.length)} right={<ActLink right="settings:write" onClick={add} data-testid={`add-${list}`}>{t('oset.add')}</ActLink>} testId={`list-${list}`}>
      <div className="body col g8">
      <p className="m2">{t(`still.help.${list}`)}</p>
      {rows.length === 0 ? <p className="m2">{t('oset.noneYet')}</p> : (
        <ul className="line-list">
          {rows.map((e, i) => (
            <li key={i} className="row wrap-row g8" style={{ padding: '8px 0' }} data-testid="entry">
              <span className="col sp" style={{ minWidth: 180 }}><span className="b el">{name(e)}</span><span className="t12 m2 wrap">{[span(e), e.why].filter(Boolean).join(' · ')}</span></span>
              {!daily && <Badge tone={state(e) === 'now' ? 'warn' : state(e) === 'coming' ? 'info' : undefined}>{t(`still.when.${state(e)}`)}</Badge>}
              <ActLink right="settings:write" className="t12" disabled={change.isPending} onClick={() => remove(e)} aria-label={t('oset.remove', { name: name(e) })} data-testid="entry-remove">{t('still.remove')}</ActLink>
            </li>
          ))}
        </ul>
      )}
      </div>
    </Panel>
  );
}

interface PlaceRow { id: string; territories: string[]; queue: string; power: boolean; works: boolean; paused?: Paused }

/** Which alerts and power cuts concern which place. */
function Territories({ of, doc, places }: { of: Alerts; doc: Doc; places: Places }) {
  const { t } = useTranslation();
  const { sel } = route.useSearch();
  const navigate = useNavigate({ from: '/locations/alerts' });
  const may = useMay('settings:write');
  const [open, setOpen] = useState<string | null>(null);
  const rows = useMemo<PlaceRow[]>(() => places.own.map((l) => { const p = placeOf(doc, l.id); return { id: l.id, territories: Array.isArray(p.territories) ? p.territories.map(String) : [], queue: String(p.queue ?? ''), power: p.own_power === true, works: p.works_in_alerts === true, paused: of.paused.find((x) => x.location_id === l.id) }; }), [places.own, doc, of.paused]);
  const yes = (on: boolean) => (on ? t('yes') : <None why={t('no')} />);
  const columns = useMemo<Column<PlaceRow>[]>(() => [
    { id: 'place', header: t('stock.place'), meta: { width: '26%' }, cell: ({ row: { original: p } }) => <span className="col"><Link to="/stock" search={{ at: p.id }} className="plain b name el">{places.name(p.id)}</Link>{p.paused && <span className="t12 warn-text el">{word('still.kind', p.paused.kind)}</span>}</span> },
    { id: 'territories', header: t('oset.f.territories'), cell: ({ row: { original: p } }) => (p.territories.length ? <span className="el" title={p.territories.map(territoryName).join(', ')}>{p.territories.map(territoryName).join(', ')}</span> : <None why={t('still.noTerritory')} />) },
    { id: 'queue', header: t('oset.f.queue'), meta: { width: 136 }, cell: ({ row: { original: p } }) => p.queue || <None why={t('still.noQueue')} /> },
    { id: 'power', header: t('still.f.power'), meta: { width: 128 }, cell: ({ row: { original: p } }) => yes(p.power) },
    { id: 'works', header: t('still.f.works'), meta: { width: 128 }, cell: ({ row: { original: p } }) => yes(p.works) },
    { id: 'act', header: () => <span className="hidden-text">{t('place.change')}</span>, meta: { width: 112, right: true, title: t('place.change') }, cell: ({ row: { original: p } }) => <ActLink right="settings:write" onClick={() => setOpen(p.id)} aria-label={t('place.changeOf', { name: places.name(p.id) })} data-testid="territory-change">{t('place.change')}</ActLink> },
  ], [t, places]);
  return (
    <>
      <div className="card scroll" style={{ minHeight: 320 }}>
        <DataTable label={t('still.part.territories')} rows={rows} columns={columns} rowHeight={44} rowId={(p) => p.id} selected={sel ?? null} onSelect={(id) => void navigate({ search: (s) => ({ ...s, sel: id ?? undefined }), replace: true })} onOpen={(p) => may && setOpen(p.id)} rowTestId="territory-row" maxHeight={640} empty={<EmptyState title={t('stock.noPlaces')}>{t('stock.noPlacesText')}</EmptyState>} />
      </div>
      {open && <TerritoryForm key={open} id={open} doc={doc} places={places} close={() => setOpen(null)} />}
    </>
  );
}
