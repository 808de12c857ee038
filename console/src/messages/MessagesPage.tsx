// Decision served: what went out, what did not and why, and what must a person settle?
import { ActionIcon } from '@mantine/core';
import { keepPreviousData, useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { useEffect, useMemo, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import type { Message } from '../api/types';
import { personQuery } from '../customers/query';
import { channelName, gateText, reasonText } from '../customers/timeline';
import { ActButton } from '../session/Guarded';
import { useLive } from '../session/live';
import { Avatar, EmptyState, ErrorNote, None, PageHeader, When } from '../ui/base';
import { type Column, DataTable } from '../ui/DataTable';
import * as f from '../ui/format';
import { IconCheck, IconX } from '../ui/icons';
import { useTitle } from '../ui/Shell';
import { say } from '../ui/toast';
import { MessageWhy, type Status, StatusBadge, STATUSES, useStatusName } from './parts';
import { rulesQuery } from './query';

const route = getRouteApi('/messages');

export default function MessagesPage() {
  const { t } = useTranslation();
  useTitle(t('nav.messages'));
  const search = route.useSearch();
  const navigate = useNavigate({ from: '/messages' });
  const statusName = useStatusName();
  const status = STATUSES.find((s) => s === search.status);
  const list = useInfiniteQuery({
    queryKey: ['messages', status ?? '', search.rule ?? '', search.person ?? ''],
    queryFn: ({ pageParam }) => must(api.GET('/api/v1/messages', { params: { query: { status, rule_id: search.rule, person_id: search.person, limit: 50, cursor: pageParam ?? undefined } } })),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next_cursor ?? null,
    placeholderData: keepPreviousData,
  });
  const rules = useQuery(rulesQuery);
  const rule = rules.data?.items.find((r) => r.id === search.rule);
  const person = useQuery({ ...personQuery(search.person ?? ''), enabled: Boolean(search.person) });
  const rows = useMemo(() => list.data?.pages.flatMap((p) => p.items), [list.data]);
  const selected = rows?.find((m) => m.id === search.sel);
  const select = (id: string | null) => void navigate({ search: (s) => ({ ...s, sel: id ?? undefined }), replace: true });
  const counts = useMemo(() => {
    const all = (rules.data?.items ?? []).filter((r) => !search.rule || r.id === search.rule);
    return Object.fromEntries(STATUSES.map((s) => [s, all.reduce((n, r) => n + r.counts[s], 0)])) as Record<Status, number>;
  }, [rules.data, search.rule]);

  const due = useRef<ReturnType<typeof setTimeout>>(undefined);
  useLive('counts', () => {
    due.current ??= setTimeout(() => {
      due.current = undefined;
      void list.refetch();
      void rules.refetch();
    }, 3000);
  });
  useEffect(() => () => clearTimeout(due.current), []);

  const columns = useMemo<Column<Message>[]>(
    () => [
      {
        id: 'who',
        header: t('col.customer'),
        meta: { width: '26%' },
        cell: ({ row: { original: m } }) => (
          <div className="row g12">
            <Avatar name={m.person_name || m.address || '?'} />
            <div className="col sp">
              <Link className="plain b el name" to="/customers/$id" params={{ id: m.person_id }} search={{}}>{m.person_name || m.address || t('person.unnamed')}</Link>
              <span className="t12 m2 el">{m.address ?? t('messages.noAddress')}</span>
            </div>
          </div>
        ),
      },
      {
        id: 'what',
        header: t('col.message'),
        cell: ({ row: { original: m } }) => (
          <div className="col">
            <span className="el">{m.subject || m.template_name || f.NONE}</span>
            <span className="t12 m2 el">{m.rule_name ?? channelName(m.channel)}</span>
          </div>
        ),
      },
      { id: 'status', header: t('col.state'), meta: { width: 116 }, cell: ({ row: { original: m } }) => <StatusBadge status={m.status} /> },
      { id: 'reason', header: t('col.reason'), meta: { width: '24%' }, cell: ({ row: { original: m } }) => (m.reason ? <span title={m.reason}>{reasonText(m.reason)}</span> : <None why={t('messages.noReason')} />) },
      { id: 'why', header: () => <span className="hidden-text">{t('why.open')}</span>, meta: { width: 72, title: t('why.open') }, cell: ({ row: { original: m } }) => <MessageWhy message={m} /> },
      { id: 'at', header: t('col.when'), meta: { width: 104, right: true }, cell: ({ row: { original: m } }) => <When at={m.settled_at ?? m.intended_at} className="m2" /> },
    ],
    [t],
  );
  return (
    <div className="page fill">
      <PageHeader title={t('messages.title')} />
      <nav className="tabs" aria-label={t('messages.byState')}>
        <Link to="/messages" search={{ rule: search.rule, person: search.person }} className={status ? '' : 'on'} activeOptions={{ exact: true }}>
          {t('all')}<span>{f.number(STATUSES.reduce((n, s) => n + counts[s], 0))}</span>
        </Link>
        {STATUSES.map((s) => (
          <Link key={s} to="/messages" search={{ rule: search.rule, person: search.person, status: s }} className={status === s ? 'on' : ''}>
            {statusName(s)}<span>{f.number(counts[s])}</span>
          </Link>
        ))}
      </nav>
      {(search.rule || search.person) && (
        <div className="row wrap-row">
          {search.rule && (
            <span className="chip on">{t('filter.rule')} <b>{rule?.name ?? search.rule}</b><button type="button" className="x" aria-label={t('filter.drop')} onClick={() => void navigate({ search: (s) => ({ ...s, rule: undefined }) })}><IconX className="s" /></button></span>
          )}
          {search.person && (
            <span className="chip on">{t('filter.to')} <b>{String(person.data?.traits.name ?? f.middle(search.person, 4))}</b><button type="button" className="x" aria-label={t('filter.drop')} onClick={() => void navigate({ search: (s) => ({ ...s, person: undefined }) })}><IconX className="s" /></button></span>
          )}
        </div>
      )}
      <div className={`ld${selected ? '' : ' solo'}`}>
        <div className="card scroll">
          <DataTable
            tools={{ name: 'messages' }} label={t('messages.title')}
            rows={rows}
            columns={columns}
            rowId={(m) => m.id}
            rowHeight={44}
            rowTestId="message-row"
            selected={search.sel ?? null}
            onSelect={select}
            onOpen={(m) => void navigate({ to: '/customers/$id', params: { id: m.person_id }, search: { kind: 'messages' } })}
            error={list.error}
            retry={() => void list.refetch()}
            more={{ has: list.hasNextPage, busy: list.isFetchingNextPage, fetch: () => void list.fetchNextPage() }}
            empty={
              status || search.rule || search.person ? (
                <EmptyState title={t('messages.none')} action={<Link to="/messages" search={{}}>{t('filter.clear')}</Link>}>{t('messages.noneText')}</EmptyState>
              ) : (
                <EmptyState title={t('messages.emptyTitle')} action={<Link to="/rules" search={{ create: true }}>{t('action.newRule')}</Link>}>{t('messages.emptyText')}</EmptyState>
              )
            }
          />
        </div>
        {selected && <Detail key={selected.id} message={selected} close={() => select(null)} />}
      </div>
    </div>
  );
}

function Detail({ message: m, close }: { message: Message; close: () => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const settle = useMutation({
    mutationFn: (as: 'sent' | 'refused') => must(api.POST('/api/v1/messages/{id}/settle', { params: { path: { id: m.id } }, body: { as } })),
    onSuccess: (_r, as) => {
      void client.invalidateQueries({ queryKey: ['messages'] });
      void client.invalidateQueries({ queryKey: ['rules'] });
      void client.invalidateQueries({ queryKey: ['home'] });
      say(as === 'sent' ? t('messages.settledSent') : t('messages.settledRefused'));
    },
  });
  return (
    <aside className="card detail" aria-label={m.subject ?? t('col.message')}>
      <div className="row"><h2 className="sp">{m.subject || m.template_name || t('col.message')}</h2><StatusBadge status={m.status} /><ActionIcon aria-label={t('close')} onClick={close}><IconX /></ActionIcon></div>
      {m.status === 'unknown' && (
        <div className="col g8">
          <p>{t('messages.unknownText')}</p>
          <div className="row wrap-row">
            <ActButton right="messages:write" loading={settle.isPending} onClick={() => settle.mutate('sent')}>{t('messages.asSent')}</ActButton>
            <ActButton right="messages:write" variant="default" loading={settle.isPending} onClick={() => settle.mutate('refused')}>{t('messages.asRefused')}</ActButton>
          </div>
          {settle.error && <ErrorNote error={settle.error} />}
        </div>
      )}
      <dl className="kv">
        <dt>{t('messages.to')}</dt><dd className="el" title={m.address ?? ''}>{m.address ?? f.NONE}</dd>
        <dt>{t('field.channel')}</dt><dd>{channelName(m.channel)}</dd>
        <dt>{t('filter.rule')}</dt><dd className="el">{m.rule_id ? <Link to="/rules" search={{ sel: m.rule_id }}>{m.rule_name ?? t('rule.unnamed')}</Link> : f.NONE}</dd>
        <dt>{t('messages.intended')}</dt><dd title={f.exact(m.intended_at)}>{f.ago(m.intended_at)}</dd>
        <dt>{t('messages.settled')}</dt><dd>{m.settled_at ? <span title={f.exact(m.settled_at)}>{f.ago(m.settled_at)}</span> : f.NONE}</dd>
        <dt>{t('messages.attempts')}</dt><dd>{f.number(m.attempts)}</dd>
      </dl>
      <div className="sepr">
        <h3>{m.status === 'stopped' ? t('why.notSent') : t('messages.gates')}</h3>
        <ul>
          {m.why.map((g, i) => (
            <li key={i} className="row" style={{ alignItems: 'flex-start', padding: '4px 0' }}>
              {g.passed ? <IconCheck className="good-text s" aria-label={t('why.passed')} style={{ marginTop: 3 }} /> : <IconX className="bad-text s" aria-label={t('why.stopped')} style={{ marginTop: 3 }} />}
              <div className="col sp"><span>{gateText(g.gate)}</span><span className="t12 m2">{g.detail}</span></div>
            </li>
          ))}
        </ul>
      </div>
      <Link to="/customers/$id" params={{ id: m.person_id }} search={{}} className="chip" style={{ justifyContent: 'center', height: 32 }}><b>{t('messages.openPerson')}</b></Link>
    </aside>
  );
}
