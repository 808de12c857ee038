// Decision served: what keeps this order from its customer, and what do I do about it?
import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { AfterOfOrder } from '../returns/ForOrder';
import { ActButton, ActLink } from '../session/Guarded';
import { useMay } from '../session/session';
import { type Places, usePlaces } from '../stock/parts';
import { CopyButton, EmptyState, ErrorNote, None, PageHeader, Panel, Skeleton, When, Why } from '../ui/base';
import * as f from '../ui/format';
import { IconAlertTriangle, IconExternalLink } from '../ui/icons';
import { useTitle } from '../ui/Shell';
import { sayError } from '../ui/toast';
import { said } from '../words/server';
import { CancelForm, EditForm, HoldForm, NoteForm, PayForm, StepForm, useFulfil, useStep } from './acts';
import { cash, dueText, Goods, OrderBadge, useNow, useOutlets, word } from './parts';
import { cancellable, type Fulfilment, type FulfilmentStep, type Happened, type Order, orderQuery, partsOf, stepsOf, worked } from './query';

const route = getRouteApi('/orders/$id');
type Open = 'hold' | 'cancel' | 'note' | 'edit' | 'pay' | 'refund' | { step: FulfilmentStep['do']; of: Fulfilment } | null;

export default function OrderPage() {
  const { t } = useTranslation();
  const { id } = route.useParams();
  const query = useQuery(orderQuery(id));
  const places = usePlaces();
  const outlets = useOutlets();
  const [open, setOpen] = useState<Open>(null);
  const o = query.data;
  useTitle(o ? t('order.no', { number: o.number }) : null);
  const step = useStep(id);
  if (!o) return <div className="page">{query.error ? <ErrorNote error={query.error} retry={() => void query.refetch()} /> : <Skeleton rows={8} />}</div>;
  const close = () => setOpen(null);
  const placed = o.stage === 'placed';
  const early = cancellable(o);
  const run = (s: Parameters<typeof step.mutate>[0]) => step.mutate(s, { onError: sayError });
  // One filled button: what the order waits for.
  const unconfirmed = o.holds.includes('unconfirmed');
  const parked = partsOf(o).some((p) => p.state === 'parked');
  return (
    <div className="page">
      <PageHeader
        title={t('order.no', { number: o.number })}
        titleTestId="order-name"
        badge={<span data-testid="order-state"><OrderBadge of="ostate" state={o.state} /></span>}
        note={`${outlets.name(o.sales_channel)} · ${f.exact(o.placed_at)}`}
        actions={
          <span className="row wrap-row">
            <ActButton right="orders:write" variant="subtle" onClick={() => setOpen('note')} data-testid="order-note">{t('order.note')}</ActButton>
            {placed && early.length > 0 && !worked(o) && <ActButton right="orders:write" variant="default" onClick={() => setOpen('edit')} data-testid="order-edit">{t('order.edit')}</ActButton>}
            {placed && early.length > 0 && <ActButton right="orders:write" variant="subtle" onClick={() => setOpen('hold')} data-testid="order-hold">{t('order.hold')}</ActButton>}
            {placed && early.length > 0 && <ActButton right="orders:write" variant="subtle" onClick={() => setOpen('cancel')} data-testid="order-cancel">{t('order.cancel')}</ActButton>}
            {parked && <ActButton right="orders:write" variant={unconfirmed ? 'default' : 'filled'} loading={step.isPending} onClick={() => run({ do: 'source' })} data-testid="order-source">{t('order.source')}</ActButton>}
            {unconfirmed && <ActButton right="orders:write" loading={step.isPending} onClick={() => run({ do: 'confirm' })} data-testid="order-confirm">{t('order.confirm')}</ActButton>}
          </span>
        }
      />
      {o.holds.map((hold) => (
        <div key={hold} className="notice warn" data-testid="hold">
          <IconAlertTriangle />
          <div className="col sp"><span className="b">{t('order.held', { why: word('hold', hold) })}</span><span className="t12 m2">{t('order.heldText')}</span></div>
          <ActLink right="orders:write" onClick={() => run({ do: 'release', hold })} data-testid="hold-release">{t('order.release')}</ActLink>
        </div>
      ))}
      {worked(o) && early.length > 0 && <p className="m2" data-testid="why-no-edit">{t('order.noEdit')}</p>}
      <div className="person-two">
        <div className="col g16">
          <LinesPanel of={o} places={places} />
          <Panel title={t('order.fulfilments')} count={f.number(o.fulfilments.length)} testId="fulfilments">
            {o.fulfilments.length ? o.fulfilments.map((x) => <Serving key={x.no} of={o} x={x} places={places} open={setOpen} />) : <EmptyState title={t('order.noFulfilments')}>{t('order.noFulfilmentsText')}</EmptyState>}
          </Panel>
          <History of={o} />
        </div>
        <div className="col g16">
          <MoneyPanel of={o} open={setOpen} />
          <AfterOfOrder of={o} />
          <Promise of={o} places={places} />
          <Customer of={o} />
        </div>
      </div>
      {open === 'hold' && <HoldForm order={o} close={close} />}
      {open === 'cancel' && <CancelForm order={o} close={close} />}
      {open === 'note' && <NoteForm order={o} close={close} />}
      {open === 'edit' && <EditForm order={o} close={close} />}
      {open === 'pay' && <PayForm order={o} close={close} />}
      {open === 'refund' && <PayForm order={o} close={close} back />}
      {open && typeof open === 'object' && <StepForm order={o} of={open.of} what={open.step} places={places} close={close} />}
    </div>
  );
}

function LinesPanel({ of: o, places }: { of: Order; places: Places }) {
  const { t } = useTranslation();
  return (
    <Panel title={t('lines.title')} count={f.number(o.lines.length)} right={o.try_on ? <span className="bdg info">{t('order.tryOn')}</span> : undefined}>
      <div className="tbl" role="group" aria-label={t('lines.title')} tabIndex={0}>
        <table style={{ minWidth: 560 }}>
          <colgroup><col /><col style={{ width: 64 }} /><col style={{ width: 112 }} /><col style={{ width: 120 }} /></colgroup>
          <thead><tr><th scope="col">{t('stock.goods')}</th><th scope="col" className="r">{t('order.pieces')}</th><th scope="col" className="r">{t('order.each')}</th><th scope="col" className="r">{t('order.sum')}</th></tr></thead>
          <tbody>
            {o.lines.map((l) => (
              <tr key={l.line} className="row-data" data-testid="order-line">
                <td style={{ padding: '8px 8px 8px 16px', whiteSpace: 'normal' }}>
                  <Goods sku={l.sku} />
                  <ul className="t12 m2" style={{ marginTop: 2 }}>
                    {l.parts.map((p) => (
                      <li key={p.part} className="wrap">
                        {t('order.part', { n: f.number(p.quantity), state: word('part', p.state) })}
                        {p.location_id ? ` · ${places.name(p.location_id)}` : ''}
                      </li>
                    ))}
                  </ul>
                </td>
                <td className="r">{f.number(l.quantity)}</td>
                <td className="r">{cash(l.unit_minor, o.currency)}</td>
                <td className="r">
                  <span className="b">{cash(l.total_minor, o.currency)}</span>
                  {(l.why || l.discounts.length > 0) && (
                    <div className="t12">
                      <Why title={t('order.whyPrice')} sentence={l.why ? said(l.why) : undefined} steps={l.discounts.map((d) => ({ passed: true, text: `${d.promotion}: ${said(d.why)}`, detail: `\u2212${cash(d.minor, o.currency)}` }))} />
                    </div>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Panel>
  );
}

function Serving({ of: o, x, places, open }: { of: Order; x: Fulfilment; places: Places; open: (what: Open) => void }) {
  const { t } = useTranslation();
  const now = useNow();
  const may = useMay('orders:write');
  const step = useFulfil(o.order_id, x.no);
  const steps = stepsOf(o, x);
  const live = ['open', 'in_progress', 'incomplete'].includes(x.state) && !x.ready_at;
  const due = x.due_at && live ? dueText(x.due_at, now) : null;
  const direct = (what: 'accept' | 'ready') => step.mutate({ do: what }, { onError: sayError });
  const state = x.ready_at && x.state === 'in_progress' ? 'ready' : x.state;
  const moments: [string, string | null | undefined][] = [[t('fulfil.asked'), x.asked_at], [t('fulfil.accepted'), x.accepted_at], [t('fulfil.readyAt'), x.ready_at], [t('fulfil.doneAt'), x.done_at]];
  return (
    <article className="body col g8" style={{ borderTop: '1px solid var(--line)', marginTop: 8, paddingTop: 12, paddingBottom: 4 }} data-testid={`fulfilment-${x.no}`}>
      <div className="row wrap-row">
        <span className="b">{x.location_id ? places.name(x.location_id) : f.NONE}</span>
        <span className="m2">{word('fkind', x.kind)}</span>
        <OrderBadge of="fstate" state={state} />
        <span className="sp" />
        {due && <span className={due.late ? 'bad-text b' : due.soon ? 'warn-text b' : 'm2'}>{due.late ? t('fulfil.late', { time: due.text }) : t('fulfil.due', { time: due.text })}</span>}
        {x.keep_until && x.ready_at && !x.done_at && <span className="m2">{t('fulfil.keptUntil', { time: f.exact(x.keep_until) })}</span>}
      </div>
      <div className="row wrap-row t12 m2">
        {moments.filter(([, at]) => at).map(([name, at]) => <span key={name}>{name} <When at={at!} /></span>)}
        {x.tracking && <span>{t('fulfil.trackingIs', { number: x.tracking })}</span>}
        {x.transfer_id && <Link to="/transfers/$id" params={{ id: x.transfer_id }}>{t('transfer.no', { id: x.transfer_id })}</Link>}
        {x.why && <Why label={t('fulfil.whyHere')} title={t('fulfil.whyHere')} sentence={said(x.why)} steps={[]} />}
      </div>
      {steps.length > 0 && (
        <div className="row wrap-row">
          {steps.map((what) =>
            what === 'accept' || what === 'ready' ? (
              <ActButton key={what} right="orders:write" variant="default" loading={step.isPending} onClick={() => direct(what)} data-testid={`step-${what}`}>{t(`fulfil.do.${what}`)}</ActButton>
            ) : (
              <ActButton key={what} right="orders:write" variant={what === 'decline' || what === 'short' || what === 'bring_back' ? 'subtle' : 'default'} onClick={() => open({ step: what, of: x })} data-testid={`step-${what}`}>{t(`fulfil.do.${what}`)}</ActButton>
            ),
          )}
        </div>
      )}
      {steps.length === 0 && may && x.state === 'open' && <span className="t12 m2">{o.holds.length ? t('fulfil.waitsHold') : t('fulfil.waits')}</span>}
    </article>
  );
}

function MoneyPanel({ of: o, open }: { of: Order; open: (what: Open) => void }) {
  const { t } = useTranslation();
  const m = (minor: number) => cash(minor, o.currency);
  const goods = o.lines.reduce((n, l) => n + l.total_minor, 0);
  const row = (name: string, value: ReactNode, cls = '') => <><dt>{name}</dt><dd className={cls}>{value}</dd></>;
  return (
    <Panel title={t('pay.panel')} testId="money">
      <div className="body col g12">
        <div className="col"><span className={`big ${o.balance_minor > 0 ? 'warn-text' : o.balance_minor < 0 ? 'bad-text' : ''}`} data-testid="balance">{m(Math.abs(o.balance_minor))}</span><span className="m2">{o.balance_minor > 0 ? t('pay.owed') : o.balance_minor < 0 ? t('pay.over') : t('pay.even')}</span></div>
        <dl className="kv">
          {row(t('pay.goods'), m(goods))}
          {row(t('pay.shipping'), m(o.shipping_minor))}
          {o.discount_minor > 0 && row(t('pay.discount'), `\u2212${m(o.discount_minor)}`)}
          {row(t('order.total'), m(o.total_minor))}
          {row(t('pay.tax'), m(o.tax_minor))}
          {row(t('pay.paid'), m(o.paid_minor))}
          {o.refunded_minor > 0 && row(t('pay.refunded'), m(o.refunded_minor))}
        </dl>
        {o.payments.length > 0 && (
          <ul className="line-list" aria-label={t('pay.list')}>
            {o.payments.map((p) => (
              <li key={p.payment_id} className="row g8" style={{ padding: '6px 0' }} data-testid="payment">
                <span className="col sp"><span className="b">{word('provider', p.provider)}</span><span className="t12 m2 mono el" title={p.payment_id}>{p.payment_id}</span></span>
                <OrderBadge of="pstate" state={p.state} />
                <span>{m(p.captured_minor || p.authorised_minor || p.on_delivery_minor)}</span>
              </li>
            ))}
          </ul>
        )}
        <div className="row wrap-row">
          {o.balance_minor > 0 && <ActButton right="orders:write" variant="default" onClick={() => open('pay')} data-testid="pay-open">{t('pay.take')}</ActButton>}
          {o.paid_minor > o.refunded_minor && <ActButton right="orders:write" variant="subtle" onClick={() => open('refund')} data-testid="refund-open">{t('pay.back')}</ActButton>}
        </div>
      </div>
    </Panel>
  );
}

function Promise({ of: o, places }: { of: Order; places: Places }) {
  const { t } = useTranslation();
  // What was given: the last moment at which a place was done with its part.
  const done = o.fulfilments.flatMap((x) => (x.kind !== 'supply' ? [x.kind === 'pick_up' ? (x.ready_at ?? x.done_at) : x.done_at] : [])).filter((x): x is string => Boolean(x)).sort().at(-1);
  const late = o.promised && Date.parse(done ?? new Date().toISOString()) > Date.parse(o.promised.latest);
  return (
    <Panel title={t('promise.panel')}>
      <div className="body">
        <dl className="kv">
          <dt>{t('promise.way')}</dt><dd>{o.delivery.kind === 'pickup' ? t('promise.pickup', { place: o.delivery.location_id ? places.name(o.delivery.location_id) : '' }) : t('promise.ship', { way: o.delivery.option_id ?? '' })}</dd>
          {o.delivery.kind === 'ship' && <><dt>{t('order.address')}</dt><dd className="wrap">{o.contact.address || <None why={t('order.noAddress')} />}</dd></>}
          <dt>{t('promise.promised')}</dt><dd data-testid="promised">{o.promised ? t('promise.between', { from: `${f.dayMonth(o.promised.earliest)}, ${f.time(o.promised.earliest)}`, to: f.dayKey(o.promised.earliest) === f.dayKey(o.promised.latest) ? f.time(o.promised.latest) : `${f.dayMonth(o.promised.latest)}, ${f.time(o.promised.latest)}` }) : <None why={t('promise.noTime')} />}</dd>
          <dt>{t('promise.given')}</dt><dd className={late ? 'bad-text' : done ? 'good-text' : ''}>{done ? `${f.dayMonth(done)}, ${f.time(done)} · ${late ? t('promise.broken') : t('promise.kept')}` : late ? t('promise.overdue') : t('promise.notYet')}</dd>
        </dl>
        {Boolean(o.promised?.why.length) && <div style={{ marginTop: 8 }}><Why title={t('promise.whyTitle')} steps={o.promised!.why.map((w) => ({ passed: true, text: said(w) }))} /></div>}
      </div>
    </Panel>
  );
}

function Customer({ of: o }: { of: Order }) {
  const { t } = useTranslation();
  const link = `${location.origin}/o/${o.order_id}`;
  return (
    <Panel title={t('col.customer')}>
      <div className="body col g12">
        <dl className="kv">
          <dt>{t('order.name')}</dt><dd>{o.person_id ? <Link to="/customers/$id" params={{ id: o.person_id }} search={{}} data-testid="order-person">{o.contact.name || t('order.card')}</Link> : o.contact.name || <None why={t('order.noName')} />}</dd>
          <dt>{t('order.phone')}</dt><dd className="nw">{o.contact.phone ? f.phone(o.contact.phone) : f.NONE}</dd>
          <dt>{t('field.email')}</dt><dd className="el">{o.contact.email || f.NONE}</dd>
          {o.seller && <><dt>{t('order.seller')}</dt><dd className="el">{o.seller}</dd></>}
          {o.coupons.length > 0 && <><dt>{t('order.coupons')}</dt><dd>{f.list(o.coupons)}</dd></>}
        </dl>
        <div className="row wrap-row"><CopyButton text={link} label={t('order.copyLink')} /><a href={`/o/${o.order_id}`} target="_blank" rel="noreferrer" className="row g4" data-testid="order-link">{t('order.openLink')}<IconExternalLink className="s" /></a></div>
      </div>
    </Panel>
  );
}

function History({ of: o }: { of: Order }) {
  const { t } = useTranslation();
  const [all, setAll] = useState(false);
  const items = [...o.history].reverse();
  const text = (h: Happened) => (h.what === 'noted' && h.detail && typeof h.detail === 'object' ? String((h.detail as { text?: string }).text ?? '') : h.reason ? said(h.reason) : '');
  return (
    <Panel title={t('order.history')} count={f.number(items.length)} testId="history">
      <ol className="body" style={{ listStyle: 'none' }}>
        {items.slice(0, all ? undefined : 12).map((h, i) => (
          <li key={i} className="row g12" style={{ padding: '6px 0', borderTop: i ? '1px solid var(--line)' : 0, alignItems: 'baseline' }} data-testid="happened">
            <span className="col sp"><span className="b">{word('happened', h.what)}</span>{text(h) && <span className="m2 wrap">{text(h)}</span>}</span>
            <span className="t12 m2 el" style={{ maxWidth: '40%' }} title={h.actor}>{word('actor', h.actor)}</span>
            <When at={h.at} className="t12 m2 nw" />
          </li>
        ))}
      </ol>
      {items.length > 12 && !all && <div className="body"><Button variant="subtle" onClick={() => setAll(true)}>{t('order.allHistory')}</Button></div>}
    </Panel>
  );
}
