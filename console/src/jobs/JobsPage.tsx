// Decision served: what long work runs, is it getting on, and must I step in?
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import { EmptyState, ErrorNote, None, PageHeader, Skeleton, When } from '../ui/base';
import { type Column, DataTable } from '../ui/DataTable';
import * as f from '../ui/format';
import { useTitle } from '../ui/Shell';
import { type Job, JobActions, JobBadge, jobName, moving, Progress, useJob } from './job';

const route = getRouteApi('/jobs');

export default function JobsPage() {
  const { t } = useTranslation();
  useTitle(t('nav.jobs'));
  const search = route.useSearch();
  const navigate = useNavigate({ from: '/jobs' });
  const jobs = useQuery({
    queryKey: ['jobs', 'all'],
    queryFn: () => must(api.GET('/api/v1/jobs', { params: { query: { limit: 200 } } })),
    refetchInterval: (q) => (q.state.data?.items.some(moving) ? 1500 : 15_000),
  });
  const rows = jobs.data?.items;
  const columns = useMemo<Column<Job>[]>(
    () => [
      { id: 'kind', header: t('job.what'), meta: { width: '26%' }, cell: ({ row: { original: j } }) => <span className="b">{jobName(j.kind)} <span className="m">{j.id}</span></span> },
      { id: 'state', header: t('col.state'), meta: { width: 116 }, cell: ({ row: { original: j } }) => <JobBadge job={j} /> },
      { id: 'at', header: t('job.progress'), meta: { width: 150, right: true }, cell: ({ row: { original: j } }) => (j.total ? f.shareOf(j.position, j.total) : f.number(j.position)) },
      { id: 'note', header: t('job.note'), cell: ({ row: { original: j } }) => <span className="m2">{j.reason ?? j.note}</span> },
      { id: 'since', header: t('source.created'), meta: { width: 130, right: true }, cell: ({ row: { original: j } }) => <When at={j.created_at} className="m2" /> },
    ],
    [t],
  );
  return (
    <div className="page fill">
      <PageHeader title={t('nav.jobs')} note={rows ? t('job.runningNow', { n: f.number(rows.filter(moving).length) }) : undefined} />
      <div className={`ld${search.sel ? '' : ' solo'}`}>
        <div className="card scroll">
          <DataTable tools={{ name: 'jobs' }} label={t('nav.jobs')} rows={rows} columns={columns} rowId={(j) => j.id} selected={search.sel ?? null} onSelect={(id) => void navigate({ search: { sel: id ?? undefined }, replace: true })} rowTestId="job-row" error={jobs.error} retry={() => void jobs.refetch()} empty={<EmptyState title={t('job.emptyTitle')}>{t('job.emptyText')}</EmptyState>} />
        </div>
        {search.sel && <Detail key={search.sel} id={search.sel} />}
      </div>
    </div>
  );
}

function Detail({ id }: { id: string }) {
  const { t } = useTranslation();
  const job = useJob(id);
  const j = job.data;
  return (
    <aside className="card detail" aria-label={j ? jobName(j.kind) : t('nav.jobs')}>
      {!j && (job.error ? <ErrorNote error={job.error} retry={() => void job.refetch()} /> : <Skeleton rows={4} />)}
      {j && (
        <>
          <div className="row"><h2 className="sp">{jobName(j.kind)}</h2><JobBadge job={j} /></div>
          <Progress job={j} />
          {(j.reason || j.note) && <p className="m2 wrap">{j.reason ?? j.note}</p>}
          <dl className="kv">
            <dt>{t('job.actor')}</dt><dd className="wrap">{j.actor || <None />}</dd>
            <dt>{t('source.created')}</dt><dd><When at={j.created_at} /></dd>
            <dt>{t('job.finished')}</dt><dd>{j.finished_at ? <When at={j.finished_at} /> : <None />}</dd>
          </dl>
          {j.kind === 'export' && <Link to="/exports">{t('job.openExport')}</Link>}
          {j.kind === 'import' && <Link to="/imports/$id" params={{ id: j.id }}>{t('job.openImport')}</Link>}
          <div className="form-actions"><JobActions job={j} /></div>
        </>
      )}
    </aside>
  );
}
