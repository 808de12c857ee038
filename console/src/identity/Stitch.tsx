import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { EmptyState, Panel } from '../ui/base';
import { Chart, type ChartData } from '../ui/Chart';
import * as f from '../ui/format';
import { type Stitch, stitchQuery } from './query';

/** The last week by day: how many were joined, how many visitors became known. */
export function StitchRate() {
  const { t } = useTranslation();
  const stitch = useQuery(stitchQuery);
  return (
    <Panel title={t('stitch.title')} query={stitch} skeleton={6} empty={(x) => x.hours.length === 0} emptyText={<EmptyState title={t('stitch.empty')}>{t('stitch.emptyText')}</EmptyState>}>
      {(x) => <Week stitch={x} />}
    </Panel>
  );
}

function Week({ stitch }: { stitch: Stitch }) {
  const { t } = useTranslation();
  const days = new Map<string, { day: string; joins: number; stitched: number }>();
  for (const h of stitch.hours) {
    const key = f.dayKey(h.hour);
    const d = days.get(key) ?? { day: f.dayMonth(h.hour), joins: 0, stitched: 0 };
    d.joins += h.joins;
    d.stitched += h.stitched;
    days.set(key, d);
  }
  const rows = [...days.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, d]) => d);
  const sum = (k: 'joins' | 'stitched') => rows.reduce((n, r) => n + r[k], 0);
  const chart: ChartData = {
    categories: rows.map((r) => r.day),
    categoryName: t('stitch.day'),
    series: [
      { name: t('stitch.series.joins'), kind: 'bar', role: 'accent', values: rows.map((r) => r.joins) },
      { name: t('stitch.series.stitched'), kind: 'line', role: 'compare', dashed: true, values: rows.map((r) => r.stitched) },
    ],
    format: f.number,
    axis: f.short,
  };
  const rates: Record<string, string> = { stitched_share: t('stitch.share'), joins_per_1000: t('stitch.joins'), anonymous_per_1000: t('stitch.anonymous') };
  return (
    <div className="body col g12">
      {stitch.alarms.map((a) => (
        <div key={a.rate} className="notice warn" role="status">{t('stitch.alarm', { rate: rates[a.rate] ?? a.rate, now: f.number(a.now), before: f.number(a.before) })}</div>
      ))}
      <div className="legend"><span><i />{t('stitch.series.joins')} {f.number(sum('joins'))}</span><span><i className="dash" />{t('stitch.series.stitched')} {f.number(sum('stitched'))}</span></div>
      <Chart data={chart} label={t('stitch.title')} summary={t('stitch.summary', { joins: f.number(sum('joins')), stitched: f.number(sum('stitched')) })} />
    </div>
  );
}
