// Decision served: what is left to do before each part of the shop's work is Braid's, and do we go?
import { Button, Checkbox, Textarea } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import { Problem } from '../api/problem';
import { useRight } from '../session/rights';
import { Badge, ErrorNote, NumberStrip, PageHeader, Panel, Skeleton, When } from '../ui/base';
import * as f from '../ui/format';
import { IconCheck, IconCircle } from '../ui/icons';
import { useTitle } from '../ui/Shell';
import { areaName, backPreset, decisionName, moduleName, type Part, type Step, stepName } from './words';

export default function RolloutPage() {
  const { t } = useTranslation();
  useTitle(t('rollout.title'));
  const may = useRight('imports:write');
  const list = useQuery({ queryKey: ['rollout'], queryFn: () => must(api.GET('/api/v1/rollout')) });
  const parts = list.data?.items;
  const said = (p: Part) => p.decisions[0]?.go;
  return (
    <div className="page">
      <PageHeader title={t('rollout.title')} note={t('rollout.note')} />
      {list.error && <ErrorNote error={list.error} retry={() => void list.refetch()} />}
      {!parts && !list.error && <Panel><Skeleton rows={6} /></Panel>}
      {parts && (
        <>
          <NumberStrip
            label={t('rollout.title')}
            items={[
              { label: t('rollout.went'), value: t('moving.greenOf', { n: f.number(parts.filter((p) => said(p)).length), all: f.number(parts.length) }), testId: 'rollout-went' },
              { label: t('rollout.ready'), value: f.number(parts.filter((p) => p.ready && !said(p)).length), note: t('rollout.readyNote') },
              { label: t('rollout.steps'), value: f.number(parts.reduce((n, p) => n + p.steps.filter((s) => !s.done).length, 0)) },
            ]}
          />
          {parts.map((p) => <PartPanel key={p.area} part={p} may={may} />)}
        </>
      )}
    </div>
  );
}

function PartPanel({ part, may }: { part: Part; may: boolean }) {
  const { t } = useTranslation();
  const newest = part.decisions[0];
  const open = part.steps.filter((s) => !s.done).length;
  return (
    <Panel
      title={areaName(part.area)}
      testId={`rollout-${part.area}`}
      right={newest ? <Badge tone={newest.go ? 'good' : 'warn'}>{decisionName(newest.go ? 'go' : 'no_go')}</Badge> : part.ready ? <Badge tone="info">{t('rollout.readyOne')}</Badge> : <Badge>{t('rollout.openSteps', { count: open, n: f.number(open) })}</Badge>}
    >
      <ul className="body col g8">
        {part.steps.map((s) => <StepLine key={s.step} part={part} step={s} may={may} />)}
      </ul>
      {may && <Decide part={part} />}
      {part.decisions.length > 0 && (
        <ul className="body col g8">
          {part.decisions.map((d) => (
            <li key={d.id} className="row g8" data-testid="rollout-decision">
              <Badge tone={d.go ? 'good' : 'warn'}>{decisionName(d.go ? 'go' : 'no_go')}</Badge>
              <span className="sp wrap">{d.reason}{d.lacking.length > 0 && <span className="m2"> · {t('rollout.lacked', { steps: d.lacking.map(stepName).join(', ') })}</span>}</span>
              <span className="m2">{d.actor}</span>
              <When at={d.at} className="m2" />
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}

function StepLine({ part, step, may }: { part: Part; step: Step; may: boolean }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const read = useMutation({ mutationFn: () => must(api.POST('/api/v1/quality/read')), onSuccess: () => void client.invalidateQueries({ queryKey: ['rollout'] }) });
  const state = {
    import: step.done ? null : t('rollout.importOpen'),
    quality: step.done ? null : step.at ? t('rollout.qualityOld') : t('rollout.qualityOpen'),
    compare: step.want > 0 && (step.have > 0 || step.done) ? t('rollout.green', { n: f.number(step.have), all: f.number(step.want) }) : t('rollout.compareOpen', { what: part.modules.map(moduleName).join(', ') }),
    live: step.done ? null : t('rollout.observed', { count: step.have, n: f.number(step.have) }),
    way_back: step.done ? null : step.at ? t('rollout.backOld') : t('rollout.backOpen'),
  }[step.step];
  const link = { import: '/imports', quality: '/quality', compare: '/parallel', live: '/sources', way_back: '/exports/new' }[step.step];
  const search = step.step === 'way_back' ? { kind: 'way_back', preset: backPreset(part.area) } : {};
  return (
    <li className="row g8" data-testid={`step-${part.area}-${step.step}`} data-done={step.done}>
      {step.done ? <IconCheck size={18} className="good-text" aria-label={t('rollout.done')} /> : <IconCircle size={18} className="m2" aria-label={t('rollout.isOpen')} />}
      <span className="col sp"><Link className="b" to={link} search={search as never}>{stepName(step.step)}</Link>{state && <span className="t12 m2">{state}</span>}</span>
      {step.step === 'quality' && may && !step.done && <Button size="compact-sm" variant="default" loading={read.isPending} onClick={() => read.mutate()} data-testid={`read-${part.area}`}>{t('rollout.iRead')}</Button>}
      {step.at && <When at={step.at} className="m2" />}
      {read.error && <ErrorNote error={read.error} />}
    </li>
  );
}

function Decide({ part }: { part: Part }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [reason, setReason] = useState('');
  const [although, setAlthough] = useState(false);
  const decide = useMutation({
    mutationFn: (go: boolean) => must(api.POST('/api/v1/rollout/{area}/decisions', { params: { path: { area: part.area } }, body: { go, reason: reason.trim(), although } })),
    onSuccess: () => {
      setReason('');
      setAlthough(false);
      void client.invalidateQueries({ queryKey: ['rollout'] });
    },
  });
  const conflict = decide.error instanceof Problem && decide.error.code === 'conflict';
  return (
    <div className="body col g12">
      <Textarea label={t('moving.decisionReason')} value={reason} onChange={(e) => setReason(e.currentTarget.value)} autosize minRows={1} data-testid={`reason-${part.area}`} />
      {decide.error && <ErrorNote error={decide.error} kept={t('error.formKept')} />}
      {(conflict || although) && <Checkbox checked={although} onChange={(e) => setAlthough(e.currentTarget.checked)} label={t('moving.although')} data-testid={`although-${part.area}`} />}
      <div className="form-actions">
        <Button loading={decide.isPending && decide.variables === true} disabled={reason.trim().length < 3} onClick={() => decide.mutate(true)} data-testid={`go-${part.area}`}>{decisionName('go')}</Button>
        <Button variant="default" loading={decide.isPending && decide.variables === false} disabled={reason.trim().length < 3} onClick={() => decide.mutate(false)} data-testid={`nogo-${part.area}`}>{decisionName('no_go')}</Button>
        <span className="t12 m2">{t('moving.signed')}</span>
      </div>
    </div>
  );
}
