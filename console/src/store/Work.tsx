// The queue at the left, what is done with one of it at the right: one next act at a time.
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import { cash, word } from '../orders/parts';
import { type FulfilmentStep, type Order, ORDERS, type Queued } from '../orders/query';
import { useMay } from '../session/session';
import { faultsOf, useOnce } from '../stock/forms';
import { useScanner } from '../stock/scan';
import { GOODS } from '../stock/query';
import { Badge, ErrorNote, Skeleton } from '../ui/base';
import * as f from '../ui/format';
import { IconArrowLeft, IconBarcode, IconCheck, IconMinus, IconPackage, IconPlus, IconTransfer, IconTruckDelivery } from '../ui/icons';
import { say } from '../ui/toast';
import { Beside } from './Beside';
import { CameraButton } from './Camera';
import { Due } from './StoreApp';

export const keyOf = (q: Queued): string => `${q.order_id}.${q.fulfilment}`;
const icons: Record<string, typeof IconPackage> = { pick_up: IconPackage, ship: IconTruckDelivery, supply: IconTransfer };

export function Work({ kind, items, sel, select, at }: { kind: 'pick' | 'hand'; items: Queued[] | undefined; sel: string; select: (sel: string, replace?: boolean) => void; at: string }) {
  const { t } = useTranslation();
  const [find, setFind] = useState('');
  // What was handed over leaves the list at once; it stays in sight until it is paid and closed.
  const last = useRef<Queued>(undefined);
  const listed = items?.find((q) => keyOf(q) === sel);
  if (listed) last.current = listed;
  const chosen = listed ?? (kind === 'hand' && last.current && keyOf(last.current) === sel ? last.current : undefined);
  // What the counter scans: the code on the customer's phone, or the order's number.
  const [code, setCode] = useState('');
  const take = (text: string) => {
    const ticket = ticketOf(text);
    const found = items?.find((q) => q.order_id === ticket.order || q.number === ticket.order || q.number === text);
    if (found) {
      select(keyOf(found));
      setCode(ticket.code);
    } else if (chosen) setCode(ticket.code || text);
    else setFind(text);
  };
  useScanner(take, kind === 'hand');
  const low = find.trim().toLocaleLowerCase('uk');
  const shown = items?.filter((q) => !low || q.number.toLocaleLowerCase('uk').includes(low) || q.name.toLocaleLowerCase('uk').includes(low));
  const late = items?.filter((q) => q.due_at && Date.parse(q.due_at) < Date.now()).length ?? 0;
  return (
    <div className={`store-work ${chosen ? 'has' : ''}`}>
      <h1 className="hidden-text">{kind === 'pick' ? t('store.tab.pick') : t('store.tab.hand')}</h1>
      <section className="store-list" aria-label={kind === 'pick' ? t('store.tab.pick') : t('store.tab.hand')}>
        {kind === 'pick' ? (
          <div className="store-head"><span className="m2">{t('store.byDue')}</span>{late > 0 && <Badge tone="bad">{t('store.lateN', { count: late, n: f.number(late) })}</Badge>}</div>
        ) : (
          <div className="store-head"><input className="sfield" aria-label={t('store.findOrder')} placeholder={t('store.findOrder')} value={find} onChange={(e) => setFind(e.currentTarget.value)} onKeyDown={(e) => { if (e.key === 'Enter') { /* The same key would send the form that opens. */ e.preventDefault(); if (shown?.length === 1) select(keyOf(shown[0]!)); else take(find.trim()); } }} data-testid="hand-find" /><CameraButton found={take} label={t('store.scan')} /></div>
        )}
        {!items ? <Skeleton rows={5} height={70} /> : (
          <ul>
            {shown!.map((q) => {
              const Icon = icons[q.kind] ?? IconPackage;
              const n = q.lines.reduce((sum, l) => sum + l.quantity, 0);
              return (
                <li key={keyOf(q)}>
                  <button type="button" className={keyOf(q) === sel ? 'on' : ''} aria-pressed={keyOf(q) === sel} onClick={() => { select(keyOf(q)); setCode(''); }} data-testid="queue-row">
                    <span className="col sp"><b className="el">{q.name || q.number}</b><span className="row g4 m2"><Icon aria-hidden="true" /><span className="el">{[t('store.pieces', { count: n, n: f.number(n) }), q.bag ? t('store.inBag') : word('fkind', q.kind)].join(' · ')}</span></span></span>
                    <span className="col r">{kind === 'pick' && q.due_at ? <Due at={q.due_at} /> : q.keep_until ? <b>{t('store.keptUntil', { time: f.dayMonth(q.keep_until) })}</b> : <b>{q.number}</b>}{!(kind === 'pick' && q.due_at && Date.parse(q.due_at) < Date.now()) && <span className="m2">{q.try_on ? t('order.tryOn') : kind === 'hand' ? (q.paid ? t('store.paid') : cash(q.to_pay_minor, q.currency)) : q.state === 'open' ? t('store.free') : t('store.picking')}</span>}</span>
                  </button>
                </li>
              );
            })}
          </ul>
        )}
        {shown?.length === 0 && <div className="store-empty"><b>{low ? t('store.noneFound') : kind === 'pick' ? t('store.noPicks') : t('store.noHands')}</b><span className="m2">{low ? t('store.noneFoundText', { text: find }) : kind === 'pick' ? t('store.noPicksText') : t('store.noHandsText')}</span></div>}
      </section>
      <section className="store-detail" aria-live="off">
        {chosen ? (kind === 'pick' ? <Pick key={sel} of={chosen} back={() => select('')} /> : <Hand key={sel} of={chosen} bag={items?.filter((q) => chosen.bag && q.bag === chosen.bag && q.ready_at) ?? []} at={at} code={code} setCode={setCode} back={() => select('')} />) : <div className="store-empty"><span className="m2">{kind === 'pick' ? t('store.pickOne') : t('store.handOne')}</span></div>}
      </section>
    </div>
  );
}

/** What a customer's code says: `order/code`, an address of the order with its code, or the code alone. */
export function ticketOf(text: string): { order: string; code: string } {
  const link = /\/o\/([\w-]+)(?:.*[?&#]code=(\d+))?/.exec(text);
  if (link) return { order: link[1]!, code: link[2] ?? '' };
  const pair = /^([\w-]+)[/:](\d{4,8})$/.exec(text);
  if (pair) return { order: pair[1]!, code: pair[2]! };
  return { order: '', code: /^\d{4,8}$/.test(text) ? text : '' };
}

function useStoreStep(q: Queued) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const once = useOnce();
  return useMutation({
    mutationFn: (step: FulfilmentStep) => must(api.POST('/api/v1/orders/{id}/fulfilments/{no}/steps', { params: { path: { id: q.order_id, no: q.fulfilment } }, body: step, headers: once({ of: keyOf(q), step, at: Math.floor(Date.now() / 2000) }) })),
    onSuccess: (after: Order, step) => {
      void client.invalidateQueries({ queryKey: ORDERS });
      void client.invalidateQueries({ queryKey: GOODS });
      say(t(`fulfil.did.${step.do}`, { number: after.number }));
    },
  });
}

function Head({ of: q, back }: { of: Queued; back: () => void }) {
  const { t } = useTranslation();
  return (
    <header className="store-who">
      <button type="button" className="sbtn square back" onClick={back} aria-label={t('store.back')}><IconArrowLeft /></button>
      <div className="col sp">
        <h2 className="el who">{q.name || q.number}</h2>
        <span className="m2">{[t('order.no', { number: q.number }), q.paid ? t('store.paid') : t('store.toPay', { sum: cash(q.to_pay_minor, q.currency) }), q.try_on ? t('order.tryOn') : '', word('fkind', q.kind)].filter(Boolean).join(' · ')}</span>
      </div>
      {q.due_at && !q.ready_at && <Due at={q.due_at} big />}
    </header>
  );
}

function Pick({ of: q, back }: { of: Queued; back: () => void }) {
  const { t } = useTranslation();
  const may = useMay('orders:write');
  const step = useStoreStep(q);
  const lines = q.lines;
  const kept = `braid-picked-${keyOf(q)}`;
  const [picked, setPicked] = useState<Record<string, number>>(() => { try { return JSON.parse(sessionStorage.getItem(kept) ?? '{}') as Record<string, number>; } catch { return {}; } });
  useEffect(() => { try { sessionStorage.setItem(kept, JSON.stringify(picked)); } catch { /* the ticks are a comfort */ } }, [kept, picked]);
  const [ask, setAsk] = useState<'decline' | number | null>(null);
  const [why, setWhy] = useState('');
  const [missing, setMissing] = useState(1);
  const [heard, setHeard] = useState<{ good: boolean; text: string } | null>(null);
  const working = q.state !== 'open';
  const got = (i: number) => Math.min(picked[`${lines[i]!.line}`] ?? 0, lines[i]!.quantity);
  const all = lines.reduce((n, l) => n + l.quantity, 0);
  const have = lines.reduce((n, _, i) => n + got(i), 0);
  const nextLine = lines.findIndex((l, i) => got(i) < l.quantity);
  const put = (i: number, n: number) => setPicked((old) => ({ ...old, [`${lines[i]!.line}`]: Math.max(0, Math.min(n, lines[i]!.quantity)) }));
  const scanned = (text: string) => {
    const same = (s: string) => s.toLocaleLowerCase('uk') === text.toLocaleLowerCase('uk');
    const i = lines.findIndex((l, at) => same(l.sku) && got(at) < l.quantity);
    if (i >= 0) { put(i, got(i) + 1); setHeard({ good: true, text: t('store.heard', { sku: text }) }); }
    else setHeard({ good: false, text: lines.some((l) => same(l.sku)) ? t('store.enough', { sku: text }) : t('store.notIn', { sku: text }) });
  };
  useScanner(scanned, working && may);
  const run = (s: FulfilmentStep, done?: () => void) => step.mutate(s, { onSuccess: done });
  return (
    <>
      <Head of={q} back={back} />
      <div className="store-bar" role="progressbar" aria-label={t('store.progress')} aria-valuemin={0} aria-valuemax={all} aria-valuenow={have}><i style={{ width: `${all ? (100 * have) / all : 0}%` }} /></div>
      <div className="store-lines">
        {heard && <p className={heard.good ? 'heard good-text' : 'heard bad-text'} role="status">{heard.text}</p>}
        {lines.map((l, i) => {
          const full = got(i) >= l.quantity;
          return (
            <div key={`${l.line}-${i}`} className={`store-line ${working && i === nextLine ? 'next' : ''} ${full && working ? 'full' : ''}`} data-testid="pick-line">
              <div className="row g16">
                <span className="col sp"><span className={full ? '' : 'b'}>{l.product || l.sku}</span><span className="t14 m2 mono">{l.sku}</span></span>
                {working ? (full ? <span className="tick" aria-label={t('store.gotAll')} role="img"><IconCheck /></span> : <span className="of"><b>{f.number(got(i))}</b>/{f.number(l.quantity)}</span>) : <span className="of"><b>{f.number(l.quantity)}</b></span>}
              </div>
              {working && may && i === nextLine && (
                <div className="row g12 wrap-row">
                  <span className="row g8 sp good-text"><IconBarcode aria-hidden="true" />{t('store.scanMore', { count: l.quantity - got(i), n: f.number(l.quantity - got(i)) })}</span>
                  <button type="button" className="sbtn" onClick={() => { setAsk(i); setMissing(l.quantity - got(i)); }} data-testid="pick-missing">{t('store.missing')}</button>
                  <button type="button" className="sbtn" onClick={() => put(i, l.quantity)} data-testid="pick-got">{t('store.got')}</button>
                </div>
              )}
              {working && may && full && <button type="button" className="textlink" onClick={() => put(i, 0)}>{t('store.again')}</button>}
            </div>
          );
        })}
        {q.transfer_id && <p><a href={`/transfers/${q.transfer_id}`}>{t('store.shipTransfer', { id: q.transfer_id })}</a></p>}
        {step.error && <ErrorNote error={step.error} kept={t('error.formKept')} />}
      </div>
      {ask !== null && (
        <form className="store-ask" onSubmit={(e) => { e.preventDefault(); if (ask === 'decline') run({ do: 'decline', why: why.trim() }, back); else run({ do: 'short', line: lines[ask]!.line, quantity: missing }, () => setAsk(null)); }}>
          {ask === 'decline' ? (
            <label className="col g4 sp">{t('fulfil.title.decline', { number: q.number })}<input className="sfield" autoFocus placeholder={t('fulfil.declineExample')} value={why} onChange={(e) => setWhy(e.currentTarget.value)} data-testid="decline-why" /></label>
          ) : (
            <div className="row g12 sp wrap-row"><span className="sp">{t('store.howMany', { name: lines[ask]!.product || lines[ask]!.sku })}</span><Count n={missing} most={lines[ask]!.quantity} least={1} set={setMissing} name={lines[ask]!.sku} /></div>
          )}
          <button type="button" className="sbtn" onClick={() => setAsk(null)}>{t('cancel')}</button>
          <button type="submit" className="sbtn warn" disabled={step.isPending} data-testid="ask-do">{ask === 'decline' ? t('fulfil.do.decline') : t('store.missingDo', { n: f.number(missing) })}</button>
        </form>
      )}
      {ask === null && may && (
        <footer className="store-acts">
          {!working && <><button type="button" className="sbtn tall" onClick={() => setAsk('decline')} data-testid="pick-decline">{t('fulfil.do.decline')}</button><span className="sp" /><button type="button" className="sbtn tall act" disabled={step.isPending} onClick={() => run({ do: 'accept' })} data-testid="pick-accept"><IconCheck />{t('fulfil.do.accept')}</button></>}
          {working && <><span className="col r sp"><b>{t('store.haveOf', { have: f.number(have), all: f.number(all) })}</b>{have < all && <span className="m2">{t('store.left', { n: f.number(all - have) })}</span>}</span><button type="button" className="sbtn tall act" disabled={have < all || step.isPending} onClick={() => run({ do: 'ready' }, back)} data-testid="pick-ready"><IconPackage />{q.kind === 'ship' ? t('store.packedShip') : t('store.packed')}</button></>}
        </footer>
      )}
      {!may && <footer className="store-acts"><span className="m2">{t('locked.right')}</span></footer>}
    </>
  );
}

/** A number between bounds, for fingers. */
export function Count({ n, most, least = 0, set, name }: { n: number; most: number; least?: number; set: (n: number) => void; name: string }) {
  const { t } = useTranslation();
  return (
    <span className="row g8" role="group" aria-label={t('lines.quantityOf', { sku: name })}>
      <button type="button" className="sbtn square" disabled={n <= least} onClick={() => set(Math.max(least, n - 1))} aria-label={t('store.less')} data-testid="less"><IconMinus /></button>
      <output className="of"><b>{f.number(n)}</b></output>
      <button type="button" className="sbtn square" disabled={n >= most} onClick={() => set(Math.min(most, n + 1))} aria-label={t('store.moreOf')} data-testid="more"><IconPlus /></button>
    </span>
  );
}

function Hand({ of: q, bag, at, code, setCode, back }: { of: Queued; bag: Queued[]; at: string; code: string; setCode: (code: string) => void; back: () => void }) {
  const { t } = useTranslation();
  const may = useMay('orders:write');
  const client = useQueryClient();
  const step = useStoreStep(q);
  const once = useOnce();
  const [seen, setSeen] = useState<string | null>(null);
  const [tracking, setTracking] = useState('');
  const [kept, setKept] = useState(() => Object.fromEntries(q.lines.map((l, i) => [i, l.quantity])) as Record<number, number>);
  const [after, setAfter] = useState<Order | null>(null);
  const ships = q.kind === 'ship';
  // What else is in the bag leaves with it, unless somebody says otherwise.
  const [alone, setAlone] = useState(false);
  const together = bag.length > 1 && !alone;
  const bags = useMutation({
    mutationFn: () => {
      const items = bag.map((b) => ({ order_id: b.order_id, fulfilment: b.fulfilment }));
      const body = ships ? { do: 'dispatch' as const, items, tracking: tracking.trim() } : { do: 'hand_over' as const, items, ...(seen === null ? { code: code.trim() } : { seen: seen.trim() }) };
      return must(api.POST('/api/v1/bags', { body, headers: once({ body, at: Math.floor(Date.now() / 2000) }) }));
    },
    onSuccess: (b) => {
      void client.invalidateQueries({ queryKey: ORDERS });
      void client.invalidateQueries({ queryKey: GOODS });
      say(t('store.bagDone', { count: b.orders.length, n: f.number(b.orders.length) }));
      back();
    },
  });
  const owed = (together ? bag : [q]).filter((b) => !b.paid);
  const takePay = useMutation({
    mutationFn: (minor: number) => {
      const body = { provider: 'till', action: 'capture', amount: { minor, currency: q.currency } };
      return must(api.POST('/api/v1/orders/{id}/payments', { params: { path: { id: q.order_id } }, body, headers: once({ of: keyOf(q), body }) }));
    },
    onSuccess: (o) => {
      void client.invalidateQueries({ queryKey: ORDERS });
      say(t('pay.done', { sum: cash(o.paid_minor, q.currency) }));
      if (after) setAfter(o);
    },
  });
  const faults = faultsOf(step.error ?? bags.error, (x) => x);
  const wrong = faults.at('/code', '/seen', '/tracking');
  const keeps = q.lines.reduce((n, _, i) => n + (kept[i] ?? 0), 0);
  const all = q.lines.reduce((n, l) => n + l.quantity, 0);
  const ready = ships ? !together || tracking.trim() !== '' : seen === null ? code.trim().length >= 4 : seen.trim().length > 0;
  const send = () => {
    if (!ready) return;
    if (together) return bags.mutate();
    if (ships) return step.mutate({ do: 'dispatch', tracking: tracking.trim() }, { onSuccess: back });
    const body: FulfilmentStep = { do: 'hand_over', ...(seen === null ? { code: code.trim() } : { seen: seen.trim() }), ...(q.try_on ? { kept: q.lines.map((l, i) => ({ line: l.line, quantity: kept[i] ?? 0 })) } : {}) };
    return step.mutate(body, { onSuccess: (o) => (q.try_on && o.balance_minor > 0 ? setAfter(o) : back()) });
  };
  if (after)
    return (
      <div className="store-one" data-testid="tried">
        <h2 className="who">{t('store.tried', { n: f.number(keeps) })}</h2>
        <p className="m2">{t('store.triedText', { n: f.number(all - keeps) })}</p>
        {after.balance_minor > 0 ? <><p className="sum">{cash(after.balance_minor, q.currency)}</p><button type="button" className="sbtn tall act" disabled={takePay.isPending} onClick={() => takePay.mutate(after.balance_minor)} data-testid="take-pay">{t('store.takePay')}</button></> : <p className="good-text">{t('pay.even')}</p>}
        {takePay.error && <ErrorNote error={takePay.error} />}
        <button type="button" className="sbtn" onClick={back}>{t('store.done')}</button>
      </div>
    );
  return (
    <>
      <Head of={q} back={back} />
      <div className="store-lines">
        {!q.paid && !q.try_on && !ships && <div className="store-pay" data-testid="to-pay"><span className="sp">{t('store.payFirst')}</span><b className="sum">{cash(q.to_pay_minor, q.currency)}</b>{may && <button type="button" className="sbtn" disabled={takePay.isPending} onClick={() => takePay.mutate(q.to_pay_minor)} data-testid="take-pay">{t('store.takePay')}</button>}</div>}
        {takePay.error && <ErrorNote error={takePay.error} />}
        {bag.length > 1 && (
          <div className="store-bag" data-testid="bag">
            <span className="col sp"><b>{t('store.bagOf', { count: bag.length, n: f.number(bag.length) })}</b><span className="m2">{bag.filter((b) => keyOf(b) !== keyOf(q)).map((b) => [b.number, b.paid ? t('store.paid') : t('store.toPay', { sum: cash(b.to_pay_minor, b.currency) })].join(', ')).join(' · ')}</span></span>
            <button type="button" className="sbtn" aria-pressed={!alone} onClick={() => setAlone(!alone)} data-testid="bag-alone">{alone ? t('store.bagTogether') : t('store.bagAlone')}</button>
          </div>
        )}
        {together && owed.some((b) => keyOf(b) !== keyOf(q)) && <p className="warn-text">{t('store.bagOwed', { sum: cash(owed.reduce((n, b) => n + b.to_pay_minor, 0), q.currency) })}</p>}
        {q.try_on && <p className="m2">{t('store.tryOnText')}</p>}
        {together && bag.filter((b) => keyOf(b) !== keyOf(q)).flatMap((b) => b.lines.map((l, i) => <div key={`${keyOf(b)}-${i}`} className="store-line"><div className="row g16"><span className="col sp"><span className="b">{l.product || l.sku}</span><span className="t14 m2">{t('order.no', { number: b.number })}</span></span><span className="of"><b>{f.number(l.quantity)}</b></span></div></div>))}
        {q.lines.map((l, i) => (
          <div key={`${l.line}-${i}`} className="store-line" data-testid="hand-line">
            <div className="row g16"><span className="col sp"><span className="b">{l.product || l.sku}</span><span className="t14 m2 mono">{l.sku}</span></span>{q.try_on && !ships ? <Count n={kept[i] ?? 0} most={l.quantity} set={(n) => setKept((old) => ({ ...old, [i]: n }))} name={l.sku} /> : <span className="of"><b>{f.number(l.quantity)}</b></span>}</div>
          </div>
        ))}
        {!ships && may && <Beside order={q.order_id} at={at} />}
        {may && (
          <form className="col g12 store-proof" onSubmit={(e) => { e.preventDefault(); send(); }}>
            {ships ? (
              <label className="col g4">{t('fulfil.tracking')}<input className="sfield" value={tracking} autoComplete="off" onChange={(e) => setTracking(e.currentTarget.value)} data-testid="tracking" /></label>
            ) : seen === null ? (
              <>
                <label className="col g4">{t('fulfil.code')}<input className="sfield digits" inputMode="numeric" autoComplete="off" autoFocus value={code} onChange={(e) => { const ticket = ticketOf(e.currentTarget.value); setCode(ticket.order ? ticket.code : e.currentTarget.value.replace(/\s/g, '')); }} data-testid="code" aria-invalid={Boolean(wrong)} /></label>
                <div className="row g12 wrap-row"><CameraButton found={(text) => setCode(ticketOf(text).code || text)} label={t('store.scan')} /><button type="button" className="textlink" onClick={() => setSeen('')} data-testid="by-sight">{t('store.noCode')}</button></div>
              </>
            ) : (
              <>
                <label className="col g4">{t('fulfil.seen')}<input className="sfield" autoFocus placeholder={t('fulfil.seenExample')} value={seen} onChange={(e) => setSeen(e.currentTarget.value)} data-testid="seen" /></label>
                <button type="button" className="textlink" onClick={() => setSeen(null)}>{t('fulfil.byCode')}</button>
              </>
            )}
            {wrong && <p className="bad-text" role="alert" data-testid="code-wrong">{wrong}</p>}
            {Boolean(faults.rest()) && <ErrorNote error={faults.rest()} kept={t('error.formKept')} />}
          </form>
        )}
      </div>
      {may && (
        <footer className="store-acts">
          <span className="col r sp">{q.try_on && !ships ? <><b>{t('store.keeps', { n: f.number(keeps), all: f.number(all) })}</b><span className="m2">{t('store.goesBack', { n: f.number(all - keeps) })}</span></> : <span className="m2">{ships ? t('fulfil.text.dispatch') : t('fulfil.text.hand_over')}</span>}</span>
          <button type="button" className="sbtn tall act" disabled={!ready || step.isPending || bags.isPending} onClick={send} data-testid="hand-do"><IconCheck />{ships ? t('fulfil.do.dispatch') : q.try_on && keeps === 0 ? t('store.keepsNone') : t('fulfil.do.hand_over')}</button>
        </footer>
      )}
    </>
  );
}

