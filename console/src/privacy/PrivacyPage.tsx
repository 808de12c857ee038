// Decision served: whom do we owe an answer, by when, and on what ground do we keep what we keep?
import { ActionIcon, Button, Modal, Select, Textarea, TextInput } from '@mantine/core';
import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import i18next from 'i18next';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import type { components } from '../api/schema';
import { ActButton } from '../session/Guarded';
import { Badge, EmptyState, ErrorNote, PageHeader, When } from '../ui/base';
import { type Column, DataTable } from '../ui/DataTable';
import * as f from '../ui/format';
import { IconPlus, IconX } from '../ui/icons';
import { useTitle } from '../ui/Shell';
import { say } from '../ui/toast';
import { Register, Wordings } from './Register';
import { Retention } from './Retention';

type Request = components['schemas']['PrivacyRequest'];
type State = components['schemas']['RequestState'];
type Kind = components['schemas']['RequestKind'];
const KINDS: Kind[] = ['access', 'erasure', 'rectification', 'objection'];
const NEXT: Partial<Record<State, State>> = { received: 'verified', verified: 'running', running: 'done' };
const tone: Record<State, 'good' | 'warn' | 'bad' | 'info' | undefined> = { received: undefined, verified: 'info', running: 'info', done: 'good', refused: 'bad' };
const route = getRouteApi('/privacy');

function useWords() {
  const { t } = useTranslation();
  return {
    kind: { access: t('privacy.kind.access'), erasure: t('privacy.kind.erasure'), rectification: t('privacy.kind.rectification'), objection: t('privacy.kind.objection') } satisfies Record<Kind, string>,
    state: { received: t('privacy.state.received'), verified: t('privacy.state.verified'), running: t('privacy.state.running'), done: t('privacy.state.done'), refused: t('privacy.state.refused') } satisfies Record<State, string>,
    step: { verified: t('privacy.step.verified'), running: t('privacy.step.running'), done: t('privacy.step.done') } as Partial<Record<State, string>>,
  };
}

export default function PrivacyPage() {
  const { t } = useTranslation();
  useTitle(t('nav.privacy'));
  const words = useWords();
  const search = route.useSearch();
  const navigate = useNavigate({ from: '/privacy' });
  const [adding, setAdding] = useState(false);
  const requests = useInfiniteQuery({
    queryKey: ['privacy-requests'],
    queryFn: ({ pageParam }) => must(api.GET('/api/v1/privacy/requests', { params: { query: { limit: 50, cursor: pageParam ?? undefined } } })),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next_cursor ?? null,
    // What runs by itself, an erasure or a file that is being handed over, shows its end without a touch.
    refetchInterval: (q) => (q.state.data?.pages.some((p) => p.items.some((r) => r.state === 'running' && (r.erasure_job_id || (r.kind === 'access' && !r.export)))) ? 3_000 : false),
  });
  const rows = useMemo(() => requests.data?.pages.flatMap((p) => p.items), [requests.data]);
  const selected = rows?.find((r) => r.id === search.sel);
  const columns = useMemo<Column<Request>[]>(
    () => [
      { id: 'who', header: t('privacy.who'), meta: { width: '30%' }, cell: ({ row: { original: r } }) => <span className="b">{r.who}</span> },
      { id: 'kind', header: t('privacy.kind'), cell: ({ row: { original: r } }) => words.kind[r.kind] },
      { id: 'state', header: t('col.state'), meta: { width: 130 }, cell: ({ row: { original: r } }) => <Badge tone={tone[r.state]}>{words.state[r.state]}</Badge> },
      { id: 'came', header: t('privacy.received'), meta: { width: 120 }, cell: ({ row: { original: r } }) => <When at={r.received_at} className="m2" /> },
      { id: 'due', header: t('privacy.due'), meta: { right: true, width: 200 }, cell: ({ row: { original: r } }) => (NEXT[r.state] ? <span className={r.overdue ? 'bad-text b' : ''}>{r.overdue ? t('privacy.late', { date: f.date(r.due_at) }) : f.date(r.due_at)}</span> : <span className="m">{f.date(r.due_at)}</span>) },
    ],
    [t, words],
  );
  return (
    <div className="page">
      <PageHeader title={t('nav.privacy')} note={t('privacy.lead')} actions={<ActButton right="privacy:write" leftSection={<IconPlus />} onClick={() => setAdding(true)}>{t('privacy.add')}</ActButton>} />
      <div className={`ld${selected ? '' : ' solo'}`} style={{ flex: 'none' }}>
        <div className="card scroll">
          <header><h2>{t('privacy.requests')}</h2></header>
          <DataTable
            label={t('privacy.requests')}
            rows={rows}
            columns={columns}
            rowId={(r) => r.id}
            rowTestId="privacy-request"
            selected={search.sel ?? null}
            onSelect={(id) => void navigate({ search: { sel: id ?? undefined }, replace: true })}
            error={requests.error}
            retry={() => void requests.refetch()}
            more={{ has: requests.hasNextPage, busy: requests.isFetchingNextPage, fetch: () => void requests.fetchNextPage() }}
            empty={<EmptyState title={t('privacy.empty')}>{t('privacy.emptyText')}</EmptyState>}
            maxHeight="48vh"
          />
        </div>
        {selected && <Detail key={`${selected.id}${selected.version}`} request={selected} close={() => void navigate({ search: {} })} />}
      </div>
      <Register />
      <Retention />
      <Wordings />
      <Modal opened={adding} onClose={() => setAdding(false)} title={t('privacy.add')} size={480} closeButtonProps={{ 'aria-label': t('close') }}>
        <Add close={() => setAdding(false)} />
      </Modal>
    </div>
  );
}

function Detail({ request: r, close }: { request: Request; close: () => void }) {
  const { t } = useTranslation();
  const words = useWords();
  const client = useQueryClient();
  const [refusing, setRefusing] = useState(false);
  const [reason, setReason] = useState('');
  const move = useMutation({
    mutationFn: (state: State) => must(api.PUT('/api/v1/privacy/requests/{id}', { params: { path: { id: r.id } }, body: state === 'refused' ? { state, reason: reason.trim() } : { state } })),
    onSuccess: (after) => {
      for (const k of ['privacy-requests', 'privacy-register']) void client.invalidateQueries({ queryKey: [k] });
      say(t('privacy.moved', { state: words.state[after.state] }));
    },
  });
  const [erasing, setErasing] = useState(false);
  const refresh = () => { for (const k of ['privacy-requests', 'privacy-register', 'home']) void client.invalidateQueries({ queryKey: [k] }); };
  const erase = useMutation({
    mutationFn: () => must(api.POST('/api/v1/privacy/requests/{id}/erasure', { params: { path: { id: r.id } }, body: undefined as never })),
    onSuccess: () => {
      refresh();
      say(t('privacy.erasureBegun'));
    },
  });
  const opened = r.state === 'verified' || r.state === 'running';
  const mayErase = r.kind === 'erasure' && opened && r.person_id && !r.erasure_job_id;
  // An erasure ends by itself, and so does its request.
  const next = r.kind === 'erasure' && opened && r.person_id ? undefined : NEXT[r.state];
  return (
    <aside className="card detail" aria-label={r.who} data-testid="privacy-detail">
      <div className="row"><h2 className="sp el">{r.who}</h2><ActionIcon aria-label={t('close')} onClick={close}><IconX /></ActionIcon></div>
      <dl className="kv">
        <dt>{t('privacy.kind')}</dt><dd>{words.kind[r.kind]}</dd>
        <dt>{t('col.state')}</dt><dd>{words.state[r.state]}</dd>
        <dt>{t('privacy.contact')}</dt><dd className="wrap">{r.contact || f.NONE}</dd>
        <dt>{t('privacy.received')}</dt><dd>{f.date(r.received_at)}</dd>
        <dt>{t('privacy.due')}</dt><dd className={r.overdue ? 'bad-text' : ''}>{r.overdue ? t('privacy.late', { date: f.date(r.due_at) }) : f.date(r.due_at)}</dd>
      </dl>
      {r.note && <p className="m2 wrap">{r.note}</p>}
      {r.reason && <p className="m2 wrap">{t('privacy.refusedFor', { reason: r.reason })}</p>}
      {r.person_id ? <Link to="/customers/$id" params={{ id: r.person_id }} search={{}}>{t('privacy.customer')}</Link> : <span className="m">{t('privacy.noCustomer')}</span>}
      {r.result && (
        <div className="col g4">
          <span className="b">{t('privacy.handOver')}</span>
          <span className="row g12"><a href={`${r.result}&language=${i18next.language}`} download onClick={() => { setTimeout(refresh, 2_000); setTimeout(refresh, 8_000); }} data-testid="privacy-export">{t('privacy.resultHtml')}</a><a href={r.result.replace('format=html', 'format=json')} download onClick={() => setTimeout(refresh, 2_000)}>{t('privacy.resultJson')}</a></span>
        </div>
      )}
      {r.export && <p className="t12 m2 wrap" data-testid="privacy-handed">{t('privacy.handed', { date: f.date(r.export.at), format: r.export.format.toUpperCase(), n: f.number(r.export.events), count: r.export.events })}<br /><span className="mono" title={r.export.sha256}>SHA-256 {r.export.sha256.slice(0, 16)}…</span></p>}
      {r.erasure_job_id && <p className="m2" data-testid="privacy-erasure">{r.state === 'done' ? t('privacy.erased', { n: r.erasure_job_id }) : t('privacy.erasureRuns', { n: r.erasure_job_id })} <Link to="/jobs" search={{ sel: r.erasure_job_id }}>{t('nav.jobs')}</Link></p>}
      {(move.error ?? erase.error) && <ErrorNote error={move.error ?? erase.error} />}
      {mayErase && (erasing ? (
        <div className="col g8">
          <p className="wrap">{t('privacy.eraseSure', { contact: r.contact || f.NONE })}</p>
          <div className="form-actions"><ActButton right="privacy:write" variant="default" className="danger" loading={erase.isPending} onClick={() => erase.mutate()} data-testid="privacy-erase-sure">{t('privacy.eraseDo')}</ActButton><Button variant="subtle" onClick={() => setErasing(false)}>{t('cancel')}</Button></div>
        </div>
      ) : <ActButton right="privacy:write" variant="default" className="danger" onClick={() => setErasing(true)} data-testid="privacy-erase">{t('privacy.erase')}</ActButton>)}
      {(next ?? mayErase) && !erasing && (refusing ? (
        <form className="fields" onSubmit={(e) => { e.preventDefault(); move.mutate('refused'); }}>
          <Textarea data-autofocus label={t('privacy.refuseWhy')} autosize minRows={2} value={reason} onChange={(e) => setReason(e.currentTarget.value)} />
          <div className="form-actions"><Button type="submit" variant="default" className="danger" disabled={!reason.trim()} loading={move.isPending}>{t('privacy.refuse')}</Button><Button variant="subtle" onClick={() => setRefusing(false)}>{t('cancel')}</Button></div>
        </form>
      ) : (
        <div className="form-actions wrap-row" style={{ flexWrap: 'wrap' }}>
          {next && <ActButton right="privacy:write" variant="default" loading={move.isPending} onClick={() => move.mutate(next)} data-testid="privacy-advance">{words.step[next]}</ActButton>}
          <ActButton right="privacy:write" variant="subtle" onClick={() => setRefusing(true)}>{t('privacy.refuse')}</ActButton>
        </div>
      ))}
    </aside>
  );
}

function Add({ close }: { close: () => void }) {
  const { t } = useTranslation();
  const words = useWords();
  const client = useQueryClient();
  const [kind, setKind] = useState<Kind>('access');
  const [who, setWho] = useState('');
  const [contact, setContact] = useState('');
  const [note, setNote] = useState('');
  const add = useMutation({
    mutationFn: () => must(api.POST('/api/v1/privacy/requests', { body: { kind, who: who.trim(), contact: contact.trim(), note: note.trim() || null } })),
    onSuccess: (r) => {
      close();
      for (const k of ['privacy-requests', 'privacy-register']) void client.invalidateQueries({ queryKey: [k] });
      say(t('privacy.added', { date: f.date(r.due_at) }));
    },
  });
  return (
    <form className="fields" onSubmit={(e) => { e.preventDefault(); add.mutate(); }}>
      <Select label={t('privacy.kind')} value={kind} onChange={(v) => v && setKind(v as Kind)} data={KINDS.map((k) => ({ value: k, label: words.kind[k] }))} />
      <TextInput data-autofocus label={t('privacy.who')} value={who} onChange={(e) => setWho(e.currentTarget.value)} />
      <TextInput label={t('privacy.contact')} description={t('privacy.contactHelp')} inputWrapperOrder={['label', 'input', 'description', 'error']} value={contact} onChange={(e) => setContact(e.currentTarget.value)} />
      <Textarea label={t('privacy.note')} autosize minRows={2} value={note} onChange={(e) => setNote(e.currentTarget.value)} />
      {add.error && <ErrorNote error={add.error} kept={t('error.formKept')} />}
      <div className="form-actions"><Button type="submit" loading={add.isPending} disabled={!who.trim() || !contact.trim()}>{t('privacy.addDo')}</Button><Button variant="subtle" onClick={close}>{t('cancel')}</Button></div>
    </form>
  );
}
