// Decision served: which place or channel breaks its word to customers, and at which step?
import { SegmentedControl, Select, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { usePlaces } from '../stock/parts';
import { EmptyState, ErrorNote, None, NumberStrip, PageHeader, Panel, Skeleton } from '../ui/base';
import { Chart, type ChartData } from '../ui/Chart';
import * as f from '../ui/format';
import { useTitle } from '../ui/Shell';
import { OrderTabs, useOutlets, word } from './parts';
import { figuresQuery, type PlaceFigures } from './query';

const route = getRouteApi('/orders/figures');
const day = (back: number) => f.dayKey(Date.now() - back * 86_400_000);
type Sums = Omit<PlaceFigures, 'location_id' | 'sales_channel' | 'ready_minutes_median'>;
const KEYS: (keyof Sums)[] = ['asked', 'declined', 'ready', 'ready_within_30', 'pick_up', 'fetched', 'unclaimed', 'promised', 'kept'];
const sumOf = (rows: PlaceFigures[]): Sums => Object.fromEntries(KEYS.map((k) => [k, rows.reduce((n, r) => n + r[k], 0)])) as unknown as Sums;
const share = (part: number, all: number) => (all ? f.shareOf(part, all) : f.NONE);

export default function FiguresPage() {
  const { t } = useTranslation();
  useTitle(t('figures.title'));
  const { from = day(6), to = day(0), at } = route.useSearch();
  const navigate = useNavigate({ from: '/orders/figures' });
  const places = usePlaces();
  const outlets = useOutlets();
  const query = useQuery(figuresQuery(from, to));
  const all = query.data?.places;
  const rows = useMemo(() => (at ? all?.filter((r) => r.location_id === at) : all), [all, at]);
  const set = (part: Partial<{ from: string; to: string; at: string }>) => void navigate({ search: (s) => ({ ...s, ...part }), replace: true });
  const sums = rows && sumOf(rows);
  // What is slowest decides what is spoken of first.
  const slow = rows?.filter((r) => r.ready_minutes_median != null).sort((a, b) => b.ready_minutes_median! - a.ready_minutes_median!)[0];
  const open = { from, to };
  const period = from === day(0) && to === day(0) ? '1' : from === day(6) && to === day(0) ? '7' : from === day(29) && to === day(0) ? '30' : '';
  return (
    <div className="page">
      <PageHeader title={t('figures.title')} note={t('figures.period', { from: f.date(`${from}T12:00:00`), to: f.date(`${to}T12:00:00`) })} />
      <OrderTabs at="figures" />
      <div className="row wrap-row">
        <SegmentedControl value={period} onChange={(v) => set({ from: day(Number(v) - 1), to: day(0) })} aria-label={t('figures.days')} data={[{ value: '1', label: t('figures.today') }, { value: '7', label: t('figures.week') }, { value: '30', label: t('figures.month') }]} />
        <TextInput type="date" aria-label={t('order.fromDay')} value={from} onChange={(e) => e.currentTarget.value && set({ from: e.currentTarget.value })} />
        <TextInput type="date" aria-label={t('order.toDay')} value={to} onChange={(e) => e.currentTarget.value && set({ to: e.currentTarget.value })} />
        <Select aria-label={t('stock.place')} placeholder={t('figures.allPlaces')} clearable allowDeselect value={at ?? null} onChange={(v) => set({ at: v ?? undefined })} data={places.own.map((l) => ({ value: l.id, label: l.name || l.id }))} w={240} clearButtonProps={{ 'aria-label': t('figures.allPlaces') }} />
      </div>
      {query.error && !query.data && <ErrorNote error={query.error} retry={() => void query.refetch()} />}
      {!rows && !query.error && <Skeleton rows={6} />}
      {query.data?.truncated && <div className="notice warn" role="status">{t('figures.truncated')}</div>}
      {sums && rows.length === 0 && <div className="card"><EmptyState title={t('figures.none')}>{t('figures.noneText')}</EmptyState></div>}
      {sums && rows.length > 0 && (
        <>
          <NumberStrip
            label={t('figures.title')}
            items={[
              { label: t('figures.in30'), value: share(sums.ready_within_30, sums.ready), note: t('figures.in30Note', { n: f.number(sums.ready) }), tone: sums.ready && sums.ready_within_30 / sums.ready < 0.8 ? 'warn' : undefined, to: '/orders', search: open, testId: 'figure-in30' },
              { label: t('figures.slowest'), value: slow ? t('figures.minutes', { n: f.number(slow.ready_minutes_median!) }) : f.NONE, note: slow ? `${places.name(slow.location_id)} · ${outlets.name(slow.sales_channel)}` : t('figures.noReady'), to: '/orders', search: slow ? { ...open, channel: slow.sales_channel } : open },
              { label: t('figures.pickup'), value: share(sums.pick_up, sums.asked), note: t('figures.pickupNote', { n: f.number(sums.fetched), not: f.number(sums.unclaimed) }), to: '/orders', search: open },
              { label: t('figures.kept'), value: share(sums.kept, sums.promised), note: t('figures.keptNote', { n: f.number(sums.promised) }), tone: sums.promised && sums.kept / sums.promised < 0.9 ? 'bad' : undefined, to: '/orders', search: open, testId: 'figure-kept' },
              { label: t('figures.declined'), value: f.number(sums.declined), note: t('figures.declinedNote', { n: f.number(sums.asked) }), tone: sums.declined > 0 ? 'warn' : undefined, to: '/orders', search: open },
            ]}
          />
          <div className="home2">
            <Panel title={t('figures.readyBy')}><div className="body"><Minutes rows={rows} name={(r) => places.name(r.location_id)} /></div></Panel>
            <Panel title={t('figures.trouble')}>
              <div className="counts">
                {query.data!.trouble.length === 0 && <p className="m2">{t('figures.noTrouble')}</p>}
                {query.data!.trouble.map((x) => <Link key={x.what} to="/orders" search={{ ...open, ...(['parked', 'cancelled'].includes(x.what) ? { state: x.what } : {}) }}><span>{word('trouble', x.what)}</span><b>{f.number(x.count)}</b></Link>)}
              </div>
            </Panel>
          </div>
          <Panel title={t('figures.byPlace')} count={f.number(rows.length)}>
            <div className="tbl" role="group" aria-label={t('figures.byPlace')} tabIndex={0}>
              <table style={{ minWidth: 900 }}>
                <colgroup><col /><col style={{ width: 132 }} />{Array.from({ length: 7 }, (_, i) => <col key={i} style={{ width: 104 }} />)}</colgroup>
                <thead><tr><th scope="col">{t('stock.place')}</th><th scope="col">{t('order.channel')}</th><th scope="col" className="r">{t('figures.askedHead')}</th><th scope="col" className="r">{t('figures.medianHead')}</th><th scope="col" className="r">{t('figures.in30Head')}</th><th scope="col" className="r">{t('figures.fetchedHead')}</th><th scope="col" className="r">{t('figures.unclaimedHead')}</th><th scope="col" className="r">{t('figures.keptHead')}</th><th scope="col" className="r">{t('figures.declinedHead')}</th></tr></thead>
                <tbody>
                  {rows.map((r) => (
                    <tr key={`${r.location_id} ${r.sales_channel}`} className="row-data" data-testid="figure-row">
                      <td style={{ height: 40 }}><Link to="/orders" search={{ ...open, channel: r.sales_channel }} className="plain b name">{places.name(r.location_id)}</Link></td>
                      <td className="el">{outlets.name(r.sales_channel)}</td>
                      <td className="r">{f.number(r.asked)}</td>
                      <td className="r">{r.ready_minutes_median == null ? <None why={t('figures.noReady')} /> : <span className={r.ready_minutes_median > 30 ? 'bad-text b' : 'b'}>{f.number(Math.round(r.ready_minutes_median * 10) / 10)}</span>}</td>
                      <td className="r">{r.ready ? share(r.ready_within_30, r.ready) : <None why={t('figures.noReady')} />}</td>
                      <td className="r">{r.pick_up ? share(r.fetched, r.pick_up) : <None why={t('figures.noPickups')} />}</td>
                      <td className="r">{f.number(r.unclaimed)}</td>
                      <td className="r">{r.promised ? share(r.kept, r.promised) : <None why={t('figures.noPromises')} />}</td>
                      <td className="r">{f.number(r.declined)}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          </Panel>
        </>
      )}
    </div>
  );
}

/** The slowest channel of each place, with the half hour that was promised beside it. */
function Minutes({ rows, name }: { rows: PlaceFigures[]; name: (r: PlaceFigures) => string }) {
  const { t } = useTranslation();
  const data = useMemo<ChartData>(() => {
    const by = new Map<string, number>();
    for (const r of rows) if (r.ready_minutes_median != null) by.set(name(r), Math.max(by.get(name(r)) ?? 0, r.ready_minutes_median));
    const list = [...by].sort((a, b) => b[1] - a[1]).slice(0, 8);
    return {
      categories: list.map(([n]) => n),
      categoryName: t('stock.place'),
      series: [
        { name: t('figures.medianHead'), kind: 'bar', role: 'accent', values: list.map(([, n]) => Math.round(n * 10) / 10) },
        { name: t('figures.halfHour'), kind: 'line', role: 'compare', dashed: true, values: list.map(() => 30) },
      ],
      format: (n) => t('figures.minutes', { n: f.number(n) }),
      axis: (n) => f.number(n),
    };
  }, [rows, t]); // eslint-disable-line -- names follow the rows
  const worst = data.series[0]!.values[0];
  return <Chart data={data} label={t('figures.readyBy')} summary={worst == null ? t('figures.noReady') : t('figures.summary', { place: data.categories[0] ?? '', n: f.number(worst) })} />;
}
