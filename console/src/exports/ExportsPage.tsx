// Decision served: where is the file I asked for, who else took data out, and is it still lying about?
import { Button } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import { RightButton, useRight } from '../session/rights';
import { Badge, EmptyState, None, PageHeader, Panel, When } from '../ui/base';
import { type Column, DataTable } from '../ui/DataTable';
import * as f from '../ui/format';
import { IconDownload } from '../ui/icons';
import { useTitle } from '../ui/Shell';
import { useShortcut } from '../ui/shortcuts';
import { sayError } from '../ui/toast';
import { busy, type Export, kindName, size } from './export';

const route = getRouteApi('/exports');

export function StateBadge({ state }: { state: Export['state'] }) {
  const { t } = useTranslation();
  const words = { queued: t('job.queued'), running: t('job.running'), ready: t('exports.ready'), stopped: t('job.stopped'), failed: t('job.failed'), expired: t('exports.expired'), deleted: t('exports.deleted'), erased: t('exports.erased') };
  const tones = { queued: undefined, running: 'info', ready: 'good', stopped: 'warn', failed: 'bad', expired: undefined, deleted: undefined, erased: undefined } as const;
  return <Badge tone={tones[state]}>{words[state]}</Badge>;
}

export default function ExportsPage() {
  const { t } = useTranslation();
  useTitle(t('nav.exports'));
  const navigate = useNavigate();
  const { sel } = route.useSearch();
  const may = useRight('exports:write');
  const exports = useQuery({
    queryKey: ['exports'],
    queryFn: () => must(api.GET('/api/v1/exports', { params: { query: { limit: 100 } } })),
    refetchInterval: (q) => (q.state.data?.items.some(busy) ? 1000 : 15_000),
  });
  const rows = exports.data?.items;
  const add = () => void navigate({ to: '/exports/new' });
  useShortcut('KeyC', add, { enabled: may });
  const select = (id: string | null) => void navigate({ to: '/exports', search: id ? { sel: id } : {}, replace: true });
  const columns = useMemo<Column<Export>[]>(
    () => [
      { id: 'what', header: t('exports.what'), meta: { width: '24%' }, cell: ({ row: { original: e } }) => <span className="b el">{kindName(e.kind)} <span className="m">{e.format}{e.masked ? ` · ${t('exports.maskedShort')}` : ''}</span></span> },
      { id: 'state', header: t('col.state'), meta: { width: 120 }, cell: ({ row: { original: e } }) => <StateBadge state={e.state} /> },
      { id: 'rows', header: t('imports.rows'), meta: { width: 110, right: true }, cell: ({ row: { original: e } }) => f.number(e.rows) },
      { id: 'size', header: t('exports.size'), meta: { width: 100, right: true }, cell: ({ row: { original: e } }) => (e.bytes > 0 ? size(e.bytes) : <None />) },
      { id: 'who', header: t('audit.who'), cell: ({ row: { original: e } }) => <span className="m2">{e.actor}</span> },
      { id: 'when', header: t('col.when'), meta: { width: 124, right: true }, cell: ({ row: { original: e } }) => <When at={e.created_at} className="m2" /> },
    ],
    [t],
  );
  const chosen = rows?.find((e) => e.id === sel);
  return (
    <div className="page fill">
      <PageHeader title={t('nav.exports')} note={rows?.length ? f.number(rows.length) : undefined} actions={<RightButton right="exports:write" leftSection={<IconDownload />} rightSection={<kbd>C</kbd>} onClick={add} data-testid="export-new">{t('exports.new')}</RightButton>} />
      {chosen && <Chosen export={chosen} close={() => select(null)} />}
      <div className="card scroll">
        <DataTable
          label={t('nav.exports')}
          rows={rows}
          columns={columns}
          rowId={(e) => e.id}
          selected={sel ?? null}
          onSelect={select}
          onOpen={(e) => select(e.id)}
          rowTestId="export-row"
          error={exports.error}
          retry={() => void exports.refetch()}
          empty={<EmptyState title={t('exports.emptyTitle')} action={may ? <Button leftSection={<IconDownload />} onClick={add}>{t('exports.new')}</Button> : undefined}>{t('exports.emptyText')}</EmptyState>}
        />
      </div>
    </div>
  );
}

/** One export: how far it is, its file, its mark. */
function Chosen({ export: e, close }: { export: Export; close: () => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const mayWork = useRight('jobs:write');
  const mayEnd = useRight('exports:write');
  const again = () => void client.invalidateQueries({ queryKey: ['exports'] });
  const download = useMutation({
    mutationFn: () => must(api.POST('/api/v1/exports/{id}/link', { params: { path: { id: e.id } } })),
    onSuccess: (link) => {
      // The browser takes the file itself, so that it may be of any size; a link is good for one download.
      const a = document.createElement('a');
      a.href = link.url;
      a.download = '';
      a.click();
      setTimeout(again, 500);
    },
    onError: sayError,
  });
  const act = useMutation({
    mutationFn: (what: 'stop' | 'resume') => must(api.POST(what === 'stop' ? '/api/v1/jobs/{id}/stop' : '/api/v1/jobs/{id}/resume', { params: { path: { id: e.job_id } } })),
    onSuccess: again,
    onError: sayError,
  });
  const end = useMutation({ mutationFn: () => must(api.DELETE('/api/v1/exports/{id}', { params: { path: { id: e.id } } })), onSuccess: again, onError: sayError });
  const living = busy(e) || e.state === 'ready' || e.state === 'stopped' || e.state === 'failed';
  return (
    <Panel title={t('exports.titleOf', { kind: kindName(e.kind), id: e.id })} right={<StateBadge state={e.state} />} testId="export-detail">
      <div className="body col g12" aria-live="polite">
        <dl className="kv">
          <dt>{t('imports.rows')}</dt><dd data-testid="export-rows">{f.number(e.rows)}</dd>
          {e.bytes > 0 && <><dt>{t('exports.size')}</dt><dd>{size(e.bytes)}</dd></>}
          <dt>{t('exports.contacts')}</dt><dd>{e.masked ? t('exports.masked') : t('exports.plain')}</dd>
          <dt>{t('exports.mark')}</dt><dd className="mono">{e.mark}</dd>
          {e.canary && !e.masked && <><dt>{t('exports.canary')}</dt><dd className="mono">{e.canary}</dd></>}
          {e.sha256 && <><dt>SHA-256</dt><dd className="mono el" title={e.sha256}>{e.sha256}</dd></>}
          <dt>{t('exports.downloads')}</dt><dd>{f.number(e.downloads)}</dd>
          {e.ready_at && !e.ended_at && <><dt>{t('exports.keptUntil')}</dt><dd><When at={e.expires_at} /></dd></>}
        </dl>
        {e.state === 'erased' && <p className="m2">{t('exports.erasedText')}</p>}
        {(e.state === 'failed' || e.state === 'stopped') && e.reason && <p className="bad-text wrap">{e.reason}</p>}
        <div className="form-actions">
          {e.state === 'ready' && e.may_download && <Button leftSection={<IconDownload />} loading={download.isPending} onClick={() => download.mutate()} data-testid="export-download">{t('exports.download')}</Button>}
          {busy(e) && mayWork && <Button variant="default" loading={act.isPending} onClick={() => act.mutate('stop')}>{t('job.stop')}</Button>}
          {(e.state === 'stopped' || e.state === 'failed') && mayWork && <Button variant="default" loading={act.isPending} onClick={() => act.mutate('resume')}>{t('job.resume')}</Button>}
          {living && mayEnd && <Button variant="subtle" loading={end.isPending} onClick={() => end.mutate()} data-testid="export-delete">{t('exports.delete')}</Button>}
          <Button variant="subtle" onClick={close}>{t('exports.close')}</Button>
        </div>
      </div>
    </Panel>
  );
}
