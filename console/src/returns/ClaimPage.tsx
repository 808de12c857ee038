// Decision served: is the customer right, and what do we give them for it?
import { SegmentedControl, Textarea } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import { Goods, word } from '../orders/parts';
import { type Order, orderQuery } from '../orders/query';
import { ActButton } from '../session/Guarded';
import { Acts, Dialog } from '../stock/acts';
import { faultsOf, minor } from '../stock/forms';
import { Amount, Steps } from '../stock/parts';
import { ErrorNote, NumberStrip, PageHeader, Panel, Skeleton } from '../ui/base';
import * as f from '../ui/format';
import { useTitle } from '../ui/Shell';
import { say, sayError } from '../ui/toast';
import { WhyForm } from './acts';
import { AfterBadge, Due, OrderLink, Photos } from './parts';
import { AFTER, type Claim, claimQuery } from './query';
import { Refunds } from './Refunds';

const route = getRouteApi('/returns/claims/$id');
type Step = 'approve' | 'deny' | 'cancel' | 'resolve' | 'reopen';
const STEPS: Record<string, Step[]> = { open: ['approve', 'deny', 'cancel'], approved: ['resolve', 'cancel'], denied: ['reopen'] };

export default function ClaimPage() {
  const { t } = useTranslation();
  const { id } = route.useParams();
  const query = useQuery(claimQuery(id));
  const client = useQueryClient();
  const [open, setOpen] = useState<Step | null>(null);
  const c = query.data;
  const order = useQuery({ ...orderQuery(c?.order_id ?? ''), enabled: Boolean(c) });
  useTitle(t('claim.no', { id }));
  const told = (after: Claim, what: Step) => {
    client.setQueryData(claimQuery(id).queryKey, after);
    void client.invalidateQueries({ queryKey: AFTER });
    say(t(`claim.did.${what}`, { id }));
    setOpen(null);
  };
  const params = { params: { path: { id } } };
  const direct = useMutation({
    mutationFn: (what: 'cancel' | 'resolve') => must(what === 'cancel' ? api.POST('/api/v1/claims/{id}/cancel', params) : api.POST('/api/v1/claims/{id}/resolve', params)),
    onSuccess: (after, what) => told(after, what),
    onError: sayError,
  });
  if (!c) return <div className="page">{query.error ? <ErrorNote error={query.error} retry={() => void query.refetch()} /> : <Skeleton rows={8} />}</div>;
  const steps = STEPS[c.state] ?? [];
  const currency = order.data?.currency ?? f.currencyOfShop();
  const over = !['open', 'approved'].includes(c.state);
  return (
    <div className="page">
      <PageHeader
        title={t('claim.no', { id })}
        titleTestId="claim-name"
        badge={<span data-testid="claim-state"><AfterBadge of="cstate" state={c.state} /></span>}
        note={<><OrderLink id={order.data?.number ?? c.order_id} /> · {f.exact(c.opened_at)}</>}
        actions={<span className="row wrap-row">{[...steps].reverse().map((s) => <ActButton key={s} right="orders:write" variant={s === steps[0] ? 'filled' : s === 'deny' ? 'default' : 'subtle'} loading={direct.isPending && direct.variables === s} onClick={() => (s === 'cancel' || s === 'resolve' ? direct.mutate(s) : setOpen(s))} data-testid={`claim-${s}`}>{t(`claim.do.${s}`)}</ActButton>)}</span>}
      />
      <div className="row g16 wrap-row"><Steps steps={['open', 'approved', 'resolved'].map((s) => word('cstate', s))} at={Math.max(0, ['open', 'approved', 'resolved'].indexOf(c.state))} ended={['denied', 'cancelled'].includes(c.state) ? word('cstate', c.state) : undefined} /></div>
      <NumberStrip calm label={t('claim.no', { id })} items={[
        { label: t('claim.brings'), value: c.resolution ? t(`claim.way.${c.resolution}`) : f.NONE, note: c.resolution ? undefined : t('claim.notDecided') },
        { label: t('claim.refund'), value: c.refund_minor ? f.money({ minor: c.refund_minor, currency }) : f.NONE },
        { label: t('after.dueHead'), value: <Due at={c.due_at} over={over} />, note: over ? undefined : t('claim.dueUs') },
      ]} />
      <div className="person-two">
        <div className="col g16">
          <Panel title={t('claim.what')} count={f.number(c.lines.length)}>
            <ul className="line-list body">
              {c.lines.map((l, i) => {
                const sku = order.data?.lines.find((x) => x.line === l.line)?.sku;
                return <li key={i} className="row g12" style={{ padding: '6px 0' }} data-testid="claim-line"><span className="sp">{sku ? <Goods sku={sku} /> : t('return.line', { n: l.line + 1 })}</span><span className="m2">{word('reason_of', l.reason)}</span><span>{f.number(l.quantity)}</span></li>;
              })}
            </ul>
          </Panel>
          <Refunds title={t('after.tab.refunds')} of={c.refunds} />
        </div>
        <Panel title={t('return.said')}>
          <div className="body col g12">
            <dl className="kv">
              <dt>{t('return.note')}</dt><dd className="wrap">{c.note || f.NONE}</dd>
              <dt>{t('return.answer')}</dt><dd className="wrap" data-testid="claim-answer">{c.answer || f.NONE}</dd>
              {c.decided_by && <><dt>{t('return.decidedBy')}</dt><dd className="wrap">{c.decided_by}</dd></>}
              {c.channel && <><dt>{t('order.channel')}</dt><dd>{c.channel}</dd></>}
              {c.replacement_order_id && <><dt>{t('claim.replacement')}</dt><dd><OrderLink id={c.replacement_order_id} /></dd></>}
            </dl>
            <Photos of={c.photos} />
          </div>
        </Panel>
      </div>
      {open === 'approve' && <Approve of={c} order={order.data} currency={currency} close={() => setOpen(null)} done={(after) => told(after, 'approve')} />}
      {open === 'deny' && <WhyForm title={t('claim.denyTitle', { id })} text={t('return.denyText')} act={t('claim.do.deny')} example={t('claim.denyExample')} send={(why) => must(api.POST('/api/v1/claims/{id}/deny', { ...params, body: { why } }))} close={() => setOpen(null)} done={(after) => told(after, 'deny')} />}
      {open === 'reopen' && <WhyForm title={t('claim.reopenTitle', { id })} text={t('claim.reopenText')} act={t('claim.do.reopen')} example={t('claim.reopenExample')} send={(note) => must(api.POST('/api/v1/claims/{id}/reopen', { ...params, body: { note, photos: [] } }))} close={() => setOpen(null)} done={(after) => told(after, 'reopen')} />}
    </div>
  );
}

function Approve({ of: c, order, currency, close, done }: { of: Claim; order?: Order; currency: string; close: () => void; done: (after: Claim) => void }) {
  const { t } = useTranslation();
  const [way, setWay] = useState('refund');
  const [sum, setSum] = useState('');
  const [answer, setAnswer] = useState('');
  const n = sum.trim() ? minor(sum, currency) : null;
  const bad = way !== 'replacement' && sum.trim() !== '' && (n === null || n === 0);
  const send = useMutation({ mutationFn: () => must(api.POST('/api/v1/claims/{id}/approve', { params: { path: { id: c.id } }, body: { resolution: way, amount_minor: way === 'replacement' ? null : n, answer: answer.trim() } })), onSuccess: done });
  const faults = faultsOf(send.error, (x) => x);
  const at = { sum: faults.at('/amount', '/amount_minor'), way: faults.at('/resolution', '/instead', '/lines'), answer: faults.at('/answer') };
  const worth = order ? c.lines.reduce((a, l) => { const x = order.lines.find((o) => o.line === l.line); return a + (x && x.quantity ? Math.round((x.total_minor / x.quantity) * l.quantity) : 0); }, 0) : 0;
  return (
    <Dialog title={t('claim.approveTitle', { id: c.id })} close={close} submit={() => { if (!bad) send.mutate(); }}>
      <SegmentedControl value={way} onChange={setWay} aria-label={t('claim.brings')} data={['refund', 'replacement', 'both'].map((w) => ({ value: w, label: t(`claim.way.${w}`) }))} data-testid="claim-way" />
      {at.way && <span className="error-text" role="alert">{at.way}</span>}
      {way !== 'replacement' && <Amount label={t('claim.sum', { sign: f.currencySign(currency) })} help={worth ? t('claim.sumHelp', { sum: f.money({ minor: worth, currency }) }) : t('claim.sumAll')} value={sum} onChange={setSum} error={at.sum} testId="claim-sum" />}
      <Textarea label={t('return.answer')} autosize minRows={2} maxRows={6} value={answer} error={at.answer} onChange={(e) => setAnswer(e.currentTarget.value)} data-testid="claim-answer-text" />
      {Boolean(faults.rest()) && <ErrorNote error={faults.rest()} kept={t('error.formKept')} />}
      <Acts label={t('claim.do.approve')} busy={send.isPending} disabled={bad} close={close} testId="claim-do" />
    </Dialog>
  );
}
