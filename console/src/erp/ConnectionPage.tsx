// Decision served: did it all come over, what differs, who is right, and what do I do?
import { Select, Switch, TextInput } from '@mantine/core';
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import { ActButton } from '../session/Guarded';
import { useMay } from '../session/session';
import { Acts, Dialog } from '../stock/acts';
import { faultsOf } from '../stock/forms';
import { usePlaces } from '../stock/parts';
import { Badge, EmptyState, ErrorNote, PageHeader, Panel, Skeleton, When } from '../ui/base';
import * as f from '../ui/format';
import { useTitle } from '../ui/Shell';
import { say, sayError } from '../ui/toast';
import { type Connection, connectionQuery, connectionsQuery, type Difference, differencesQuery, ERP, type Exchange, exchangesQuery, journalQuery, listsQuery, type Mapping, mappingsQuery } from './query';
import { Secret } from './Secret';

const route = getRouteApi('/erp/$name');
const TABS = ['exchanges', 'journal', 'differences', 'mappings'] as const;

export default function ConnectionPage() {
  const { t } = useTranslation();
  const { name } = route.useParams();
  const search = route.useSearch();
  const tab = TABS.find((x) => x === search.tab) ?? 'exchanges';
  const query = useQuery(connectionQuery(name));
  const client = useQueryClient();
  const navigate = useNavigate();
  const [open, setOpen] = useState<'settings' | 'remove' | null>(null);
  const [secret, setSecret] = useState<Connection | null>(null);
  useTitle(name);
  const fresh = useMutation({
    mutationFn: () => must(api.PUT('/api/v1/erp/{connection}', { params: { path: { connection: name } }, body: { settings: query.data!.settings, new_password: true } })),
    onSuccess: (c) => { client.setQueryData(connectionQuery(name).queryKey, { ...c, password: null }); setSecret(c); },
    onError: sayError,
  });
  const check = useMutation({
    mutationFn: () => must(api.POST('/api/v1/erp/{connection}/reconciliations', { params: { path: { connection: name } }, body: { whole: false } })),
    onSuccess: (r) => { void client.invalidateQueries({ queryKey: ERP }); say(t('erp.compared', { n: f.number(r.items), d: f.number(r.differences) })); void navigate({ to: '/erp/$name', params: { name }, search: { tab: 'differences' } }); },
    onError: sayError,
  });
  const c = query.data;
  if (!c) return <div className="page">{query.error ? <ErrorNote error={query.error} retry={() => void query.refetch()} /> : <Skeleton rows={6} />}</div>;
  return (
    <div className="page">
      <PageHeader title={c.name} titleTestId="erp-title" badge={<Badge tone="info">{t(`erp.kind.${c.kind}`)}</Badge>} note={<span className="mono">{c.address}</span>} actions={
        <span className="row wrap-row">
          <ActButton right="settings:write" variant="subtle" onClick={() => setOpen('remove')} data-testid="erp-remove">{t('erp.remove')}</ActButton>
          {c.kind === 'commerceml' && <ActButton right="settings:write" variant="subtle" loading={fresh.isPending} onClick={() => fresh.mutate()} data-testid="erp-new-password">{t('erp.newPassword')}</ActButton>}
          <ActButton right="settings:write" variant="default" onClick={() => setOpen('settings')} data-testid="erp-settings">{t('erp.settings')}</ActButton>
          <ActButton right="settings:write" loading={check.isPending} onClick={() => check.mutate()} data-testid="erp-compare">{t('erp.compare')}</ActButton>
        </span>} />
      <nav className="tabs" aria-label={c.name}>{TABS.map((x) => <Link key={x} to="/erp/$name" params={{ name }} search={{ tab: x }} className={x === tab ? 'on' : ''} aria-current={x === tab ? 'page' : undefined} data-testid={`erp-tab-${x}`}>{t(`erp.tab.${x}`)}</Link>)}</nav>
      {tab === 'exchanges' && <Exchanges name={name} />}
      {tab === 'journal' && <Journal name={name} exchange={search.exchange} />}
      {tab === 'differences' && <Differences name={name} />}
      {tab === 'mappings' && <Mappings name={name} />}
      {open === 'settings' && <Settings of={c} close={() => setOpen(null)} />}
      {open === 'remove' && <Remove name={name} close={() => setOpen(null)} />}
      {secret && <Secret of={secret} close={() => setSecret(null)} />}
    </div>
  );
}

const More = ({ of }: { of: { hasNextPage: boolean; isFetchingNextPage: boolean; fetchNextPage: () => unknown } }) => {
  const { t } = useTranslation();
  return of.hasNextPage ? <div className="body"><button type="button" className="textlink" disabled={of.isFetchingNextPage} onClick={() => void of.fetchNextPage()}>{t('erp.older')}</button></div> : null;
};

function Exchanges({ name }: { name: string }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const list = useInfiniteQuery(exchangesQuery(name));
  const rows = list.data?.pages.flatMap((p) => p.items);
  const confirm = useMutation({
    mutationFn: (v: { id: string; archive: boolean }) => must(api.POST('/api/v1/erp/{connection}/exchanges/{id}/confirm', { params: { path: { connection: name, id: v.id } }, body: { archive: v.archive } })),
    onSuccess: (done, v) => { void client.invalidateQueries({ queryKey: ERP }); say(v.archive ? t('erp.archived', { n: f.number(done.archived) }) : t('erp.kept')); },
    onError: sayError,
  });
  const sum = (x: Exchange) => {
    const all: Record<string, number> = {};
    for (const file of x.files) for (const [k, n] of Object.entries(file.tally)) if (typeof n === 'number' && n) all[k] = (all[k] ?? 0) + n;
    return Object.entries(all).map(([k, n]) => `${t(`erp.tally.${k}`, { defaultValue: k })}: ${f.number(n)}`).join(' · ');
  };
  return (
    <Panel title={t('erp.tab.exchanges')} query={{ ...list, data: rows }} empty={(d) => d.length === 0} emptyText={<EmptyState title={t('erp.noExchanges')}>{t('erp.noExchangesText')}</EmptyState>}>
      {(d) => (
        <>
          <ul className="line-list body">
            {d.map((x) => (
              <li key={x.id} className="row wrap-row g12" style={{ padding: '10px 0' }} data-testid="exchange">
                <span className="col sp" style={{ minWidth: 240 }}>
                  <span className="row g8"><Link to="/erp/$name" params={{ name }} search={{ tab: 'journal', exchange: x.id }} className="plain b name">{t(`erp.way.${x.direction}`, { defaultValue: x.direction })}</Link>{x.whole && <span className="m2 t12">{t('erp.whole')}</span>}</span>
                  <span className="t12 m2 wrap">{sum(x) || t('erp.nothingYet')}</span>
                  {x.asked && <span className="t12 warn-text wrap">{t('erp.wouldArchive', { asked: x.asked.replace(' of ', ' / ') })}</span>}
                </span>
                {x.asked && <><ActButton right="settings:write" size="compact-sm" variant="default" onClick={() => confirm.mutate({ id: x.id, archive: false })} data-testid="erp-keep">{t('erp.keep')}</ActButton><ActButton right="settings:write" size="compact-sm" variant="default" onClick={() => confirm.mutate({ id: x.id, archive: true })} data-testid="erp-archive">{t('erp.archive')}</ActButton></>}
                <Badge tone={x.state === 'done' ? 'good' : x.state === 'failed' ? 'bad' : x.asked ? 'warn' : 'info'}>{t(`erp.state.${x.state}`, { defaultValue: x.state })}</Badge>
                <span className="t12 m2"><When at={x.heard_at} /></span>
              </li>
            ))}
          </ul>
          <More of={list} />
        </>
      )}
    </Panel>
  );
}

function Journal({ name, exchange }: { name: string; exchange?: string }) {
  const { t } = useTranslation();
  const list = useInfiniteQuery(journalQuery(name, exchange));
  const rows = list.data?.pages.flatMap((p) => p.items);
  return (
    <Panel title={exchange ? t('erp.journalOf', { id: exchange }) : t('erp.tab.journal')} query={{ ...list, data: rows }} right={exchange ? <Link to="/erp/$name" params={{ name }} search={{ tab: 'journal' }} className="t12">{t('erp.wholeJournal')}</Link> : undefined} empty={(d) => d.length === 0} emptyText={<EmptyState title={t('erp.noLines')}>{t('erp.noLinesText')}</EmptyState>}>
      {(d) => (
        <>
          <ul className="line-list body">
            {d.map((l) => (
              <li key={l.id} className="row wrap-row g12" style={{ padding: '8px 0', alignItems: 'baseline' }} data-testid="journal-line">
                <Badge tone={l.level === 'failed' ? 'bad' : l.level === 'refused' ? 'warn' : undefined}>{t(`erp.level.${l.level}`)}</Badge>
                <span className="col sp" style={{ minWidth: 240 }}><span className="wrap">{l.what}</span><span className="t12 m2 wrap">{[l.subject, l.file && (l.row ? t('erp.fileRow', { file: l.file, n: f.number(l.row) }) : l.file)].filter(Boolean).join(' · ')}</span></span>
                <span className="t12 m2"><When at={l.at} /></span>
              </li>
            ))}
          </ul>
          <More of={list} />
        </>
      )}
    </Panel>
  );
}

function Differences({ name }: { name: string }) {
  const { t } = useTranslation();
  const places = usePlaces();
  const list = useInfiniteQuery(differencesQuery(name));
  const rows = list.data?.pages.flatMap((p) => p.items);
  // What settles a difference, by its cause: the page where that is done.
  const settle = (d: Pick<Difference, 'cause' | 'sku'>) =>
    d.cause === 'unmapped_warehouse' ? <Link to="/erp/$name" params={{ name }} search={{ tab: 'mappings' }}>{t('erp.toMap')}</Link>
      : d.cause === 'lost' || d.cause === 'negative' ? <Link to="/counts" search={{ create: true }}>{t('erp.toCount')}</Link>
        : d.sku ? <Link to="/stock/movements" search={{ sku: d.sku }}>{t('erp.toMoves')}</Link> : null;
  return (
    <Panel title={t('erp.tab.differences')} query={{ ...list, data: rows }} empty={(d) => d.length === 0} emptyText={<EmptyState title={t('erp.noDiffs')}>{t('erp.noDiffsText')}</EmptyState>}>
      {(d) => (
        <>
          <div className="tbl" role="group" aria-label={t('erp.tab.differences')} tabIndex={0}>
            <table style={{ minWidth: 860 }}>
              <colgroup><col style={{ width: 200 }} /><col style={{ width: 72 }} /><col style={{ width: 72 }} /><col /><col style={{ width: 112 }} /><col style={{ width: 176 }} /></colgroup>
              <thead><tr><th scope="col">{t('stock.goods')}</th><th scope="col" className="r">{t('erp.ours')}</th><th scope="col" className="r">{t('erp.theirs')}</th><th scope="col">{t('erp.cause')}</th><th scope="col">{t('erp.right')}</th><th scope="col">{t('erp.settle')}</th></tr></thead>
              <tbody>
                {d.map((x) => (
                  <tr key={x.id} className="row-data" data-testid="difference">
                    <td style={{ height: 48 }}><span className="col">{x.sku ? <Link to="/stock/$sku" params={{ sku: x.sku }} search={{}} className="plain b name el">{x.sku}</Link> : <span className="b el">{x.external_id}</span>}<span className="t12 m2 el">{x.location_id ? places.name(x.location_id) : x.warehouse}</span></span></td>
                    <td className="r b">{f.number(x.ours)}</td>
                    <td className="r b">{f.number(x.theirs)}</td>
                    <td style={{ whiteSpace: 'normal' }}><span className="col"><span>{t(`erp.because.${x.cause}`)}</span><span className="t12 m2">{t(`erp.advice.${x.cause}`)}</span></span></td>
                    <td>{(x.right as string) === 'here' ? <Badge tone="good">{t('erp.rightHere')}</Badge> : <Badge tone="warn">{t('erp.rightUnknown')}</Badge>}</td>
                    <td>{settle(x)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
          <More of={list} />
        </>
      )}
    </Panel>
  );
}

function Mappings({ name }: { name: string }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const may = useMay('settings:write');
  const places = usePlaces();
  const query = useQuery(mappingsQuery(name));
  const lists = useQuery({ ...listsQuery, enabled: useMay('prices:read'), retry: false });
  const put = useMutation({
    mutationFn: (m: Mapping) => must(api.PUT('/api/v1/erp/{connection}/mappings', { params: { path: { connection: name } }, body: m })),
    onSuccess: (m) => { void client.invalidateQueries({ queryKey: ERP }); say(m.target ? t('erp.mapped', { name: m.name || m.external_id }) : t('erp.unmapped', { name: m.name || m.external_id })); },
    onError: sayError,
  });
  const of = (kind: Mapping['kind']) => (kind === 'warehouse' ? places.own.map((l) => ({ value: l.id, label: l.name || l.id })) : [{ value: 'base', label: t('erp.basePrice') }, ...(lists.data?.items ?? []).map((l) => ({ value: l.id, label: l.name || l.id }))]);
  return (
    <Panel title={t('erp.tab.mappings')} query={query} empty={(d) => d.items.length === 0} emptyText={<EmptyState title={t('erp.noMaps')}>{t('erp.noMapsText')}</EmptyState>}>
      {(d) => (
        <ul className="line-list body">
          {d.items.map((m) => (
            <li key={`${m.kind}${m.external_id}`} className="row wrap-row g12" style={{ padding: '8px 0' }} data-testid="mapping">
              <span className="col sp"><span className="b">{m.name || m.external_id || t('erp.noWarehouse')}</span><span className="t12 m2">{t(`erp.map.${m.kind}`)}{m.currency ? ` · ${m.currency}` : ''}</span></span>
              {!m.target && <Badge tone="warn">{t('erp.waits')}</Badge>}
              <Select aria-label={t('erp.mapOf', { name: m.name || m.external_id })} placeholder={t('erp.choose')} w={248} searchable clearable disabled={!may || put.isPending} value={m.target || null} onChange={(v) => put.mutate({ ...m, target: v ?? '' })} data={m.target && !of(m.kind).some((o) => o.value === m.target) ? [...of(m.kind), { value: m.target, label: m.target }] : of(m.kind)} data-testid={`map-${m.external_id}`} clearButtonProps={{ 'aria-label': t('erp.unmap') }} />
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}

function Settings({ of: c, close }: { of: Connection; close: () => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [s, set] = useState({ ...c.settings, vanish: String(c.settings.vanish_percent ?? 20) });
  const n = /^\d{1,3}$/.test(s.vanish.trim()) ? Number(s.vanish) : null;
  const save = useMutation({
    mutationFn: () => { const { vanish: _, ...rest } = s; return must(api.PUT('/api/v1/erp/{connection}', { params: { path: { connection: c.name } }, body: { settings: { ...rest, vanish_percent: n ?? 20 }, new_password: false } })); },
    onSuccess: (after) => { client.setQueryData(connectionQuery(c.name).queryKey, after); say(t('erp.saved', { name: c.name })); close(); },
  });
  const faults = faultsOf(save.error, (x) => x);
  const at = { vanish: faults.at('/settings/vanish_percent', '/vanish_percent'), currency: faults.at('/settings/currency', '/currency') };
  return (
    <Dialog title={t('erp.settingsOf', { name: c.name })} close={close} submit={() => n !== null && save.mutate()}>
      <Select label={t('erp.stockIs')} allowDeselect={false} value={s.stock ?? 'counts'} onChange={(v) => v && set({ ...s, stock: v as NonNullable<typeof s.stock> })} data={(['counts', 'check'] as const).map((k) => ({ value: k, label: t(`erp.stock.${k}`) }))} data-testid="erp-stock" />
      <TextInput label={t('erp.vanish')} description={t('erp.vanishHelp')} inputWrapperOrder={['label', 'input', 'description', 'error']} inputMode="numeric" value={s.vanish} error={at.vanish ?? (n === null ? t('erp.noPercent') : undefined)} onChange={(e) => set({ ...s, vanish: e.currentTarget.value })} data-testid="erp-vanish" />
      <TextInput label={t('erp.currency')} maxLength={3} value={s.currency ?? ''} error={at.currency} onChange={(e) => set({ ...s, currency: e.currentTarget.value.toUpperCase() })} />
      <Switch label={t('erp.zip')} checked={s.zip ?? true} onChange={(e) => set({ ...s, zip: e.currentTarget.checked })} />
      {Boolean(faults.rest()) && <ErrorNote error={faults.rest()} kept={t('error.formKept')} />}
      <Acts label={t('save')} busy={save.isPending} disabled={n === null} close={close} testId="erp-settings-do" />
    </Dialog>
  );
}

function Remove({ name, close }: { name: string; close: () => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const navigate = useNavigate();
  const gone = useMutation({
    mutationFn: () => must(api.DELETE('/api/v1/erp/{connection}', { params: { path: { connection: name } } })),
    onSuccess: () => { say(t('erp.removed', { name })); void navigate({ to: '/erp', search: {} }); void client.invalidateQueries({ queryKey: connectionsQuery.queryKey }); },
  });
  return (
    <Dialog title={t('erp.removeTitle', { name })} close={close} submit={() => gone.mutate()}>
      <p className="m2">{t('erp.removeText')}</p>
      {gone.error && <ErrorNote error={gone.error} />}
      <Acts label={t('erp.removeDo', { name })} busy={gone.isPending} close={close} testId="erp-remove-do" />
    </Dialog>
  );
}
