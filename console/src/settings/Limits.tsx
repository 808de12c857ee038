// Decision served: whom do we never write to, and at which hours do we keep silent?
import { Button, Modal, MultiSelect, Textarea, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { keepPreviousData, useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { TFunction } from 'i18next';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import type { components } from '../api/schema';
import { channelName } from '../customers/timeline';
import { ActButton, ActLink } from '../session/Guarded';
import { useMay } from '../session/session';
import { EmptyState, ErrorNote, PageHeader, Panel, When } from '../ui/base';
import { type Column, DataTable } from '../ui/DataTable';
import * as f from '../ui/format';
import { IconPlus } from '../ui/icons';
import { useTitle } from '../ui/Shell';
import type { PasteSpec } from '../ui/tables/PasteRows';
import { say, sayError } from '../ui/toast';

type Suppression = components['schemas']['Suppression'];
type Report = components['schemas']['SuppressionReport'];

export function Limits() {
  const { t } = useTranslation();
  useTitle(t('settings.limits'));
  return (
    <>
      <PageHeader title={t('settings.limits')} note={t('limits.lead')} />
      <Quiet />
      <Suppressed />
      <p className="t12 m2">{t('limits.elsewhere')} <Link to="/rules" search={{}}>{t('caps.title')}</Link> · <Link to="/identity" search={{ tab: 'values' }}>{t('identity.tab.values')}</Link></p>
    </>
  );
}

function Quiet() {
  const { t } = useTranslation();
  const quiet = useQuery({ queryKey: ['quiet-hours'], queryFn: () => must(api.GET('/api/v1/quiet-hours')) });
  return (
    <Panel title={t('limits.quiet')} query={quiet} testId="quiet-hours">
      {(x) => <QuietForm key={x.hours ?? ''} hours={x.hours ?? null} />}
    </Panel>
  );
}

function QuietForm({ hours }: { hours: string | null }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const may = useMay('messages:write');
  const [from, setFrom] = useState(hours?.split('-')[0] ?? '21:00');
  const [to, setTo] = useState(hours?.split('-')[1] ?? '09:00');
  const put = useMutation({
    mutationFn: (next: string | null) => must(api.PUT('/api/v1/quiet-hours', { body: { hours: next } })),
    onSuccess: (after) => {
      client.setQueryData(['quiet-hours'], after);
      say(after.hours ? t('limits.quietSaved', { hours: after.hours }) : t('limits.quietOff'), () => put.mutate(hours));
    },
    onError: sayError,
  });
  return (
    <form className="body col g12" onSubmit={(e) => { e.preventDefault(); put.mutate(`${from}-${to}`); }}>
      <p className="m2">{t('limits.quietText')}</p>
      <div className="row g12 wrap-row">
        <TextInput type="time" aria-label={t('limits.from')} value={from} w={120} disabled={!may} onChange={(e) => setFrom(e.currentTarget.value)} />
        <span className="m2">{t('limits.to')}</span>
        <TextInput type="time" aria-label={t('limits.until')} value={to} w={120} disabled={!may} onChange={(e) => setTo(e.currentTarget.value)} />
        <ActButton right="messages:write" type="submit" variant="default" loading={put.isPending} disabled={hours === `${from}-${to}`}>{t('save')}</ActButton>
        {hours ? <ActLink right="messages:write" onClick={() => put.mutate(null)}>{t('limits.allHours')}</ActLink> : <span className="m">{t('limits.noQuiet')}</span>}
      </div>
    </form>
  );
}

// Where an address is a telephone or an account, it is asked for as such.
const addressLabel = (t: TFunction, channel: string) => (channel === 'email' ? t('field.email') : ['sms', 'viber', 'whatsapp', 'call'].includes(channel) ? t('field.phone') : t('limits.account'));
const CHANNELS = ['email', 'sms', 'viber', 'whatsapp', 'telegram', 'instagram', 'facebook', 'call'];

function Suppressed() {
  const { t } = useTranslation();
  const [channel, setChannel] = useState('email');
  const client = useQueryClient();
  const [text, setText] = useState('');
  const [query] = useDebouncedValue(text.trim(), 250);
  const [open, setOpen] = useState<'add' | 'paste' | null>(null);
  const [lifting, setLifting] = useState<Suppression | null>(null);
  const all = useInfiniteQuery({
    queryKey: ['suppressions', channel, query],
    placeholderData: keepPreviousData,
    queryFn: ({ pageParam }) => must(api.GET('/api/v1/suppressions', { params: { query: { channel, query: query || undefined, limit: 100, cursor: pageParam ?? undefined } } })),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next_cursor ?? null,
  });
  const rows = useMemo(() => all.data?.pages.flatMap((p) => p.items), [all.data]);
  const refresh = () => void client.invalidateQueries({ queryKey: ['suppressions'] });
  const columns = useMemo<Column<Suppression>[]>(
    () => [
      { id: 'address', header: addressLabel(t, channel), meta: { width: '34%' }, cell: ({ row: { original: s } }) => (s.address ? <span className="b" title={s.address}>{s.address}</span> : <span className="m">{t('limits.hidden')}</span>) },
      { id: 'reason', header: t('col.reason'), cell: ({ row: { original: s } }) => <span className="m2" title={s.reason}>{s.reason}</span> },
      { id: 'who', header: t('audit.who'), meta: { width: '18%' }, cell: ({ row: { original: s } }) => s.actor ?? <span className="m">{t('limits.itself')}</span> },
      { id: 'when', header: t('col.when'), meta: { width: 120 }, cell: ({ row: { original: s } }) => <When at={s.at} className="m2" /> },
      { id: 'act', header: () => <span className="hidden-text">{t('limits.lift')}</span>, meta: { right: true, width: 150 }, cell: ({ row: { original: s } }) => (s.address ? <ActLink right="messages:write" onClick={() => setLifting(s)}>{t('limits.lift')}</ActLink> : null) },
    ],
    [t, channel],
  );
  const totals = all.data?.pages[0]?.totals ?? {};
  const may = useMay('messages:write');
  const paste: PasteSpec = {
    title: t('limits.paste'),
    help: t('limits.excelHelp', { channel: channelName(channel) }),
    required: ['address'],
    fields: [
      { id: 'address', name: addressLabel(t, channel), also: ['address', 'адреса', 'email', 'пошта', 'phone', 'телефон', 'номер', 'account', 'id'] },
      { id: 'reason', name: t('col.reason'), also: ['reason', 'причина', 'підстава'] },
    ],
    name: (r) => r.address ?? '',
    add: (r) => must(api.POST('/api/v1/suppressions', { body: { channel, address: r.address ?? '', reason: r.reason || t('limits.fromExcel') } })),
    undo: (r) => must(api.POST('/api/v1/suppressions/lift', { body: { channel, address: r.address ?? '', reason: t('limits.takenBack') } })),
    done: refresh,
  };
  return (
    <>
      <div className="card scroll">
        <header>
          <h2>{t('limits.suppressed')}</h2><span className="m2">{f.number(all.data?.pages[0]?.total ?? 0)}</span><span className="sp" />
          <ActLink right="messages:write" onClick={() => setOpen('paste')}>{t('limits.paste')}</ActLink>
          <ActLink right="messages:write" onClick={() => setOpen('add')}><IconPlus className="s" /> {t('limits.add')}</ActLink>
        </header>
        <div className="body row g8 wrap-row" role="group" aria-label={t('field.channel')}>{CHANNELS.map((c) => <button key={c} type="button" className={`chip${c === channel ? ' on' : ''}`} aria-pressed={c === channel} onClick={() => setChannel(c)} data-testid={`suppressed-${c}`}>{channelName(c)}{totals[c] ? <> <b>{f.number(totals[c])}</b></> : null}</button>)}</div>
        <div className="body row"><TextInput aria-label={t('limits.search')} placeholder={t('limits.search')} value={text} onChange={(e) => setText(e.currentTarget.value)} w={280} data-testid="suppression-search" /></div>
        <DataTable paste={may && open === null ? paste : null} label={t('limits.suppressed')} rows={rows} columns={columns} rowId={(s) => `${s.channel}:${s.address ?? s.at}`} rowTestId="suppression-row" error={all.error} retry={() => void all.refetch()} more={{ has: all.hasNextPage, busy: all.isFetchingNextPage, fetch: () => void all.fetchNextPage() }} empty={<EmptyState title={t('limits.empty')}>{t('limits.emptyText')}</EmptyState>} maxHeight="52vh" />
      </div>
      <Modal opened={open === 'add'} onClose={() => setOpen(null)} title={t('limits.add')} size={480} closeButtonProps={{ 'aria-label': t('close') }}>
        <AddOne channel={channel} done={() => { setOpen(null); refresh(); }} />
      </Modal>
      <Modal opened={open === 'paste'} onClose={() => setOpen(null)} title={t('limits.paste')} size={600} closeButtonProps={{ 'aria-label': t('close') }}>
        <Paste channel={channel} done={refresh} />
      </Modal>
      <Modal opened={lifting !== null} onClose={() => setLifting(null)} title={t('limits.lift')} size={480} closeButtonProps={{ 'aria-label': t('close') }}>
        {lifting && <Lift of={lifting} done={() => { setLifting(null); refresh(); }} />}
      </Modal>
    </>
  );
}

function AddOne({ channel, done }: { channel: string; done: () => void }) {
  const { t } = useTranslation();
  const [address, setAddress] = useState('');
  const [reason, setReason] = useState('');
  const add = useMutation({
    mutationFn: () => must(api.POST('/api/v1/suppressions', { body: { channel, address: address.trim(), reason: reason.trim() } })),
    onSuccess: () => { say(t('limits.added', { n: 1, count: 1 })); done(); },
  });
  return (
    <form className="fields" onSubmit={(e) => { e.preventDefault(); add.mutate(); }}>
      <TextInput data-autofocus label={`${addressLabel(t, channel)} (${channelName(channel)})`} value={address} onChange={(e) => setAddress(e.currentTarget.value)} />
      <TextInput label={t('col.reason')} value={reason} onChange={(e) => setReason(e.currentTarget.value)} />
      {add.error && <ErrorNote error={add.error} kept={t('error.formKept')} />}
      <div className="form-actions"><Button type="submit" loading={add.isPending} disabled={!address.trim() || !reason.trim()}>{t('limits.addDo')}</Button></div>
    </form>
  );
}

function Paste({ channel, done }: { channel: string; done: () => void }) {
  const { t } = useTranslation();
  const [list, setList] = useState('');
  const [reason, setReason] = useState('');
  const [channels, setChannels] = useState(['sms', 'viber', 'whatsapp', 'call'].includes(channel) ? ['sms', 'viber', 'whatsapp', 'call'] : [channel]);
  const [report, setReport] = useState<Report | null>(null);
  const add = useMutation({
    mutationFn: () => must(api.POST('/api/v1/suppressions/import', { body: { text: list, reason: reason.trim(), channels } })),
    onSuccess: (r) => { setReport(r); setList(''); done(); },
  });
  return (
    <form className="fields" onSubmit={(e) => { e.preventDefault(); add.mutate(); }}>
      <MultiSelect label={t('limits.channels')} description={t('limits.channelsHelp')} value={channels} data={CHANNELS.map((c) => ({ value: c, label: channelName(c) }))} onChange={setChannels} data-testid="paste-channels" />
      <Textarea data-autofocus label={t('limits.list')} description={t('limits.listHelp')} inputWrapperOrder={['label', 'input', 'description', 'error']} rows={8} value={list} onChange={(e) => setList(e.currentTarget.value)} />
      <TextInput label={t('limits.listReason')} value={reason} onChange={(e) => setReason(e.currentTarget.value)} />
      {report && (
        <div role="status" data-testid="suppression-report">
          <p className="b">{t('limits.report', { added: f.number(report.added), known: f.number(report.known), bad: f.number(report.bad_count) })}</p>
          {report.bad.length > 0 && <p className="t12 m2 wrap">{t('limits.badLines', { lines: report.bad.map((b) => b.line).join(', ') })}</p>}
        </div>
      )}
      {add.error && <ErrorNote error={add.error} kept={t('error.formKept')} />}
      <div className="form-actions"><Button type="submit" loading={add.isPending} disabled={!list.trim() || !reason.trim() || !channels.length}>{t('limits.pasteDo')}</Button></div>
    </form>
  );
}

function Lift({ of, done }: { of: Suppression; done: () => void }) {
  const { t } = useTranslation();
  const [reason, setReason] = useState('');
  const lift = useMutation({
    mutationFn: () => must(api.POST('/api/v1/suppressions/lift', { body: { channel: of.channel, address: of.address ?? '', reason: reason.trim() } })),
    onSuccess: () => { say(t('limits.lifted', { address: of.address ?? '' })); done(); },
  });
  return (
    <form className="fields" onSubmit={(e) => { e.preventDefault(); lift.mutate(); }}>
      <p className="m2 wrap">{t('limits.liftText', { address: of.address ?? '', reason: of.reason })}</p>
      <TextInput data-autofocus label={t('limits.liftWhy')} value={reason} onChange={(e) => setReason(e.currentTarget.value)} />
      {lift.error && <ErrorNote error={lift.error} kept={t('error.formKept')} />}
      <div className="form-actions"><Button type="submit" loading={lift.isPending} disabled={!reason.trim()}>{t('limits.liftDo')}</Button></div>
    </form>
  );
}
