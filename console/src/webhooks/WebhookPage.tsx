// Decision served: what was this system told, what did it not hear, and shall it be told again?
import { ActionIcon, Button, Modal, Select, Switch } from '@mantine/core';
import { keepPreviousData, useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { type ReactNode, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import { ActButton } from '../session/Guarded';
import { Badge, EmptyState, ErrorNote, None, NumberStrip, PageHeader, Skeleton, When } from '../ui/base';
import { type Column, DataTable } from '../ui/DataTable';
import * as f from '../ui/format';
import { IconPlayerPause, IconPlayerPlay, IconRefresh, IconX } from '../ui/icons';
import { Json } from '../ui/Json';
import { useTitle } from '../ui/Shell';
import { say, sayError } from '../ui/toast';
import { DeliveryBadge, Form, LastAnswer, SecretOnce, Spark, StateBadge, useStateName } from './parts';
import { type Delivery, type DeliveryState, type Webhook, webhookQuery } from './query';

const route = getRouteApi('/webhooks/$id');
const STATES: DeliveryState[] = ['pending', 'delivering', 'failed', 'delivered', 'dead'];

export default function WebhookPage() {
  const { t } = useTranslation();
  const { id } = route.useParams();
  const webhook = useQuery(webhookQuery(id));
  const w = webhook.data;
  useTitle(w?.name ?? t('nav.webhooks'));
  if (!w) return <div className="page">{webhook.error ? <ErrorNote error={webhook.error} retry={() => void webhook.refetch()} /> : <Skeleton rows={6} />}</div>;
  return (
    <div className="page fill">
      <Head webhook={w} />
      <Deliveries id={w.id} />
    </div>
  );
}

function Head({ webhook: w }: { webhook: Webhook }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const navigate = useNavigate();
  const path = { params: { path: { id: w.id } } };
  const [open, setOpen] = useState<'edit' | 'rotate' | 'replay' | 'remove' | null>(null);
  const [secret, setSecret] = useState<{ secret: string; until?: string | null } | null>(null);
  const fresh = () => void client.invalidateQueries({ queryKey: ['webhooks'] });
  const act = { onError: sayError, onSettled: fresh };
  const test = useMutation({ ...act, mutationFn: () => must(api.POST('/api/v1/webhooks/{id}/test', path)), onSuccess: () => say(t('webhook.testSent')) });
  const state = useMutation({ ...act, mutationFn: (s: 'active' | 'paused') => must(api.POST('/api/v1/webhooks/{id}/state', { ...path, body: { state: s } })) });
  const remove = useMutation({ ...act, mutationFn: () => must(api.DELETE('/api/v1/webhooks/{id}', path)), onSuccess: () => { say(t('webhook.removed', { name: w.name })); void navigate({ to: '/webhooks' }); } });
  const reasons: Record<string, string> = { gone: t('webhook.whyGone'), failing: t('webhook.whyFailing'), overflow: t('webhook.whyOverflow') };
  const running = w.state === 'active';
  return (
    <>
      <PageHeader
        title={w.name}
        titleTestId="webhook-name"
        badge={<StateBadge webhook={w} />}
        actions={
          <div className="row g8 wrap-row">
            <ActButton right="settings:write" variant="default" loading={test.isPending} onClick={() => test.mutate()} data-testid="webhook-test">{t('webhook.test')}</ActButton>
            <ActButton right="settings:write" variant="default" leftSection={running ? <IconPlayerPause className="s" /> : <IconPlayerPlay className="s" />} onClick={() => state.mutate(running ? 'paused' : 'active')} data-testid="webhook-state">{running ? t('webhook.pause') : t('webhook.resume')}</ActButton>
            <ActButton right="settings:write" variant="default" leftSection={<IconRefresh className="s" />} onClick={() => setOpen('replay')} data-testid="webhook-replay">{t('webhook.replay')}</ActButton>
            <ActButton right="settings:write" variant="default" onClick={() => setOpen('rotate')} data-testid="webhook-rotate">{t('webhook.rotate')}</ActButton>
            <ActButton right="settings:write" variant="default" onClick={() => setOpen('edit')}>{t('webhook.edit')}</ActButton>
            <ActButton right="settings:write" variant="subtle" onClick={() => setOpen('remove')}>{t('webhook.remove')}</ActButton>
          </div>
        }
      />
      <div className="row g8 wrap-row"><span className="mono el">{w.url}</span>{w.types.map((x) => <Badge key={x}>{x}</Badge>)}</div>
      {w.state === 'disabled' && <div className="notice bad" role="status" data-testid="webhook-disabled"><div className="col sp"><span className="b">{reasons[w.reason ?? ''] ?? t('webhook.disabled')}</span><span className="t12 m2">{t('webhook.disabledText')}</span></div></div>}
      {w.state === 'active' && w.failing_since && <div className="notice warn" role="status"><div className="col sp"><span className="b">{t('webhook.failingSince', { when: f.exact(w.failing_since) })}</span><span className="t12 m2">{w.blocked_until ? t('webhook.nextAsk', { when: f.exact(w.blocked_until) }) : t('webhook.failingText')}</span></div></div>}
      {secret && <div className="card" style={{ flex: 'none' }}><div className="body"><SecretOnce {...secret} /></div></div>}
      <NumberStrip
        label={w.name}
        calm
        items={[
          { label: t('webhook.waiting'), value: f.number(w.waiting), note: w.oldest_s ? t('webhook.oldest', { time: f.brief(Date.now() - w.oldest_s * 1000) }) : undefined, tone: w.waiting > 1000 ? 'warn' : undefined },
          { label: t('webhook.latelyHead'), value: <Spark lately={w.lately} /> },
          { label: t('webhook.lastAnswer'), value: <LastAnswer status={w.last_status} error={w.last_error} />, note: w.last_at ? f.ago(w.last_at) : undefined },
        ]}
      />
      {open === 'edit' && <Form webhook={w} close={() => setOpen(null)} done={() => setOpen(null)} />}
      {open === 'rotate' && <Rotate id={w.id} close={() => setOpen(null)} done={(s) => { setOpen(null); setSecret(s); fresh(); }} />}
      {open === 'replay' && <Replay id={w.id} close={() => setOpen(null)} />}
      {open === 'remove' && (
        <Ask title={t('webhook.removeTitle', { name: w.name })} close={() => setOpen(null)}>
          <p className="m2">{t('webhook.removeText')}</p>
          <div className="form-actions"><Button variant="default" className="danger" loading={remove.isPending} onClick={() => remove.mutate()}>{t('webhook.removeDo')}</Button><Button variant="subtle" onClick={() => setOpen(null)}>{t('cancel')}</Button></div>
        </Ask>
      )}
    </>
  );
}

function Ask({ title, close, children }: { title: string; close: () => void; children: ReactNode }) {
  const { t } = useTranslation();
  return <Modal opened onClose={close} title={title} size={480} closeButtonProps={{ 'aria-label': t('close') }}><div className="fields">{children}</div></Modal>;
}

function Rotate({ id, close, done }: { id: string; close: () => void; done: (s: { secret: string; until?: string | null }) => void }) {
  const { t } = useTranslation();
  const [hours, setHours] = useState<string | null>('24');
  const rotate = useMutation({
    mutationFn: () => must(api.POST('/api/v1/webhooks/{id}/rotate', { params: { path: { id } }, body: { grace_hours: Number(hours) } })),
    onSuccess: (r) => done({ secret: r.secret ?? '', until: r.old_secret_until }),
  });
  return (
    <Ask title={t('webhook.rotate')} close={close}>
      <p className="m2">{t('webhook.rotateText')}</p>
      <Select label={t('webhook.grace')} value={hours} onChange={setHours} allowDeselect={false} data={[{ value: '0', label: t('webhook.graceNone') }, { value: '24', label: t('webhook.graceDay') }, { value: '168', label: t('webhook.graceWeek') }]} />
      {rotate.error && <ErrorNote error={rotate.error} />}
      <div className="form-actions"><Button variant="default" loading={rotate.isPending} onClick={() => rotate.mutate()} data-testid="webhook-rotate-do">{t('webhook.rotateDo')}</Button><Button variant="subtle" onClick={close}>{t('cancel')}</Button></div>
    </Ask>
  );
}

function Replay({ id, close }: { id: string; close: () => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [hours, setHours] = useState<string | null>('24');
  const [delivered, setDelivered] = useState(false);
  const replay = useMutation({
    mutationFn: () => must(api.POST('/api/v1/webhooks/{id}/replay', { params: { path: { id } }, body: { since: new Date(Date.now() - Number(hours) * 3_600_000).toISOString(), delivered } })),
    onSuccess: (r) => {
      say(t('webhook.replayed', { count: r.deliveries, n: f.number(r.deliveries) }));
      void client.invalidateQueries({ queryKey: ['webhooks'] });
      close();
    },
  });
  return (
    <Ask title={t('webhook.replay')} close={close}>
      <p className="m2">{t('webhook.replayText')}</p>
      <Select label={t('webhook.replaySince')} value={hours} onChange={setHours} allowDeselect={false} data={[{ value: '1', label: t('webhook.hour') }, { value: '24', label: t('webhook.day') }, { value: '168', label: t('webhook.week') }, { value: '720', label: t('webhook.month') }]} />
      <Switch label={t('webhook.replayDelivered')} description={t('webhook.replayDeliveredHelp')} checked={delivered} onChange={(e) => setDelivered(e.currentTarget.checked)} />
      {replay.error && <ErrorNote error={replay.error} />}
      <div className="form-actions"><Button variant="default" loading={replay.isPending} onClick={() => replay.mutate()} data-testid="webhook-replay-do">{t('webhook.replayDo')}</Button><Button variant="subtle" onClick={close}>{t('cancel')}</Button></div>
    </Ask>
  );
}

function Deliveries({ id }: { id: string }) {
  const { t } = useTranslation();
  const name = useStateName();
  const { sel, state } = route.useSearch();
  const navigate = useNavigate({ from: '/webhooks/$id' });
  const beside = Boolean(sel);
  const wanted = STATES.find((s) => s === state);
  const list = useInfiniteQuery({
    queryKey: ['webhooks', id, 'deliveries', wanted],
    placeholderData: keepPreviousData,
    queryFn: ({ pageParam }) => must(api.GET('/api/v1/webhooks/{id}/deliveries', { params: { path: { id }, query: { state: wanted, limit: 100, cursor: pageParam ?? undefined } } })),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next_cursor ?? null,
    refetchInterval: 5_000,
  });
  const rows = useMemo(() => list.data?.pages.flatMap((p) => p.items), [list.data]);
  const columns = useMemo<Column<Delivery>[]>(
    () => [
      { id: 'when', header: t('col.when'), meta: { width: 140 }, cell: ({ row: { original: d } }) => <When at={d.created_at} className="m2" /> },
      { id: 'type', header: t('delivery.type'), cell: ({ row: { original: d } }) => <span className="mono">{d.type}</span> },
      { id: 'state', header: t('col.state'), meta: { width: 130 }, cell: ({ row: { original: d } }) => <DeliveryBadge state={d.state} /> },
      { id: 'answer', header: t('webhook.lastAnswer'), meta: { width: 140 }, cell: ({ row: { original: d } }) => <LastAnswer status={d.last_status} error={d.last_error} /> },
      ...(beside ? [] : [{ id: 'attempts', header: t('delivery.attempts'), meta: { width: 90, right: true }, cell: ({ row: { original: d } }: { row: { original: Delivery } }) => f.number(d.attempts) },
      { id: 'next', header: t('delivery.next'), meta: { width: 150, right: true }, cell: ({ row: { original: d } }: { row: { original: Delivery } }) => (d.next_at ? <time dateTime={d.next_at} title={f.exact(d.next_at)} className="m2">{f.brief(d.next_at)}</time> : <None />) }]),
    ],
    [t, beside],
  );
  return (
    <>
      <div className="row wrap-row" role="search" aria-label={t('delivery.title')}>
        <h2 className="sp">{t('delivery.title')}</h2>
        <Select aria-label={t('col.state')} value={wanted ?? ''} onChange={(v) => void navigate({ search: { state: v || undefined }, replace: true })} allowDeselect={false} data={[{ value: '', label: t('all') }, ...STATES.map((s) => ({ value: s, label: name(s) }))]} data-testid="delivery-state" />
      </div>
      <div className={`ld${sel ? '' : ' solo'}`} style={sel ? { gridTemplateColumns: 'minmax(0,1fr) 480px' } : undefined}>
        <div className="card scroll">
          <DataTable label={t('delivery.title')} rows={rows} columns={columns} rowId={(d) => d.id} rowTestId="delivery-row" selected={sel ?? null} onSelect={(d) => void navigate({ search: { state: wanted, sel: d ?? undefined }, replace: true })} error={list.error} retry={() => void list.refetch()} more={{ has: list.hasNextPage, busy: list.isFetchingNextPage, fetch: () => void list.fetchNextPage() }} empty={<EmptyState title={t('delivery.emptyTitle')}>{t('delivery.emptyText')}</EmptyState>} />
        </div>
        {sel && <Detail key={sel} id={sel} close={() => void navigate({ search: { state: wanted } })} />}
      </div>
    </>
  );
}

function Detail({ id, close }: { id: string; close: () => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const path = { params: { path: { id } } };
  const delivery = useQuery({ queryKey: ['webhooks', 'delivery', id], queryFn: () => must(api.GET('/api/v1/webhook-deliveries/{id}', path)), refetchInterval: 5_000 });
  const replay = useMutation({ mutationFn: () => must(api.POST('/api/v1/webhook-deliveries/{id}/replay', path)), onSuccess: () => say(t('delivery.again')), onError: sayError, onSettled: () => void client.invalidateQueries({ queryKey: ['webhooks'] }) });
  const d = delivery.data;
  return (
    <aside className="card detail" aria-label={d?.type ?? t('delivery.title')} data-testid="delivery-detail">
      <div className="row"><h2 className="sp el mono">{d?.type ?? '…'}</h2>{d && <DeliveryBadge state={d.state} />}<ActionIcon aria-label={t('close')} onClick={close}><IconX /></ActionIcon></div>
      {!d && (delivery.error ? <ErrorNote error={delivery.error} retry={() => void delivery.refetch()} /> : <Skeleton rows={4} />)}
      {d && (
        <>
          <dl className="kv">
            <dt>webhook-id</dt><dd className="mono wrap">{d.message_id}</dd>
            <dt>{t('col.when')}</dt><dd>{f.exact(d.timestamp)}</dd>
            <dt>{t('delivery.next')}</dt><dd>{d.next_at ? f.exact(d.next_at) : <None />}</dd>
          </dl>
          <div className="form-actions"><ActButton right="settings:write" variant="default" leftSection={<IconRefresh className="s" />} loading={replay.isPending} onClick={() => replay.mutate()} data-testid="delivery-replay">{t('delivery.replay')}</ActButton></div>
          <h3>{t('delivery.attempts')}</h3>
          {d.attempt_log.length === 0 && <p className="m">{t('delivery.noAttempts')}</p>}
          <ol className="col g8" style={{ listStyle: 'none', padding: 0, margin: 0 }}>
            {d.attempt_log.map((a) => (
              <li key={a.attempt} className="col g4" data-testid="delivery-attempt">
                <span className="row g8"><span className="m">{f.number(a.attempt)}</span><LastAnswer status={a.status} error={a.error} /><span className="sp" /><span className="m2">{f.number(a.duration_ms)} ms</span><When at={a.at} className="m2" /></span>
                {a.answer && <code className="mono wrap t12 m2">{a.answer}</code>}
              </li>
            ))}
          </ol>
          <h3>{t('delivery.payload')}</h3>
          {d.payload ? <Json value={d.payload} label={t('delivery.payload')} /> : <p className="m">{t('delivery.erasedText')}</p>}
        </>
      )}
    </aside>
  );
}
