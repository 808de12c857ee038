// Decision served: how long do we keep what, and what goes if we press the button?
import { Button, NumberInput, Select, Switch, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import type { components } from '../api/schema';
import { ActButton, ActLink } from '../session/Guarded';
import { useMay } from '../session/session';
import { EmptyState, ErrorNote, Panel, When } from '../ui/base';
import * as f from '../ui/format';
import { IconPlus } from '../ui/icons';
import { say } from '../ui/toast';

type Rule = components['schemas']['RetentionRule'];
type Document = components['schemas']['KeptDocument'];
type Previews = components['schemas']['RetentionPreviews'];
const KINDS: Rule['kind'][] = ['events', 'rejects', 'messages', 'audit', 'inactive'];

export function Retention() {
  const { t } = useTranslation();
  const kept = useQuery({ queryKey: ['privacy-retention'], queryFn: () => must(api.GET('/api/v1/privacy/retention')) });
  return (
    <Panel title={t('retention.title')} query={kept} testId="retention">
      {(x) => <Form key={JSON.stringify([x.rules, x.documents])} rules={x.rules} documents={x.documents} ranAt={x.ran_at ?? null} />}
    </Panel>
  );
}

function Form(p: { rules: Rule[]; documents: Document[]; ranAt: string | null }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const may = useMay('privacy:write');
  const [rules, setRules] = useState(p.rules);
  const [documents, setDocuments] = useState(p.documents);
  const [asked, setAsked] = useState<Previews | null>(null);
  const [sure, setSure] = useState(false);
  const names: Record<Rule['kind'], string> = { events: t('retention.events'), rejects: t('retention.rejects'), messages: t('retention.messages'), audit: t('retention.audit'), inactive: t('retention.inactive') };
  const changed = JSON.stringify([rules, documents]) !== JSON.stringify([p.rules, p.documents]);
  const body = { rules, documents };
  const save = useMutation({
    mutationFn: () => must(api.PUT('/api/v1/privacy/retention', { body })),
    onSuccess: (after) => {
      client.setQueryData(['privacy-retention'], after);
      void client.invalidateQueries({ queryKey: ['privacy-register'] });
      say(t('retention.saved'));
    },
  });
  const preview = useMutation({ mutationFn: () => must(api.POST('/api/v1/privacy/retention/preview', { body })), onSuccess: setAsked });
  const run = useMutation({
    mutationFn: () => must(api.POST('/api/v1/privacy/retention/run', { body: { confirm: true } })),
    onSuccess: () => {
      setSure(false);
      void client.invalidateQueries({ queryKey: ['privacy-retention'] });
      say(t('retention.begun'));
    },
  });
  const change = (at: number, part: Partial<Rule>) => {
    setAsked(null);
    setRules(rules.map((r, i) => (i === at ? { ...r, ...part } : r)));
  };
  const changeDocument = (at: number, part: Partial<Document>) => setDocuments(documents.map((d, i) => (i === at ? { ...d, ...part } : d)));
  return (
    <div className="body col g16">
      {rules.length === 0 && <EmptyState title={t('retention.empty')}>{t('retention.emptyText')}</EmptyState>}
      <ul className="line-list">
        {rules.map((r, i) => (
          <li key={i} className="row g12 wrap-row" style={{ padding: '8px 0' }} data-testid="retention-rule">
            <Select aria-label={t('retention.what')} value={r.kind} w={220} disabled={!may} onChange={(k) => k && change(i, { kind: k as Rule['kind'], pattern: k === 'events' ? r.pattern : '', source_id: null })} data={KINDS.map((k) => ({ value: k, label: names[k] }))} />
            {r.kind === 'events' && <TextInput aria-label={t('retention.pattern')} placeholder={t('retention.allEvents')} value={r.pattern ?? ''} w={200} disabled={!may} onChange={(e) => change(i, { pattern: e.currentTarget.value })} />}
            <NumberInput aria-label={t('retention.days')} hideControls value={r.days} min={7} max={36500} w={100} disabled={!may} onChange={(n) => change(i, { days: Number(n) || 0 })} />
            <span className="m2">{t('retention.daysWord')}</span>
            <TextInput aria-label={t('retention.groundExample')} placeholder={t('retention.groundExample')} value={r.ground} className="sp" style={{ minWidth: 200 }} disabled={!may} onChange={(e) => change(i, { ground: e.currentTarget.value })} />
            <Switch label={t('retention.on')} checked={r.enabled ?? false} disabled={!may} onChange={(e) => change(i, { enabled: e.currentTarget.checked })} />
            <ActLink right="privacy:write" onClick={() => { setAsked(null); setRules(rules.filter((_, j) => j !== i)); }}>{t('caps.remove')}</ActLink>
            {asked?.items[i] && <span className="b" data-testid="retention-count">{asked.items[i].complete ? t('retention.goes', { n: f.number(asked.items[i].count) }) : t('retention.goesMore', { n: f.number(asked.items[i].count) })}</span>}
          </li>
        ))}
      </ul>
      <ActLink right="privacy:write" onClick={() => { setAsked(null); setRules([...rules, { kind: 'events', pattern: '', days: 400, ground: '', enabled: false }]); }}><IconPlus className="s" /> {t('retention.add')}</ActLink>
      <h3>{t('retention.documents')}</h3>
      <ul className="line-list">
        {documents.map((d, i) => (
          <li key={i} className="row g12 wrap-row" style={{ padding: '8px 0' }}>
            <TextInput aria-label={t('retention.event')} value={d.event} w={200} disabled={!may} onChange={(e) => changeDocument(i, { event: e.currentTarget.value })} />
            <NumberInput aria-label={t('retention.term')} hideControls value={d.term_days} min={1} max={36500} w={100} disabled={!may} onChange={(n) => changeDocument(i, { term_days: Number(n) || 0 })} />
            <span className="m2">{t('retention.daysWord')}</span>
            <TextInput aria-label={t('retention.law')} value={d.ground} className="sp" style={{ minWidth: 200 }} disabled={!may} onChange={(e) => changeDocument(i, { ground: e.currentTarget.value })} />
            <Switch label={t('retention.on')} checked={d.enabled} disabled={!may} onChange={(e) => changeDocument(i, { enabled: e.currentTarget.checked })} />
            <ActLink right="privacy:write" onClick={() => setDocuments(documents.filter((_, j) => j !== i))}>{t('caps.remove')}</ActLink>
          </li>
        ))}
      </ul>
      <ActLink right="privacy:write" onClick={() => setDocuments([...documents, { event: '', ground: '', term_days: 1095, enabled: true }])}><IconPlus className="s" /> {t('retention.addDocument')}</ActLink>
      {(save.error ?? preview.error ?? run.error) && <ErrorNote error={save.error ?? preview.error ?? run.error} kept={t('error.formKept')} />}
      <div className="form-actions wrap-row" style={{ flexWrap: 'wrap' }}>
        <ActButton right="privacy:write" loading={save.isPending} disabled={!changed} onClick={() => save.mutate()}>{t('save')}</ActButton>
        <Button variant="default" loading={preview.isPending} disabled={rules.length === 0} onClick={() => preview.mutate()}>{t('retention.preview')}</Button>
        {sure ? (
          <>
            <ActButton right="privacy:write" variant="default" className="danger" loading={run.isPending} onClick={() => run.mutate()}>{t('retention.runSure')}</ActButton>
            <Button variant="subtle" onClick={() => setSure(false)}>{t('cancel')}</Button>
          </>
        ) : <ActButton right="privacy:write" variant="subtle" disabled={changed} onClick={() => setSure(true)}>{t('retention.run')}</ActButton>}
      </div>
      <p className="t12 m2">{t('retention.note')} {p.ranAt ? <>{t('retention.ranAt')} <When at={p.ranAt} />. </> : null}<Link to="/jobs" search={{}}>{t('nav.jobs')}</Link></p>
    </div>
  );
}
