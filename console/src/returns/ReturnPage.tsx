// Decision served: may it come back, what came, and what money goes where?
import { Select } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import { Goods, word } from '../orders/parts';
import { orderQuery } from '../orders/query';
import { ActButton } from '../session/Guarded';
import { useMay } from '../session/session';
import { type Places, Steps, usePlaces } from '../stock/parts';
import { Badge, ErrorNote, NumberStrip, PageHeader, Panel, Skeleton, When } from '../ui/base';
import * as f from '../ui/format';
import { useTitle } from '../ui/Shell';
import { say, sayError } from '../ui/toast';
import { said } from '../words/server';
import { ApproveForm, FulfilForm, ReceiveForm, RefundForm, WhyForm } from './acts';
import { AfterBadge, Due, isOver, OrderLink, Photos } from './parts';
import { AFTER, came, GRADES, type Return, returnQuery, round, type Step, stepsOf, ungraded } from './query';
import { Refunds } from './Refunds';

const route = getRouteApi('/returns/$id');

export default function ReturnPage() {
  const { t } = useTranslation();
  const { id } = route.useParams();
  const query = useQuery(returnQuery(id));
  const order = useQuery({ ...orderQuery(query.data?.order_id ?? ''), enabled: Boolean(query.data?.order_id) });
  const places = usePlaces();
  const client = useQueryClient();
  const [open, setOpen] = useState<Step | null>(null);
  const r = query.data;
  const name = r ? t(`return.name.${r.kind}`, { id: r.id }) : t('return.name.return', { id });
  useTitle(name);
  const told = (after: Return, what: Step) => {
    client.setQueryData(returnQuery(id).queryKey, after);
    void client.invalidateQueries({ queryKey: AFTER });
    say(t(`return.did.${what}`, { id }));
    setOpen(null);
  };
  const direct = useMutation({
    mutationFn: (what: 'cancel' | 'close_short' | 'turn' | 'approve') => {
      const params = { params: { path: { id } } };
      if (what === 'approve') return must(api.POST('/api/v1/returns/{id}/approve', { ...params, body: { exception: '' } }));
      return must(what === 'cancel' ? api.POST('/api/v1/returns/{id}/cancel', params) : what === 'close_short' ? api.POST('/api/v1/returns/{id}/close-short', params) : api.POST('/api/v1/returns/{id}/turn-into-return', params));
    },
    onSuccess: (after, what) => told(after, what),
    onError: sayError,
  });
  if (!r) return <div className="page">{query.error ? <ErrorNote error={query.error} retry={() => void query.refetch()} /> : <Skeleton rows={8} />}</div>;
  const steps = stepsOf(r);
  const denied = r.lines.some((l) => l.denied);
  // What the rules allow needs no words; an exception does, and so do the steps that move goods or money.
  const act = (step: Step) => (step === 'cancel' || step === 'close_short' || step === 'turn' || (step === 'approve' && !denied) ? direct.mutate(step) : setOpen(step));
  const all = round(r.lines.reduce((n, l) => n + l.quantity, 0));
  const there = round(r.lines.reduce((n, l) => n + came(l), 0));
  const waits = ungraded(r);
  const over = isOver(r.state);
  const line = r.kind === 'exchange' ? ['requested', 'approved', 'received', 'fulfilled'] : ['requested', 'approved', 'received', 'refunded'];
  const at = r.state === 'partly_received' ? 1 : Math.max(0, line.indexOf(r.state));
  const where = [...new Set(r.lines.flatMap((l) => l.arrived.map((a) => a.location_id)))].map(places.name);
  return (
    <div className="page">
      <PageHeader
        title={name}
        titleTestId="return-name"
        badge={<span data-testid="return-state"><AfterBadge of="rstate" state={r.state} /></span>}
        note={<>{r.order_id ? <><OrderLink id={order.data?.number ?? r.order_id} /> · </> : ''}{f.exact(r.opened_at)}{r.channel ? ` · ${r.channel}` : ''}</>}
        actions={
          <span className="row wrap-row">
            {[...steps].reverse().map((step) => (
              <ActButton key={step} right="orders:write" variant={step === steps[0] ? 'filled' : step === 'deny' || step === 'turn' || step === 'close_short' ? 'default' : 'subtle'} loading={direct.isPending && direct.variables === step} onClick={() => act(step)} data-testid={`return-${step}`}>{step === 'approve' && denied ? t('return.do.exception') : t(`return.do.${step}`)}</ActButton>
            ))}
          </span>
        }
      />
      <div className="row g16 wrap-row"><Steps steps={line.map((s) => word('rstate', s))} at={at} ended={r.state === 'cancelled' ? word('rstate', 'cancelled') : undefined} /></div>
      <NumberStrip calm label={name} items={[
        { label: r.kind === 'exchange' ? t('return.moved') : t('return.total'), value: <span data-testid="return-total">{f.money(r.kind === 'exchange' && r.exchange ? r.exchange.moved : r.total)}</span>, note: r.withheld.minor > 0 ? t('return.withheldNote', { sum: f.money(r.withheld) }) : r.total.minor === 0 && !over ? t('return.notYet') : undefined },
        { label: t('return.came'), value: f.number(there), note: t('return.ofAll', { n: f.number(all) }) },
        { label: t('return.toGrade'), value: f.number(waits), tone: waits ? 'warn' : undefined, note: waits ? t('return.inQuarantine') : undefined },
        { label: t('after.dueHead'), value: <Due at={r.due_at} over={over} />, note: over ? undefined : t(r.state === 'approved' || r.state === 'partly_received' ? 'return.dueBring' : 'return.dueUs') },
      ]} />
      {denied && r.state === 'requested' && <div className="notice warn" data-testid="return-denied"><div className="col"><span className="b">{t('return.notAllowed')}</span>{r.lines.filter((l) => l.denied).map((l) => <span key={l.sku} className="t12 m2 wrap"><span className="mono">{l.sku}</span>: {said(l.denied)}</span>)}</div></div>}
      <div className="person-two">
        <div className="col g16">
          <Lines of={r} places={places} told={(after) => { client.setQueryData(returnQuery(id).queryKey, after); void client.invalidateQueries({ queryKey: AFTER }); }} />
          {r.exchange && (
            <Panel title={t('return.instead')} count={f.number(r.exchange.instead.length)} right={r.exchange.order_id ? <OrderLink id={r.exchange.order_id} /> : undefined}>
              <ul className="line-list body">{r.exchange.instead.map((x, i) => <li key={i} className="row g12" style={{ padding: '6px 0' }}><span className="sp"><Goods sku={x.sku} /></span><span>{f.number(x.quantity)}</span></li>)}</ul>
            </Panel>
          )}
          <Refunds title={t('after.tab.refunds')} of={r.refunds} />
        </div>
        <div className="col g16">
          <Panel title={t('return.said')}>
            <div className="body col g12">
              <dl className="kv">
                {(r.name || r.phone || r.email) && <><dt>{t('col.customer')}</dt><dd className="wrap">{[r.name, r.phone && f.phone(r.phone), r.email].filter(Boolean).join(' · ')}</dd></>}
                {r.receipt && <><dt>{t('return.receipt')}</dt><dd className="mono wrap">{r.receipt}</dd></>}
                <dt>{t('return.note')}</dt><dd className="wrap">{r.note || f.NONE}</dd>
                <dt>{t('return.answer')}</dt><dd className="wrap">{r.answer || f.NONE}</dd>
                <dt>{t('return.openedBy')}</dt><dd className="wrap">{r.opened_by ? word('actor', r.opened_by) : f.NONE}</dd>
                {r.decided_by && <><dt>{t('return.decidedBy')}</dt><dd className="wrap">{r.decided_by}</dd></>}
                <dt>{t('return.way')}</dt><dd>{t(`return.way.${r.way}`)}{r.credit_code ? <> · <span className="mono">{r.credit_code}</span></> : null}</dd>
                {r.shipping.minor > 0 && <><dt>{t('pay.shipping')}</dt><dd>{f.money(r.shipping)}</dd></>}
                {where.length > 0 && <><dt>{t('after.place')}</dt><dd className="wrap">{f.list(where)}</dd></>}
                <dt>{t('col.changed')}</dt><dd><When at={r.updated_at} /></dd>
              </dl>
              <Photos of={r.photos} />
            </div>
          </Panel>
        </div>
      </div>
      {open === 'approve' && <ApproveForm of={r} close={() => setOpen(null)} done={(after) => told(after, 'approve')} />}
      {open === 'deny' && <WhyForm title={t('return.denyTitle', { id })} text={t('return.denyText')} act={t('return.do.deny')} example={t('return.denyExample')} send={(why) => must(api.POST('/api/v1/returns/{id}/deny', { params: { path: { id } }, body: { why } }))} close={() => setOpen(null)} done={(after) => told(after, 'deny')} />}
      {open === 'receive' && <ReceiveForm of={r} places={places} close={() => setOpen(null)} done={(after) => told(after, 'receive')} />}
      {open === 'refund' && <RefundForm of={r} close={() => setOpen(null)} done={(after) => told(after, 'refund')} />}
      {open === 'fulfil' && <FulfilForm of={r} close={() => setOpen(null)} done={(after) => told(after, 'fulfil')} />}
    </div>
  );
}

function Lines({ of: r, places, told }: { of: Return; places: Places; told: (after: Return) => void }) {
  const { t } = useTranslation();
  const may = useMay('orders:write');
  const grade = useMutation({
    mutationFn: (body: { line: number; nth: number; grade: string }) => must(api.POST('/api/v1/returns/{id}/grade', { params: { path: { id: r.id } }, body })),
    onSuccess: (after, { grade: g }) => { told(after); say(t('return.graded', { grade: word('grade', g) })); },
    onError: sayError,
  });
  return (
    <Panel title={t('lines.title')} count={f.number(r.lines.length)}>
      <div className="tbl" role="group" aria-label={t('lines.title')} tabIndex={0}>
        <table style={{ minWidth: 488 }}>
          <colgroup><col /><col style={{ width: 112 }} /><col style={{ width: 72 }} /><col style={{ width: 72 }} /><col style={{ width: 104 }} /></colgroup>
          <thead><tr><th scope="col">{t('stock.goods')}</th><th scope="col">{t('col.reason')}</th><th scope="col" className="r">{t('return.asked')}</th><th scope="col" className="r">{t('return.came')}</th><th scope="col" className="r">{t('return.goesBack')}</th></tr></thead>
          <tbody>
            {r.lines.map((l, at) => (
              <tr key={at} className="row-data" data-testid="return-line">
                <td style={{ padding: '8px 8px 8px 16px', whiteSpace: 'normal' }}>
                  <Goods sku={l.sku} />
                  {l.arrived.length > 0 && (
                    <ul className="t12 m2 col g4" style={{ marginTop: 4 }}>
                      {l.arrived.map((a, nth) => (
                        <li key={nth} className="row wrap-row g8" data-testid="arrived">
                          <span>{f.number(a.quantity)} · {places.name(a.location_id)} · <When at={a.at} />{a.lot ? ` · ${a.lot}` : ''}</span>
                          {a.grade ? <Badge tone={a.grade === 'sellable' ? 'good' : a.grade === 'outlet' ? 'warn' : undefined}>{word('grade', a.grade)}</Badge>
                            : may ? <Select size="xs" w={148} aria-label={t('return.gradeOf', { sku: l.sku })} placeholder={t('return.grade')} data={GRADES.map((g) => ({ value: g, label: word('grade', g) }))} value={null} onChange={(g) => g && grade.mutate({ line: at, nth, grade: g })} data-testid={`grade-${at}-${nth}`} />
                              : <Badge tone="warn">{t('return.toGrade')}</Badge>}
                        </li>
                      ))}
                    </ul>
                  )}
                </td>
                <td style={{ whiteSpace: 'normal' }}>{word('reason_of', l.reason)}{l.denied && <span className="t12 warn-text" title={said(l.denied)}> · {t('return.exception')}</span>}</td>
                <td className="r">{f.number(l.quantity)}</td>
                <td className="r"><span className={came(l) ? 'b' : 'm'}>{f.number(came(l))}</span></td>
                <td className="r">{l.refund.minor ? f.money(l.refund) : f.NONE}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Panel>
  );
}
