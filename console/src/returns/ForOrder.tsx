// What came after an order, on its page: returns, claims, cases, and the three ways to begin one.
import { Checkbox, SegmentedControl, Select, Textarea, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import { Goods, word } from '../orders/parts';
import { type Order, partsOf } from '../orders/query';
import { ActLink } from '../session/Guarded';
import { useMe } from '../session/session';
import { Acts, Dialog } from '../stock/acts';
import { dayStart, faultsOf, minor, newKey, quantity } from '../stock/forms';
import { Amount, SkuField, useSku } from '../stock/parts';
import { CopyButton, ErrorNote, Panel } from '../ui/base';
import * as f from '../ui/format';
import { say } from '../ui/toast';
import { AfterBadge, Due, isOver, STATE_OF } from './parts';
import { AFTER, type AfterRow, CASE_KINDS, type Of, ofOrderQuery, REASONS, round } from './query';

const ONE = { returns: '/returns/$id', claims: '/returns/claims/$id', cases: '/returns/cases/$id' } as const;

/** Returns, claims and cases as lines: what, state, by when. */
export function AfterLines({ of, order }: { of: { returns: AfterRow[]; claims: AfterRow[]; cases: AfterRow[] }; order?: boolean }) {
  const { t } = useTranslation();
  const all = (['returns', 'claims', 'cases'] as Of[]).flatMap((kind) => of[kind].map((row) => ({ kind, row }))).sort((a, b) => b.row.opened_at.localeCompare(a.row.opened_at));
  return (
    <ul className="line-list body">
      {all.map(({ kind, row: r }) => (
        <li key={`${kind}-${r.id}`} className="row wrap-row g8" style={{ padding: '6px 0' }} data-testid="after-line">
          <span className="col sp">
            <Link to={ONE[kind]} params={{ id: r.id }} className="plain b name">{word('akind', r.kind)} {r.id}</Link>
            <span className="t12 m2 el">{[order && r.order_number ? t('order.no', { number: r.order_number }) : '', kind === 'cases' ? r.owner || t('case.nobody') : '', f.date(r.opened_at)].filter(Boolean).join(' · ')}</span>
          </span>
          {!isOver(r.state) && <span className="t12"><Due at={r.due_at} over={false} /></span>}
          <AfterBadge of={STATE_OF[kind]} state={r.state} />
        </li>
      ))}
    </ul>
  );
}

export function AfterOfOrder({ of: o }: { of: Order }) {
  const { t } = useTranslation();
  const query = useQuery(ofOrderQuery(o.order_id));
  const [open, setOpen] = useState<'return' | 'claim' | 'case' | 'goodwill' | null>(null);
  const handed = partsOf(o).filter((p) => p.state === 'delivered');
  const links = (
    <span className="row wrap-row g12">
      {handed.length > 0 && <ActLink right="orders:write" onClick={() => setOpen('return')} data-testid="after-return">{t('after.newReturn')}</ActLink>}
      {handed.length > 0 && <ActLink right="orders:write" onClick={() => setOpen('claim')} data-testid="after-claim">{t('after.newClaim')}</ActLink>}
      <ActLink right="orders:write" onClick={() => setOpen('case')} data-testid="after-case">{t('after.newCase')}</ActLink>
      {o.paid_minor > 0 && <ActLink right="orders:write" onClick={() => setOpen('goodwill')} data-testid="after-goodwill">{t('after.newGoodwill')}</ActLink>}
    </span>
  );
  return (
    <>
      <Panel title={t('after.panel')} query={query} testId="after" empty={(d) => d.returns.length + d.claims.length + d.cases.length === 0} emptyText={<div className="body col g8"><p className="m2">{handed.length ? t('after.nothing') : t('after.notHanded')}</p>{links}</div>}>
        {(d) => <><AfterLines of={d} /><div className="body" style={{ paddingTop: 8 }}>{links}</div></>}
      </Panel>
      {open === 'return' && <ReturnForm of={o} close={() => setOpen(null)} />}
      {open === 'claim' && <ClaimForm of={o} close={() => setOpen(null)} />}
      {open === 'case' && <CaseForm of={o} close={() => setOpen(null)} />}
      {open === 'goodwill' && <GoodwillForm of={o} close={() => setOpen(null)} />}
    </>
  );
}

interface P { of: Order; close: () => void }
/** Lines of an order with so many pieces that the customer has. */
const given = (o: Order) => o.lines.map((l) => ({ line: l.line, sku: l.sku, has: round(l.parts.filter((p) => p.state === 'delivered').reduce((n, p) => n + p.quantity, 0)) })).filter((l) => l.has > 0);

function useMade() {
  const client = useQueryClient();
  return (text: string) => {
    void client.invalidateQueries({ queryKey: AFTER });
    say(text);
  };
}

function usePieces(o: Order) {
  const [rows, set] = useState(() => given(o).map((l, i, all) => ({ ...l, quantity: all.length === 1 ? String(l.has) : '', reason: '' })));
  const change = (i: number, part: Partial<(typeof rows)[number]>) => set((old) => old.map((x, j) => (i === j ? { ...x, ...part } : x)));
  const sent = rows.map((r, i) => ({ ...r, i, n: r.quantity.trim() ? quantity(r.quantity) : 0 })).filter((r) => r.n !== 0);
  const bad = sent.length === 0 || sent.some((r) => r.n === null || r.n < 0 || r.n > r.has || !r.reason);
  return { rows, change, sent, bad, lines: sent.map((r) => ({ line: r.line, quantity: r.n ?? 0, reason: r.reason })) };
}

/** How many of each, and why. */
function Pieces({ of, error }: { of: ReturnType<typeof usePieces>; error?: string }) {
  const { t } = useTranslation();
  return (
    <fieldset className="col g8" style={{ border: 0, padding: 0, margin: 0 }}>
      <legend className="t12 m2" style={{ padding: 0, marginBottom: 4 }}>{t('after.which')}</legend>
      {of.rows.map((r, i) => (
        <div key={r.line} className="row g8 wrap-row" data-testid="piece">
          <span className="col sp" style={{ minWidth: 160 }}><Goods sku={r.sku} link={false} /></span>
          <Amount hidden label={t('after.piecesOf', { sku: r.sku })} width={72} value={r.quantity} onChange={(v) => of.change(i, { quantity: v })} testId={`piece-${i}`} autoFocus={i === 0} />
          <span className="m2 t12">{t('return.ofAll', { n: f.number(r.has) })}</span>
          <Select aria-label={t('after.reasonOf', { sku: r.sku })} placeholder={t('col.reason')} w={184} value={r.reason || null} onChange={(v) => of.change(i, { reason: v ?? '' })} data={REASONS.map((k) => ({ value: k, label: word('reason_of', k) }))} data-testid={`piece-reason-${i}`} />
        </div>
      ))}
      {error && <span className="error-text" role="alert">{error}</span>}
    </fieldset>
  );
}

const linesError = (faults: ReturnType<typeof faultsOf>, n: number) => faults.at('/lines', '/order_id', '/order', ...Array.from({ length: n }, (_, i) => [`/lines/${i}`, `/lines/${i}/quantity`, `/lines/${i}/line`, `/lines/${i}/reason`]).flat());

function ReturnForm({ of: o, close }: P) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const made = useMade();
  const look = useSku();
  const pieces = usePieces(o);
  const [key] = useState(newKey);
  const [wants, setWants] = useState('money');
  const [instead, setInstead] = useState('');
  const [note, setNote] = useState('');
  const bad = pieces.bad || (wants === 'other' && !instead);
  const send = useMutation({
    mutationFn: () => must(api.POST('/api/v1/returns', { body: { order_id: o.order_id, key, channel: 'console', note: note.trim(), lines: pieces.lines, instead: wants === 'other' ? pieces.lines.map((l, i) => ({ of: i, sku: instead, quantity: l.quantity })) : [] } })),
    onSuccess: (r) => { made(t('after.madeReturn', { id: r.id })); void navigate({ to: '/returns/$id', params: { id: r.id } }); },
  });
  const faults = faultsOf(send.error, (x) => x);
  const at = { lines: linesError(faults, pieces.sent.length), instead: faults.at('/instead', '/instead/0/sku', '/instead/0/quantity') };
  return (
    <Dialog title={t('after.newReturnTitle', { number: o.number })} size={640} close={close} submit={() => { if (!bad) send.mutate(); }}>
      <Pieces of={pieces} error={at.lines} />
      <SegmentedControl value={wants} onChange={setWants} aria-label={t('after.wants')} data={[{ value: 'money', label: t('after.wantsMoney') }, { value: 'other', label: t('after.wantsOther') }]} data-testid="return-wants" />
      {wants === 'other' && <SkuField label={t('after.insteadSku')} width="100%" initial={instead} error={at.instead} onSku={async (text) => setInstead((await look(text)).sku)} testId="return-instead" />}
      <Textarea label={t('return.note')} autosize minRows={2} maxRows={5} value={note} onChange={(e) => setNote(e.currentTarget.value)} data-testid="return-note" />
      {Boolean(faults.rest()) && <ErrorNote error={faults.rest()} kept={t('error.formKept')} />}
      <Acts label={t('after.newReturn')} busy={send.isPending} disabled={bad} close={close} testId="return-do" />
    </Dialog>
  );
}

function ClaimForm({ of: o, close }: P) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const made = useMade();
  const pieces = usePieces(o);
  const [key] = useState(newKey);
  const [note, setNote] = useState('');
  const send = useMutation({
    mutationFn: () => must(api.POST('/api/v1/claims', { body: { order_id: o.order_id, key, channel: 'console', note: note.trim(), lines: pieces.lines } })),
    onSuccess: (c) => { made(t('after.madeClaim', { id: c.id })); void navigate({ to: '/returns/claims/$id', params: { id: c.id } }); },
  });
  const faults = faultsOf(send.error, (x) => x);
  const at = linesError(faults, pieces.sent.length);
  return (
    <Dialog title={t('after.newClaimTitle', { number: o.number })} size={640} close={close} submit={() => { if (!pieces.bad) send.mutate(); }}>
      <Pieces of={pieces} error={at} />
      <Textarea label={t('return.note')} autosize minRows={2} maxRows={5} value={note} onChange={(e) => setNote(e.currentTarget.value)} data-testid="claim-note" />
      {Boolean(faults.rest()) && <ErrorNote error={faults.rest()} kept={t('error.formKept')} />}
      <Acts label={t('after.newClaim')} busy={send.isPending} disabled={pieces.bad} close={close} testId="new-claim-do" />
    </Dialog>
  );
}

function CaseForm({ of: o, close }: P) {
  const { t } = useTranslation();
  const me = useMe();
  const navigate = useNavigate();
  const made = useMade();
  const [c, set] = useState({ kind: 'repair', line: String(o.lines[0]?.line ?? 0), serial: '', owner: me.name || me.email, day: '', note: '', pays: false });
  const change = (part: Partial<typeof c>) => set((old) => ({ ...old, ...part }));
  const send = useMutation({
    mutationFn: () => must(api.POST('/api/v1/after-sale', { body: { order_id: o.order_id, kind: c.kind, line: Number(c.line), serial: c.serial.trim(), owner: c.owner.trim(), due_at: dayStart(c.day), note: c.note.trim(), paid_by_customer: c.pays } })),
    onSuccess: (x) => { made(t('after.madeCase', { id: x.id })); void navigate({ to: '/returns/cases/$id', params: { id: x.id } }); },
  });
  const faults = faultsOf(send.error, (x) => x);
  const at = { kind: faults.at('/kind'), line: faults.at('/line'), serial: faults.at('/serial'), owner: faults.at('/owner'), due: faults.at('/due_at') };
  return (
    <Dialog title={t('after.newCaseTitle', { number: o.number })} close={close} submit={() => send.mutate()}>
      <Select label={t('after.kind')} allowDeselect={false} value={c.kind} error={at.kind} onChange={(v) => v && change({ kind: v })} data={CASE_KINDS.map((k) => ({ value: k, label: word('akind', k) }))} data-testid="case-kind" data-autofocus />
      <Select label={t('stock.goods')} allowDeselect={false} value={c.line} error={at.line} onChange={(v) => v && change({ line: v })} data={o.lines.map((l) => ({ value: String(l.line), label: `${l.sku} × ${f.number(l.quantity)}` }))} />
      <div className="grid2">
        <TextInput label={t('case.owner')} value={c.owner} error={at.owner} onChange={(e) => change({ owner: e.currentTarget.value })} data-testid="case-owner-field" />
        <TextInput type="date" label={t('after.dueHead')} value={c.day} error={at.due} onChange={(e) => change({ day: e.currentTarget.value })} />
      </div>
      <TextInput label={t('serial.one')} value={c.serial} error={at.serial} maxLength={100} onChange={(e) => change({ serial: e.currentTarget.value })} />
      <Textarea label={t('return.note')} autosize minRows={2} maxRows={5} value={c.note} onChange={(e) => change({ note: e.currentTarget.value })} data-testid="case-note" />
      <Checkbox checked={c.pays} onChange={(e) => change({ pays: e.currentTarget.checked })} label={t('case.paysLabel')} />
      {Boolean(faults.rest()) && <ErrorNote error={faults.rest()} kept={t('error.formKept')} />}
      <Acts label={t('after.newCase')} busy={send.isPending} close={close} testId="new-case-do" />
    </Dialog>
  );
}

function GoodwillForm({ of: o, close }: P) {
  const { t } = useTranslation();
  const made = useMade();
  const [key] = useState(newKey);
  const [sum, setSum] = useState('');
  const [why, setWhy] = useState('');
  const n = minor(sum, o.currency);
  const bad = !n || !why.trim();
  const send = useMutation({ mutationFn: () => must(api.POST('/api/v1/goodwill', { body: { order_id: o.order_id, amount_minor: n ?? 0, why: why.trim(), key } })), onSuccess: () => made(t('goodwill.done')) });
  const faults = faultsOf(send.error, (x) => x);
  const at = { sum: faults.at('/amount', '/amount_minor'), why: faults.at('/why') };
  if (send.data)
    return (
      <Dialog title={t('goodwill.title', { number: o.number })} close={close} submit={close}>
        <p>{t('goodwill.code', { sum: f.money(send.data.balance) })}</p>
        <p className="row g12"><span className="big mono" data-testid="goodwill-code">{send.data.code}</span><CopyButton text={send.data.code} label={t('copy')} /></p>
      </Dialog>
    );
  return (
    <Dialog title={t('goodwill.title', { number: o.number })} close={close} submit={() => { if (!bad) send.mutate(); }}>
      <p className="m2">{t('goodwill.text')}</p>
      <Amount label={t('pay.sum', { sign: f.currencySign(o.currency) })} value={sum} onChange={setSum} error={at.sum} testId="goodwill-sum" autoFocus />
      <TextInput label={t('stock.reason')} placeholder={t('goodwill.example')} value={why} error={at.why} onChange={(e) => setWhy(e.currentTarget.value)} data-testid="goodwill-why" />
      {Boolean(faults.rest()) && <ErrorNote error={faults.rest()} kept={t('error.formKept')} />}
      <Acts label={n ? t('goodwill.do', { sum: f.money({ minor: n, currency: o.currency }) }) : t('after.newGoodwill')} busy={send.isPending} disabled={bad} close={close} testId="goodwill-do" />
    </Dialog>
  );
}
