import { Button, Checkbox, Select, TextInput } from '@mantine/core';
import '@mantine/core/styles/Checkbox.css';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import { Problem } from '../api/problem';
import { JobActions, JobBadge, moving, Progress, useJob } from '../jobs/job';
import { Badge, ErrorNote, Panel } from '../ui/base';
import * as f from '../ui/format';
import { say } from '../ui/toast';
import { BadRows, type BadRow, kindName, meaningName, Outcome, resultOf } from './result';

export interface Mapping { kind: string; columns: Record<string, string>; constants: Record<string, string>; statuses: Record<string, string>; date_order: string }
interface ColumnSeen { column: string; meaning: string | null; by: string | null; samples: string[]; filled: number }
export interface Looked { kind: string; preset?: string | null; layout: Record<string, unknown>; mapping: Record<string, unknown>; columns: Record<string, unknown>[]; meanings: string[]; rows: string[][]; bad: Record<string, unknown>[]; saved: { exact: boolean; saved: { id: string; name: string; version: number; source: string; mapping: Record<string, unknown> } }[] }
type As = { kind?: string; preset?: string };
const KINDS = ['consents', 'customers', 'orders', 'events'];
const SKIP = '';

/** What the columns mean, checked without writing before anything is written. */
export function Mapper({ upload, name, looked, busy, asked, again }: { upload: string; name: string; looked: Looked; busy: boolean; asked: As; again: (as: As) => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const navigate = useNavigate();
  const [mapping, setMapping] = useState(looked.mapping as unknown as Mapping);
  const [source, setSource] = useState(t('imports.sourceDefault'));
  const [savedAs, setSavedAs] = useState('');
  const take = (id: string | null) => {
    const found = looked.saved.find((s) => s.saved.id === id)?.saved;
    if (!found) return setMapping(looked.mapping as unknown as Mapping);
    const there = new Set(columns.map((c) => c.column));
    const saved = found.mapping as unknown as Mapping;
    // A column that this file lacks has no meaning here.
    change({ ...saved, columns: Object.fromEntries(Object.entries(saved.columns).filter(([c]) => there.has(c))) });
    setSource(found.source);
    setSavedAs(found.name);
  };
  const save = useMutation({
    mutationFn: () => must(api.POST('/api/v1/imports/mappings', { body: { name: savedAs.trim(), source: source.trim(), layout: looked.layout as never, mapping: mapping as never } })),
    onSuccess: (m) => say(t('imports.savedDone', { n: f.number(m.version) })),
  });
  const [without, setWithout] = useState(false);
  const [dry, setDry] = useState<string | undefined>();
  const checked = useJob(dry);
  const presets = useQuery({ queryKey: ['import-presets'], queryFn: () => must(api.GET('/api/v1/imports/presets')), staleTime: Infinity });
  const columns = looked.columns as unknown as ColumnSeen[];
  const change = (m: Mapping) => { setMapping(m); setDry(undefined); };
  const begin = useMutation({
    mutationFn: (dryRun: boolean) => must(api.POST('/api/v1/imports', { body: { upload, source: source.trim(), layout: looked.layout as never, mapping: mapping as never, dry_run: dryRun, without_opt_outs: without } })),
    onSuccess: (b, dryRun) => {
      void client.invalidateQueries({ queryKey: ['jobs'] });
      if (!dryRun) return void navigate({ to: '/imports/$id', params: { id: b.job_id } });
      void client.invalidateQueries({ queryKey: ['job', b.job_id] });
      setDry(b.job_id);
    },
  });
  const job = checked.data;
  const result = resultOf(job);
  const ready = job?.state === 'done';
  const conflict = begin.error instanceof Problem && begin.error.code === 'conflict';
  return (
    <>
      <Panel title={t('imports.fileIs', { name })} right={looked.preset ? <Badge tone="good">{t('imports.recognised')}</Badge> : undefined}>
        <div className="body col g16">
          <div className="importform">
            <Select label={t('imports.kindOf')} value={mapping.kind} disabled={busy} allowDeselect={false} data={KINDS.map((k) => ({ value: k, label: kindName(k) }))} onChange={(k) => k && again({ kind: k })} data-testid="import-kind" />
            <Select label={t('imports.system')} value={looked.preset ?? null} disabled={busy} clearable searchable placeholder={t('imports.systemNone')} clearButtonProps={{ 'aria-label': t('imports.systemNone') }} data={(presets.data?.items ?? []).map((p) => ({ value: p.id, label: `${p.system} · ${kindName(p.kind)}` }))} onChange={(p) => again(p ? { preset: p } : { kind: asked.kind ?? mapping.kind })} />
            <TextInput label={t('imports.source')} description={t('imports.sourceHelp')} inputWrapperOrder={['label', 'input', 'description', 'error']} value={source} onChange={(e) => { setSource(e.currentTarget.value); setDry(undefined); }} required withAsterisk={false} data-testid="import-source" />
            {looked.saved.length > 0 && <Select label={t('imports.saved')} placeholder={t('imports.savedNone')} clearable clearButtonProps={{ 'aria-label': t('imports.savedNone') }} data={looked.saved.map((s) => ({ value: s.saved.id, label: [s.saved.name, t('imports.savedVersion', { n: f.number(s.saved.version) }), s.exact ? t('imports.savedExact') : ''].filter(Boolean).join(' · ') }))} onChange={take} data-testid="import-saved" />}
            <Select label={t('imports.dates')} value={mapping.date_order} allowDeselect={false} data={[{ value: 'day_first', label: t('imports.dayFirst') }, { value: 'month_first', label: t('imports.monthFirst') }]} onChange={(v) => v && change({ ...mapping, date_order: v })} />
          </div>
        </div>
      </Panel>
      {looked.bad.length > 0 && !result && <BadRows rows={looked.bad as unknown as BadRow[]} title={t('imports.badBeginning')} />}
      <Panel title={t('imports.columns')} count={f.number(columns.length)} right={<span className="t12 m">{t('imports.columnsNote', { n: f.number(Object.keys(mapping.columns).length) })}</span>} testId="import-columns">
        <div className="tbl" style={{ maxHeight: 460 }} tabIndex={0} role="group" aria-label={t('imports.columns')}>
          <table>
            <thead><tr><th scope="col" style={{ width: '24%' }}>{t('imports.column')}</th><th scope="col" style={{ width: '32%' }}>{t('imports.samples')}</th><th scope="col" style={{ width: 232 }}>{t('imports.meaning')}</th><th scope="col">{t('imports.named')}</th></tr></thead>
            <tbody>
              {columns.map((c) => (
                <ColumnRow key={c.column} seen={c} meanings={looked.meanings} value={mapping.columns[c.column] ?? SKIP} set={(m) => { const next = { ...mapping.columns }; if (m) next[c.column] = m; else delete next[c.column]; change({ ...mapping, columns: next }); }} />
              ))}
            </tbody>
          </table>
        </div>
      </Panel>
      <form className="row g8" style={{ alignItems: 'flex-end', flexWrap: 'wrap' }} onSubmit={(e) => { e.preventDefault(); save.mutate(); }}>
        <TextInput label={t('imports.saveAs')} value={savedAs} onChange={(e) => setSavedAs(e.currentTarget.value)} data-testid="import-save-name" />
        <Button type="submit" variant="default" loading={save.isPending} disabled={!savedAs.trim() || !source.trim()} data-testid="import-save">{t('imports.saveDo')}</Button>
      </form>
      {save.error && <ErrorNote error={save.error} kept={t('error.formKept')} />}
      <Panel title={t('imports.sample')} count={f.number(looked.rows.length)}>
        <div className="tbl" style={{ maxHeight: 260 }} tabIndex={0} role="group" aria-label={t('imports.sample')}>
          <table style={{ width: `max(100%, ${columns.length * 140}px)` }}>
            <thead><tr>{columns.map((c) => <th key={c.column} scope="col">{c.column}</th>)}</tr></thead>
            <tbody>{looked.rows.slice(0, 8).map((row, i) => <tr key={i}>{columns.map((c, n) => <td key={c.column} style={{ height: 32 }} title={row[n]}>{row[n]}</td>)}</tr>)}</tbody>
          </table>
        </div>
      </Panel>
      {job && (moving(job) || !ready) && (
        <Panel title={t('imports.checking')} right={<JobBadge job={job} />}><div className="body col g12" aria-live="polite"><Progress job={job} /><p className="m2">{job.reason ?? job.note}</p><div className="form-actions"><JobActions job={job} /></div></div></Panel>
      )}
      {ready && result && <div className="col g16" data-testid="dry-result"><h2>{t('imports.dryTitle')}</h2><Outcome result={result} /></div>}
      {begin.error && <ErrorNote error={begin.error} kept={t('error.formKept')} />}
      {(conflict || without) && <Checkbox checked={without} onChange={(e) => setWithout(e.currentTarget.checked)} label={t('imports.without')} description={t('imports.withoutText')} />}
      <div className="form-actions stickyacts">
        <Button variant={ready ? 'default' : 'filled'} loading={begin.isPending && begin.variables === true} disabled={!source.trim() || busy || moving(job)} onClick={() => begin.mutate(true)} data-testid="import-dry">{t('imports.dryDo')}</Button>
        <Button variant={ready ? 'filled' : 'default'} loading={begin.isPending && begin.variables === false} disabled={!source.trim() || busy || moving(job)} onClick={() => begin.mutate(false)} data-testid="import-start">{ready && result?.tally ? t('imports.startRows', { count: result.tally.rows - result.tally.rejected_rows, n: f.number(result.tally.rows - result.tally.rejected_rows) }) : t('imports.start')}</Button>
        <span className="t12 m2">{t('imports.againSafe')}</span>
      </div>
    </>
  );
}

/** A meaning that ends in a colon takes a name of one's own after it. */
function ColumnRow({ seen: c, meanings, value, set }: { seen: ColumnSeen; meanings: string[]; value: string; set: (m: string) => void }) {
  const { t } = useTranslation();
  const at = value.indexOf(':') + 1;
  const head = at ? value.slice(0, at) : value;
  const by: Record<string, string> = { name: t('imports.byName'), values: t('imports.byValues'), preset: t('imports.byPreset') };
  return (
    <tr>
      <td style={{ height: 44 }}><span className="b" title={c.column}>{c.column}</span></td>
      <td className="m2" title={c.samples.join(', ')}>{c.samples.slice(0, 3).join(', ') || f.NONE}</td>
      <td>
        <Select
          aria-label={t('imports.meaningOf', { column: c.column })}
          value={head}
          searchable
          allowDeselect={false}
          comboboxProps={{ width: 260, position: 'bottom-start' }}
          data={[{ value: SKIP, label: t('imports.skip') }, ...meanings.map((m) => ({ value: m, label: meaningName(m) }))]}
          onChange={(m) => set(m?.endsWith(':') ? m + c.column : (m ?? SKIP))}
        />
      </td>
      <td>
        {at > 0 ? (
          <TextInput aria-label={t('imports.nameOf', { column: c.column })} value={value.slice(at)} onChange={(e) => set(head + e.currentTarget.value)} />
        ) : c.by && value === c.meaning ? <span className="t12 m">{by[c.by] ?? c.by}</span> : null}
      </td>
    </tr>
  );
}
