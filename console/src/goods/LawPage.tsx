// Decision served: which rules of law hold today, from which source, and what changes when?
import { JsonInput, Select, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { useEffect, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import { ActButton, ActLink } from '../session/Guarded';
import { useMay, useMe } from '../session/session';
import { isMissing } from '../stock/query';
import { Badge, EmptyState, ErrorNote, None, PageHeader, Panel, Skeleton } from '../ui/base';
import { type Column, DataTable } from '../ui/DataTable';
import * as f from '../ui/format';
import { useTitle } from '../ui/Shell';
import { useShortcut } from '../ui/shortcuts';
import { say, sayError } from '../ui/toast';
import { aboutText, type Change, changesOf, type Dated, KINDS, type Kind, type Law, type State, stateOn, valueText } from './law';
import { RuleForm } from './LawForm';
import { CompanyTabs } from './parts';
import { lawQuery } from './query';

const route = getRouteApi('/entities/law');
const TONE: Record<State, 'good' | 'warn' | undefined> = { now: 'good', coming: 'warn', past: undefined, replaced: undefined };
/** Midday, so that no zone makes another day of it. */
export const dayText = (day: string): string => f.date(`${day}T12:00:00Z`);

export function usePublish(country: string, before: Law, version: number) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const put = (document: Law) => must(api.PUT('/api/v1/laws/{country}', { params: { path: { country } }, body: { document: document as never } }));
  return useMutation({
    mutationFn: put,
    onSuccess: (after) => {
      client.setQueryData(lawQuery(country).queryKey, after);
      // A preset is not taken back by publishing it: the shop's own of the same words counts the same.
      say(t('law.saved', { country }), version > 0 || before.rules.length > 0 ? () => void put(before).then((x) => client.setQueryData(lawQuery(country).queryKey, x), sayError) : undefined);
    },
  });
}

export default function LawPage() {
  const { t } = useTranslation();
  useTitle(t('law.title'));
  const search = route.useSearch();
  const { country = 'UA' } = search;
  const navigate = useNavigate({ from: '/entities/law' });
  const zone = useMe().shop.time_zone;
  const may = useMay('prices:write');
  const query = useQuery(lawQuery(country));
  const [text, setText] = useState(country);
  useEffect(() => setText(country), [country]);
  // A country of which nothing is known begins empty.
  const none = isMissing(query.error);
  const law = useMemo<Law | undefined>(() => (query.data ? (query.data.document as unknown as Law) : none ? { country, time_zone: zone, standard: '', rules: [] } : undefined), [query.data, none, country, zone]);
  const version = query.data?.version ?? 0;
  const add = (kind: string | undefined) => void navigate({ search: (s) => ({ ...s, add: kind, edit: undefined, copy: undefined }) });
  useShortcut('KeyC', () => add('tax'), { enabled: may && Boolean(law) && !search.add && search.view !== 'text' });
  const asText = search.view === 'text';
  const view = (id: 'text' | undefined, name: string) => <Link to="/entities/law" search={{ country: search.country, view: id }} className={`chip ${search.view === id ? 'on' : ''}`} aria-current={search.view === id ? 'true' : undefined} data-testid={`law-view-${id ?? 'table'}`}>{name}</Link>;
  const at = Number(search.edit ?? search.copy);
  const chosen = law && Number.isInteger(at) && (search.edit ?? search.copy) !== undefined ? law.rules[at] : undefined;
  const kind = KINDS.find((k) => k === search.add) ?? chosen?.rule.kind;
  const shut = () => void navigate({ search: (s) => ({ ...s, add: undefined, edit: undefined, copy: undefined }) });
  return (
    <div className="page">
      <PageHeader title={t('nav.entities')} note={t('law.note')} badge={law && <Badge tone={version === 0 ? undefined : 'info'}>{version === 0 ? t('law.preset') : t('segment.version', { n: version })}</Badge>} actions={law && <ActButton right="prices:write" rightSection={<kbd>C</kbd>} onClick={() => add('tax')} data-testid="law-add">{t('law.add')}</ActButton>} />
      <CompanyTabs at="law" />
      <div className="row wrap-row g12" style={{ alignItems: 'flex-end' }}>
        <TextInput label={t('law.country')} w={120} maxLength={2} value={text} error={text && !/^[A-Z]{2}$/.test(text) ? t('law.need.country') : undefined} onChange={(e) => setText(e.currentTarget.value.toUpperCase())} onKeyDown={(e) => { if (e.key === 'Enter' && /^[A-Z]{2}$/.test(text)) void navigate({ search: { country: text } }); }} data-testid="law-country" />
        <span className="row g4" role="group" aria-label={t('law.views')} style={{ paddingBottom: 3 }}>{view(undefined, t('law.view.table'))}{view('text', t('law.view.text'))}</span>
      </div>
      {!law ? (query.error ? <ErrorNote error={query.error} retry={() => void query.refetch()} /> : <Skeleton rows={6} />) : asText ? <AsText key={`${country}-${version}`} country={country} law={law} version={version} /> : (
        <>
          <Table country={country} law={law} version={version} />
          <Panel title={t('law.other')}><div className="body"><dl className="kv"><dt>{t('law.f.standard')}</dt><dd className="mono">{law.standard || f.NONE}</dd><dt>{t('law.f.time_zone')}</dt><dd>{law.time_zone}</dd></dl></div></Panel>
        </>
      )}
      {law && kind && may && <RuleForm key={`${Boolean(search.add)}-${search.edit}-${search.copy}`} country={country} law={law} version={version} kind={kind} of={chosen} at={search.edit !== undefined && chosen ? at : undefined} close={shut} choose={search.add ? (k: Kind) => void navigate({ search: (s) => ({ ...s, add: k }), replace: true }) : undefined} />}
    </div>
  );
}

interface Row { at: number; d: Dated; state: State }

/** What holds, what held and what comes: a line a rule. */
function Table({ country, law, version }: { country: string; law: Law; version: number }) {
  const { t } = useTranslation();
  const search = route.useSearch();
  const navigate = useNavigate({ from: '/entities/law' });
  const may = useMay('prices:write');
  const publish = usePublish(country, law, version);
  const today = f.dayKey(Date.now());
  const all = useMemo<Row[]>(() => law.rules.map((d, at) => ({ at, d, state: stateOn(d, law.rules, today) })).sort((a, b) => KINDS.indexOf(a.d.rule.kind) - KINDS.indexOf(b.d.rule.kind) || aboutText(a.d.rule).localeCompare(aboutText(b.d.rule)) || b.d.from.localeCompare(a.d.from)), [law, today]);
  const rows = all.filter((r) => (!search.kind || r.d.rule.kind === search.kind) && (!search.show || (search.show === 'past' ? r.state === 'past' || r.state === 'replaced' : r.state === search.show)));
  const go = (part: Record<string, string | undefined>) => void navigate({ search: (s) => ({ ...s, ...part }), replace: true });
  const chip = (id: string | undefined, name: string, n: number) => <Link to="/entities/law" search={{ ...search, show: id }} className={`chip ${search.show === id ? 'on' : ''}`} aria-current={search.show === id ? 'true' : undefined} data-testid={`law-show-${id ?? 'all'}`}>{name} <b>{f.number(n)}</b></Link>;
  const count = (...s: State[]) => all.filter((r) => s.includes(r.state)).length;
  const open = (what: 'edit' | 'copy', at: number) => void navigate({ search: (s) => ({ ...s, [what]: String(at) }) });
  const columns = useMemo<Column<Row>[]>(() => [
    { id: 'kind', header: t('law.what'), meta: { width: 208 }, cell: ({ row: { original: { d } } }) => <span className="col"><span className="b el">{t(`law.kind.${d.rule.kind}`)}</span><span className="t12 m2 el" title={aboutText(d.rule)}>{aboutText(d.rule)}</span></span> },
    { id: 'value', header: t('law.value'), cell: ({ row: { original: { d } } }) => <span className="el" title={valueText(d.rule)}>{valueText(d.rule)}</span> },
    { id: 'state', header: t('col.state'), meta: { width: 104 }, cell: ({ row: { original: r } }) => <Badge tone={TONE[r.state]}>{t(`law.state.${r.state}`)}</Badge> },
    { id: 'from', header: t('law.f.from'), meta: { width: 112, right: true }, cell: ({ row: { original: { d } } }) => dayText(d.from) },
    { id: 'until', header: t('law.f.until'), meta: { width: 112, right: true }, cell: ({ row: { original: { d } } }) => (d.until ? dayText(d.until) : <None why={t('law.noEnd')} />) },
    { id: 'source', header: t('law.f.source'), meta: { width: 176 }, cell: ({ row: { original: { d } } }) => <span className="el t12 m2" title={d.source}>{d.source}</span> },
    {
      id: 'act', header: () => <span className="hidden-text">{t('place.change')}</span>, meta: { width: 208, right: true, title: t('place.change') },
      cell: ({ row: { original: r } }) => (
        <span className="row g12" style={{ justifyContent: 'flex-end' }}>
          {r.state === 'coming' ? <ActLink right="prices:write" disabled={publish.isPending} onClick={() => publish.mutate({ ...law, rules: law.rules.filter((_, i) => i !== r.at) }, { onError: sayError })} aria-label={t('law.removeOf', { name: `${t(`law.kind.${r.d.rule.kind}`)} ${aboutText(r.d.rule)}` })} data-testid="law-remove">{t('law.remove')}</ActLink> : <ActLink right="prices:write" onClick={() => open('copy', r.at)} aria-label={t('law.copyOf', { name: `${t(`law.kind.${r.d.rule.kind}`)} ${aboutText(r.d.rule)}` })} data-testid="law-copy">{t('law.copy')}</ActLink>}
          <ActLink right="prices:write" onClick={() => open('edit', r.at)} aria-label={t('law.editOf', { name: `${t(`law.kind.${r.d.rule.kind}`)} ${aboutText(r.d.rule)}` })} data-testid="law-edit">{t('law.edit')}</ActLink>
        </span>
      ),
    },
    // `publish` and `open` are the same in every respect that matters here.
  ], [t, law]);
  return (
    <>
      <div className="row wrap-row g8" role="search">
        {chip(undefined, t('law.show.all'), all.length)}{chip('now', t('law.state.now'), count('now'))}{chip('coming', t('law.state.coming'), count('coming'))}{chip('past', t('law.show.past'), count('past', 'replaced'))}
        <Select aria-label={t('law.what')} placeholder={t('law.anyKind')} clearable value={search.kind ?? null} onChange={(v) => go({ kind: v ?? undefined })} data={KINDS.map((k) => ({ value: k, label: t(`law.kind.${k}`) }))} w={240} clearButtonProps={{ 'aria-label': t('law.anyKind') }} data-testid="law-kind" />
      </div>
      <div className="card scroll" style={{ minHeight: 280 }}>
        <DataTable label={t('law.title')} rows={rows} columns={columns} rowHeight={44} rowId={(r) => String(r.at)} selected={search.sel ?? null} onSelect={(id) => go({ sel: id ?? undefined })} onOpen={(r) => may && open(r.state === 'coming' ? 'edit' : 'copy', r.at)} rowTestId="law-rule" maxHeight={720} empty={all.length ? <EmptyState title={t('law.noneSo')} action={<Link to="/entities/law" search={{ country }}>{t('law.show.all')}</Link>} /> : <EmptyState title={t('law.none')}>{t('law.noneText')}</EmptyState>} />
      </div>
    </>
  );
}

/** What will count otherwise, and from which day on: said before anything is published. */
export function Preview({ of, before }: { of: Change[]; before: string }) {
  const { t } = useTranslation();
  if (of.length === 0) return <p className="m2" data-testid="law-preview">{before}</p>;
  return (
    <div className="col g8" role="status" data-testid="law-preview">
      <p className="b">{t('law.changes')}</p>
      <ul className="line-list">
        {of.map((c, i) => (
          <li key={i} className="col" style={{ padding: '6px 0' }}>
            <span><b>{t('law.fromDay', { day: dayText(c.from) })}</b> {t(`law.kind.${c.rule.kind}`)}{aboutText(c.rule) ? `, ${aboutText(c.rule)}` : ''}</span>
            <span className="m2">{c.before && c.after ? t('law.fromTo', { before: valueText(c.before.rule), after: valueText(c.after.rule) }) : c.after ? t('law.newly', { after: valueText(c.after.rule) }) : t('law.noMore', { before: c.before ? valueText(c.before.rule) : '' })}</span>
            {c.back && <span className="warn-text t12">{t('law.back')}</span>}
          </li>
        ))}
      </ul>
    </div>
  );
}

/** The same rules as text; what is no law yet is not published. */
function AsText({ country, law, version }: { country: string; law: Law; version: number }) {
  const { t } = useTranslation();
  const may = useMay('prices:write');
  const [text, setText] = useState(() => JSON.stringify(law, null, 2));
  const publish = usePublish(country, law, version);
  const read = useMemo<Law | null>(() => {
    try {
      const doc = JSON.parse(text) as Law;
      return Array.isArray(doc.rules) && doc.rules.every((d) => d && typeof d === 'object' && d.rule && typeof d.rule === 'object') ? doc : null;
    } catch {
      return null;
    }
  }, [text]);
  const changed = read !== null && JSON.stringify(read) !== JSON.stringify(law);
  // Kinds that this page does not know are the server's to judge.
  const known = read?.rules.every((d) => (KINDS as readonly string[]).includes(d.rule.kind) && typeof d.from === 'string');
  let changes: Change[] = [];
  try {
    if (read && known) changes = changesOf(law.rules, read.rules, f.dayKey(Date.now()));
  } catch {
    // Half of a rule: the server says what it lacks.
  }
  return (
    <form className="col g12" noValidate onSubmit={(e) => { e.preventDefault(); if (read && changed) publish.mutate(read); }}>
      <p className="m2">{t('law.text')}</p>
      <JsonInput label={t('law.document')} autosize minRows={14} maxRows={30} value={text} disabled={!may} onChange={setText} error={read ? undefined : t('law.noJson')} styles={{ input: { fontFamily: 'var(--mono)', fontSize: 12 } }} data-testid="law-document" />
      {changed && <div className="card"><div className="body" style={{ paddingTop: 12 }}><Preview of={changes} before={t('law.onlyWords')} /></div></div>}
      {publish.error && <ErrorNote error={publish.error} kept={t('error.formKept')} />}
      <div className="form-actions"><ActButton right="prices:write" type="submit" loading={publish.isPending} disabled={!changed} data-testid="law-do">{t('law.publish')}</ActButton>{changed && <button type="button" className="textlink" onClick={() => setText(JSON.stringify(law, null, 2))}>{t('law.drop')}</button>}</div>
    </form>
  );
}
