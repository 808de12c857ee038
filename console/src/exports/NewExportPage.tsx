// Decision served: exactly which data leaves, in which form, and does somebody have to agree first?
import { Button, Checkbox, MultiSelect, Select, TagsInput, TextInput } from '@mantine/core';
import '@mantine/core/styles/Checkbox.css';
import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import { segmentsQuery } from '../segments/query';
import { useRight } from '../session/rights';
import { Badge, ErrorNote, Locked, PageHeader, Panel, Skeleton } from '../ui/base';
import * as f from '../ui/format';
import { useTitle } from '../ui/Shell';
import { type Kind, kindName } from './export';

const route = getRouteApi('/exports/new');

export default function NewExportPage() {
  const { t } = useTranslation();
  useTitle(t('exports.new'));
  const may = useRight('exports:write');
  const kinds = useQuery({ queryKey: ['export-kinds'], queryFn: () => must(api.GET('/api/v1/exports/kinds')), staleTime: Infinity });
  return (
    <div className="page">
      <PageHeader title={t('exports.new')} />
      {!may ? <Locked title={t('locked.right')}>{t('locked.askOwner')}</Locked> : kinds.error ? <ErrorNote error={kinds.error} retry={() => void kinds.refetch()} /> : kinds.data ? <Wizard kinds={kinds.data.items.filter((k) => k.allowed)} /> : <Panel><Skeleton rows={5} /></Panel>}
    </div>
  );
}

const moment = (day: string): string | null => (day ? new Date(`${day}T00:00:00`).toISOString() : null);

function Wizard({ kinds }: { kinds: Kind[] }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const client = useQueryClient();
  const sees = useRight('contacts:see');
  const asked = route.useSearch();
  const [name, setName] = useState(kinds.find((k) => k.kind === asked.kind)?.kind ?? kinds[0]?.kind ?? 'customers');
  const [preset, setPreset] = useState(asked.preset ?? 'generic-customers');
  const [format, setFormat] = useState('csv');
  const [segment, setSegment] = useState<string | null>(null);
  const [since, setSince] = useState('');
  const [until, setUntil] = useState('');
  const [columns, setColumns] = useState<string[]>([]);
  const [traits, setTraits] = useState<string[]>([]);
  const [computed, setComputed] = useState<string[]>([]);
  const [contacts, setContacts] = useState(sees);
  const [reason, setReason] = useState('');
  const segments = useQuery(segmentsQuery);
  const reads = useRight('settings:read');
  const known = useQuery({ queryKey: ['computed-traits'], queryFn: () => must(api.GET('/api/v1/computed-traits')), enabled: reads });
  const ours = known.data?.items ?? [];
  const kind = kinds.find((k) => k.kind === name);
  const body = {
    kind: name,
    format: kind?.formats.includes(format) ? format : 'csv',
    filter: { segment_id: kind?.takes_segment ? segment : null, since: kind?.takes_times ? moment(since) : null, until: kind?.takes_times ? moment(until) : null },
    columns,
    traits: name === 'customers' ? traits : [],
    computed: name === 'customers' ? computed : [],
    // An old tool can do nothing with masked contacts.
    contacts: contacts || name === 'way_back',
    ...(name === 'way_back' ? { preset } : {}),
  };
  const preview = useQuery({ queryKey: ['export-preview', body], queryFn: () => must(api.POST('/api/v1/exports/preview', { body })), placeholderData: keepPreviousData, retry: false });
  const p = preview.data;
  const approvals = useQuery({ queryKey: ['approvals'], queryFn: () => must(api.GET('/api/v1/export-approvals', { params: { query: { limit: 100 } } })), enabled: p?.needs_approval === true, refetchInterval: 5000 });
  const own = p?.needs_approval ? approvals.data?.items.filter((a) => a.what === p.what && a.rows >= p.rows && !a.may_decide) : undefined;
  const approved = own?.find((a) => a.state === 'approved');
  const waiting = own?.find((a) => a.state === 'waiting');
  const ask = useMutation({
    // A shop that grows meanwhile must not make the approval worthless.
    mutationFn: () => must(api.POST('/api/v1/export-approvals', { body: { what: p?.what ?? '', rows: Math.max(1, Math.ceil((p?.rows ?? 1) * 1.1)), reason } })),
    onSuccess: () => void client.invalidateQueries({ queryKey: ['approvals'] }),
  });
  const begin = useMutation({
    mutationFn: () => must(api.POST('/api/v1/exports', { body: { ...body, approval_id: approved?.id ?? null } })),
    onSuccess: (e) => {
      void client.invalidateQueries({ queryKey: ['exports'] });
      void navigate({ to: '/exports', search: { sel: e.id } });
    },
  });
  const ready = p !== undefined && !preview.error && (!p.needs_approval || approved !== undefined);
  return (
    <>
      <Panel title={t('exports.stepWhat')}>
        <div className="body col g16">
          <div className="importform">
            <Select label={t('exports.what')} value={name} allowDeselect={false} data={kinds.map((k) => ({ value: k.kind, label: kindName(k.kind) }))} onChange={(v) => { if (v) { setName(v as Kind['kind']); setColumns([]); } }} data-testid="export-kind" />
            <Select label={t('exports.format')} value={body.format} allowDeselect={false} data={(kind?.formats ?? ['csv']).map((v) => ({ value: v, label: t(`exports.format.${v}` as 'exports.format.csv') }))} onChange={(v) => v && setFormat(v)} data-testid="export-format" />
            {kind && kind.presets.length > 0 && <Select label={t('exports.preset')} value={preset} allowDeselect={false} searchable data={kind.presets.map((p) => ({ value: p.id, label: `${p.system}: ${kindName(p.kind)}` }))} onChange={(v) => v && setPreset(v)} data-testid="export-preset" />}
            {kind?.takes_segment && <Select label={t('exports.segment')} value={segment} clearable searchable placeholder={t('exports.everybody')} clearButtonProps={{ 'aria-label': t('exports.everybody') }} data={(segments.data ?? []).map((s) => ({ value: s.id, label: s.name }))} onChange={setSegment} />}
            {kind?.takes_times && <TextInput type="date" label={t('exports.since')} value={since} onChange={(e) => setSince(e.currentTarget.value)} />}
            {kind?.takes_times && <TextInput type="date" label={t('exports.until')} value={until} onChange={(e) => setUntil(e.currentTarget.value)} />}
          </div>
          {kind && <p className="m2">{t(`exports.about.${kind.kind}` as 'exports.about.customers')}</p>}
        </div>
      </Panel>
      {name !== 'everything' && name !== 'way_back' && kind && (
        <Panel title={t('exports.columns')} count={f.number(columns.length || kind.columns.length)}>
          <div className="body col g12">
            <MultiSelect label={t('exports.onlyColumns')} placeholder={columns.length ? undefined : t('exports.allColumns')} value={columns} searchable clearable clearButtonProps={{ 'aria-label': t('exports.allColumns') }} data={kind.columns.map((c) => c.name)} onChange={setColumns} data-testid="export-columns" />
            {name === 'customers' && <TagsInput label={t('exports.traits')} description={t('exports.traitsHelp')} value={traits} onChange={setTraits} />}
            {name === 'customers' && ours.length > 0 && <MultiSelect label={t('exports.computed')} description={t('exports.computedHelp')} value={computed} searchable clearable clearButtonProps={{ 'aria-label': t('exports.computedNone') }} data={ours.map((c) => ({ value: c.name, label: c.title || c.name }))} onChange={setComputed} data-testid="export-computed" />}
          </div>
        </Panel>
      )}
      {name !== 'way_back' && <Panel title={t('exports.contacts')}>
        <div className="body col g12">
          <Checkbox checked={contacts} onChange={(e) => setContacts(e.currentTarget.checked)} label={t('exports.plain')} description={sees ? t('exports.plainText') : t('exports.plainAsk')} data-testid="export-contacts" />
        </div>
      </Panel>}
      {preview.error && <ErrorNote error={preview.error} kept={t('error.formKept')} />}
      {p?.needs_approval && (
        <Panel title={t('exports.second')} right={<Badge tone={approved ? 'good' : 'warn'}>{approved ? t('guard.approved') : waiting ? t('guard.waiting') : t('exports.needed')}</Badge>} testId="export-approval">
          <div className="body col g12" aria-live="polite">
            <p className="m2">{approved ? t('exports.approvedText', { who: approved.decided_by ?? '' }) : waiting ? t('exports.waitingText') : t('exports.secondText')}</p>
            {!approved && !waiting && (
              <>
                <TextInput label={t('exports.reason')} value={reason} onChange={(e) => setReason(e.currentTarget.value)} data-testid="export-reason" />
                {ask.error && <ErrorNote error={ask.error} kept={t('error.formKept')} />}
                <div className="form-actions"><Button variant="default" loading={ask.isPending} disabled={reason.trim().length < 3} onClick={() => ask.mutate()} data-testid="export-ask">{t('exports.ask')}</Button></div>
              </>
            )}
          </div>
        </Panel>
      )}
      {begin.error && <ErrorNote error={begin.error} kept={t('error.formKept')} />}
      <div className="form-actions stickyacts">
        <Button loading={begin.isPending} disabled={!ready} onClick={() => begin.mutate()} data-testid="export-start">{p ? t('exports.start', { count: p.rows, n: f.number(p.rows) }) : t('exports.startPlain')}</Button>
        <span className="t12 m2">{t(name === 'way_back' ? 'exports.noted' : 'exports.marked')}</span>
      </div>
    </>
  );
}
