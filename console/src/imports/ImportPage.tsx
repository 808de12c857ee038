// Decision served: did this file go in, and what of it did not?
import { Button } from '@mantine/core';
import { getRouteApi } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { JobActions, JobBadge, moving, Progress, useJob } from '../jobs/job';
import { ErrorNote, PageHeader, Panel, Skeleton, When } from '../ui/base';
import { useTitle } from '../ui/Shell';
import { kindName, Outcome, resultOf } from './result';

const route = getRouteApi('/imports/$id');

export default function ImportPage() {
  const { t } = useTranslation();
  const { id } = route.useParams();
  const job = useJob(id);
  const j = job.data;
  const r = resultOf(j);
  const title = r?.kind ? t('imports.titleOf', { kind: kindName(r.kind), id }) : t('imports.title', { id });
  useTitle(title);
  return (
    <div className="page">
      <PageHeader
        title={title}
        badge={j && <JobBadge job={j} />}
        note={j && <When at={j.created_at} />}
        actions={
          j && (
            <>
              {r && !r.dry_run && (r.tally?.rejected_rows || r.tally?.dropped_values) ? <Button component="a" variant="default" href={`/api/v1/imports/${encodeURIComponent(id)}/report`} download={`import-${id}.csv`} data-testid="import-report">{t('imports.report')}</Button> : null}
              <JobActions job={j} />
            </>
          )
        }
      />
      {!j && (job.error ? <ErrorNote error={job.error} retry={() => void job.refetch()} /> : <Panel><Skeleton rows={4} /></Panel>)}
      {j && (moving(j) || j.state === 'stopped' || j.state === 'failed') && (
        <Panel title={moving(j) ? t('imports.running') : j.state === 'stopped' ? t('imports.stopped') : t('imports.failed')} testId="import-progress">
          <div className="body col g12" aria-live="polite">
            <Progress job={j} />
            {(j.reason || j.note) && <p className={j.state === 'failed' ? 'bad-text wrap' : 'm2 wrap'}>{j.reason ?? j.note}</p>}
          </div>
        </Panel>
      )}
      {r && <Outcome result={r} />}
      {r && !r.dry_run && r.tally && r.tally.rejected_rows === 0 && <p className="m2">{t('imports.allIn')}</p>}
    </div>
  );
}
