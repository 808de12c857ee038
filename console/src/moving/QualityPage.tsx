// Decision served: what is wrong with the data of our customers, does it get better, and whom do I start with?
import { Button } from '@mantine/core';
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import { moving, useJob } from '../jobs/job';
import { RightButton } from '../session/rights';
import { EmptyState, ErrorNote, NumberStrip, PageHeader, Panel, Skeleton, When } from '../ui/base';
import { Chart } from '../ui/Chart';
import * as f from '../ui/format';
import { IconRefresh } from '../ui/icons';
import { useTitle } from '../ui/Shell';
import { Treatment } from './Treatment';
import { checkName } from './words';

const route = getRouteApi('/quality');
const MISSING = ['no_email', 'no_phone', 'no_name', 'no_birthday', 'no_gender', 'no_city', 'no_language', 'no_contact'];
const ODD = ['email_blocked_service', 'email_disposable', 'email_mistyped_domain', 'email_invalid', 'phone_invalid', 'phone_repeated_digit', 'name_mixed_alphabets', 'name_no_letters', 'birthday_implausible'];
const MAY = ['email_granted', 'email_unsaid', 'email_denied', 'phone_granted', 'phone_unsaid', 'phone_denied'];
const SEEN = ['seen_30_days', 'seen_90_days', 'seen_365_days', 'seen_long_ago', 'never_bought'];

export default function QualityPage() {
  const { t } = useTranslation();
  useTitle(t('nav.quality'));
  const { check } = route.useSearch();
  const client = useQueryClient();
  const report = useQuery({ queryKey: ['quality'], queryFn: () => must(api.GET('/api/v1/quality')) });
  const [job, setJob] = useState<string | undefined>();
  const state = useJob(job);
  const begin = useMutation({ mutationFn: () => must(api.POST('/api/v1/quality')), onSuccess: (b) => setJob(b.job_id) });
  const done = state.data?.state;
  useEffect(() => {
    if (done === 'done') void client.invalidateQueries({ queryKey: ['quality'] });
  }, [done, client]);
  const days = report.data?.items ?? [];
  const day = days[0];
  const share = (n: number) => (day?.people ? f.shareOf(n, day.people) : f.NONE);
  const of = (name: string) => day?.checks[name] ?? 0;
  return (
    <div className="page">
      <PageHeader
        title={t('nav.quality')}
        note={day && <When at={day.at} />}
        actions={<RightButton right="imports:write" leftSection={<IconRefresh />} loading={begin.isPending || moving(state.data)} onClick={() => begin.mutate()} data-testid="quality-run">{t('quality.run')}</RightButton>}
      />
      {(report.error ?? begin.error) && <ErrorNote error={report.error ?? begin.error} retry={() => void report.refetch()} />}
      {!report.data && !report.error && <Panel><Skeleton rows={6} /></Panel>}
      {report.data && !day && <Panel><EmptyState title={t('quality.emptyTitle')}>{t('quality.emptyText')}</EmptyState></Panel>}
      {day && (
        <>
          <NumberStrip
            label={t('nav.quality')}
            items={[
              { label: t('quality.people'), value: f.number(day.people), note: t('quality.anonymous', { n: f.number(day.anonymous) }), testId: 'quality-people' },
              { label: t('quality.reachable'), value: share(of('email_granted')), note: t('quality.reachableNote') },
              { label: checkName('email_blocked_service'), value: f.number(of('email_blocked_service')), tone: of('email_blocked_service') ? 'warn' : undefined, to: '/quality', search: { check: 'email_blocked_service' } },
              { label: t('quality.duplicates'), value: f.number(day.suspected_duplicates), tone: day.suspected_duplicates ? 'warn' : undefined, to: '/identity', search: {} },
            ]}
          />
          <div className="grid2">
            <Bars title={t('quality.missing')} checks={MISSING} of={of} people={day.people} on={check} />
            <Bars title={t('quality.odd')} checks={ODD} of={of} people={day.people} on={check} />
            <Bars title={t('quality.may')} checks={MAY} of={of} people={day.people} on={check} />
            <Bars title={t('quality.seen')} checks={SEEN} of={of} people={day.people} on={check} />
          </div>
          {check && <People key={check} check={check} />}
          {days.length > 1 && (
            <Panel title={t('quality.trend')}>
              <div className="body">
                <Chart
                  label={t('quality.trend')}
                  summary={t('quality.trendSummary', { n: f.number(days.length) })}
                  data={{
                    categories: [...days].reverse().map((d) => f.dayMonth(`${d.day}T12:00:00Z`)),
                    categoryName: t('moving.day'),
                    series: [
                      { name: checkName('no_contact'), kind: 'line', role: 'compare', values: [...days].reverse().map((d) => (d.people ? ((d.checks.no_contact ?? 0) / d.people) * 100 : null)) },
                      { name: checkName('email_granted'), kind: 'line', role: 'accent', values: [...days].reverse().map((d) => (d.people ? ((d.checks.email_granted ?? 0) / d.people) * 100 : null)) },
                    ],
                    format: (n) => `${f.number(n)} %`,
                    axis: (n) => `${f.short(n)} %`,
                  }}
                />
              </div>
            </Panel>
          )}
        </>
      )}
      <Treatment />
    </div>
  );
}

function Bars({ title, checks, of, people, on }: { title: string; checks: string[]; of: (check: string) => number; people: number; on?: string }) {
  return (
    <Panel title={title}>
      <div className="body col g8">
        {checks.map((check) => (
          <Link key={check} to="/quality" search={{ check }} className="col g4" aria-current={on === check ? 'true' : undefined} data-testid={`quality-${check}`}>
            <span className="row t12"><span className="sp">{checkName(check)}</span><span className="b">{f.number(of(check))}</span><span className="m2" style={{ width: 64, textAlign: 'right' }}>{people ? f.shareOf(of(check), people) : f.NONE}</span></span>
            <span className="bar" aria-hidden="true"><i style={{ width: `${people ? (of(check) / people) * 100 : 0}%` }} /></span>
          </Link>
        ))}
      </div>
    </Panel>
  );
}

function People({ check }: { check: string }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const list = useInfiniteQuery({
    queryKey: ['quality', check],
    queryFn: ({ pageParam }) => must(api.GET('/api/v1/quality/{check}', { params: { path: { check }, query: { limit: 50, cursor: pageParam ?? undefined } } })),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next_cursor ?? null,
  });
  const rows = list.data?.pages.flatMap((p) => p.items);
  return (
    <Panel title={checkName(check)} right={<Button variant="subtle" onClick={() => void navigate({ to: '/quality', search: {} })}>{t('quality.close')}</Button>} testId="quality-list">
      {list.error && <div className="body"><ErrorNote error={list.error} retry={() => void list.refetch()} /></div>}
      {!rows && !list.error && <Skeleton rows={4} />}
      {rows?.length === 0 && !list.hasNextPage && <EmptyState title={t('quality.nobody')} />}
      {rows && rows.length > 0 && (
        <div className="tbl" style={{ maxHeight: 420 }} tabIndex={0} role="group" aria-label={checkName(check)}>
          <table>
            <thead><tr><th scope="col">{t('col.customer')}</th><th scope="col">{t('quality.email')}</th><th scope="col">{t('quality.phone')}</th><th scope="col" className="r" style={{ width: 110 }}>{t('col.orders')}</th><th scope="col" className="r" style={{ width: 140 }}>{t('quality.lastSeen')}</th></tr></thead>
            <tbody>
              {rows.map((p) => (
                <tr key={p.person_id} data-testid="quality-person"><td style={{ height: 36 }}><Link to="/customers/$id" params={{ id: p.person_id }} className="b">{p.name ?? p.email ?? p.phone ?? p.person_id}</Link></td><td className="m2 el">{p.email ?? f.NONE}</td><td className="m2 el">{p.phone ? f.phone(p.phone) : f.NONE}</td><td className="r">{f.number(p.orders)}</td><td className="r"><When at={p.last_seen} /></td></tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {list.hasNextPage && <div className="body"><Button variant="default" loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>{t('moving.more')}</Button></div>}
    </Panel>
  );
}
