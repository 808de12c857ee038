// Decision served: what do I deal with first?
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import type { Attention, Counts, Home, Hour } from '../api/types';
import { EmptyState, NumberStrip, PageHeader, Panel } from '../ui/base';
import { Chart, type ChartData } from '../ui/Chart';
import * as f from '../ui/format';
import { IconAlertHexagon, IconAlertTriangle, IconGitMerge, IconMailOff, IconServer } from '../ui/icons';
import { useTitle } from '../ui/Shell';
import { useMay } from '../session/session';
import { alertsQuery, homeQuery } from './query';

export default function HomePage() {
  const { t } = useTranslation();
  const home = useQuery(homeQuery);
  const still = useQuery({ ...alertsQuery, enabled: useMay('orders:read') }).data?.paused ?? [];
  useTitle(t('nav.home'));
  const d = home.data;
  const today = d?.today;
  const average = today && today.orders > 0 ? { ...today.revenue, minor: Math.round(today.revenue.minor / today.orders) } : null;
  return (
    <div className="page">
      <PageHeader title={t('home.today')} note={f.weekday(d?.as_of ?? Date.now())} />
      <NumberStrip
        label={t('home.today')}
        items={[
          { label: t('home.revenue'), value: today ? f.moneyReport(today.revenue) : f.NONE, note: average?.minor ? t('home.average', { sum: f.money(average) }) : t('home.noOrders'), to: '/customers', search: { sort: 'revenue' } },
          { label: t('home.orders'), value: today ? f.number(today.orders) : f.NONE, note: t('home.ordersNote'), to: '/customers', search: { sort: 'orders' } },
          { label: t('home.events'), value: today ? f.number(today.events) : f.NONE, note: d ? t('home.rejectedNote', { count: d.counts.rejected, n: f.number(d.counts.rejected) }) : '', to: '/live' },
          { label: t('home.newPeople'), value: today ? f.number(today.new_people) : f.NONE, note: d ? t('home.ofPeople', { count: d.counts.people, n: f.number(d.counts.people) }) : '', to: '/customers' },
          { label: t('home.sent'), value: today ? f.number(today.messages_sent) : f.NONE, note: d ? t('home.waiting', { n: f.number(d.counts.outbox_pending) }) : '', to: '/messages', search: { status: 'sent' } },
        ]}
      />
      <div className="home2">
        <Panel title={t('home.hours')} query={home} skeleton={6}>
          {(data) => <Hours home={data} />}
        </Panel>
        <Panel title={t('home.attention')} count={(d?.attention.length ?? 0) + (still.length ? 1 : 0) || undefined} query={home} empty={(x) => x.attention.length === 0 && still.length === 0} emptyText={<EmptyState title={t('home.calm')}>{t('home.calmText')}</EmptyState>}>
          {(data) => <div style={{ marginTop: 8 }}>{still.length > 0 && <StillRow of={still} />}{data.attention.map((a) => <AttentionRow key={a.kind} item={a} />)}</div>}
        </Panel>
      </div>
      <div className="home2">
        <Panel
          title={t('nav.segments')}
          right={<Link to="/segments">{t('home.allSegments')}</Link>}
          query={home}
          empty={(x) => x.segments.length === 0}
          emptyText={<EmptyState title={t('segments.emptyTitle')} action={<Link to="/segments/$id" params={{ id: 'new' }} search={{}}>{t('action.newSegment')}</Link>}>{t('segments.emptyText')}</EmptyState>}
        >
          {(data) => (
            <div className="tbl">
              <table>
                <thead>
                  <tr>
                    <th scope="col">{t('col.name')}</th>
                    <th scope="col" className="r" style={{ width: '18%' }}>{t('col.people')}</th>
                    <th scope="col" className="r" style={{ width: '18%' }}>{t('col.entered')}</th>
                    <th scope="col" className="r" style={{ width: '18%' }}>{t('col.left')}</th>
                  </tr>
                </thead>
                <tbody>
                  {data.segments.map((s) => (
                    <tr key={s.id} className="row-data">
                      <td style={{ height: 40 }}><Link className="plain b name" to="/segments/$id" params={{ id: s.id }} search={{}}>{s.name}</Link></td>
                      <td className="r b">{f.number(s.count)}</td>
                      <td className="r">{s.entered_24h ? <span className="good-text">{f.signed(s.entered_24h)}</span> : <span className="m">0</span>}</td>
                      <td className="r">{s.left_24h ? f.signed(-s.left_24h) : <span className="m">0</span>}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          )}
        </Panel>
        <Panel title={t('home.records')} query={home} skeleton={4}>
          {(data) => <Records counts={data.counts} />}
        </Panel>
      </div>
    </div>
  );
}

/** The same numbers as `braid doctor` counts, each with its list. */
function Records({ counts }: { counts: Counts }) {
  const { t } = useTranslation();
  const rows: [keyof Counts, string, string | null, Record<string, unknown>?][] = [
    ['people', t('count.people'), '/customers'],
    ['profiles', t('count.profiles'), '/customers'],
    ['events', t('count.events'), '/live'],
    ['derived', t('count.derived'), '/live'],
    ['rejected', t('count.rejected'), '/live', { status: 'rejected' }],
    ['messages', t('count.messages'), '/messages'],
    ['outbox_pending', t('count.outbox_pending'), '/messages', { status: 'pending' }],
  ];
  return (
    <div className="counts">
      {rows.map(([key, name, to, search]) => (
        <Link key={key} to={to!} search={search as never}>
          <span>{name}</span>
          <b data-testid={`home-count-${key}`} data-value={counts[key]}>{f.number(counts[key])}</b>
        </Link>
      ))}
    </div>
  );
}

const tone: Record<Attention['kind'], { tone: string; Icon: typeof IconAlertHexagon; to: string; search?: Record<string, unknown> }> = {
  rejects: { tone: 'bad', Icon: IconAlertTriangle, to: '/live', search: { status: 'rejected' } },
  unknown_messages: { tone: 'warn', Icon: IconAlertHexagon, to: '/messages', search: { status: 'unknown' } },
  review: { tone: '', Icon: IconGitMerge, to: '/identity' },
  suspects: { tone: 'warn', Icon: IconGitMerge, to: '/identity', search: { tab: 'suspects' } },
  stitch_rate: { tone: 'warn', Icon: IconAlertTriangle, to: '/identity', search: { tab: 'stitch' } },
  identity_rules: { tone: '', Icon: IconGitMerge, to: '/identity', search: { tab: 'rules' } },
  sending_stopped: { tone: 'bad', Icon: IconMailOff, to: '/messages', search: { status: 'pending' } },
  fast_sync_off: { tone: 'warn', Icon: IconServer, to: '/sources' },
  unusual_views: { tone: 'bad', Icon: IconAlertTriangle, to: '/settings/audit' },
  export_approvals: { tone: 'warn', Icon: IconAlertHexagon, to: '/settings/guard' },
  privacy_requests: { tone: 'bad', Icon: IconAlertHexagon, to: '/privacy' },
  webhook_disabled: { tone: 'bad', Icon: IconAlertTriangle, to: '/webhooks' },
};

function AttentionRow({ item }: { item: Attention }) {
  const { t } = useTranslation();
  const k = tone[item.kind] ?? { tone: '', Icon: IconAlertHexagon, to: '/' };
  const n = f.number(item.count);
  const titles: Record<string, string> = {
    rejects: t('attention.rejects', { count: item.count, n }),
    unknown_messages: t('attention.unknown', { count: item.count, n }),
    review: t('attention.review', { count: item.count, n }),
    suspects: t('attention.suspects', { count: item.count, n }),
    stitch_rate: t('attention.stitch'),
    identity_rules: t('attention.rulesPending'),
    sending_stopped: t('attention.sending'),
    fast_sync_off: t('attention.sync'),
    unusual_views: t('attention.views', { count: item.count, n }),
    export_approvals: t('attention.approvals', { count: item.count, n }),
    privacy_requests: t('attention.privacy', { count: item.count, n }),
    webhook_disabled: t('attention.webhooks', { count: item.count, n }),
  };
  const verbs: Record<string, string> = {
    rejects: t('attention.rejects.do'), unknown_messages: t('attention.unknown.do'), review: t('attention.review.do'),
    sending_stopped: t('attention.sending.do'), fast_sync_off: t('attention.sync.do'),
    suspects: t('attention.suspects.do'), stitch_rate: t('attention.stitch.do'), identity_rules: t('attention.rulesPending.do'),
    unusual_views: t('attention.review.do'), export_approvals: t('attention.review.do'), privacy_requests: t('attention.review.do'), webhook_disabled: t('attention.review.do'),
  };
  return (
    <div className="att">
      <k.Icon className={k.tone} />
      <div className="col sp">
        <span className="b el">{titles[item.kind] ?? item.detail}</span>
        <span className="t12 m2 el" title={item.detail}>{item.detail}</span>
      </div>
      <Link to={item.kind === 'webhook_disabled' ? item.link : k.to} search={k.search as never} className="b t12 nw">{verbs[item.kind] ?? t('open')}</Link>
    </div>
  );
}

/** Places that stand still wait for nobody, and still are the first thing to know. */
function StillRow({ of }: { of: { location_id: string; kind: string }[] }) {
  const { t } = useTranslation();
  const kinds = [...new Set(of.map((p) => t(`attention.still.${p.kind}`, { defaultValue: p.kind })))];
  return (
    <div className="att" data-testid="attention-still">
      <IconAlertTriangle className="warn" />
      <div className="col sp">
        <span className="b el">{t('attention.still', { count: of.length, n: f.number(of.length) })}</span>
        <span className="t12 m2 el">{f.list(kinds)}</span>
      </div>
      <Link to="/locations/alerts" search={{}} className="b t12 nw">{t('attention.review.do')}</Link>
    </div>
  );
}

/** Today's bars by shop hour beside the same weekday of the week before; where that is not known, what was left of yesterday. */
function Hours({ home }: { home: Home }) {
  const { t } = useTranslation();
  const { data, summary, compared } = useMemo(() => {
    const now = new Date(home.as_of);
    const today = f.dayKey(now);
    const weekAgo = f.dayKey(now.getTime() - 7 * 86_400_000);
    const yesterday = f.dayKey(now.getTime() - 86_400_000);
    const fill = (day: string) => {
      const row: (number | null)[] = Array.from({ length: 24 }, () => null);
      for (const h of home.hours as Hour[]) if (f.dayKey(h.hour) === day) row[f.hourOf(h.hour)] = f.amountOf(h.revenue);
      return row;
    };
    const current = fill(today);
    const total = current.reduce<number>((a, v) => a + (v ?? 0), 0);
    const week = fill(weekAgo);
    const before = week.some((v) => v) ? week : fill(yesterday);
    const known = before.some((v) => v);
    const name = week.some((v) => v) ? t('home.weekAgo') : t('home.yesterday');
    const currency = home.today.revenue.currency;
    const say = (n: number) => f.moneyReport({ minor: Math.round(n * 10 ** f.minorDigits(currency)), currency });
    // The quiet night is left out; the day always shows eight till nine.
    const peak = Math.max(...current.map((v) => v ?? 0), ...before.map((v) => v ?? 0));
    const busy = Array.from({ length: 24 }, (_, h) => h).filter((h) => (current[h] ?? 0) > peak / 25 || (before[h] ?? 0) > peak / 25);
    const from = Math.min(8, ...busy);
    const to = Math.max(21, ...busy) + 1;
    const chart: ChartData = {
      categories: Array.from({ length: to - from }, (_, i) => String(from + i)),
      categoryName: t('col.hour'),
      series: [
        { name: t('home.todaySeries'), kind: 'bar', role: 'accent', values: current.slice(from, to), open: f.hourOf(now) - from },
        ...(known ? [{ name, kind: 'line' as const, role: 'compare', dashed: true, values: before.slice(from, to) }] : []),
      ],
      format: say,
      axis: f.short,
    };
    return { data: total > 0 || known ? chart : null, compared: known ? name : null, summary: t('home.hoursSummary', { sum: say(total), time: f.time(now) }) };
  }, [home, t]);
  if (!data) return <EmptyState title={t('home.noSales')}>{t('home.noSalesText')}</EmptyState>;
  return (
    <div className="body">
      <div className="row" style={{ marginBottom: 8 }}>
        <span className="m2 t12 sp">{t('home.hoursUnit', { sign: f.currencySign(home.today.revenue.currency) })}</span>
        <div className="legend">
          <span><i />{t('home.todaySeries')}</span>
          {compared && <span><i className="dash" />{compared}</span>}
        </div>
      </div>
      <Chart data={data} summary={summary} label={t('home.hours')} />
    </div>
  );
}

