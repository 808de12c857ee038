// Decision served: which rules of law hold today, from which source, and what changes when?
import { JsonInput, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import { ActButton } from '../session/Guarded';
import { Acts, Dialog } from '../stock/acts';
import { Badge, EmptyState, ErrorNote, PageHeader, Panel, Skeleton } from '../ui/base';
import * as f from '../ui/format';
import { useTitle } from '../ui/Shell';
import { say } from '../ui/toast';
import { CompanyTabs } from './parts';
import { lawQuery } from './query';

const route = getRouteApi('/entities/law');
type Rule = { [key: string]: unknown };
const isList = (v: unknown): v is Rule[] => Array.isArray(v) && v.length > 0 && v.every((x) => x && typeof x === 'object' && !Array.isArray(x));
const DATES = ['from', 'since', 'until', 'to'];
const flat = (v: unknown): string => (v === null || v === undefined || v === '' ? '' : typeof v === 'object' ? JSON.stringify(v) : String(v));

export default function LawPage() {
  const { t } = useTranslation();
  useTitle(t('law.title'));
  const { country = 'UA' } = route.useSearch();
  const navigate = useNavigate({ from: '/entities/law' });
  const query = useQuery(lawQuery(country));
  const [text, setText] = useState(country);
  useEffect(() => setText(country), [country]);
  const [open, setOpen] = useState(false);
  const d = query.data;
  const doc = (d?.document ?? {}) as Rule;
  const lists = Object.entries(doc).filter(([, v]) => isList(v)) as [string, Rule[]][];
  const plain = Object.entries(doc).filter(([, v]) => !isList(v));
  return (
    <div className="page">
      <PageHeader title={t('nav.entities')} note={t('law.note')} badge={d && <Badge tone={d.version === 0 ? undefined : 'info'}>{d.version === 0 ? t('law.preset') : t('segment.version', { n: d.version })}</Badge>} actions={d && <ActButton right="settings:write" variant="default" onClick={() => setOpen(true)} data-testid="law-change">{t('law.change')}</ActButton>} />
      <CompanyTabs at="law" />
      <TextInput label={t('law.country')} w={120} maxLength={2} value={text} onChange={(e) => setText(e.currentTarget.value.toUpperCase())} onKeyDown={(e) => { if (e.key === 'Enter' && /^[A-Z]{2}$/.test(text)) void navigate({ search: { country: text } }); }} data-testid="law-country" />
      {!d ? (query.error ? <ErrorNote error={query.error} retry={() => void query.refetch()} /> : <Skeleton rows={6} />) : (
        <>
          {lists.map(([name, rules]) => <Rules key={name} name={name} of={rules} />)}
          {plain.length > 0 && <Panel title={t('law.other')}><div className="body"><dl className="kv">{plain.map(([k, v]) => <div key={k} style={{ display: 'contents' }}><dt className="mono">{k}</dt><dd className="wrap">{flat(v) || f.NONE}</dd></div>)}</dl></div></Panel>}
          {lists.length === 0 && plain.length === 0 && <div className="card"><EmptyState title={t('law.none')}>{t('law.noneText')}</EmptyState></div>}
        </>
      )}
      {open && d && <LawForm country={country} of={doc} close={() => setOpen(false)} />}
    </div>
  );
}

/** Dated rules of one kind: what holds now, what held, what comes. */
function Rules({ name, of }: { name: string; of: Rule[] }) {
  const { t } = useTranslation();
  const keys = [...new Set(of.flatMap((r) => Object.keys(r)))].filter((k) => k !== 'source').slice(0, 6);
  const today = new Date().toISOString().slice(0, 10);
  const state = (r: Rule) => (typeof r.until === 'string' && r.until <= today ? 'past' : typeof (r.from ?? r.since) === 'string' && String(r.from ?? r.since) > today ? 'coming' : 'now');
  return (
    <Panel title={t(`law.kind.${name}`, { defaultValue: name.replaceAll('_', ' ') })} count={f.number(of.length)}>
      <div className="tbl" role="group" aria-label={name} tabIndex={0}>
        <table style={{ minWidth: 640 }}>
          <thead><tr>{keys.map((k) => <th key={k} scope="col">{t(`law.f.${k}`, { defaultValue: k.replaceAll('_', ' ') })}</th>)}<th scope="col">{t('law.f.source')}</th></tr></thead>
          <tbody>
            {of.map((r, i) => (
              <tr key={i} className="row-data" data-testid="law-rule">
                {keys.map((k, at) => <td key={k} style={{ height: 40, whiteSpace: 'normal' }}>{at === 0 && state(r) !== 'now' ? <><Badge tone={state(r) === 'coming' ? 'warn' : undefined}>{t(`law.${state(r)}`)}</Badge> </> : null}{DATES.includes(k) && typeof r[k] === 'string' ? f.date(`${r[k].slice(0, 10)}T12:00:00`) : flat(r[k]) || f.NONE}</td>)}
                <td className="t12 m2" style={{ whiteSpace: 'normal' }}>{flat(r.source) || f.NONE}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Panel>
  );
}

/** The rules as they are written, so that a new dated one is added without a release; what the server refuses is named by its place. */
function LawForm({ country, of, close }: { country: string; of: Rule; close: () => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [text, setText] = useState(() => JSON.stringify(of, null, 2));
  let read: Rule | null = null;
  try {
    read = JSON.parse(text) as Rule;
  } catch {
    read = null;
  }
  const save = useMutation({
    mutationFn: () => must(api.PUT('/api/v1/laws/{country}', { params: { path: { country } }, body: { document: read as Record<string, never> } })),
    onSuccess: (after) => { client.setQueryData(lawQuery(country).queryKey, after); say(t('law.saved', { country })); close(); },
  });
  return (
    <Dialog title={t('law.changeTitle', { country })} size={760} close={close} submit={() => read && save.mutate()}>
      <p className="m2">{t('law.text')}</p>
      <JsonInput label={t('law.document')} autosize minRows={14} maxRows={24} value={text} onChange={setText} error={read ? undefined : t('law.noJson')} styles={{ input: { fontFamily: 'var(--mono, monospace)' } }} data-testid="law-document" data-autofocus />
      {save.error && <ErrorNote error={save.error} kept={t('error.formKept')} />}
      <Acts label={t('law.publish')} busy={save.isPending} disabled={!read} close={close} testId="law-do" />
    </Dialog>
  );
}
