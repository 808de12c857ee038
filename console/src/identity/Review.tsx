import { ActionIcon, Button, Modal } from '@mantine/core';
import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import i18next from 'i18next';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import type { CustomerRow } from '../api/types';
import { identifierName, identifierText } from '../customers/timeline';
import { ActButton } from '../session/Guarded';
import { useMay } from '../session/session';
import { EmptyState, ErrorNote, When } from '../ui/base';
import { type Column, DataTable } from '../ui/DataTable';
import * as f from '../ui/format';
import { IconX } from '../ui/icons';
import { useShortcut } from '../ui/shortcuts';
import { BulkBar } from '../ui/tables/BulkBar';
import { say, sayError } from '../ui/toast';
import { evidenceText } from '../words/server';
import { type Decision, type ReviewItem, reviewQuery } from './query';

const route = getRouteApi('/identity');
const pairId = (r: ReviewItem) => `${r.a}-${r.b}`;
const nameOf = (p: CustomerRow | null | undefined, id: string) => p?.name || p?.email || (p?.phone && f.phone(p.phone)) || i18next.t('review.visitor', { id });
const ruleName = (rule: string) => (i18next.exists(`review.rule.${rule}`) ? i18next.t(`review.rule.${rule}`) : rule.replaceAll('_', ' '));

/** The queue: what speaks for each pair, decided by a key. */
export function Review() {
  const { t } = useTranslation();
  const client = useQueryClient();
  const search = route.useSearch();
  const navigate = useNavigate({ from: '/identity' });
  const may = useMay('identity:write');
  const review = useInfiniteQuery(reviewQuery);
  const rows = useMemo(() => review.data?.pages.flatMap((p) => p.items), [review.data]);
  const selected = rows?.find((r) => pairId(r) === search.sel);
  const select = (id: string | null | undefined) => void navigate({ search: { sel: id ?? undefined }, replace: true });
  const decide = useMutation({
    mutationFn: ({ row, decision }: { row: ReviewItem; decision: Decision }) => must(api.POST('/api/v1/identity/review/{pair}', { params: { path: { pair: pairId(row) } }, body: { decision } })),
    onSuccess: (r, { row, decision }) => {
      const at = rows?.indexOf(row) ?? -1;
      select(rows?.[at + 1] ? pairId(rows[at + 1]!) : rows?.[at - 1] ? pairId(rows[at - 1]!) : null);
      for (const key of ['identity-review', 'identity-changes', 'customers', 'person', 'identity', 'home']) void client.invalidateQueries({ queryKey: [key] });
      const person = r.person_id;
      say(
        <>
          {decision === 'join' ? t('review.joined') : decision === 'keep_apart' ? t('review.apart') : t('review.putOff')}{' '}
          {person && decision === 'join' && <button type="button" onClick={() => void navigate({ to: '/customers/$id', params: { id: person }, search: {} })}>{t('open')}</button>}
        </>,
      );
    },
    onError: (e) => {
      sayError(e);
      void review.refetch();
    },
  });
  const act = (decision: Decision) => selected && may && !decide.isPending && decide.mutate({ row: selected, decision });
  const on = { enabled: Boolean(selected) && may };
  useShortcut('KeyY', () => act('join'), on);
  useShortcut('KeyN', () => act('keep_apart'), on);
  useShortcut('KeyL', () => act('later'), on);
  const columns = useMemo<Column<ReviewItem>[]>(
    () => [
      { id: 'who', header: t('review.pair'), meta: { width: '44%' }, cell: ({ row: { original: r } }) => <span className="b">{t('identity.joined', { a: nameOf(r.person_a, r.a), b: nameOf(r.person_b, r.b) })}</span> },
      { id: 'why', header: t('review.evidence'), cell: ({ row: { original: r } }) => <span className="m2" title={evidenceText(r.evidence)}>{r.kind && r.value ? `${identifierName(r.kind)} ${identifierText({ kind: r.kind, value: r.value })}` : evidenceText(r.evidence) || ruleName(r.rule)}</span> },
      { id: 'p', header: t('review.sure'), meta: { right: true, width: 92 }, cell: ({ row: { original: r } }) => (r.probability == null ? <span className="m" title={t('review.noScore')}>{f.NONE}</span> : f.percent(r.probability, 0)) },
      { id: 'when', header: t('col.when'), meta: { right: true, width: 104 }, cell: ({ row: { original: r } }) => <When at={r.at} className="m2" /> },
    ],
    [t],
  );
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [bulk, setBulk] = useState<Decision | null>(null);
  const pairs = useMemo(() => (rows ?? []).filter((r) => chosen.has(pairId(r))).slice(0, MOST), [rows, chosen]);
  return (
    <div className="col g16">
    <div className={`ld wide${selected ? '' : ' solo'}`} style={{ flex: 'none' }}>
      <div className="card scroll">
        <DataTable
          tools={{ name: 'review' }} label={t('identity.tab.review')}
          rows={rows}
          columns={columns}
          rowId={pairId}
          rowTestId="review-row"
          checks={may ? { chosen, onChange: setChosen, name: (r) => t('review.choose', { a: nameOf(r.person_a, r.a), b: nameOf(r.person_b, r.b) }) } : undefined}
          selected={search.sel ?? null}
          onSelect={select}
          error={review.error}
          retry={() => void review.refetch()}
          more={{ has: review.hasNextPage, busy: review.isFetchingNextPage, fetch: () => void review.fetchNextPage() }}
          empty={<EmptyState title={t('review.empty')}>{t('review.emptyText')}</EmptyState>}
          maxHeight="60vh"
        />
      </div>
      {selected && (
        <aside className="card detail" aria-label={t('review.pair')} data-testid="review-detail">
          <div className="row"><h2 className="sp">{t('review.question')}</h2><ActionIcon aria-label={t('close')} onClick={() => select(null)}><IconX /></ActionIcon></div>
          <div className="col g4">
            <span className="b">{ruleName(selected.rule)}</span>
            <span className="m2">{evidenceText(selected.evidence)}</span>
            {selected.message_id && <span className="t12 m el" title={selected.message_id}>{t('identity.event', { id: f.middle(selected.message_id) })}</span>}
          </div>
          <Pair row={selected} />
          <div className="form-actions wrap-row" style={{ flexWrap: 'wrap' }}>
            <ActButton right="identity:write" variant="filled" rightSection={<kbd>Y</kbd>} loading={decide.isPending} onClick={() => act('join')} data-testid="review-join">{t('review.join')}</ActButton>
            <ActButton right="identity:write" variant="default" rightSection={<kbd>N</kbd>} disabled={decide.isPending} onClick={() => act('keep_apart')} data-testid="review-apart">{t('review.keepApart')}</ActButton>
            <ActButton right="identity:write" variant="subtle" rightSection={<kbd>L</kbd>} disabled={decide.isPending} onClick={() => act('later')} data-testid="review-later">{t('review.later')}</ActButton>
          </div>
        </aside>
      )}
    </div>
    <BulkBar count={pairs.length} total={review.data?.pages[0]?.open} clear={() => setChosen(new Set())}>
      {(['join', 'keep_apart', 'later'] as const).map((d) => <button key={d} type="button" onClick={() => setBulk(d)} data-testid={`bulk-${d}`}>{decisionText(d)}</button>)}
    </BulkBar>
    {bulk && <BulkDecide pairs={pairs} decision={bulk} close={(done) => { setBulk(null); if (done) { setChosen(new Set()); select(null); } }} />}
    </div>
  );
}

/** What the server decides in one transaction. */
const MOST = 200;
const decisionText = (d: Decision) => i18next.t(d === 'join' ? 'review.bulkJoin' : d === 'keep_apart' ? 'review.bulkApart' : 'review.bulkLater');

/** The chosen pairs once more, each with what speaks for it, before one decision about all. */
function BulkDecide({ pairs, decision, close }: { pairs: ReviewItem[]; decision: Decision; close: (done: boolean) => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const what = decisionText(decision);
  const refresh = () => ['identity-review', 'identity-changes', 'customers', 'person', 'identity', 'home'].forEach((key) => void client.invalidateQueries({ queryKey: [key] }));
  const separate = async (made: { a: string; edge?: string | null }[]) => {
    let n = 0;
    // The newest first: an older join may stand between people whom a newer one brought.
    for (const { a, edge } of [...made].reverse()) {
      if (!edge) continue;
      await must(api.POST('/api/v1/customers/{person_id}/unmerge', { params: { path: { person_id: a } }, body: { edges: [edge] } }));
      n += 1;
    }
    refresh();
    say(t('review.separated', { count: n, n: f.number(n) }));
  };
  const decide = useMutation({
    mutationFn: () => must(api.POST('/api/v1/identity/review', { body: { pairs: pairs.map(({ a, b }) => ({ a, b })), decision } })),
    onSuccess: ({ items }) => {
      close(true);
      refresh();
      const joined = items.filter((r) => r.edge);
      say(t('review.bulkDone', { count: items.length, n: f.number(items.length) }), joined.length ? () => void separate(joined).catch(sayError) : undefined);
    },
  });
  return (
    <Modal opened onClose={() => close(false)} title={t('review.bulkTitle', { count: pairs.length, n: f.number(pairs.length), what })} size={720} closeButtonProps={{ 'aria-label': t('close') }}>
      <div className="col g16" data-testid="bulk-decide">
        <p className="m2">{t('review.bulkText')}</p>
        <div className="changes" tabIndex={0} role="group" aria-label={t('identity.tab.review')}>
          <table>
            <thead><tr><th scope="col">{t('review.pair')}</th><th scope="col">{t('review.evidence')}</th><th scope="col" className="r">{t('review.sure')}</th></tr></thead>
            <tbody>
              {pairs.map((r) => (
                <tr key={pairId(r)}>
                  <td className="b">{t('identity.joined', { a: nameOf(r.person_a, r.a), b: nameOf(r.person_b, r.b) })}</td>
                  <td className="m2">{r.kind && r.value ? `${identifierName(r.kind)} ${identifierText({ kind: r.kind, value: r.value })}` : evidenceText(r.evidence) || ruleName(r.rule)}</td>
                  <td className="r">{r.probability == null ? f.NONE : f.percent(r.probability, 0)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
        {decide.error && <ErrorNote error={decide.error} />}
        <div className="form-actions">
          <Button loading={decide.isPending} onClick={() => decide.mutate()} data-testid="bulk-decide-do">{t('review.bulkDo', { count: pairs.length, n: f.number(pairs.length), what })}</Button>
          <Button variant="subtle" onClick={() => close(false)}>{t('cancel')}</Button>
        </div>
      </div>
    </Modal>
  );
}

/** Both side by side; what is the same stands out. */
function Pair({ row }: { row: ReviewItem }) {
  const { t } = useTranslation();
  const facts: [string, (p: CustomerRow) => string | null | undefined][] = [
    [t('field.phone'), (p) => p.phone && f.phone(p.phone)],
    [t('field.email'), (p) => p.email],
    [t('field.city'), (p) => p.city],
    [t('person.orders'), (p) => f.number(p.orders)],
    [t('col.revenue'), (p) => f.moneyList(p.revenue)],
    [t('col.events'), (p) => f.number(p.events)],
    [t('review.first'), (p) => f.date(p.first_seen)],
    [t('review.last'), (p) => f.ago(p.last_seen)],
  ];
  const side = (p: CustomerRow | null | undefined, id: string) => (
    <div className="head2" key={id}>
      {p ? <Link className="b el" to="/customers/$id" params={{ id: p.person_id }} search={{}}>{nameOf(p, id)}</Link> : <span className="b el">{nameOf(p, id)}</span>}
    </div>
  );
  return (
    <div className="pair">
      {side(row.person_a, row.a)}
      {side(row.person_b, row.b)}
      {facts.map(([name, of]) => {
        const values = [row.person_a, row.person_b].map((p) => (p ? of(p) : null));
        const same = Boolean(values[0]) && values[0] === values[1] && values[0] !== '0' && values[0] !== f.NONE;
        return values.map((v, i) => (
          <div key={`${name}${i}`} className="col">
            <span className="t12 m">{name}{same && i === 1 ? ` · ${t('review.same')}` : ''}</span>
            <span className={`el${same ? ' b good-text' : ''}`}>{v || <span className="m">{f.NONE}</span>}</span>
          </div>
        ));
      })}
    </div>
  );
}
