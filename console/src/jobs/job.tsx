import { Button } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import i18next from 'i18next';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import type { paths } from '../api/schema';
import { useRight } from '../session/rights';
import { Badge } from '../ui/base';
import * as f from '../ui/format';
import { sayError } from '../ui/toast';

export type Job = paths['/api/v1/jobs/{id}']['get']['responses'][200]['content']['application/json'];

export const moving = (j: Job | undefined): boolean => j?.state === 'queued' || j?.state === 'running';

/** One job, asked for every second while it moves. */
export function useJob(id: string | undefined) {
  return useQuery({
    queryKey: ['job', id],
    queryFn: () => must(api.GET('/api/v1/jobs/{id}', { params: { path: { id: id! } } })),
    enabled: Boolean(id),
    refetchInterval: (q) => (moving(q.state.data) ? 1000 : false),
    staleTime: 0,
  });
}

export function jobName(kind: string): string {
  const key = `job.kind.${kind}`;
  return i18next.exists(key) ? i18next.t(key) : kind.replaceAll('_', ' ');
}

const tones = { queued: undefined, running: 'info', done: 'good', failed: 'bad', stopped: 'warn' } as const;
export function JobBadge({ job }: { job: Job }) {
  const { t } = useTranslation();
  const words = { queued: t('job.queued'), running: t('job.running'), done: t('job.done'), failed: t('job.failed'), stopped: t('job.stopped') };
  return <Badge tone={tones[job.state]}>{words[job.state]}</Badge>;
}

/** How far a job is: a bar where its end is known, else what it counted. */
export function Progress({ job }: { job: Job }) {
  const { t } = useTranslation();
  const share = job.total ? Math.min(1, job.position / job.total) : null;
  const left = job.rate > 0 && job.total ? Math.max(0, (job.total - job.position) / job.rate) : null;
  return (
    <div className="col g8">
      {share !== null && (
        <div className="bar" role="progressbar" aria-label={jobName(job.kind)} aria-valuemin={0} aria-valuemax={100} aria-valuenow={Math.round(share * 100)}>
          <i style={{ width: `${share * 100}%` }} />
        </div>
      )}
      <div className="row t12 m2">
        <span className="sp">{share !== null ? t('job.of', { done: f.number(job.position), all: f.number(job.total ?? 0) }) : f.number(job.position)}</span>
        {job.state === 'running' && job.rate > 0 && <span>{t('job.rate', { n: f.number(Math.round(job.rate)) })}</span>}
        {job.state === 'running' && left !== null && left >= 1 && <span>{t('job.left', { time: left < 90 ? f.seconds(left * 1000) : t('job.minutes', { n: f.number(Math.ceil(left / 60)) }) })}</span>}
      </div>
    </div>
  );
}

/** Its brake: stop keeps the place, resume goes on from it. */
export function JobActions({ job }: { job: Job }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const may = useRight('jobs:write');
  const act = useMutation({
    mutationFn: (what: 'stop' | 'resume') => must(api.POST(what === 'stop' ? '/api/v1/jobs/{id}/stop' : '/api/v1/jobs/{id}/resume', { params: { path: { id: job.id } } })),
    onSuccess: (j) => {
      client.setQueryData(['job', job.id], j);
      void client.invalidateQueries({ queryKey: ['jobs'] });
    },
    onError: sayError,
  });
  if (!may) return null;
  if (job.stoppable && moving(job)) return <Button variant="default" loading={act.isPending} onClick={() => act.mutate('stop')}>{t('job.stop')}</Button>;
  if (job.resumable) return <Button variant="default" loading={act.isPending} onClick={() => act.mutate('resume')}>{t('job.resume')}</Button>;
  return null;
}
