// Decision served: which files went in, did all of their rows, and what do I bring next?
import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import { type Job, JobBadge, moving } from '../jobs/job';
import { RightButton, useRight } from '../session/rights';
import { EmptyState, None, PageHeader, When } from '../ui/base';
import { type Column, DataTable } from '../ui/DataTable';
import * as f from '../ui/format';
import { IconUpload } from '../ui/icons';
import { useTitle } from '../ui/Shell';
import { useShortcut } from '../ui/shortcuts';
import { kindName, resultOf } from './result';

export default function ImportsPage() {
  const { t } = useTranslation();
  useTitle(t('nav.imports'));
  const navigate = useNavigate();
  const may = useRight('imports:write');
  const jobs = useQuery({
    queryKey: ['jobs', 'import'],
    queryFn: () => must(api.GET('/api/v1/jobs', { params: { query: { kind: 'import', limit: 100 } } })),
    refetchInterval: (q) => (q.state.data?.items.some(moving) ? 1500 : 15_000),
  });
  const rows = jobs.data?.items;
  const add = () => void navigate({ to: '/imports/new' });
  useShortcut('KeyC', add, { enabled: may });
  const columns = useMemo<Column<Job>[]>(
    () => [
      {
        id: 'what',
        header: t('imports.what'),
        meta: { width: '24%' },
        cell: ({ row: { original: j } }) => {
          const r = resultOf(j);
          return <span className="b el">{r?.kind ? kindName(r.kind) : t('imports.file')} <span className="m">{j.id}{r?.dry_run ? ` · ${t('imports.dry')}` : ''}</span></span>;
        },
      },
      { id: 'state', header: t('col.state'), meta: { width: 120 }, cell: ({ row: { original: j } }) => <JobBadge job={j} /> },
      { id: 'rows', header: t('imports.rows'), meta: { width: 120, right: true }, cell: ({ row: { original: j } }) => f.number(resultOf(j)?.tally?.rows ?? j.position) },
      { id: 'events', header: t('imports.newEvents'), meta: { width: 120, right: true }, cell: ({ row: { original: j } }) => { const n = resultOf(j)?.tally?.events; return n === undefined ? <None /> : f.number(n); } },
      { id: 'bad', header: t('imports.notTaken'), meta: { width: 120, right: true }, cell: ({ row: { original: j } }) => { const n = resultOf(j)?.tally?.rejected_rows; return n ? <span className="bad-text">{f.number(n)}</span> : n === 0 ? <span className="m">0</span> : <None />; } },
      { id: 'who', header: t('audit.who'), cell: ({ row: { original: j } }) => <span className="m2">{j.actor}</span> },
      { id: 'when', header: t('col.when'), meta: { width: 124, right: true }, cell: ({ row: { original: j } }) => <When at={j.created_at} className="m2" /> },
    ],
    [t],
  );
  return (
    <div className="page fill">
      <PageHeader title={t('nav.imports')} note={rows?.length ? f.number(rows.length) : undefined} actions={<RightButton right="imports:write" leftSection={<IconUpload />} rightSection={<kbd>C</kbd>} onClick={add} data-testid="import-new">{t('imports.new')}</RightButton>} />
      <div className="card scroll">
        <DataTable
          tools={{ name: 'imports' }} label={t('nav.imports')}
          rows={rows}
          columns={columns}
          rowId={(j) => j.id}
          onOpen={(j) => void navigate({ to: '/imports/$id', params: { id: j.id } })}
          rowTestId="import-row"
          error={jobs.error}
          retry={() => void jobs.refetch()}
          empty={<EmptyState title={t('imports.emptyTitle')} action={may ? <Button leftSection={<IconUpload />} onClick={add}>{t('imports.new')}</Button> : undefined}>{t('imports.emptyText')}</EmptyState>}
        />
      </div>
    </div>
  );
}
