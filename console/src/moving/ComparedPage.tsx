// Decision served: do both systems say the same, why not, and is it go?
import { Button, Checkbox, Textarea } from '@mantine/core';
import '@mantine/core/styles/Checkbox.css';
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import { Problem } from '../api/problem';
import { bring } from '../imports/upload';
import { JobBadge, moving, useJob } from '../jobs/job';
import { useRight } from '../session/rights';
import { useMe } from '../session/session';
import { Badge, EmptyState, ErrorNote, None, NumberStrip, PageHeader, Panel, Skeleton, When } from '../ui/base';
import { Chart } from '../ui/Chart';
import * as f from '../ui/format';
import { IconUpload } from '../ui/icons';
import { useTitle } from '../ui/Shell';
import { Thresholds } from './Thresholds';
import { amount, backPreset, causeName, type Decision, decisionName, type Difference, moduleName, type Page, tone, verdictName } from './words';

const route = getRouteApi('/parallel/$id');
const noon = (day: string) => `${day}T12:00:00Z`;

export default function ComparedPage() {
  const { t } = useTranslation();
  const { id } = route.useParams();
  const may = useRight('imports:write');
  const page = useQuery({ queryKey: ['parallel', id], queryFn: () => must(api.GET('/api/v1/parallel-run/{id}', { params: { path: { id } } })) });
  const m = page.data?.module;
  useTitle(m?.name);
  if (!page.data || !m) return <div className="page">{page.error ? <ErrorNote error={page.error} retry={() => void page.refetch()} /> : <Panel><Skeleton rows={6} /></Panel>}</div>;
  const s = m.standing;
  return (
    <div className="page">
      <PageHeader title={m.name} badge={<Badge tone={tone(s.verdict)}>{verdictName(t, s.verdict)}</Badge>} note={moduleName(m.module)} titleTestId="compared-title" />
      <NumberStrip
        label={t('moving.standing')}
        items={[
          { label: t('moving.green'), value: t('moving.greenOf', { n: f.number(s.green_days), all: f.number(m.settings.green_days) }), tone: s.green_days >= m.settings.green_days ? 'good' : undefined, testId: 'compared-green' },
          { label: t('moving.open'), value: f.number(s.open_differences), tone: s.open_differences ? 'bad' : 'good', testId: 'compared-open' },
          { label: t('moving.newest'), value: s.newest ? f.date(noon(s.newest)) : f.NONE },
          { label: t('moving.who'), value: m.switched_at ? 'Braid' : t('moving.oldTool'), note: m.switched_at ? t('moving.since', { date: f.date(m.switched_at), who: m.switched_by ?? '' }) : undefined },
        ]}
      />
      {s.lacking.length > 0 && <div className="notice warn"><div className="col sp"><span className="b">{t('moving.lacking')}</span>{s.lacking.map((l) => <span key={l} className="t12">{l}</span>)}</div></div>}
      {may && <CompareFile id={id} />}
      <Days page={page.data} />
      <Differences id={id} module={m.module} causes={page.data.open_by_cause as Record<string, number>} may={may} />
      <Decisions id={id} page={page.data} may={may} />
      <Thresholds key={m.version} module={m} may={may} />
      <WayBack module={m.module} />
      <Runs page={page.data} />
    </div>
  );
}

/** What the old tool needs to take it over again. */
function WayBack({ module }: { module: string }) {
  const { t } = useTranslation();
  const may = useRight('exports:write');
  const area = module === 'customers' ? 'customers' : ['orders', 'receipts', 'refunds', 'revenue'].includes(module) ? 'orders' : 'consents';
  if (!may || module === 'segments') return null;
  return (
    <Panel title={t('moving.wayBack')} testId="compared-back">
      <div className="body col g12">
        <p className="m2">{t('moving.wayBackText')}</p>
        <div className="form-actions"><Button component={Link} to="/exports/new" search={{ kind: 'way_back', preset: backPreset(area) } as never} variant="default" data-testid="way-back">{t('moving.wayBackDo')}</Button></div>
      </div>
    </Panel>
  );
}

function CompareFile({ id }: { id: string }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const input = useRef<HTMLInputElement>(null);
  const [job, setJob] = useState<string | undefined>();
  const state = useJob(job);
  const start = useMutation({
    mutationFn: async (file: File) => {
      const upload = await bring(file, () => undefined, new AbortController().signal);
      return must(api.POST('/api/v1/parallel-run/{id}/comparisons', { params: { path: { id } }, body: { upload: upload.id } }));
    },
    onSuccess: (b) => setJob(b.job_id),
  });
  const done = state.data?.state;
  useEffect(() => {
    if (done === 'done') void client.invalidateQueries({ queryKey: ['parallel'] });
  }, [done, client]);
  const result = state.data?.result as { why?: string; shift_minutes?: number } | null | undefined;
  return (
    <Panel title={t('moving.compareFile')} right={state.data && <JobBadge job={state.data} />}>
      <div className="body col g12">
        <p className="m2">{t('moving.compareText')}</p>
        <div className="form-actions">
          <Button leftSection={<IconUpload />} loading={start.isPending || moving(state.data)} onClick={() => input.current?.click()} data-testid="compare-choose">{t('imports.choose')}</Button>
        </div>
        <input ref={input} type="file" hidden accept=".csv,.tsv,.txt,.ndjson,.jsonl,.json,.gz" data-testid="compare-file" onChange={(e) => { const chosen = e.currentTarget.files?.[0]; e.currentTarget.value = ''; if (chosen) start.mutate(chosen); }} />
        {start.error && <ErrorNote error={start.error} />}
        {done === 'failed' && <p className="bad-text wrap">{state.data?.reason}</p>}
        {done === 'done' && <p aria-live="polite" data-testid="compare-why">{result?.why}{result?.shift_minutes ? ` ${t('moving.shift', { n: f.number(result.shift_minutes / 60) })}` : ''}</p>}
      </div>
    </Panel>
  );
}

function Days({ page }: { page: Page }) {
  const { t } = useTranslation();
  const { shop } = useMe();
  const { module } = page.module;
  const money = amount(module, 0, shop.currency) !== f.number(0);
  const days = page.days.filter((d) => d.verdict !== 'nothing');
  if (!days.length) return <Panel title={t('moving.days')}><EmptyState title={t('moving.noDays')}>{t('moving.noDaysText')}</EmptyState></Panel>;
  const shown = [...days].reverse().slice(-30);
  const value = (n: number) => (money ? f.amountOf({ minor: n, currency: shop.currency }) : n);
  return (
    <Panel title={t('moving.days')} count={f.number(days.length)} testId="compared-days">
      <div className="body">
        <Chart
          label={t('moving.days')}
          summary={t('moving.daysSummary', { n: f.number(shown.length) })}
          data={{
            categories: shown.map((d) => f.dayMonth(noon(d.day))),
            categoryName: t('moving.day'),
            series: [
              { name: t('moving.oldTool'), kind: 'bar', role: 'compare', values: shown.map((d) => value(d.figures.sum_there)) },
              { name: 'Braid', kind: 'bar', role: 'accent', values: shown.map((d) => value(d.figures.sum_here)) },
            ],
            format: (n) => f.number(n),
            axis: (n) => f.short(n),
          }}
        />
      </div>
      <div className="tbl" style={{ maxHeight: 320 }} tabIndex={0} role="group" aria-label={t('moving.days')}>
        <table>
          <thead><tr><th scope="col" style={{ width: 130 }}>{t('moving.day')}</th><th scope="col" style={{ width: 130 }}>{t('moving.verdict')}</th><th scope="col" className="r" style={{ width: 150 }}>{t('moving.oldTool')}</th><th scope="col" className="r" style={{ width: 150 }}>Braid</th><th scope="col">{t('col.reason')}</th></tr></thead>
          <tbody>
            {days.map((d) => (
              <tr key={d.day} data-testid="compared-day">
                <td style={{ height: 36 }}>{f.date(noon(d.day))}</td>
                <td><Badge tone={tone(d.verdict)}>{verdictName(t, d.verdict)}</Badge></td>
                <td className="r">{amount(module, d.figures.sum_there, shop.currency)}</td>
                <td className="r">{amount(module, d.figures.sum_here, shop.currency)}</td>
                <td className="m2 el" title={d.why}>{d.why}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Panel>
  );
}

function Differences({ id, module, causes, may }: { id: string; module: string; causes: Record<string, number>; may: boolean }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const { shop } = useMe();
  const [cause, setCause] = useState<string | undefined>();
  const [open, setOpen] = useState(true);
  const [chosen, setChosen] = useState<Set<string>>(new Set());
  const [note, setNote] = useState('');
  const list = useInfiniteQuery({
    queryKey: ['parallel', id, 'differences', cause, open],
    queryFn: ({ pageParam }) => must(api.GET('/api/v1/parallel-run/{id}/differences', { params: { path: { id }, query: { limit: 100, open, ...(cause ? { cause } : {}), ...(pageParam ? { cursor: pageParam } : {}) } } })),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next_cursor ?? null,
  });
  const rows = list.data?.pages.flatMap((p) => p.items);
  const explain = useMutation({
    mutationFn: () => must(api.POST('/api/v1/parallel-run/{id}/differences', { params: { path: { id } }, body: { ids: [...chosen], note: note.trim() } })),
    onSuccess: () => {
      setChosen(new Set());
      setNote('');
      void client.invalidateQueries({ queryKey: ['parallel'] });
    },
  });
  const side = (d: Difference['there']) => (d ? <span title={d.place}>{amount(module, d.value, shop.currency)}</span> : <None />);
  const turn = (key: string) => setChosen((before) => { const next = new Set(before); if (!next.delete(key)) next.add(key); return next; });
  return (
    <Panel title={t('moving.differences')} testId="compared-differences" right={<Checkbox checked={open} onChange={(e) => setOpen(e.currentTarget.checked)} label={t('moving.onlyOpen')} />}>
      {Object.keys(causes).length > 0 && (
        <div className="body row g8" style={{ flexWrap: 'wrap' }}>
          <button type="button" className={`chip${cause ? '' : ' on'}`} aria-pressed={!cause} onClick={() => setCause(undefined)}>{t('moving.allCauses')}</button>
          {Object.entries(causes).map(([c, n]) => <button key={c} type="button" className={`chip${cause === c ? ' on' : ''}`} aria-pressed={cause === c} onClick={() => setCause(cause === c ? undefined : c)}>{causeName(c)} <b>{f.number(n)}</b></button>)}
        </div>
      )}
      {list.error && <div className="body"><ErrorNote error={list.error} retry={() => void list.refetch()} /></div>}
      {!rows && !list.error && <Skeleton rows={4} />}
      {rows?.length === 0 && <EmptyState title={t('moving.noDifferences')} />}
      {rows && rows.length > 0 && (
        <div className="tbl" style={{ maxHeight: 460 }} tabIndex={0} role="group" aria-label={t('moving.differences')}>
          <table>
            <thead><tr>{may && <th scope="col" style={{ width: 44 }}><span className="hidden-text">{t('moving.choose')}</span></th>}<th scope="col" style={{ width: 120 }}>{t('moving.day')}</th><th scope="col" style={{ width: '18%' }}>{t('moving.item')}</th><th scope="col" style={{ width: 170 }}>{t('moving.causeName')}</th><th scope="col" className="r" style={{ width: 120 }}>{t('moving.oldTool')}</th><th scope="col" className="r" style={{ width: 120 }}>Braid</th><th scope="col">{t('col.reason')}</th></tr></thead>
            <tbody>
              {rows.map((d) => (
                <tr key={d.id} data-testid="difference">
                  {may && <td>{d.counts && !d.explained_at ? <Checkbox aria-label={t('moving.chooseOne', { item: d.item })} checked={chosen.has(d.id)} onChange={() => turn(d.id)} /> : null}</td>}
                  <td style={{ height: 40 }}>{f.dayMonth(noon(d.day))}</td>
                  <td className="b el" title={d.item}>{d.item}</td>
                  <td>{causeName(d.cause)}</td>
                  <td className="r">{side(d.there)}</td>
                  <td className="r">{side(d.here)}</td>
                  <td className="m2 el" title={d.note ?? d.why}>{d.explained_at ? t('moving.explainedBy', { who: d.explained_by ?? '', note: d.note ?? '' }) : d.why}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {list.hasNextPage && <div className="body"><Button variant="default" loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>{t('moving.more')}</Button></div>}
      {may && chosen.size > 0 && (
        <form className="body col g12" onSubmit={(e) => { e.preventDefault(); explain.mutate(); }}>
          <Textarea label={t('moving.explainWhy', { count: chosen.size, n: f.number(chosen.size) })} value={note} onChange={(e) => setNote(e.currentTarget.value)} autosize minRows={2} data-testid="explain-note" />
          {explain.error && <ErrorNote error={explain.error} kept={t('error.formKept')} />}
          <div className="form-actions"><Button type="submit" loading={explain.isPending} disabled={note.trim().length < 3} data-testid="explain-do">{t('moving.explain')}</Button></div>
        </form>
      )}
    </Panel>
  );
}

function Decisions({ id, page, may }: { id: string; page: Page; may: boolean }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [reason, setReason] = useState('');
  const [although, setAlthough] = useState(false);
  const decide = useMutation({
    mutationFn: (decision: Decision) => must(api.POST('/api/v1/parallel-run/{id}/decisions', { params: { path: { id } }, body: { decision, reason: reason.trim(), although } })),
    onSuccess: () => {
      setReason('');
      setAlthough(false);
      void client.invalidateQueries({ queryKey: ['parallel'] });
    },
  });
  const conflict = decide.error instanceof Problem && decide.error.code === 'conflict';
  const choices: Decision[] = page.module.switched_at ? ['back'] : ['go', 'no_go', 'switch'];
  return (
    <Panel title={t('moving.decisions')} testId="compared-decisions">
      {may && (
        <div className="body col g12">
          <Textarea label={t('moving.decisionReason')} value={reason} onChange={(e) => setReason(e.currentTarget.value)} autosize minRows={2} data-testid="decision-reason" />
          {decide.error && <ErrorNote error={decide.error} kept={t('error.formKept')} />}
          {(conflict || although) && <Checkbox checked={although} onChange={(e) => setAlthough(e.currentTarget.checked)} label={t('moving.although')} data-testid="decision-although" />}
          <div className="form-actions">
            {choices.map((d) => <Button key={d} variant={d === 'no_go' || d === 'back' ? 'default' : 'filled'} loading={decide.isPending && decide.variables === d} disabled={reason.trim().length < 3} onClick={() => decide.mutate(d)} data-testid={`decide-${d}`}>{decisionName(d)}</Button>)}
          </div>
          <span className="t12 m2">{t('moving.signed')}</span>
        </div>
      )}
      {page.decisions.length > 0 && (
        <ul className="body col g8">
          {page.decisions.map((d) => (
            <li key={d.id} className="row g8" data-testid="decision"><Badge tone={d.decision === 'go' || d.decision === 'switch' ? 'good' : 'warn'}>{decisionName(d.decision)}</Badge><span className="sp wrap">{d.reason}</span><span className="m2">{d.actor}</span><When at={d.at} className="m2" /></li>
          ))}
        </ul>
      )}
    </Panel>
  );
}

function Runs({ page }: { page: Page }) {
  const { t } = useTranslation();
  if (!page.runs.length) return null;
  return (
    <Panel title={t('moving.runs')} count={f.number(page.runs.length)}>
      <div className="tbl" style={{ maxHeight: 260 }} tabIndex={0} role="group" aria-label={t('moving.runs')}>
        <table>
          <thead><tr><th scope="col" style={{ width: 130 }}>{t('col.when')}</th><th scope="col">{t('imports.file')}</th><th scope="col" style={{ width: 190 }}>{t('moving.span')}</th><th scope="col" className="r" style={{ width: 110 }}>{t('imports.rows')}</th><th scope="col" style={{ width: 140 }}>{t('moving.verdict')}</th><th scope="col">{t('audit.who')}</th></tr></thead>
          <tbody>
            {page.runs.map((r) => (
              <tr key={r.id}><td style={{ height: 36 }}><When at={r.at} /></td><td className="el">{r.file}</td><td>{f.dayMonth(noon(r.from_day))} – {f.dayMonth(noon(r.to_day))}</td><td className="r">{f.number(r.rows)}</td><td><Badge tone={tone(r.verdict)}>{verdictName(t, r.verdict)}</Badge></td><td className="m2 el">{r.actor}</td></tr>
            ))}
          </tbody>
        </table>
      </div>
    </Panel>
  );
}
