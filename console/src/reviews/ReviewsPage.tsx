// Decision served: which review has to be shown, hidden or answered now?
import { ActionIcon, Select, Textarea } from '@mantine/core';
import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import { ActButton } from '../session/Guarded';
import { Badge, EmptyState, ErrorNote, None, PageHeader, When } from '../ui/base';
import { type Column, DataTable } from '../ui/DataTable';
import * as f from '../ui/format';
import { IconX } from '../ui/icons';
import { useTitle } from '../ui/Shell';
import { say } from '../ui/toast';
import { type Review, REVIEW_STATES, type ReviewFilter, reviewsQuery, SOURCES } from './query';

const route = getRouteApi('/reviews');
const TONE = { awaiting: 'warn', published: 'good' } as const;

/** Stars that everybody reads: drawn, and said as a number. */
export function Stars({ n }: { n: number }) {
  const { t } = useTranslation();
  return <span role="img" aria-label={t('review.stars', { n: f.number(n) })} title={t('review.stars', { n: f.number(n) })} className={n <= 2 ? 'bad-text' : undefined}>{'★★★★★'.slice(0, n)}{'☆☆☆☆☆'.slice(0, 5 - n)}</span>;
}

function StateBadge({ review: r }: { review: Review }) {
  const { t } = useTranslation();
  if (r.raised) return <Badge tone="bad">{t('review.raised')}</Badge>;
  return <Badge tone={TONE[r.state as keyof typeof TONE]}>{t(`review.state.${r.state as 'awaiting'}`)}</Badge>;
}

export default function ReviewsPage() {
  const { t } = useTranslation();
  useTitle(t('nav.reviews'));
  const search = route.useSearch();
  const { state, source, stars, product, open, sel } = search;
  const navigate = useNavigate({ from: '/reviews' });
  const list = useInfiniteQuery(reviewsQuery({ state, source, stars, product, open }));
  const rows = useMemo(() => list.data?.pages.flatMap((p) => p.items), [list.data]);
  const selected = rows?.find((r) => r.id === sel);
  const select = (id: string | null) => void navigate({ search: (s) => ({ ...s, sel: id ?? undefined }), replace: true });
  const set = (part: ReviewFilter) => void navigate({ search: (s) => ({ ...s, ...part, sel: undefined }), replace: true });
  const filtered = Boolean(state || source || stars || product || open);
  const columns = useMemo<Column<Review>[]>(
    () => [
      { id: 'stars', header: t('review.rating'), meta: { width: 104, value: (r) => r.rating }, cell: ({ row: { original: r } }) => <Stars n={r.rating} /> },
      {
        id: 'text',
        header: t('review.review'),
        meta: { value: (r) => [r.title, r.text].filter(Boolean).join(': ') },
        cell: ({ row: { original: r } }) => (
          <div className="col">
            <span className="el b">{r.title || r.text || <None why={t('review.noWords')} />}</span>
            <span className="t12 m2 el">{r.product_name}</span>
          </div>
        ),
      },
      { id: 'who', header: t('col.customer'), meta: { width: 152, value: (r) => r.name }, cell: ({ row: { original: r } }) => <div className="col"><span className="el">{r.name || t('review.nobody')}</span><span className="t12 m2 el">{t(`review.source.${r.source as 'own'}`)}</span></div> },
      { id: 'state', header: t('col.state'), meta: { width: 136, value: (r) => r.state }, cell: ({ row: { original: r } }) => <StateBadge review={r} /> },
      { id: 'answer', header: t('review.answer'), meta: { width: 112, value: (r) => (r.answer ? t('yes') : t('no')) }, cell: ({ row: { original: r } }) => (r.answered_at && r.answer ? <When at={r.answered_at} className="m2" /> : <None why={t('review.noAnswer')} />) },
      { id: 'at', header: t('col.when'), meta: { width: 112, right: true, value: (r) => new Date(r.written_at) }, cell: ({ row: { original: r } }) => <When at={r.written_at} className="m2" /> },
    ],
    [t],
  );
  const choose = (label: string, any: string, value: string | undefined, data: { value: string; label: string }[], onChange: (v: string | undefined) => void, testId: string) => (
    <Select aria-label={label} placeholder={any} clearable allowDeselect value={value ?? null} onChange={(v) => onChange(v ?? undefined)} data={data} w={168} data-testid={testId} clearButtonProps={{ 'aria-label': any }} />
  );
  return (
    <div className="page fill">
      <PageHeader title={t('nav.reviews')} note={t('review.note')} />
      <div className="row wrap-row" role="search">
        {choose(t('col.state'), t('review.anyState'), state, REVIEW_STATES.map((s) => ({ value: s, label: t(`review.state.${s}`) })), (v) => set({ state: v }), 'review-state')}
        {choose(t('review.rating'), t('review.anyRating'), stars, ['1', '2', '3', '4', '5'].map((n) => ({ value: n, label: t('review.stars', { n }) })), (v) => set({ stars: v }), 'review-stars')}
        {choose(t('review.from'), t('review.anySource'), source, SOURCES.map((s) => ({ value: s, label: t(`review.source.${s}`) })), (v) => set({ source: v }), 'review-source')}
        <button type="button" className={`chip${open ? ' on' : ''}`} aria-pressed={Boolean(open)} onClick={() => set({ open: open ? undefined : '1' })} data-testid="review-open">{t('review.unanswered')}</button>
        {product && <span className="chip on">{t('review.of')} <b>{rows?.[0]?.product_name ?? product}</b><button type="button" className="x" aria-label={t('filter.drop')} onClick={() => set({ product: undefined })}><IconX className="s" /></button></span>}
        {filtered && <Link to="/reviews" search={{}} className="textlink" data-testid="review-clear">{t('filter.clear')}</Link>}
      </div>
      <div className={`ld${selected ? '' : ' solo'}`}>
        <div className="card scroll">
          <DataTable
            tools={{ name: 'reviews' }}
            label={t('nav.reviews')}
            rows={rows}
            columns={columns}
            rowId={(r) => r.id}
            rowHeight={44}
            rowTestId="review-row"
            selected={sel ?? null}
            onSelect={select}
            error={list.error}
            retry={() => void list.refetch()}
            more={{ has: list.hasNextPage, busy: list.isFetchingNextPage, fetch: () => void list.fetchNextPage() }}
            empty={
              filtered ? <EmptyState title={t('review.none')} action={<Link to="/reviews" search={{}}>{t('filter.clear')}</Link>}>{t('review.noneText')}</EmptyState>
                : <EmptyState title={t('review.nothing')} action={<Link to="/orders" search={{}}>{t('nav.orders')}</Link>}>{t('review.nothingText')}</EmptyState>
            }
          />
        </div>
        {selected && <Detail key={selected.id} review={selected} close={() => select(null)} />}
      </div>
    </div>
  );
}

type Step = { do: 'publish' } | { do: 'reject'; reason: string } | { do: 'answer'; text: string };

function Detail({ review: r, close }: { review: Review; close: () => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [asks, setAsks] = useState<'reject' | null>(null);
  const [reason, setReason] = useState('');
  const [answer, setAnswer] = useState(r.answer);
  const step = useMutation({
    mutationFn: (body: Step) => must(api.POST('/api/v1/reviews/{id}/steps', { params: { path: { id: r.id } }, headers: { 'if-match': `"v${r.version}"` }, body })),
    onSuccess: (_after, body) => {
      setAsks(null);
      void client.invalidateQueries({ queryKey: ['reviews'] });
      say(t(`review.done.${body.do}`));
    },
  });
  return (
    <aside className="card detail" aria-label={t('review.review')}>
      <div className="row"><h2 className="sp">{r.title || t('review.review')}</h2><StateBadge review={r} /><ActionIcon aria-label={t('close')} onClick={close}><IconX /></ActionIcon></div>
      <div className="row g8"><Stars n={r.rating} /><span className="m2">{r.name || t('review.nobody')}</span></div>
      {r.text ? <p style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }} data-testid="review-text">{r.text}</p> : <p className="m2">{t('review.noWords')}</p>}
      <dl className="kv">
        <dt>{t('review.product')}</dt><dd className="el"><Link to="/products/$id" params={{ id: r.product_id }} search={{}}>{r.product_name || r.product_id}</Link></dd>
        <dt>{t('review.bought')}</dt><dd className="el">{r.order_number ? <Link to="/orders/$id" params={{ id: r.order_number }}>{r.order_number}</Link> : t('review.elsewhere')}</dd>
        <dt>{t('review.from')}</dt><dd className="el">{t(`review.source.${r.source as 'own'}`)}{r.source_id ? ` · ${r.source_id}` : ''}</dd>
        <dt>{t('col.when')}</dt><dd><When at={r.written_at} /></dd>
        {r.reason && <><dt>{t('review.why')}</dt><dd>{r.reason}</dd></>}
      </dl>
      <div className="sepr col g8">
        <Textarea label={t('review.answer')} description={r.answer ? t('review.answeredBy', { who: r.answered_by }) : t('review.answerHelp')} autosize minRows={3} maxRows={10} maxLength={4000} value={answer} onChange={(e) => setAnswer(e.currentTarget.value)} data-testid="review-answer" />
        <div className="row wrap-row">
          <ActButton right="reviews:write" variant={r.state === 'awaiting' ? 'default' : undefined} disabled={answer.trim() === r.answer} loading={step.isPending} onClick={() => step.mutate({ do: 'answer', text: answer })} data-testid="review-send">{t('review.do.answer')}</ActButton>
        </div>
      </div>
      <div className="sepr col g8">
        {asks === 'reject' ? (
          <>
            <Textarea label={t('review.why')} description={t('review.whyHelp')} autosize minRows={2} maxRows={6} maxLength={500} value={reason} onChange={(e) => setReason(e.currentTarget.value)} data-testid="review-reason" data-autofocus />
            <div className="row wrap-row">
              <ActButton right="reviews:write" color="red" disabled={!reason.trim()} loading={step.isPending} onClick={() => step.mutate({ do: 'reject', reason })} data-testid="review-reject-do">{t('review.do.reject')}</ActButton>
              <ActButton right="reviews:write" variant="default" onClick={() => setAsks(null)}>{t('cancel')}</ActButton>
            </div>
          </>
        ) : (
          <div className="row wrap-row">
            {r.state !== 'published' && <ActButton right="reviews:write" loading={step.isPending} onClick={() => step.mutate({ do: 'publish' })} data-testid="review-publish">{t('review.do.publish')}</ActButton>}
            {r.state !== 'rejected' && <ActButton right="reviews:write" variant="default" onClick={() => setAsks('reject')} data-testid="review-reject">{t('review.do.reject')}</ActButton>}
          </div>
        )}
        {step.error && <ErrorNote error={step.error} />}
      </div>
    </aside>
  );
}
