// Decision served: what did each company of the shop do in a time, and from which documents does a number come?
import { TextInput } from '@mantine/core';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { useEffect, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { momentOf } from '../places/time';
import { useMay, useMe } from '../session/session';
import { paperName, Way } from '../stock/movement';
import { type Places, usePlaces } from '../stock/parts';
import { type Movement, movementsQuery } from '../stock/query';
import { EmptyState, ErrorNote, PageHeader, Panel, Skeleton, When } from '../ui/base';
import * as f from '../ui/format';
import { useTitle } from '../ui/Shell';
import { CompanyTabs } from './parts';
import { entitiesQuery, type Entity, type EntityPaper, type EntityReport, papersQuery, reportQuery } from './query';

const route = getRouteApi('/entities/report');
const MOVED = ['received', 'sold', 'returned', 'corrected'] as const;
const BETWEEN = ['sale', 'purchase'] as const;
type What = (typeof MOVED)[number] | (typeof BETWEEN)[number];
const isMoved = (w: What): w is (typeof MOVED)[number] => (MOVED as readonly string[]).includes(w);
type Row = EntityReport['items'][number];
/** Companies are named by their ids in the address; these two are no company. */
const NOBODY = '-';
const ALL = '*';

const DAY = /^\d{4}-\d{2}-\d{2}$/;
const plus = (day: string, n: number): string => new Date(Date.parse(`${day}T00:00:00Z`) + n * 86_400_000).toISOString().slice(0, 10);
/** A time that people ask for most, by the days of the shop. */
function usual(which: 'month' | 'before' | 'year'): { from: string; to: string } {
  const today = f.dayKey(Date.now());
  if (which === 'year') return { from: `${today.slice(0, 4)}-01-01`, to: today };
  const first = `${today.slice(0, 7)}-01`;
  if (which === 'month') return { from: first, to: today };
  const last = plus(first, -1);
  return { from: `${last.slice(0, 7)}-01`, to: last };
}

export default function ReportPage() {
  const { t } = useTranslation();
  useTitle(t('report.title'));
  const search = route.useSearch();
  const navigate = useNavigate({ from: '/entities/report' });
  const zone = useMe().shop.time_zone;
  const month = usual('month');
  const from = search.from && DAY.test(search.from) ? search.from : month.from;
  const to = search.to && DAY.test(search.to) ? search.to : month.to;
  const begin = momentOf(`${from}T00:00`, zone);
  const end = momentOf(`${plus(to, 1)}T00:00`, zone);
  const wrong = to < from ? t('report.wrong') : Date.parse(to) - Date.parse(from) > 1098 * 86_400_000 ? t('report.long') : undefined;
  const report = useQuery({ ...reportQuery(begin ?? '', end ?? ''), enabled: !wrong && Boolean(begin && end) });
  const entities = useQuery(entitiesQuery);
  const places = usePlaces();
  const what = [...MOVED, ...BETWEEN].find((w) => w === search.what);
  const set = (part: { from?: string; to?: string }) => void navigate({ search: (s) => ({ ...s, what: undefined, entity: undefined, ...part }), replace: true });
  const name = (id: string | null | undefined) => (id == null || id === NOBODY ? t('report.nobody') : id === ALL ? t('report.all') : entities.data?.items.find((e) => e.id === id)?.name ?? id);
  const chip = (which: 'month' | 'before' | 'year', label: string) => { const u = usual(which); const on = u.from === from && u.to === to; return <Link to="/entities/report" search={u} className={`chip ${on ? 'on' : ''}`} aria-current={on ? 'true' : undefined} data-testid={`report-${which}`}>{label}</Link>; };
  const d = report.data;
  return (
    <div className="page">
      <PageHeader title={t('nav.entities')} note={t('report.note')} />
      <CompanyTabs at="report" />
      <div className="row wrap-row g12" style={{ alignItems: 'flex-end' }}>
        <TextInput type="date" label={t('report.from')} value={from} max={to} onChange={(e) => e.currentTarget.value && set({ from: e.currentTarget.value, to })} data-testid="report-from" />
        <TextInput type="date" label={t('report.to')} value={to} error={wrong} onChange={(e) => e.currentTarget.value && set({ from, to: e.currentTarget.value })} data-testid="report-to" />
        <span className="row g4" style={{ paddingBottom: 3 }}>{chip('month', t('report.month'))}{chip('before', t('report.before'))}{chip('year', t('report.year'))}</span>
      </div>
      {wrong ? null : !d ? (report.error ? <ErrorNote error={report.error} retry={() => void report.refetch()} /> : <Skeleton rows={5} />) : d.items.length === 0 ? (
        <div className="card"><EmptyState title={t('report.none')}>{t('report.noneText')}</EmptyState></div>
      ) : (
        <>
          <Table of={d} name={name} at={{ from, to, entity: search.entity, what }} />
          {what && begin && end && <Documents key={`${search.entity}-${what}-${begin}-${end}`} what={what} entity={search.entity ?? ALL} begin={begin} end={end} entities={entities.data?.items ?? []} places={places} name={name} expected={numberOf(search.entity === ALL || !search.entity ? d.total : d.items.find((r) => (r.entity_id ?? NOBODY) === search.entity), what)} />}
        </>
      )}
    </div>
  );
}

const numberOf = (r: Row | undefined, what: What): number | null => (!r ? null : isMoved(what) ? r[what] : (what === 'sale' ? r.sold_between_minor : r.bought_between_minor) ?? null);

function Table({ of, name, at }: { of: EntityReport; name: (id: string | null | undefined) => string; at: { from: string; to: string; entity?: string; what?: What } }) {
  const { t } = useTranslation();
  const currency = useMe().shop.currency;
  const heads: [What, string][] = [...MOVED.map((w): [What, string] => [w, t(`report.${w}`)]), ...BETWEEN.map((w): [What, string] => [w, t(`report.between.${w}`)])];
  const cell = (r: Row, id: string, what: What) => {
    const n = numberOf(r, what);
    if (n === null) return <span className="m" title={t('cost.hidden')}>{f.NONE}</span>;
    const text = isMoved(what) ? f.number(n) : f.money({ minor: n, currency });
    const on = at.what === what && (at.entity ?? ALL) === id;
    return n === 0 ? <span className="m">{text}</span> : <Link to="/entities/report" search={{ from: at.from, to: at.to, entity: id, what }} className={on ? 'b' : 'plain'} aria-current={on ? 'true' : undefined} aria-label={`${name(id)}, ${heads.find((h) => h[0] === what)![1]}: ${text}`} data-testid={`n-${id}-${what}`}>{text}</Link>;
  };
  const line = (r: Row, id: string, sum?: boolean) => <tr key={id} className={sum ? 'sum' : 'row-data'} data-testid="report-row"><td style={{ height: 40 }} className="b"><span className="el">{name(id)}</span></td>{heads.map(([w]) => <td key={w} className="r">{cell(r, id, w)}</td>)}</tr>;
  return (
    <Panel title={t('report.title')} count={f.number(of.items.length)} testId="report">
      <div className="tbl" role="group" aria-label={t('report.title')} tabIndex={0}>
        <table style={{ minWidth: 920 }}>
          <colgroup><col />{heads.map(([w]) => <col key={w} style={{ width: isMoved(w) ? 104 : 152 }} />)}</colgroup>
          <thead><tr><th scope="col">{t('entity.who')}</th>{heads.map(([w, h]) => <th key={w} scope="col" className="r" title={w === 'corrected' ? t('report.correctedHelp') : undefined}>{h}</th>)}</tr></thead>
          <tbody>{of.items.map((r) => line(r, r.entity_id ?? NOBODY))}{line(of.total, ALL, true)}</tbody>
        </table>
      </div>
    </Panel>
  );
}

interface DocsProps { what: What; entity: string; begin: string; end: string; entities: Entity[]; places: Places; name: (id: string) => string; expected: number | null }
/** So many pages are read by themselves; further back by a button. */
const PAGES_MAX = 20;

function Documents(p: DocsProps) {
  return isMoved(p.what) ? <Movements {...p} what={p.what} /> : <Papers {...p} what={p.what} />;
}

/** How much a movement counts for a number: as the report counts it, by where goods came from or went. */
export function counted(m: Pick<Movement, 'from' | 'to' | 'quantity'>, what: (typeof MOVED)[number]): number {
  if (what === 'sold') return m.to === 'customer' ? m.quantity : 0;
  if (what === 'returned') return m.from === 'customer' ? m.quantity : 0;
  const other = what === 'received' ? 'supplier' : 'loss';
  return m.from === other ? m.quantity : m.to === other ? -m.quantity : 0;
}

/** Whose a place was at a moment. */
function ownerAt(entities: Entity[], place: string, at: string): string {
  const t = Date.parse(at);
  return entities.find((e) => e.places.some((x) => x.location_id === place && Date.parse(x.since) <= t && (!x.until || t < Date.parse(x.until))))?.id ?? NOBODY;
}

const VIRTUAL = ['supplier', 'customer', 'loss', 'transit'];

function Movements({ what, entity, begin, end, entities, places, name, expected }: DocsProps & { what: (typeof MOVED)[number] }) {
  const { t } = useTranslation();
  const list = useInfiniteQuery(movementsQuery({}, 500));
  const pages = list.data?.pages;
  const rows = useMemo(() => (pages ?? []).flatMap((p) => p.items).filter((m) => {
    const at = Date.parse(m.at);
    if (at < Date.parse(begin) || at >= Date.parse(end) || counted(m, what) === 0) return false;
    return entity === ALL || ownerAt(entities, VIRTUAL.includes(m.from) ? m.to : m.from, m.at) === entity;
  }), [pages, begin, end, what, entity, entities]);
  const last = pages?.at(-1)?.items.at(-1);
  // A movement is recorded after it happened, so what was recorded before the time began is not of it.
  const whole = pages !== undefined && (!list.hasNextPage || (last !== undefined && Date.parse(last.recorded_at) < Date.parse(begin)));
  const sum = Math.round(rows.reduce((n, m) => n + counted(m, what), 0) * 1000) / 1000;
  return (
    <Frame title={t('report.open', { what: t(`report.${what}`), who: name(entity) })} list={list} pages={pages?.length ?? 0} whole={whole} said={t('report.counted', { n: f.number(sum), all: expected === null ? f.NONE : f.number(expected) })} count={rows.length}>
      <table style={{ minWidth: 720 }}>
        <colgroup><col style={{ width: 168 }} /><col /><col style={{ width: 160 }} /><col style={{ width: 96 }} /><col style={{ width: 128 }} /></colgroup>
        <thead><tr><th scope="col">{t('report.paper')}</th><th scope="col">{t('movements.way')}</th><th scope="col">{t('stock.sku')}</th><th scope="col" className="r">{t('stock.quantity')}</th><th scope="col" className="r">{t('col.when')}</th></tr></thead>
        <tbody>
          {rows.map((m) => (
            <tr key={m.id} className="row-data" data-testid="report-doc">
              <td style={{ height: 44 }}><span className="col"><span className="el">{t(`paper.${m.kind}`)}</span><Link to="/stock/movements" search={{ document: m.document_id }} className="t12 el" title={m.external_id}>{paperName(m)}</Link></span></td>
              <td><Way of={m} places={places} /></td>
              <td><Link to="/stock/$sku" params={{ sku: m.sku }} search={{}} className="plain mono el">{m.sku}</Link></td>
              <td className="r b">{f.number(counted(m, what))}</td>
              <td className="r"><When at={m.at} className="m2" /></td>
            </tr>
          ))}
        </tbody>
      </table>
    </Frame>
  );
}

function Papers({ what, entity, begin, end, name, expected }: DocsProps & { what: (typeof BETWEEN)[number] }) {
  const { t } = useTranslation();
  const currency = useMe().shop.currency;
  const sees = useMay('costs:see');
  const list = useInfiniteQuery(papersQuery);
  const pages = list.data?.pages;
  const rows = useMemo(() => (pages ?? []).flatMap((p) => p.items as EntityPaper[]).filter((p) => p.side === what && (entity === ALL || p.entity_id === entity) && Date.parse(p.at) >= Date.parse(begin) && Date.parse(p.at) < Date.parse(end)), [pages, what, entity, begin, end]);
  const last = pages?.at(-1)?.items.at(-1);
  // Papers are made when goods move; a month is more than anybody is late with one.
  const whole = pages !== undefined && (!list.hasNextPage || (last !== undefined && Date.parse(last.at) < Date.parse(begin) - 31 * 86_400_000));
  const sum = rows.reduce((n, p) => n + (p.net_minor ?? 0), 0);
  const money = (minor: number) => f.money({ minor, currency });
  return (
    <Frame title={t('report.open', { what: t(`report.between.${what}`), who: name(entity) })} list={list} pages={pages?.length ?? 0} whole={whole} said={[t('report.counted', { n: money(sum), all: expected === null ? f.NONE : money(expected) }), sees && rows.some((p) => p.net_minor == null) ? t('report.sumUnknown') : ''].filter(Boolean).join('; ')} count={rows.length}>
      <table style={{ minWidth: 720 }}>
        <colgroup><col style={{ width: 160 }} /><col /><col /><col style={{ width: 96 }} /><col style={{ width: 136 }} /><col style={{ width: 128 }} /></colgroup>
        <thead><tr><th scope="col">{t('report.paper')}</th><th scope="col">{t('entity.who')}</th><th scope="col">{t('entity.with')}</th><th scope="col" className="r">{t('waiting.pieces')}</th><th scope="col" className="r">{t('entity.net')}</th><th scope="col" className="r">{t('col.when')}</th></tr></thead>
        <tbody>
          {rows.map((p) => (
            <tr key={`${p.id}${p.side}`} className="row-data" data-testid="report-doc">
              <td style={{ height: 40 }}><Link to="/stock/movements" search={{ document: p.document_id }}>{p.reference || p.document_id}</Link></td>
              <td className="b"><span className="el">{name(p.entity_id)}</span></td>
              <td><span className="el">{name(p.other_id)}</span></td>
              <td className="r">{f.number(p.quantity)}</td>
              <td className="r">{p.net_minor == null ? <span className="m" title={sees ? t('report.sumUnknown') : t('cost.hidden')}>{f.NONE}</span> : f.money({ minor: p.net_minor, currency: p.currency })}</td>
              <td className="r"><When at={p.at} className="m2" /></td>
            </tr>
          ))}
        </tbody>
      </table>
    </Frame>
  );
}

/** The list beside its sum: it is read back until the time begins, and says how much of the number it has. */
function Frame({ title, list, pages, whole, said, count, children }: { title: string; list: { error: unknown; refetch: () => unknown; isFetchingNextPage: boolean; fetchNextPage: () => unknown; data: unknown }; pages: number; whole: boolean; said: string; count: number; children: React.ReactNode }) {
  const { t } = useTranslation();
  const search = route.useSearch();
  const [most, setMost] = useState(PAGES_MAX);
  const go = pages > 0 && !whole && pages < most && !list.isFetchingNextPage && !list.error;
  const { fetchNextPage } = list;
  useEffect(() => {
    if (go) void fetchNextPage();
  }, [go, fetchNextPage]);
  return (
    <Panel title={title} count={f.number(count)} right={<Link to="/entities/report" search={{ from: search.from, to: search.to }}>{t('report.close')}</Link>} testId="report-docs">
      {list.error ? <div className="body"><ErrorNote error={list.error} retry={() => void list.refetch()} /></div> : !list.data ? <Skeleton rows={4} /> : (
        <>
          <p className="body m2" role="status" data-testid="report-counted">{said}{!whole && pages < most ? ` · ${t('report.reading')}` : ''} {!whole && pages >= most && <button type="button" className="textlink" onClick={() => setMost(most + PAGES_MAX)} data-testid="report-more">{t('report.more')}</button>}</p>
          {count === 0 ? (whole ? <p className="body m2">{t('report.noDocs')}</p> : null) : <div className="tbl" role="group" aria-label={title} tabIndex={0}>{children}</div>}
        </>
      )}
    </Panel>
  );
}
