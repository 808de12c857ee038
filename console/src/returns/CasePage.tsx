// Decision served: who does what about it until when, and what came of it?
import { Checkbox, SegmentedControl, Textarea, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import { Goods, word } from '../orders/parts';
import { orderQuery } from '../orders/query';
import { ActButton, ActLink } from '../session/Guarded';
import { useMe } from '../session/session';
import { Acts, Dialog } from '../stock/acts';
import { dayStart, faultsOf, quantity } from '../stock/forms';
import { Amount, type Places, PlaceSelect, SkuField, Steps, usePlaces, useSku } from '../stock/parts';
import { EmptyState, ErrorNote, NumberStrip, PageHeader, Panel, Skeleton, When } from '../ui/base';
import * as f from '../ui/format';
import { useTitle } from '../ui/Shell';
import { say, sayError } from '../ui/toast';
import { AfterBadge, Due, isOver, OrderLink } from './parts';
import { AFTER, type Case, type CaseDo, caseQuery, caseSteps } from './query';

const route = getRouteApi('/returns/cases/$id');

export default function CasePage() {
  const { t } = useTranslation();
  const { id } = route.useParams();
  const query = useQuery(caseQuery(id));
  const order = useQuery({ ...orderQuery(query.data?.order_id ?? ''), enabled: Boolean(query.data) });
  const places = usePlaces();
  const client = useQueryClient();
  const [open, setOpen] = useState<'close' | 'refuse' | 'assign' | 'lend' | number | null>(null);
  const c = query.data;
  const name = c ? `${word('akind', c.kind)} ${c.id}` : id;
  useTitle(name);
  const told = (after: Case, text: string) => {
    client.setQueryData(caseQuery(id).queryKey, after);
    void client.invalidateQueries({ queryKey: AFTER });
    say(text);
    setOpen(null);
  };
  const step = useMutation({
    mutationFn: (what: CaseDo) => must(api.POST('/api/v1/after-sale/{id}/step', { params: { path: { id } }, body: { step: what } })),
    onSuccess: (after) => told(after, t('case.now', { state: word('astate', after.state) })),
    onError: sayError,
  });
  if (!c) return <div className="page">{query.error ? <ErrorNote error={query.error} retry={() => void query.refetch()} /> : <Skeleton rows={8} />}</div>;
  const steps = caseSteps(c);
  const over = isOver(c.state);
  const line = ['open', 'accepted', 'in_work', 'ready', 'closed'];
  const at = c.state === 'waiting' ? 2 : Math.max(0, line.indexOf(c.state));
  const out = c.loans.filter((l) => !l.back_at).length;
  const lends = ['accepted', 'waiting', 'in_work', 'ready'].includes(c.state);
  return (
    <div className="page">
      <PageHeader
        title={name}
        titleTestId="case-name"
        badge={<span data-testid="case-state"><AfterBadge of="astate" state={c.state} /></span>}
        note={<><OrderLink id={order.data?.number ?? c.order_id} /> · {f.exact(c.opened_at)}</>}
        actions={<span className="row wrap-row">{[...steps].reverse().map((s) => <ActButton key={s} right="orders:write" variant={s === steps[0] ? 'filled' : s === 'cancel' || s === 'refuse' ? 'subtle' : 'default'} loading={step.isPending && step.variables === s} onClick={() => (s === 'close' || s === 'refuse' ? setOpen(s) : step.mutate(s))} data-testid={`case-${s}`}>{t(`case.do.${s}`)}</ActButton>)}</span>}
      />
      <div className="row g16 wrap-row"><Steps steps={line.map((s) => word('astate', s))} at={at} ended={['refused', 'cancelled'].includes(c.state) ? word('astate', c.state) : undefined} /></div>
      <NumberStrip calm label={name} items={[
        { label: t('case.owner'), value: <span data-testid="case-owner">{c.owner || t('case.nobody')}</span>, tone: c.owner || over ? undefined : 'warn' },
        { label: t('after.dueHead'), value: <Due at={c.due_at} over={over} /> },
        { label: t('case.covered'), value: c.warranty_until ? f.date(c.warranty_until) : f.NONE, tone: c.warranty_until && Date.parse(c.warranty_until) < Date.now() ? 'warn' : undefined, note: c.paid_by_customer ? t('case.paid') : c.warranty_until ? (Date.parse(c.warranty_until) < Date.now() ? t('case.ranOut') : t('case.holds')) : undefined },
        { label: t('case.lent'), value: f.number(out), tone: out ? 'warn' : undefined, note: out ? t('case.notOver') : undefined },
      ]} />
      <div className="person-two">
        <div className="col g16">
          <Panel title={t('case.about')}>
            <div className="body"><dl className="kv">
              <dt>{t('stock.goods')}</dt><dd>{c.sku ? <Goods sku={c.sku} /> : f.NONE}</dd>
              {c.serial && <><dt>{t('serial.one')}</dt><dd className="mono wrap">{c.serial}</dd></>}
              <dt>{t('return.note')}</dt><dd className="wrap">{c.note || f.NONE}</dd>
              <dt>{t('case.outcome')}</dt><dd className="wrap" data-testid="case-outcome">{c.outcome || f.NONE}</dd>
            </dl></div>
          </Panel>
          <Panel title={t('case.loans')} count={f.number(c.loans.length)} right={lends ? <ActLink right="orders:write" onClick={() => setOpen('lend')} data-testid="case-lend">{t('case.lend')}</ActLink> : undefined}>
            {c.loans.length === 0 ? <EmptyState title={t('case.noLoans')}>{t('case.noLoansText')}</EmptyState> : (
              <ul className="line-list body">
                {c.loans.map((l, i) => (
                  <li key={i} className="row wrap-row g12" style={{ padding: '8px 0' }} data-testid="loan">
                    <span className="col sp"><Goods sku={l.sku} /><span className="t12 m2">{f.number(l.quantity)} · {t('case.out')} <When at={l.out_at} />{l.back_at ? <> · {t('case.back')} <When at={l.back_at} /></> : null}{l.lot ? ` · ${l.lot}` : ''}</span></span>
                    {!l.back_at && <ActButton right="orders:write" size="compact-sm" variant="default" onClick={() => setOpen(i)} data-testid={`loan-back-${i}`}>{t('case.takeBack')}</ActButton>}
                  </li>
                ))}
              </ul>
            )}
          </Panel>
        </div>
        <Panel title={t('case.who')} right={over ? undefined : <ActLink right="orders:write" onClick={() => setOpen('assign')} data-testid="case-assign">{t('case.assign')}</ActLink>}>
          <div className="body"><dl className="kv">
            <dt>{t('case.owner')}</dt><dd>{c.owner || <span className="warn-text">{t('case.nobody')}</span>}</dd>
            <dt>{t('after.dueHead')}</dt><dd>{f.exact(c.due_at)}</dd>
            <dt>{t('case.pays')}</dt><dd>{c.paid_by_customer ? t('yes') : t('no')}</dd>
          </dl></div>
        </Panel>
      </div>
      {(open === 'close' || open === 'refuse') && <Close of={c} refused={open === 'refuse'} close={() => setOpen(null)} done={(after) => told(after, t('case.now', { state: word('astate', after.state) }))} />}
      {open === 'assign' && <Assign of={c} close={() => setOpen(null)} done={(after) => told(after, t('case.assigned', { who: after.owner || t('case.nobody') }))} />}
      {open === 'lend' && <Lend of={c} places={places} close={() => setOpen(null)} done={(after) => told(after, t('case.lentDone'))} />}
      {typeof open === 'number' && <TakeBack of={c} loan={open} places={places} close={() => setOpen(null)} done={(after) => told(after, t('case.backDone'))} />}
    </div>
  );
}

interface P { of: Case; close: () => void; done: (after: Case) => void }
const raw = (x: string) => x;

function Close({ of: c, refused, close, done }: P & { refused: boolean }) {
  const { t } = useTranslation();
  const [text, setText] = useState('');
  const send = useMutation({ mutationFn: () => must(api.POST('/api/v1/after-sale/{id}/close', { params: { path: { id: c.id } }, body: { outcome: text.trim(), refused } })), onSuccess: done });
  const faults = faultsOf(send.error, raw);
  const at = faults.at('/outcome', '/why');
  return (
    <Dialog title={refused ? t('case.refuseTitle') : t('case.closeTitle')} close={close} submit={() => text.trim() && send.mutate()}>
      <Textarea label={t('case.outcomeLabel')} placeholder={refused ? t('case.refuseExample') : t('case.outcomeExample')} autosize minRows={2} maxRows={6} value={text} error={at} onChange={(e) => setText(e.currentTarget.value)} data-autofocus data-testid="case-outcome-text" />
      {Boolean(faults.rest()) && <ErrorNote error={faults.rest()} kept={t('error.formKept')} />}
      <Acts label={refused ? t('case.do.refuse') : t('case.do.close')} busy={send.isPending} disabled={!text.trim()} close={close} testId="case-close-do" />
    </Dialog>
  );
}

function Assign({ of: c, close, done }: P) {
  const { t } = useTranslation();
  const me = useMe();
  const [owner, setOwner] = useState(c.owner || me.name || me.email);
  const [day, setDay] = useState(c.due_at.slice(0, 10));
  const [pays, setPays] = useState(c.paid_by_customer);
  const send = useMutation({ mutationFn: () => must(api.POST('/api/v1/after-sale/{id}/assign', { params: { path: { id: c.id } }, body: { owner: owner.trim(), due_at: dayStart(day), paid_by_customer: pays } })), onSuccess: done });
  const faults = faultsOf(send.error, raw);
  const at = { owner: faults.at('/owner'), due: faults.at('/due_at') };
  return (
    <Dialog title={t('case.assign')} close={close} submit={() => send.mutate()}>
      <TextInput label={t('case.owner')} value={owner} error={at.owner} maxLength={200} onChange={(e) => setOwner(e.currentTarget.value)} data-autofocus data-testid="assign-owner" />
      <TextInput type="date" label={t('after.dueHead')} value={day} error={at.due} w={180} onChange={(e) => setDay(e.currentTarget.value)} data-testid="assign-day" />
      <Checkbox checked={pays} onChange={(e) => setPays(e.currentTarget.checked)} label={t('case.paysLabel')} />
      {Boolean(faults.rest()) && <ErrorNote error={faults.rest()} kept={t('error.formKept')} />}
      <Acts label={t('save')} busy={send.isPending} close={close} testId="assign-do" />
    </Dialog>
  );
}

function Lend({ of: c, places, close, done }: P & { places: Places }) {
  const { t } = useTranslation();
  const look = useSku();
  const [sku, setSku] = useState('');
  const [name, setName] = useState('');
  const [n, setN] = useState('1');
  const [at, setAt] = useState('');
  const [lot, setLot] = useState('');
  const amount = quantity(n);
  const bad = !sku || !at || amount === null || amount <= 0;
  const send = useMutation({ mutationFn: () => must(api.POST('/api/v1/after-sale/{id}/lend', { params: { path: { id: c.id } }, body: { sku, quantity: amount ?? 0, location_id: at, lot: lot.trim() } })), onSuccess: done });
  const faults = faultsOf(send.error, places.name);
  const error = { sku: faults.at('/sku'), n: faults.at('/quantity'), at: faults.at('/location_id'), lot: faults.at('/lot') };
  return (
    <Dialog title={t('case.lendTitle')} close={close} submit={() => { if (!bad) send.mutate(); }}>
      <SkuField label={t('case.lendWhat')} width="100%" initial={sku} error={error.sku} onSku={async (text) => { const found = await look(text); setSku(found.sku); setName(found.name); }} testId="lend-sku" autoFocus />
      {sku && <span className="m2">{name || sku}</span>}
      <div className="grid2">
        <PlaceSelect label={t('move.from')} value={at} onChange={setAt} places={places} error={error.at} testId="lend-place" />
        <Amount label={t('order.pieces')} value={n} onChange={setN} error={error.n} />
      </div>
      <TextInput label={t('return.lot')} value={lot} error={error.lot} maxLength={100} onChange={(e) => setLot(e.currentTarget.value)} />
      {Boolean(faults.rest()) && <ErrorNote error={faults.rest()} kept={t('error.formKept')} />}
      <Acts label={t('case.lend')} busy={send.isPending} disabled={bad} close={close} testId="lend-do" />
    </Dialog>
  );
}

function TakeBack({ of: c, loan, places, close, done }: P & { loan: number; places: Places }) {
  const { t } = useTranslation();
  const [at, setAt] = useState(c.loans[loan]?.location_id ?? '');
  const [grade, setGrade] = useState('sellable');
  const send = useMutation({ mutationFn: () => must(api.POST('/api/v1/after-sale/{id}/take-back', { params: { path: { id: c.id } }, body: { loan, location_id: at, grade } })), onSuccess: done });
  const faults = faultsOf(send.error, places.name);
  const error = { at: faults.at('/location_id'), grade: faults.at('/grade') };
  return (
    <Dialog title={t('case.takeBack')} close={close} submit={() => send.mutate()}>
      <PlaceSelect label={t('return.receiveAt')} value={at} onChange={setAt} places={places} error={error.at} testId="back-place" />
      <SegmentedControl value={grade} onChange={setGrade} aria-label={t('return.grade')} data={['sellable', 'outlet'].map((g) => ({ value: g, label: word('grade', g) }))} />
      {error.grade && <span className="error-text" role="alert">{error.grade}</span>}
      {Boolean(faults.rest()) && <ErrorNote error={faults.rest()} kept={t('error.formKept')} />}
      <Acts label={t('case.takeBack')} busy={send.isPending} disabled={!at} close={close} testId="back-do" />
    </Dialog>
  );
}
