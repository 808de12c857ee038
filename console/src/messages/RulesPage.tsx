// Decision served: who gets what by itself, and how often may anyone be written to?
import { ActionIcon, NumberInput, Select, Switch, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import type { TFunction } from 'i18next';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import type { Cap, MessageRule } from '../api/types';
import { channelName, purposeName } from '../customers/timeline';
import { segmentsQuery } from '../segments/query';
import { ActButton, ActLink } from '../session/Guarded';
import { useRight } from '../session/rights';
import { Badge, EmptyState, ErrorNote, PageHeader, Panel } from '../ui/base';
import { type Column, DataTable } from '../ui/DataTable';
import * as f from '../ui/format';
import { IconPlus, IconX } from '../ui/icons';
import { useTitle } from '../ui/Shell';
import { useShortcut } from '../ui/shortcuts';
import { say, sayError } from '../ui/toast';
import { STATUSES, useStatusName } from './parts';
import { capsQuery, rulesQuery, templatesQuery } from './query';

const route = getRouteApi('/rules');

export default function RulesPage() {
  const { t } = useTranslation();
  useTitle(t('nav.rules'));
  const search = route.useSearch();
  const navigate = useNavigate({ from: '/rules' });
  const may = useRight('messages:write');
  const rules = useQuery(rulesQuery);
  const segments = useQuery(segmentsQuery);
  const templates = useQuery(templatesQuery);
  const rows = rules.data?.items;
  const selected = rows?.find((r) => r.id === search.sel);
  const side = search.create || selected;
  const beside = Boolean(side);
  const create = () => void navigate({ search: { create: true } });
  useShortcut('KeyC', create, { enabled: may });
  const columns = useMemo<Column<MessageRule>[]>(() => {
    const number = (key: 'sent' | 'stopped' | 'unknown' | 'intended', label: string): Column<MessageRule> => ({
      id: key,
      header: label,
      meta: { right: true, width: 104 },
      cell: ({ row: { original: r } }) =>
        r.counts[key] ? <Link className={`plain ${key === 'unknown' ? 'warn-text' : ''}`} to="/messages" search={{ rule: r.id, status: key === 'intended' ? undefined : key }}>{f.number(r.counts[key])}</Link> : <span className="m">0</span>,
    });
    return [
      { id: 'name', header: t('col.name'), meta: { width: '24%' }, cell: ({ row: { original: r } }) => <span className="b">{r.name ?? t('rule.unnamed')}</span> },
      { id: 'segment', header: t('rule.segment'), cell: ({ row: { original: r } }) => <Link className="plain name" to="/segments/$id" params={{ id: r.segment_id }} search={{}}>{segments.data?.find((s) => s.id === r.segment_id)?.name ?? f.NONE}</Link> },
      { id: 'template', header: t('rule.template'), cell: ({ row: { original: r } }) => <Link className="plain name" to="/templates/$id" params={{ id: r.template_id }}>{templates.data?.items.find((x) => x.id === r.template_id)?.name ?? f.NONE}</Link> },
      { id: 'state', header: t('col.state'), meta: { width: 96 }, cell: ({ row: { original: r } }) => <Badge tone={r.enabled ? 'good' : undefined}>{r.enabled ? t('rule.on') : t('rule.off')}</Badge> },
      ...(beside ? [] : [number('intended', t('rule.intended'))]),
      number('sent', t('status.sent')),
      number('stopped', t('status.stopped')),
      ...(beside ? [] : [number('unknown', t('status.unknown'))]),
    ];
  }, [t, segments.data, templates.data, beside]);
  return (
    <div className="page">
      <PageHeader title={t('nav.rules')} note={t('rules.lead')} actions={<ActButton right="messages:write" leftSection={<IconPlus />} rightSection={<kbd>C</kbd>} onClick={create}>{t('action.rule')}</ActButton>} />
      <div className={`ld${side ? '' : ' solo'}`} style={{ flex: 'none' }}>
        <div className="col g16">
          <div className="card scroll">
            <DataTable
              tools={{ name: 'rules' }} label={t('nav.rules')}
              rows={rows}
              columns={columns}
              rowId={(r) => r.id}
              selected={search.sel ?? null}
              onSelect={(id) => void navigate({ search: { sel: id ?? undefined }, replace: true })}
              rowTestId="rule-row"
              error={rules.error}
              retry={() => void rules.refetch()}
              empty={<EmptyState title={t('rules.emptyTitle')} action={<ActButton right="messages:write" leftSection={<IconPlus />} onClick={create}>{t('action.rule')}</ActButton>}>{t('rules.emptyText')}</EmptyState>}
            />
          </div>
          <Caps />
        </div>
        {side && <RuleForm key={selected?.id ?? 'new'} rule={selected ?? null} close={() => void navigate({ search: {} })} />}
      </div>
    </div>
  );
}

function RuleForm({ rule, close }: { rule: MessageRule | null; close: () => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const statusName = useStatusName();
  const segments = useQuery(segmentsQuery);
  const templates = useQuery(templatesQuery);
  const [name, setName] = useState(rule?.name ?? '');
  const [segment, setSegment] = useState<string | null>(rule?.segment_id ?? null);
  const [template, setTemplate] = useState<string | null>(rule?.template_id ?? null);
  const [purpose, setPurpose] = useState<string | null>(rule?.purpose ?? 'marketing');
  const [topic, setTopic] = useState(rule?.topic ?? '');
  const [once, setOnce] = useState(rule?.once ?? true);
  const [enabled, setEnabled] = useState(rule?.enabled ?? false);
  const body = () => ({ name: name || undefined, segment_id: segment!, template_id: template!, channel: 'email', purpose: purpose!, topic: topic.trim() || undefined, once, enabled });
  const done = (text: string) => {
    void client.invalidateQueries({ queryKey: ['rules'] });
    close();
    say(text);
  };
  const save = useMutation({
    mutationFn: () => (rule ? must(api.PUT('/api/v1/message-rules/{id}', { params: { path: { id: rule.id } }, body: body() })) : must(api.POST('/api/v1/message-rules', { body: body() }))),
    onSuccess: () => done(t('rule.saved')),
  });
  const remove = useMutation({
    mutationFn: () => must(api.DELETE('/api/v1/message-rules/{id}', { params: { path: { id: rule!.id } } })),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ['rules'] });
      close();
      // The rule is made anew from what it was: nothing is lost but its number.
      say(t('rule.removed'), () => void must(api.POST('/api/v1/message-rules', { body: body() })).then(() => client.invalidateQueries({ queryKey: ['rules'] }), sayError));
    },
    onError: sayError,
  });
  const size = segments.data?.find((s) => s.id === segment)?.count;
  const leaves = enabled && !rule?.enabled;
  return (
    <aside className="card detail" aria-label={rule ? t('rule.edit') : t('action.newRule')}>
      <div className="row"><h2 className="sp el">{rule ? (rule.name ?? t('rule.unnamed')) : t('action.newRule')}</h2><ActionIcon aria-label={t('close')} onClick={close}><IconX /></ActionIcon></div>
      {rule && (
        <dl className="kv">
          {STATUSES.map((s) => (
            <div key={s} style={{ display: 'contents' }}><dt>{statusName(s)}</dt><dd>{rule.counts[s] ? <Link className="plain" to="/messages" search={{ rule: rule.id, status: s }}>{f.number(rule.counts[s])}</Link> : <span className="m">0</span>}</dd></div>
          ))}
        </dl>
      )}
      <form
        className="fields"
        onSubmit={(e) => {
          e.preventDefault();
          save.mutate();
        }}
      >
        <TextInput label={t('field.name')} value={name} onChange={(e) => setName(e.currentTarget.value)} />
        <Select label={t('rule.segmentField')} value={segment} onChange={setSegment} searchable nothingFoundMessage={t('rule.noSegments')} data={(segments.data ?? []).map((s) => ({ value: s.id, label: s.name }))} description={size !== undefined ? t('rule.size', { count: size, n: f.number(size) }) : undefined} inputWrapperOrder={['label', 'input', 'description', 'error']} />
        <Select label={t('rule.templateField')} value={template} onChange={setTemplate} searchable data={(templates.data?.items ?? []).map((x) => ({ value: x.id, label: x.name }))} />
        <Select label={t('consents.purpose')} value={purpose} onChange={setPurpose} data={[{ value: 'marketing', label: t('purpose.marketing') }, { value: 'service', label: t('purpose.service') }]} />
        {purpose === 'marketing' && <TextInput label={t('rule.topic')} description={t('rule.topicHelp')} inputWrapperOrder={['label', 'input', 'description', 'error']} value={topic} onChange={(e) => setTopic(e.currentTarget.value)} />}
        <Switch label={t('rule.once')} checked={once} onChange={(e) => setOnce(e.currentTarget.checked)} />
        <Switch label={t('rule.enabled')} checked={enabled} onChange={(e) => setEnabled(e.currentTarget.checked)} />
        {save.error && <ErrorNote error={save.error} kept={t('error.formKept')} />}
        <div className="form-actions wrap-row" style={{ flexWrap: 'wrap' }}>
          <ActButton right="messages:write" type="submit" variant="default" loading={save.isPending} disabled={!segment || !template}>
            {leaves && size !== undefined ? t('rule.startFor', { count: size, n: f.number(size) }) : t('save')}
          </ActButton>
          {rule && <ActButton right="messages:write" variant="subtle" onClick={() => remove.mutate()}>{t('rule.remove')}</ActButton>}
        </div>
      </form>
    </aside>
  );
}

function Caps() {
  const { t } = useTranslation();
  const client = useQueryClient();
  const caps = useQuery(capsQuery);
  const may = useRight('messages:write');
  const put = useMutation({
    mutationFn: ({ items }: { items: Cap[]; before: Cap[] }) => must(api.PUT('/api/v1/caps', { body: { items } })),
    onMutate: ({ items }) => client.setQueryData(['caps'], { items }),
    onSuccess: (_d, { before }) => say(t('caps.saved'), () => put.mutate({ items: before, before: [] })),
    onError: (e) => {
      sayError(e);
      void caps.refetch();
    },
  });
  const items = caps.data?.items ?? [];
  const change = (next: Cap[]) => put.mutate({ items: next, before: items });
  return (
    <Panel
      title={t('caps.title')}
      query={caps}
      right={<ActLink right="messages:write" onClick={() => change([...items, { channel: 'email', purpose: 'marketing', limit: 3, window: '7d' }])}>{t('caps.add')}</ActLink>}
      empty={(x) => x.items.length === 0}
      emptyText={<EmptyState title={t('caps.empty')}>{t('caps.emptyText')}</EmptyState>}
    >
      <ul className="body line-list">
        {items.map((c, i) => (
          <li key={i} className="row wrap-row" style={{ minHeight: 44 }}>
            <span className="b" style={{ minWidth: 200 }}>{channelName(c.channel)}, {purposeName(c.purpose)}</span>
            <span className="m2">{t('caps.atMost')}</span>
            <NumberInput hideControls aria-label={t('caps.limit')} value={c.limit} min={0} max={1000} w={80} disabled={!may} onBlur={(e) => { const n = Number(e.currentTarget.value); if (Number.isInteger(n) && n !== c.limit) change(items.map((x, j) => (j === i ? { ...x, limit: n } : x))); }} />
            <span className="m2">{t('caps.messagesIn')}</span>
            <Select aria-label={t('caps.window')} value={c.window} disabled={!may} w={150} data={[...new Set(['1d', '7d', '14d', '30d', c.window])].map((w) => ({ value: w, label: windowName(w, t) }))} onChange={(w) => w && w !== c.window && change(items.map((x, j) => (j === i ? { ...x, window: w } : x)))} />
            <span className="sp" />
            <ActLink right="messages:write" onClick={() => change(items.filter((_, j) => j !== i))}>{t('caps.remove')}</ActLink>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function windowName(w: string, t: TFunction): string {
  const days = /^(\d+)d$/.exec(w);
  return days ? t('cond.day', { count: Number(days[1]), n: days[1] }) : w;
}
