// What is done with a return, claim or refund: each dialog says what will happen, once.
import { Checkbox, SegmentedControl, Select, Textarea, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import { Goods, word } from '../orders/parts';
import { Acts, Dialog } from '../stock/acts';
import { faultsOf, minor, newKey, quantity } from '../stock/forms';
import { Amount, type Places, PlaceSelect } from '../stock/parts';
import { ErrorNote } from '../ui/base';
import * as f from '../ui/format';
import { said } from '../words/server';
import { came, GRADES, type Return, round } from './query';

const raw = (x: string) => x;
const Rest = ({ of }: { of: unknown }) => {
  const { t } = useTranslation();
  return of ? <ErrorNote error={of} kept={t('error.formKept')} /> : null;
};

/** Asks for a reason and sends it. */
export function WhyForm<T>(p: { title: string; text: string; act: string; example: string; send: (why: string) => Promise<T>; close: () => void; done: (after: T) => void }) {
  const { t } = useTranslation();
  const [why, setWhy] = useState('');
  const send = useMutation({ mutationFn: () => p.send(why.trim()), onSuccess: p.done });
  const faults = faultsOf(send.error, raw);
  const at = faults.at('/why');
  return (
    <Dialog title={p.title} close={p.close} submit={() => why.trim() && send.mutate()}>
      <p className="m2">{p.text}</p>
      <Textarea label={t('stock.reason')} placeholder={p.example} autosize minRows={2} maxRows={6} value={why} error={at} onChange={(e) => setWhy(e.currentTarget.value)} data-autofocus data-testid="why" />
      <Rest of={faults.rest()} />
      <Acts label={p.act} busy={send.isPending} disabled={!why.trim()} close={p.close} testId="why-do" />
    </Dialog>
  );
}

export function ApproveForm({ of: r, close, done }: { of: Return; close: () => void; done: (after: Return) => void }) {
  const { t } = useTranslation();
  const [why, setWhy] = useState('');
  const send = useMutation({ mutationFn: () => must(api.POST('/api/v1/returns/{id}/approve', { params: { path: { id: r.id } }, body: { exception: why.trim() } })), onSuccess: done });
  const faults = faultsOf(send.error, raw);
  const at = faults.at('/exception');
  return (
    <Dialog title={t('return.exceptionTitle', { id: r.id })} close={close} submit={() => why.trim() && send.mutate()}>
      <ul className="m2">{r.lines.filter((l) => l.denied).map((l) => <li key={l.sku} className="wrap"><span className="mono">{l.sku}</span>: {said(l.denied)}</li>)}</ul>
      <TextInput label={t('return.exceptionWhy')} placeholder={t('return.exceptionExample')} value={why} error={at} onChange={(e) => setWhy(e.currentTarget.value)} data-autofocus data-testid="why" />
      <Rest of={faults.rest()} />
      <Acts label={t('return.do.exception')} busy={send.isPending} disabled={!why.trim()} close={close} testId="why-do" />
    </Dialog>
  );
}

/** Pieces as they come, each with what it is good for. Many of a line may be graded apart. */
export function ReceiveForm({ of: r, places, close, done }: { of: Return; places: Places; close: () => void; done: (after: Return) => void }) {
  const { t } = useTranslation();
  const [key] = useState(newKey);
  const [at, setAt] = useState(places.own.length === 1 ? places.own[0]!.id : '');
  const [rows, set] = useState(() => r.lines.map((l, line) => ({ line, sku: l.sku, left: round(l.quantity - came(l)), quantity: String(round(l.quantity - came(l))), grade: r.kind === 'exchange' ? 'sellable' : '', lot: '' })).filter((x) => x.left > 0));
  const change = (i: number, part: Partial<(typeof rows)[number]>) => set((old) => old.map((x, j) => (i === j ? { ...x, ...part } : x)));
  const split = (i: number) => set((old) => old.flatMap((x, j) => (i !== j ? [x] : [{ ...x, quantity: String(round((quantity(x.quantity) ?? 1) - 1)) }, { ...x, quantity: '1', grade: '' }])));
  const lines = rows.map((x) => ({ ...x, n: quantity(x.quantity) }));
  const bad = !at || lines.some((x) => x.n === null || x.n < 0) || lines.every((x) => x.n === 0) || r.lines.some((l, line) => round(lines.filter((x) => x.line === line).reduce((n, x) => n + (x.n ?? 0), 0)) > round(l.quantity - came(l)));
  const sent = lines.filter((x) => (x.n ?? 0) > 0);
  const send = useMutation({
    mutationFn: () => must(api.POST('/api/v1/returns/{id}/receive', { params: { path: { id: r.id } }, body: { location_id: at, key, lines: sent.map((x) => ({ line: x.line, quantity: x.n ?? 0, grade: x.grade || null, lot: x.lot.trim() })) } })),
    onSuccess: done,
  });
  const faults = faultsOf(send.error, places.name);
  const error = { place: faults.at('/location_id'), lines: faults.at('/lines', ...sent.flatMap((_, i) => [`/lines/${i}/quantity`, `/lines/${i}/lot`, `/lines/${i}/grade`, `/lines/${i}/line`])) };
  return (
    <Dialog title={t('return.receiveTitle', { id: r.id })} size={640} close={close} submit={() => { if (!bad) send.mutate(); }}>
      <PlaceSelect label={t('return.receiveAt')} value={at} onChange={setAt} places={places} error={error.place} testId="receive-place" />
      <fieldset className="col g8" style={{ border: 0, padding: 0, margin: 0 }}>
        <legend className="t12 m2" style={{ padding: 0, marginBottom: 4 }}>{t('return.whatCame')}</legend>
        {rows.map((x, i) => (
          <div key={i} className="row g8 wrap-row" data-testid="receive-line">
            <span className="col sp" style={{ minWidth: 160 }}><Goods sku={x.sku} link={false} /></span>
            <Amount hidden label={t('return.cameOf', { sku: x.sku })} width={72} value={x.quantity} onChange={(v) => change(i, { quantity: v })} testId={`receive-quantity-${i}`} />
            <Select aria-label={t('return.gradeOf', { sku: x.sku })} w={168} allowDeselect={false} value={x.grade} onChange={(v) => change(i, { grade: v ?? '' })} data={[...(r.kind === 'exchange' ? [] : [{ value: '', label: t('return.later') }]), ...GRADES.map((g) => ({ value: g, label: word('grade', g) }))]} data-testid={`receive-grade-${i}`} />
            <TextInput aria-label={t('return.lotOf', { sku: x.sku })} placeholder={t('return.lot')} w={112} value={x.lot} maxLength={100} onChange={(e) => change(i, { lot: e.currentTarget.value })} />
            {(quantity(x.quantity) ?? 0) > 1 && <button type="button" className="textlink" onClick={() => split(i)} data-testid={`receive-split-${i}`}>{t('return.split')}</button>}
          </div>
        ))}
        {error.lines && <span className="error-text" role="alert">{error.lines}</span>}
      </fieldset>
      <p className="t12 m2">{t('return.gradeHelp')}</p>
      <Rest of={faults.rest()} />
      <Acts label={t('return.do.receive')} busy={send.isPending} disabled={bad} close={close} testId="receive-do" />
    </Dialog>
  );
}

export function RefundForm({ of: r, close, done }: { of: Return; close: () => void; done: (after: Return) => void }) {
  const { t } = useTranslation();
  const currency = r.total.currency;
  const [way, setWay] = useState(r.order_id ? 'payments' : 'credit');
  const [paid, setPaid] = useState(false);
  const [kept, setKept] = useState('');
  const [why, setWhy] = useState('');
  const n = kept.trim() ? minor(kept, currency) : 0;
  const bad = n === null || (n > 0 && !why.trim());
  const send = useMutation({
    mutationFn: () => must(api.POST('/api/v1/returns/{id}/refund', { params: { path: { id: r.id } }, body: { way, paid_out: paid && way === 'payments', withheld_minor: n ?? 0, why: why.trim() } })),
    onSuccess: done,
  });
  const faults = faultsOf(send.error, raw);
  const at = { kept: faults.at('/withheld', '/withheld_minor'), way: faults.at('/way'), why: faults.at('/why') };
  return (
    <Dialog title={t('return.refundTitle', { id: r.id })} close={close} submit={() => { if (!bad) send.mutate(); }}>
      <p className="m2">{t('return.refundText')}</p>
      {r.order_id && <SegmentedControl value={way} onChange={setWay} aria-label={t('return.way')} data={['payments', 'credit'].map((w) => ({ value: w, label: t(`return.way.${w}`) }))} data-testid="refund-way" />}
      {at.way && <span className="error-text" role="alert">{at.way}</span>}
      {way === 'payments' && <Checkbox checked={paid} onChange={(e) => setPaid(e.currentTarget.checked)} label={t('return.paidOut')} data-testid="refund-paid" />}
      <Amount label={t('return.keptBack', { sign: f.currencySign(currency) })} value={kept} onChange={setKept} error={at.kept ?? (kept.trim() && n === null ? t('return.noSum') : undefined)} testId="refund-kept" />
      {(n ?? 0) > 0 && <TextInput label={t('return.keptWhy')} placeholder={t('return.keptExample')} value={why} error={at.why} onChange={(e) => setWhy(e.currentTarget.value)} data-testid="refund-why" />}
      <Rest of={faults.rest()} />
      <Acts label={t('return.do.refund')} busy={send.isPending} disabled={bad} close={close} testId="refund-do" />
    </Dialog>
  );
}

export function FulfilForm({ of: r, close, done }: { of: Return; close: () => void; done: (after: Return) => void }) {
  const { t } = useTranslation();
  const [now, setNow] = useState(true);
  const send = useMutation({ mutationFn: () => must(api.POST('/api/v1/returns/{id}/fulfil', { params: { path: { id: r.id } }, body: { hand_over: now } })), onSuccess: done });
  return (
    <Dialog title={t('return.fulfilTitle', { id: r.id })} close={close} submit={() => send.mutate()}>
      <SegmentedControl value={now ? 'now' : 'sent'} onChange={(v) => setNow(v === 'now')} aria-label={t('return.fulfilTitle', { id: r.id })} data={[{ value: 'now', label: t('return.handOver') }, { value: 'sent', label: t('return.leftBefore') }]} />
      <Rest of={send.error} />
      <Acts label={t('return.do.fulfil')} busy={send.isPending} close={close} testId="fulfil-do" />
    </Dialog>
  );
}

export function SettleForm({ sum, send, close, done }: { sum: string; send: (external: string) => Promise<unknown>; close: () => void; done: () => void }) {
  const { t } = useTranslation();
  const [id, setId] = useState('');
  const run = useMutation({ mutationFn: () => send(id.trim()), onSuccess: done });
  return (
    <Dialog title={t('refund.settleTitle', { sum })} close={close} submit={() => run.mutate()}>
      <p className="m2">{t('refund.settleText')}</p>
      <TextInput label={t('refund.external')} placeholder="RRN 004512887" value={id} onChange={(e) => setId(e.currentTarget.value)} data-autofocus data-testid="settle-id" />
      <Rest of={run.error} />
      <Acts label={t('refund.do.settle')} busy={run.isPending} close={close} testId="settle-do" />
    </Dialog>
  );
}

export function CreditForm({ sum, send, close, done }: { sum: string; send: () => Promise<unknown>; close: () => void; done: () => void }) {
  const { t } = useTranslation();
  const [agreed, setAgreed] = useState(false);
  const run = useMutation({ mutationFn: send, onSuccess: done });
  return (
    <Dialog title={t('refund.creditTitle', { sum })} close={close} submit={() => agreed && run.mutate()}>
      <Checkbox checked={agreed} onChange={(e) => setAgreed(e.currentTarget.checked)} label={t('refund.agreed')} data-testid="credit-agreed" data-autofocus />
      <Rest of={run.error} />
      <Acts label={t('refund.creditDo', { sum })} busy={run.isPending} disabled={!agreed} close={close} testId="credit-do" />
    </Dialog>
  );
}
