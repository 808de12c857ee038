// Decision served: was it ordered, what of it came, and does more come?
import { Button, Switch, TextInput } from '@mantine/core';
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { lazy, Suspense, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import { ActButton } from '../session/Guarded';
import { useMay } from '../session/session';
import { ErrorNote, NumberStrip, PageHeader, Panel, Skeleton } from '../ui/base';
import * as f from '../ui/format';
import { useTitle } from '../ui/Shell';
import { say } from '../ui/toast';
import { Acts, Dialog } from './acts';
import { dayStart, faultsOf, quantity } from './forms';
import { Amount, type Places, Qty, State, Steps, usePlaces } from './parts';
import { GOODS, type Purchase, purchaseQuery, purchasesQuery } from './query';

const Waits = lazy(() => import('./Waits'));
const ExpectForm = lazy(() => import('./Waits').then((m) => ({ default: m.ExpectForm })));
const route = getRouteApi('/purchases/$id');

export default function PurchasePage() {
  const { t } = useTranslation();
  const { id } = route.useParams();
  const order = useQuery(purchaseQuery(id));
  const list = useInfiniteQuery(purchasesQuery);
  const places = usePlaces();
  const [open, setOpen] = useState<'place' | 'end' | 'cancel' | 'expect' | null>(null);
  const o = order.data;
  useTitle(t('purchase.no', { id }));
  if (!o) return <div className="page">{order.error ? <ErrorNote error={order.error} retry={() => void order.refetch()} /> : <Skeleton rows={6} />}</div>;
  const supplier = list.data?.pages.flatMap((p) => p.items).find((x) => x.id === o.id)?.supplier;
  const steps = [t('purchase.state.draft'), t('purchase.state.ordered'), t('purchase.state.received')];
  const at = { draft: 0, ordered: 1, partly_received: 1, received: 2, cancelled: 0 }[o.state] ?? 0;
  // Who may not see costs gets none.
  const sees = o.freight_minor != null && o.lines.every((l) => l.cost_minor != null);
  const total = o.lines.reduce((n, l) => n + Math.round(l.ordered * (l.cost_minor ?? 0)), o.freight_minor ?? 0);
  const sum = (of: (l: Purchase['lines'][number]) => number) => f.number(Math.round(o.lines.reduce((n, l) => n + of(l), 0) * 1000) / 1000);
  const awaits = ['ordered', 'partly_received'].includes(o.state);
  return (
    <div className="page">
      <PageHeader
        title={supplier ?? t('purchase.no', { id: o.id })}
        titleTestId="purchase-name"
        badge={<span data-testid="purchase-state"><State of="purchase" state={o.state} /></span>}
        note={[supplier && t('purchase.no', { id: o.id }), t('purchase.toPlace', { place: places.name(o.location_id) })].filter(Boolean).join(' · ')}
        actions={
          <div className="row g8 wrap-row">
            {['draft', 'ordered'].includes(o.state) && <ActButton right="stock:write" variant="subtle" onClick={() => setOpen('cancel')} data-testid="purchase-cancel">{t('purchase.cancel')}</ActButton>}
            {awaits && <ActButton right="stock:write" variant="default" onClick={() => setOpen('expect')} data-testid="purchase-expect">{t('ahead.expect')}</ActButton>}
            {awaits && <ActButton right="stock:write" variant="default" onClick={() => setOpen('end')} data-testid="purchase-end">{t('purchase.noMore')}</ActButton>}
            {o.state === 'draft' && <ActButton right="stock:write" onClick={() => setOpen('place')} data-testid="purchase-place-order">{t('purchase.placed')}</ActButton>}
          </div>
        }
      />
      <div className="row g16 wrap-row"><Steps steps={steps} at={at} ended={o.state === 'cancelled' ? t('purchase.state.cancelled') : undefined} /></div>
      <NumberStrip calm label={t('purchase.no', { id: o.id })} items={[
        { label: t('purchase.total'), value: sees ? f.money({ minor: total, currency: o.currency }) : '—', note: o.freight_minor ? t('purchase.withFreight', { sum: f.money({ minor: o.freight_minor, currency: o.currency }) }) : undefined },
        { label: t('purchase.ordered'), value: sum((l) => l.ordered) },
        { label: t('purchase.came'), value: sum((l) => l.received) },
        { label: t('purchase.awaited'), value: sum((l) => l.awaited), note: o.expected_at && awaits ? t('transfer.by', { day: f.dayMonth(o.expected_at) }) : undefined, tone: awaits && o.expected_at && Date.parse(o.expected_at) < Date.now() ? 'warn' : undefined },
      ]} />
      {o.note && <p className="m2">{o.note}</p>}
      <Delivery key={`${o.state}-${o.version}`} of={o} places={places} />
      {o.state !== 'draft' && <Suspense fallback={null}><Waits of={o} /></Suspense>}
      {open === 'expect' && <Suspense fallback={null}><ExpectForm of={o} close={() => setOpen(null)} /></Suspense>}
      {open === 'place' && <Place of={o} close={() => setOpen(null)} />}
      {open === 'end' && <End of={o} close={() => setOpen(null)} />}
      {open === 'cancel' && <Cancel of={o} close={() => setOpen(null)} />}
    </div>
  );
}

function useTold(id: string) {
  const client = useQueryClient();
  return (after: Purchase, text: string) => {
    client.setQueryData(purchaseQuery(id).queryKey, after);
    void client.invalidateQueries({ queryKey: GOODS });
    say(text);
  };
}

function Delivery({ of: o, places }: { of: Purchase; places: Places }) {
  const { t } = useTranslation();
  const may = useMay('stock:write');
  const told = useTold(o.id);
  const form = useRef<HTMLFormElement>(null);
  const takes = ['ordered', 'partly_received'].includes(o.state) && may;
  const [came, setCame] = useState(o.lines.map((l) => String(l.awaited)));
  const [note, setNote] = useState('');
  const [last, setLast] = useState(false);
  const asked = o.lines.map((l, line) => ({ l, line })).filter(({ l }) => l.awaited > 0);
  const receive = useMutation({
    mutationFn: () => must(api.POST('/api/v1/purchase-orders/{id}/receive', { params: { path: { id: o.id } }, body: { lines: asked.map(({ line }) => ({ line, quantity: quantity(came[line]!) ?? 0 })), complete: last, document: note.trim() } })),
    onSuccess: (after) => told(after, t('purchase.taken', { place: places.name(o.location_id) })),
  });
  const faults = faultsOf(receive.error, places.name);
  const errors = o.lines.map((_, i) => faults.at(`/lines/${asked.findIndex((a) => a.line === i)}/received`, `/lines/${asked.findIndex((a) => a.line === i)}/quantity`));
  const noteError = faults.at('/document');
  const linesError = faults.at('/lines');
  const bad = came.some((v) => quantity(v) === null || (quantity(v) ?? -1) < 0);
  return (
    <form ref={form} className="col g16" noValidate onSubmit={(e) => { e.preventDefault(); if (!bad) receive.mutate(); }}>
      <Panel title={takes ? t('purchase.takeTitle') : t('lines.title')} count={f.number(o.lines.length)}>
        <div className="tbl" role="group" aria-label={t('lines.title')} tabIndex={0}>
          <table style={{ minWidth: 720 }}>
            <colgroup><col />{[0, 1, 2, 3, 4].map((n) => <col key={n} style={{ width: 116 }} />)}{takes && <col style={{ width: 136 }} />}</colgroup>
            <thead><tr><th scope="col">{t('stock.sku')}</th><th scope="col" className="r">{t('purchase.cost')}</th><th scope="col" className="r">{t('purchase.ordered')}</th><th scope="col" className="r">{t('purchase.came')}</th><th scope="col" className="r">{t('purchase.cancelled')}</th><th scope="col" className="r">{t('purchase.awaited')}</th>{takes && <th scope="col" className="r">{t('purchase.cameNow')}</th>}</tr></thead>
            <tbody>
              {o.lines.map((l, i) => (
                <tr key={l.sku} className="row-data" data-testid="purchase-line">
                  <td style={{ height: 44 }}><span className="col"><Link to="/stock/$sku" params={{ sku: l.sku }} search={{}} className="plain b name mono el">{l.sku}</Link>{errors[i] && <span className="error-text el" role="alert">{errors[i]}</span>}</span></td>
                  <td className="r">{l.cost_minor == null ? '—' : f.money({ minor: l.cost_minor, currency: o.currency })}</td>
                  <td className="r"><Qty n={l.ordered} /></td>
                  <td className="r"><Qty n={l.received} strong /></td>
                  <td className="r"><Qty n={l.cancelled} /></td>
                  <td className="r"><Qty n={l.awaited} /></td>
                  {takes && <td className="r">{l.awaited > 0 && <Amount hidden label={t('purchase.cameOf', { sku: l.sku })} value={came[i]!} onChange={(v) => setCame(came.map((old, j) => (i === j ? v : old)))} onEnter={() => (form.current?.querySelector<HTMLElement>(`[data-testid="came-${i + 1}"]`) ?? form.current?.querySelector<HTMLElement>('[type=submit]'))?.focus()} testId={`came-${i}`} />}</td>}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </Panel>
      {takes && (
        <div className="row g16 wrap-row" style={{ alignItems: 'flex-end' }}>
          <TextInput label={t('purchase.note')} description={t('purchase.noteHelp')} inputWrapperOrder={['label', 'input', 'description', 'error']} value={note} error={noteError} w={320} onChange={(e) => setNote(e.currentTarget.value)} data-testid="purchase-document" />
          <Switch label={t('purchase.noMore')} checked={last} onChange={(e) => setLast(e.currentTarget.checked)} style={{ paddingBottom: 26 }} />
        </div>
      )}
      {linesError && <p className="error-text" role="alert">{linesError}</p>}
      {Boolean(faults.rest()) && <ErrorNote error={faults.rest()} kept={t('error.formKept')} />}
      {takes && <div className="form-actions"><Button type="submit" loading={receive.isPending} disabled={bad} data-testid="purchase-receive">{t('purchase.receive')}</Button></div>}
      {!may && ['ordered', 'partly_received'].includes(o.state) && <div className="form-actions"><ActButton right="stock:write" variant="default">{t('purchase.receive')}</ActButton></div>}
    </form>
  );
}

function Place({ of: o, close }: { of: Purchase; close: () => void }) {
  const { t } = useTranslation();
  const told = useTold(o.id);
  const [day, setDay] = useState(o.expected_at ? o.expected_at.slice(0, 10) : '');
  const place = useMutation({
    mutationFn: () => must(api.POST('/api/v1/purchase-orders/{id}/place', { params: { path: { id: o.id } }, body: { expected_at: dayStart(day) } })),
    onSuccess: (after) => { told(after, t('purchase.isPlaced', { id: o.id })); close(); },
  });
  return (
    <Dialog title={t('purchase.placed')} close={close} submit={() => place.mutate()}>
      <p className="m2">{t('purchase.placedText')}</p>
      <TextInput type="date" label={t('transfer.expected')} value={day} w={180} onChange={(e) => setDay(e.currentTarget.value)} data-autofocus />
      {place.error && <ErrorNote error={place.error} kept={t('error.formKept')} />}
      <Acts label={t('purchase.placed')} busy={place.isPending} close={close} testId="purchase-place-do" />
    </Dialog>
  );
}

function End({ of: o, close }: { of: Purchase; close: () => void }) {
  const { t } = useTranslation();
  const told = useTold(o.id);
  const end = useMutation({
    mutationFn: () => must(api.POST('/api/v1/purchase-orders/{id}/receive', { params: { path: { id: o.id } }, body: { lines: [], complete: true } })),
    onSuccess: (after) => { told(after, t('purchase.ended', { id: o.id })); close(); },
  });
  const n = o.lines.reduce((sum, l) => sum + l.awaited, 0);
  return (
    <Dialog title={t('purchase.noMore')} close={close} submit={() => end.mutate()}>
      <p className="m2">{t('purchase.noMoreText', { n: f.number(n) })}</p>
      {end.error && <ErrorNote error={end.error} />}
      <Acts label={t('purchase.noMoreDo', { n: f.number(n) })} busy={end.isPending} close={close} testId="purchase-end-do" />
    </Dialog>
  );
}

function Cancel({ of: o, close }: { of: Purchase; close: () => void }) {
  const { t } = useTranslation();
  const told = useTold(o.id);
  const cancel = useMutation({
    mutationFn: () => must(api.POST('/api/v1/purchase-orders/{id}/cancel', { params: { path: { id: o.id } } })),
    onSuccess: (after) => { told(after, t('purchase.isCancelled', { id: o.id })); close(); },
  });
  return (
    <Dialog title={t('purchase.cancelTitle', { id: o.id })} close={close} submit={() => cancel.mutate()}>
      <p className="m2">{o.state === 'draft' ? t('purchase.cancelDraft') : t('purchase.cancelText')}</p>
      {cancel.error && <ErrorNote error={cancel.error} />}
      <Acts label={t('purchase.cancelDo')} busy={cancel.isPending} close={close} testId="purchase-cancel-do" />
    </Dialog>
  );
}
