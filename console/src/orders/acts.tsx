// What is done with an order: each dialog says what will happen, once.
import { Checkbox, SegmentedControl, Select, Textarea, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import { Acts, Dialog } from '../stock/acts';
import { faultsOf, minor as minorOf, quantity, useOnce } from '../stock/forms';
import { Amount, Lines, type NewLine, type Places, PlaceSelect } from '../stock/parts';
import { GOODS } from '../stock/query';
import { ErrorNote } from '../ui/base';
import * as f from '../ui/format';
import { say } from '../ui/toast';
import { cash, Goods, word } from './parts';
import { cancellable, type Fulfilment, type FulfilmentStep, type Order, orderQuery, ORDERS, type OrderStep, partsOf, worked } from './query';

/** After a step: the page shows its result at once, lists follow. */
function useTold(id: string) {
  const client = useQueryClient();
  return (after: Order, text: ReactNode) => {
    client.setQueryData(orderQuery(id).queryKey, after);
    void client.invalidateQueries({ queryKey: ORDERS });
    void client.invalidateQueries({ queryKey: GOODS });
    say(text);
  };
}

export function useStep(id: string) {
  const { t } = useTranslation();
  const told = useTold(id);
  const once = useOnce();
  return useMutation({
    mutationFn: (step: OrderStep) => must(api.POST('/api/v1/orders/{id}/steps', { params: { path: { id } }, body: step, headers: once({ id, step, at: Math.floor(Date.now() / 2000) }) })),
    onSuccess: (after, step) => told(after, t(`order.did.${step.do}`, { number: after.number })),
  });
}

export function useFulfil(id: string, no: number) {
  const { t } = useTranslation();
  const told = useTold(id);
  const once = useOnce();
  return useMutation({
    mutationFn: (step: FulfilmentStep) => must(api.POST('/api/v1/orders/{id}/fulfilments/{no}/steps', { params: { path: { id, no } }, body: step, headers: once({ id, no, step, at: Math.floor(Date.now() / 2000) }) })),
    onSuccess: (after, step) => told(after, t(`fulfil.did.${step.do}`, { number: after.number })),
  });
}

interface Of { order: Order; close: () => void }
const raw = (x: string) => x;

export function HoldForm({ order, close }: Of) {
  const { t } = useTranslation();
  const step = useStep(order.order_id);
  const [why, setWhy] = useState('');
  const faults = faultsOf(step.error, raw);
  const at = faults.at('/why');
  return (
    <Dialog title={t('order.holdTitle', { number: order.number })} close={close} submit={() => why.trim() && step.mutate({ do: 'hold', why: why.trim() }, { onSuccess: close })}>
      <p className="m2">{t('order.holdText')}</p>
      <TextInput label={t('stock.reason')} placeholder={t('order.holdExample')} value={why} error={at} maxLength={200} onChange={(e) => setWhy(e.currentTarget.value)} data-autofocus data-testid="hold-why" />
      {Boolean(faults.rest()) && <ErrorNote error={faults.rest()} kept={t('error.formKept')} />}
      <Acts label={t('order.hold')} busy={step.isPending} disabled={!why.trim()} close={close} testId="hold-do" />
    </Dialog>
  );
}

export function NoteForm({ order, close }: Of) {
  const { t } = useTranslation();
  const step = useStep(order.order_id);
  const [text, setText] = useState('');
  return (
    <Dialog title={t('order.noteTitle', { number: order.number })} close={close} submit={() => text.trim() && step.mutate({ do: 'note', text: text.trim() }, { onSuccess: close })}>
      <Textarea label={t('order.noteLabel')} autosize minRows={3} maxRows={8} value={text} onChange={(e) => setText(e.currentTarget.value)} data-autofocus data-testid="note-text" />
      {step.error && <ErrorNote error={step.error} kept={t('error.formKept')} />}
      <Acts label={t('order.note')} busy={step.isPending} disabled={!text.trim()} close={close} testId="note-do" />
    </Dialog>
  );
}

export function CancelForm({ order, close }: Of) {
  const { t } = useTranslation();
  const step = useStep(order.order_id);
  const parts = cancellable(order);
  const [chosen, setChosen] = useState(() => new Set(parts.map((p) => p.part)));
  const [why, setWhy] = useState('');
  const [agreed, setAgreed] = useState(false);
  // Where a place already picks, its people have to know.
  const needs = worked(order) && parts.some((p) => chosen.has(p.part) && p.state === 'released');
  const all = chosen.size === parts.length && parts.length === partsOf(order).length;
  const faults = faultsOf(step.error, raw);
  const at = { why: faults.at('/why'), parts: faults.at('/parts') };
  return (
    <Dialog title={t('order.cancelTitle', { number: order.number })} close={close} submit={() => step.mutate({ do: 'cancel', parts: all ? null : [...chosen], why: why.trim(), agreed }, { onSuccess: close })}>
      <fieldset className="col g8" style={{ border: 0, padding: 0, margin: 0 }}>
        <legend className="t12 m2" style={{ padding: 0, marginBottom: 4 }}>{t('order.cancelWhat')}</legend>
        {parts.map((p) => (
          <Checkbox key={p.part} checked={chosen.has(p.part)} onChange={() => setChosen((old) => { const next = new Set(old); if (!next.delete(p.part)) next.add(p.part); return next; })} label={`${f.number(p.quantity)} × ${p.sku} · ${word('part', p.state)}`} data-testid={`cancel-part-${p.part}`} />
        ))}
        {at.parts && <span className="error-text" role="alert">{at.parts}</span>}
      </fieldset>
      <TextInput label={t('stock.reason')} placeholder={t('order.cancelExample')} value={why} error={at.why} maxLength={200} onChange={(e) => setWhy(e.currentTarget.value)} data-autofocus data-testid="cancel-why" />
      {needs && <Checkbox checked={agreed} onChange={(e) => setAgreed(e.currentTarget.checked)} label={t('order.agreed')} data-testid="cancel-agreed" />}
      {order.paid_minor - order.refunded_minor > 0 && <p className="m2">{t('order.cancelPaid', { sum: cash(order.paid_minor - order.refunded_minor, order.currency) })}</p>}
      {Boolean(faults.rest()) && <ErrorNote error={faults.rest()} kept={t('error.formKept')} />}
      <Acts label={all ? t('order.cancelAll') : t('order.cancelSome', { count: chosen.size, n: f.number(chosen.size) })} busy={step.isPending} disabled={chosen.size === 0 || (needs && !agreed)} close={close} testId="cancel-do" />
    </Dialog>
  );
}

export function EditForm({ order, close }: Of) {
  const { t } = useTranslation();
  const told = useTold(order.order_id);
  const [lines, setLines] = useState<NewLine[]>(() => order.lines.map((l) => ({ sku: l.sku, name: '', quantity: String(l.quantity), cost: '', at: null })));
  const [address, setAddress] = useState(order.contact.address);
  const save = useMutation({
    mutationFn: () =>
      must(api.PUT('/api/v1/orders/{id}', {
        params: { path: { id: order.order_id } },
        headers: { 'if-match': `"v${order.version}"` },
        body: { lines: lines.map((l) => ({ sku: l.sku, quantity: quantity(l.quantity) ?? 0 })), address: address.trim() === order.contact.address ? undefined : address.trim() } as never,
      })),
    onSuccess: (after) => {
      told(after, t('order.did.edit', { number: after.number }));
      close();
    },
  });
  const faults = faultsOf(save.error, raw);
  const at = faults.at('/address');
  const bad = lines.length === 0 || lines.some((l) => !((quantity(l.quantity) ?? 0) > 0));
  const body = <Lines lines={lines} onChange={setLines} faults={faults} />;
  return (
    <Dialog title={t('order.editTitle', { number: order.number })} size={560} close={close} submit={() => { if (!bad) save.mutate(); }}>
      <p className="m2">{t('order.editText')}</p>
      {body}
      {order.delivery.kind === 'ship' && <TextInput label={t('order.address')} value={address} error={at} onChange={(e) => setAddress(e.currentTarget.value)} data-testid="edit-address" />}
      {Boolean(faults.rest()) && <ErrorNote error={faults.rest()} kept={t('error.formKept')} />}
      <Acts label={t('order.editDo')} busy={save.isPending} disabled={bad} close={close} testId="edit-do" />
    </Dialog>
  );
}

type Money = 'capture' | 'authorise' | 'refund';
export function PayForm({ order, close, back }: Of & { back?: boolean }) {
  const { t } = useTranslation();
  const told = useTold(order.order_id);
  const once = useOnce();
  const taken = order.payments.filter((p) => p.captured_minor > p.refunded_minor);
  const [paymentId, setPaymentId] = useState(taken[0]?.payment_id ?? '');
  const [provider, setProvider] = useState('till');
  const [action, setAction] = useState<Money>(back ? 'refund' : 'capture');
  const of = taken.find((p) => p.payment_id === paymentId);
  const owed = back ? Math.max(0, -order.balance_minor) || (of ? of.captured_minor - of.refunded_minor : 0) : Math.max(0, order.balance_minor);
  const [text, setText] = useState(f.moneyField(owed, order.currency).replace('.', ','));
  const n = minorOf(text, order.currency);
  const minor = n === null || n <= 0 ? null : n;
  const pay = useMutation({
    mutationFn: () => {
      const body = { provider: back && of ? of.provider : provider, action: back ? 'refund' : action, payment_id: back ? paymentId || undefined : undefined, amount: { minor: minor ?? 0, currency: order.currency } };
      return must(api.POST('/api/v1/orders/{id}/payments', { params: { path: { id: order.order_id } }, body, headers: once({ body, version: order.version }) }));
    },
    onSuccess: (after) => {
      told(after, back ? t('pay.backDone', { sum: cash(minor ?? 0, order.currency) }) : t('pay.done', { sum: cash(minor ?? 0, order.currency) }));
      close();
    },
  });
  const faults = faultsOf(pay.error, raw);
  const at = { amount: faults.at('/amount'), provider: faults.at('/provider'), action: faults.at('/action') };
  const sum = minor === null ? '' : cash(minor, order.currency);
  return (
    <Dialog title={back ? t('pay.backTitle', { number: order.number }) : t('pay.title', { number: order.number })} close={close} submit={() => { if (minor !== null) pay.mutate(); }}>
      {back
        ? <Select label={t('pay.which')} value={paymentId} allowDeselect={false} onChange={(v) => v && setPaymentId(v)} error={at.provider} data={taken.map((p) => ({ value: p.payment_id, label: `${word('provider', p.provider)} · ${cash(p.captured_minor - p.refunded_minor, order.currency)}` }))} />
        : <>
            <Select label={t('pay.provider')} value={provider} allowDeselect={false} onChange={(v) => v && setProvider(v)} error={at.provider} data={['till', 'on_delivery', 'test'].map((p) => ({ value: p, label: word('provider', p) }))} data-testid="pay-provider" />
            {provider === 'test' && <SegmentedControl value={action} onChange={(v) => setAction(v as Money)} aria-label={t('pay.action')} data={[{ value: 'capture', label: t('pay.capture') }, { value: 'authorise', label: t('pay.authorise') }]} />}
          </>}
      <Amount label={t('pay.sum', { sign: f.currencySign(order.currency) })} value={text} onChange={setText} error={at.amount ?? at.action} testId="pay-sum" autoFocus />
      {Boolean(faults.rest()) && <ErrorNote error={faults.rest()} kept={t('error.formKept')} />}
      <Acts label={back ? t('pay.backDo', { sum }) : t('pay.do', { sum })} busy={pay.isPending} disabled={minor === null} close={close} testId="pay-do" />
    </Dialog>
  );
}

/** A step of a place that needs a word or moves goods: it cannot be undone, so it is asked for here, once. */
export function StepForm({ order, of: x, what, places, close }: Of & { of: Fulfilment; what: FulfilmentStep['do']; places: Places }) {
  const { t } = useTranslation();
  const step = useFulfil(order.order_id, x.no);
  const own = partsOf(order).filter((p) => p.fulfilment === x.no && p.state === 'released');
  const lines = [...new Map(own.map((p) => [p.line, { line: p.line, sku: p.sku, quantity: own.filter((o) => o.line === p.line).reduce((n, o) => n + o.quantity, 0) }])).values()];
  const [text, setText] = useState('');
  const [line, setLine] = useState(String(lines[0]?.line ?? 0));
  const [amount, setAmount] = useState('1');
  const [seen, setSeen] = useState(false);
  const [kept, setKept] = useState(() => lines.map((l) => String(l.quantity)));
  const [to, setTo] = useState(x.location_id ?? '');
  const n = quantity(amount);
  const most = lines.find((l) => String(l.line) === line)?.quantity ?? 0;
  const bad = what === 'short' ? n === null || n <= 0 || n > most : what === 'hand_over' ? !text.trim() || kept.some((k, i) => { const v = quantity(k); return v === null || v < 0 || v > lines[i]!.quantity; }) : false;
  const send = () => {
    if (bad) return;
    const body: FulfilmentStep =
      what === 'decline' ? { do: 'decline', why: text.trim() }
      : what === 'short' ? { do: 'short', line: Number(line), quantity: n ?? 0 }
      : what === 'hand_over' ? { do: 'hand_over', ...(seen ? { seen: text.trim() } : { code: text.trim() }), ...(order.try_on ? { kept: lines.map((l, i) => ({ line: l.line, quantity: quantity(kept[i]!) ?? 0 })) } : {}) }
      : what === 'dispatch' ? { do: 'dispatch', tracking: text.trim() }
      : what === 'bring_back' ? { do: 'bring_back', location_id: to || null }
      : { do: 'deliver' };
    step.mutate(body, { onSuccess: close });
  };
  const faults = faultsOf(step.error, places.name);
  const at = { why: faults.at('/why'), quantity: faults.at('/quantity', '/line'), code: faults.at('/code', '/seen'), tracking: faults.at('/tracking'), kept: faults.at('/kept'), to: faults.at('/location_id') };
  return (
    <Dialog title={t(`fulfil.title.${what}`, { number: order.number })} close={close} submit={send}>
      <p className="m2">{t(`fulfil.text.${what}`)}</p>
      {what === 'decline' && <TextInput label={t('stock.reason')} placeholder={t('fulfil.declineExample')} value={text} error={at.why} onChange={(e) => setText(e.currentTarget.value)} data-autofocus data-testid="step-text" />}
      {what === 'short' && (
        <>
          <Select label={t('fulfil.line')} value={line} allowDeselect={false} onChange={(v) => v && setLine(v)} data={lines.map((l) => ({ value: String(l.line), label: `${l.sku} × ${f.number(l.quantity)}` }))} />
          <Amount label={t('fulfil.missing')} value={amount} onChange={setAmount} error={at.quantity} testId="step-quantity" autoFocus />
        </>
      )}
      {what === 'hand_over' && (
        <>
          <SegmentedControl value={seen ? 'seen' : 'code'} onChange={(v) => { setSeen(v === 'seen'); setText(''); }} aria-label={t('fulfil.proof')} data={[{ value: 'code', label: t('fulfil.byCode') }, { value: 'seen', label: t('fulfil.bySight') }]} />
          <TextInput label={seen ? t('fulfil.seen') : t('fulfil.code')} placeholder={seen ? t('fulfil.seenExample') : undefined} inputMode={seen ? undefined : 'numeric'} autoComplete="off" value={text} error={at.code} onChange={(e) => setText(e.currentTarget.value)} data-autofocus data-testid="step-text" />
          {order.try_on && (
            <fieldset className="col g8" style={{ border: 0, padding: 0, margin: 0 }}>
              <legend className="t12 m2" style={{ padding: 0, marginBottom: 4 }}>{t('fulfil.kept')}</legend>
              {lines.map((l, i) => <div key={l.line} className="row g12"><span className="sp"><Goods sku={l.sku} link={false} /></span><Amount hidden label={t('fulfil.keptOf', { sku: l.sku })} width={88} value={kept[i]!} onChange={(v) => setKept((old) => old.map((k, j) => (j === i ? v : k)))} testId={`kept-${l.line}`} /></div>)}
              {at.kept && <span className="error-text" role="alert">{at.kept}</span>}
            </fieldset>
          )}
        </>
      )}
      {what === 'dispatch' && <TextInput label={t('fulfil.tracking')} placeholder="20 4507 8812 3341" value={text} error={at.tracking} onChange={(e) => setText(e.currentTarget.value)} data-autofocus data-testid="step-text" />}
      {what === 'bring_back' && <PlaceSelect label={t('fulfil.backTo')} value={to} onChange={setTo} places={places} error={at.to} />}
      {Boolean(faults.rest()) && <ErrorNote error={faults.rest()} kept={t('error.formKept')} />}
      <Acts label={t(`fulfil.do.${what}`)} busy={step.isPending} disabled={bad} close={close} testId="step-do" />
    </Dialog>
  );
}
