// Promises of goods that are on order: which of them moved, why, and what one of them holds.
import { TextInput } from '@mantine/core';
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { useEffect, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import { ActLink } from '../session/Guarded';
import { Badge, EmptyState, ErrorNote, None, Panel, Skeleton, When } from '../ui/base';
import { type Column, DataTable } from '../ui/DataTable';
import * as f from '../ui/format';
import { say, sayError } from '../ui/toast';
import { said } from '../words/server';
import { Owner } from './Owner';
import { Day } from './parts';
import { changesQuery, claimOnOrderQuery, type IncomingClaim, type PromiseChange } from './promises';
import { GOODS, isMissing } from './query';

const route = getRouteApi('/purchases');
export const PART_TONE: Record<string, 'good' | 'warn' | 'bad' | undefined> = { open: 'warn', moved: 'good', short: 'bad' };

/** All changes that there are; the newest first. */
export function useChanges() {
  const list = useInfiniteQuery(changesQuery);
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = list;
  useEffect(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  const rows = useMemo(() => list.data?.pages.flatMap((p) => p.items).reverse(), [list.data]);
  return { list, rows };
}

export function Promises() {
  const { t } = useTranslation();
  const { sel, claim = '' } = route.useSearch();
  const navigate = useNavigate({ from: '/purchases' });
  const { list, rows } = useChanges();
  const [text, setText] = useState(claim);
  useEffect(() => setText(claim), [claim]);
  const open = (id: string) => void navigate({ search: (s) => ({ ...s, claim: id || undefined }) });
  const columns = useMemo<Column<PromiseChange>[]>(() => [
    { id: 'owner', header: t('ahead.for'), cell: ({ row: { original: c } }) => <Owner of={c.owner} /> },
    { id: 'quantity', header: t('stock.quantity'), meta: { width: 88, right: true }, cell: ({ row: { original: c } }) => f.number(c.quantity) },
    { id: 'before', header: t('ahead.before'), meta: { width: 128, right: true }, cell: ({ row: { original: c } }) => <Day at={c.before} why={t('incoming.unknown')} /> },
    { id: 'after', header: t('ahead.after'), meta: { width: 128, right: true }, cell: ({ row: { original: c } }) => (c.after ? <span className={c.before && c.after > c.before ? 'warn-text b' : 'good-text b'}><Day at={c.after} why={t('incoming.unknown')} /></span> : <span className="bad-text">{t('incoming.unknown')}</span>) },
    { id: 'why', header: t('stock.reason'), cell: ({ row: { original: c } }) => <span className="el" title={said(c.why)}>{said(c.why)}</span> },
    { id: 'at', header: t('col.when'), meta: { width: 128, right: true }, cell: ({ row: { original: c } }) => <When at={c.at} className="m2" /> },
    { id: 'claim', header: t('ahead.claim'), meta: { width: 104, right: true }, cell: ({ row: { original: c } }) => <Link to="/purchases" search={{ tab: 'promises', sel: c.id, claim: c.claim_id }}>{c.claim_id}</Link> },
  ], [t]);
  return (
    <>
      <form role="search" onSubmit={(e) => { e.preventDefault(); open(text.trim()); }}>
        <TextInput aria-label={t('ahead.find')} placeholder={t('ahead.find')} w={240} inputMode="numeric" value={text} error={text.trim() && !/^\d+$/.test(text.trim()) ? t('ahead.findWrong') : undefined} onChange={(e) => setText(e.currentTarget.value)} data-testid="promise-find" />
      </form>
      <div className={claim ? 'home2 grow' : 'col grow'} style={{ minHeight: 0 }}>
        <div className="card scroll">
          <DataTable label={t('ahead.changes')} rows={rows} columns={columns} rowId={(c) => c.id} selected={sel ?? null} onSelect={(id) => void navigate({ search: (s) => ({ ...s, sel: id ?? undefined }), replace: true })} onOpen={(c) => open(c.claim_id)} rowTestId="change-row" error={list.error} retry={() => void list.refetch()} empty={<EmptyState title={t('ahead.noChanges')}>{t('ahead.noChangesText')}</EmptyState>} />
        </div>
        {claim && <Claimed id={claim} />}
      </div>
    </>
  );
}

/** One claim: what of which purchase order it has, and how it stands. */
function Claimed({ id }: { id: string }) {
  const { t } = useTranslation();
  const query = useQuery(claimOnOrderQuery(id));
  const c = query.data;
  return (
    <Panel title={t('ahead.claimNo', { id })} testId="claimed">
      {c ? <ClaimBody of={c} /> : isMissing(query.error) ? <EmptyState title={t('ahead.noClaim', { id })}>{t('ahead.noClaimText')}</EmptyState> : query.error ? <div className="body"><ErrorNote error={query.error} retry={() => void query.refetch()} /></div> : /^\d+$/.test(id) ? <Skeleton rows={3} /> : <EmptyState title={t('ahead.findWrong')} />}
    </Panel>
  );
}

function ClaimBody({ of: c }: { of: IncomingClaim }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const fresh = () => void client.invalidateQueries({ queryKey: GOODS });
  const open = c.parts.filter((p) => p.state === 'open');
  const again = () => void must(api.POST('/api/v1/incoming-claims', { body: { owner: c.owner, lines: open.map((p) => ({ sku: p.sku, quantity: p.quantity })) } })).then((made) => { say(t('ahead.promisedAgain', { id: made.id })); fresh(); }, sayError);
  const release = useMutation({
    mutationFn: () => must(api.DELETE('/api/v1/incoming-claims/{id}', { params: { path: { id: c.id } } })),
    // An order's own claim is given back by cancelling its pieces; here only what people promised by hand.
    onSuccess: () => say(t('ahead.released', { owner: c.owner }), again),
    onError: sayError,
    onSettled: fresh,
  });
  return (
    <div className="body col g12">
      <dl className="kv"><dt>{t('ahead.for')}</dt><dd><Owner of={c.owner} /></dd><dt>{t('ahead.allBy')}</dt><dd>{c.promised_at ? <Day at={c.promised_at} why={t('incoming.unknown')} /> : <None why={t('incoming.unknown')} />}</dd></dl>
      <ul className="line-list" aria-label={t('ahead.parts')}>
        {c.parts.map((p, i) => (
          <li key={i} className="row g8" style={{ padding: '8px 0' }} data-testid="claim-part">
            <span className="col sp"><Link to="/stock/$sku" params={{ sku: p.sku }} search={{}} className="plain b mono el">{p.sku}</Link><span className="t12 m2 el"><Link to="/purchases/$id" params={{ id: p.purchase_order_id }} className="inline-link">{t('purchase.no', { id: p.purchase_order_id })}</Link>{p.promised_at ? ` · ${f.dayMonth(p.promised_at)}` : ''}</span></span>
            <span className="b">{f.number(p.quantity)}</span>
            <Badge tone={PART_TONE[p.state]}>{t(`ahead.state.${p.state}`, { defaultValue: p.state })}</Badge>
          </li>
        ))}
      </ul>
      {open.length > 0 && (c.owner.startsWith('order:') ? <p className="t12 m2">{t('ahead.byOrder')}</p> : <p><ActLink right="stock:write" disabled={release.isPending} onClick={() => release.mutate()} data-testid="claim-give-back">{t('ahead.release')}</ActLink></p>)}
    </div>
  );
}
