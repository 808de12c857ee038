// What stands behind a number of goods: lots with their days, who waits for them, what they cost.
import { Select, Switch, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import { ActLink } from '../session/Guarded';
import { useMay } from '../session/session';
import { Acts, Dialog } from '../stock/acts';
import { faultsOf, quantity } from '../stock/forms';
import { Amount, type Places, PlaceSelect } from '../stock/parts';
import { GOODS } from '../stock/query';
import { Badge, ErrorNote, Panel, When } from '../ui/base';
import * as f from '../ui/format';
import { say, sayError } from '../ui/toast';
import { costQuery, type Lot, lotsQuery, waitingQuery } from './query';

const TONES: Record<string, 'good' | 'warn' | 'bad' | undefined> = { good: 'good', quarantined: 'warn', expired: 'bad', told: 'good', waiting: undefined };

export default function BehindSku({ sku, places }: { sku: string; places: Places }) {
  const sees = useMay('costs:see');
  const waits = useMay('customers:read');
  return (
    <div className="person-two">
      <Lots sku={sku} places={places} />
      <div className="col g16">
        {waits && <Waiting sku={sku} places={places} />}
        {sees && <Cost sku={sku} />}
      </div>
    </div>
  );
}

function Lots({ sku, places }: { sku: string; places: Places }) {
  const { t } = useTranslation();
  const query = useQuery(lotsQuery(sku));
  const [open, setOpen] = useState<Lot | null>(null);
  const total = (l: Lot) => Math.round(l.places.reduce((n, p) => n + p.quantity, 0) * 1000) / 1000;
  return (
    <>
      <Panel title={t('lot.title')} count={query.data ? f.number(query.data.items.length) : undefined} query={query} testId="lots" empty={(d) => d.items.length === 0} emptyText={<p className="body m2">{t('lot.none')}</p>}>
        {(d) => (
          <div className="tbl" role="group" aria-label={t('lot.title')} tabIndex={0}>
            <table style={{ minWidth: 520 }}>
              <colgroup><col /><col style={{ width: 128 }} /><col style={{ width: 120 }} /><col style={{ width: 80 }} /><col style={{ width: 96 }} /></colgroup>
              <thead><tr><th scope="col">{t('lot.one')}</th><th scope="col">{t('col.state')}</th><th scope="col" className="r">{t('lot.until')}</th><th scope="col" className="r">{t('lot.lies')}</th><th scope="col"><span className="hidden-text">{t('place.change')}</span></th></tr></thead>
              <tbody>
                {d.items.map((l) => (
                  <tr key={l.lot} className="row-data" data-testid="lot-row">
                    <td style={{ height: 44 }}><span className="col"><span className="b mono el">{l.lot}</span><span className="t12 m2 el">{l.why || f.list(l.places.map((p) => `${places.name(p.location_id)}: ${f.number(p.quantity)}`)) || t('lot.nowhere')}</span></span></td>
                    <td><Badge tone={TONES[l.state]}>{t(`lot.state.${l.state}`)}</Badge></td>
                    <td className={`r ${l.expires_at && Date.parse(l.expires_at) - Date.now() < 14 * 86_400_000 ? 'warn-text' : ''}`}>{l.expires_at ? f.date(Date.parse(l.expires_at) - 1) : f.NONE}</td>
                    <td className="r">{f.number(total(l))}</td>
                    <td className="r"><ActLink right="stock:write" onClick={() => setOpen(l)} data-testid="lot-change">{t('place.change')}</ActLink></td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
      </Panel>
      {open && <LotForm sku={sku} of={open} close={() => setOpen(null)} />}
    </>
  );
}

function LotForm({ sku, of, close }: { sku: string; of: Lot; close: () => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [day, setDay] = useState(of.expires_at ? f.dayKey(Date.parse(of.expires_at) - 1) : '');
  const [held, setHeld] = useState(of.state === 'quarantined');
  const [why, setWhy] = useState(of.why);
  const bad = held && !why.trim();
  const save = useMutation({
    mutationFn: () => must(api.PUT('/api/v1/stock/{sku}/lots/{lot}', { params: { path: { sku, lot: of.lot } }, body: { expires_on: day || null, quarantined: held, why: why.trim() } })),
    onSuccess: (done) => {
      void client.invalidateQueries({ queryKey: GOODS });
      say(done.broken.length ? t('lot.broken', { lot: of.lot, n: f.number(done.broken.length) }) : t('lot.saved', { lot: of.lot }));
      close();
    },
  });
  const faults = faultsOf(save.error, (x) => x);
  const at = { day: faults.at('/expires_on'), why: faults.at('/why', '/quarantined') };
  return (
    <Dialog title={t('lot.titleOf', { lot: of.lot })} close={close} submit={() => { if (!bad) save.mutate(); }}>
      <TextInput type="date" label={t('lot.untilLabel')} value={day} error={at.day} w={200} onChange={(e) => setDay(e.currentTarget.value)} data-testid="lot-day" data-autofocus />
      <Switch label={t('lot.hold')} description={t('lot.holdHelp')} checked={held} onChange={(e) => setHeld(e.currentTarget.checked)} data-testid="lot-hold" />
      {held && <TextInput label={t('stock.reason')} placeholder={t('lot.example')} value={why} error={at.why} maxLength={200} onChange={(e) => setWhy(e.currentTarget.value)} data-testid="lot-why" />}
      {Boolean(faults.rest()) && <ErrorNote error={faults.rest()} kept={t('error.formKept')} />}
      <Acts label={held && of.state !== 'quarantined' ? t('lot.holdDo') : t('save')} busy={save.isPending} disabled={bad} close={close} testId="lot-do" />
    </Dialog>
  );
}

function Waiting({ sku, places }: { sku: string; places: Places }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const query = useQuery(waitingQuery(sku));
  const [open, setOpen] = useState(false);
  const leave = useMutation({
    mutationFn: (id: string) => must(api.DELETE('/api/v1/waiting-list/{id}', { params: { path: { id } } })),
    onSuccess: () => { void client.invalidateQueries({ queryKey: GOODS }); say(t('waiting.left')); },
    onError: sayError,
  });
  return (
    <>
      <Panel title={t('waiting.title')} count={query.data ? f.number(query.data.items.length) : undefined} query={query} testId="waiting" right={<ActLink right="customers:write" onClick={() => setOpen(true)} data-testid="waiting-add">{t('waiting.add')}</ActLink>} empty={(d) => d.items.length === 0} emptyText={<p className="body m2">{t('waiting.none')}</p>}>
        {(d) => (
          <ol className="line-list body">
            {d.items.map((w, i) => (
              <li key={w.id} className="row wrap-row g8" style={{ padding: '6px 0' }} data-testid="waiting-row">
                <span className="m2" style={{ width: 20 }}>{f.number(i + 1)}</span>
                <span className="col sp"><span className="b el">{w.email ?? (w.phone ? f.phone(w.phone) : f.NONE)}</span><span className="t12 m2 el">{[`${f.number(w.quantity)}`, w.location_id ? places.name(w.location_id) : t('waiting.anywhere'), f.date(w.joined_at)].join(' · ')}{w.until_at ? <> · {t('waiting.keptUntil', { time: f.time(w.until_at) })}</> : null}</span></span>
                <Badge tone={TONES[w.state]}>{t(`waiting.state.${w.state}`)}</Badge>
                <ActLink right="customers:write" className="t12" disabled={leave.isPending} onClick={() => leave.mutate(w.id)} data-testid="waiting-leave">{t('waiting.leave')}</ActLink>
              </li>
            ))}
          </ol>
        )}
      </Panel>
      {open && <JoinForm sku={sku} places={places} close={() => setOpen(false)} />}
    </>
  );
}

function JoinForm({ sku, places, close }: { sku: string; places: Places; close: () => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [contact, setContact] = useState('');
  const [n, setN] = useState('1');
  const [at, setAt] = useState('');
  const amount = quantity(n);
  const mail = contact.includes('@');
  const bad = !contact.trim() || amount === null || amount <= 0;
  const join = useMutation({
    mutationFn: () => must(api.POST('/api/v1/waiting-list', { body: { sku, quantity: amount ?? 1, location_id: at || null, email: mail ? contact.trim() : null, phone: mail ? null : contact.trim() } })),
    onSuccess: () => { void client.invalidateQueries({ queryKey: GOODS }); say(t('waiting.joined')); close(); },
  });
  const faults = faultsOf(join.error, places.name);
  const error = { contact: faults.at('/email', '/phone'), n: faults.at('/quantity'), at: faults.at('/location_id') };
  return (
    <Dialog title={t('waiting.addTitle')} close={close} submit={() => { if (!bad) join.mutate(); }}>
      <TextInput label={t('waiting.contact')} placeholder="067 123 45 67" value={contact} error={error.contact} onChange={(e) => setContact(e.currentTarget.value)} data-autofocus data-testid="waiting-contact" />
      <div className="grid2">
        <Amount label={t('waiting.pieces')} value={n} onChange={setN} error={error.n} />
        <PlaceSelect label={t('waiting.where')} value={at} onChange={setAt} places={places} error={error.at} />
      </div>
      {Boolean(faults.rest()) && <ErrorNote error={faults.rest()} kept={t('error.formKept')} />}
      <Acts label={t('waiting.add')} busy={join.isPending} disabled={bad} close={close} testId="waiting-do" />
    </Dialog>
  );
}

function Cost({ sku }: { sku: string }) {
  const { t } = useTranslation();
  const query = useQuery(costQuery(sku));
  const [by, setBy] = useState('average');
  return (
    <Panel title={t('cost.title')} query={query} testId="cost" right={<Select size="xs" w={152} aria-label={t('cost.by')} allowDeselect={false} value={by} onChange={(v) => v && setBy(v)} data={['average', 'fifo'].map((k) => ({ value: k, label: t(`cost.by.${k}`) }))} data-testid="cost-by" />}>
      {(c) => {
        const money = (minor: number) => f.money({ minor, currency: c.currency });
        return (
          <div className="body col g12">
            <div className="col"><span className="big" data-testid="cost-value">{by === 'fifo' ? money(c.fifo_minor) : c.average_unit_minor == null ? f.NONE : money(c.average_unit_minor)}</span><span className="m2">{by === 'fifo' ? t('cost.all', { n: f.number(c.on_hand) }) : t('cost.unit', { sum: money(c.average_minor), n: f.number(c.on_hand) })}</span></div>
            {by === 'fifo' && <ul className="line-list" aria-label={t('cost.layers')}>{c.layers.map((l) => <li key={l.movement_id} className="row g12" style={{ padding: '4px 0' }}><span className="sp"><When at={l.at} /></span><span>{f.number(l.quantity)}</span><span className="b">{money(l.value_minor)}</span></li>)}</ul>}
            {c.owed > 0 && <p className="warn-text t12">{t('cost.owed', { n: f.number(c.owed) })}</p>}
            {c.unknown > 0 && <p className="warn-text t12">{t('cost.unknown', { n: f.number(c.unknown) })}</p>}
          </div>
        );
      }}
    </Panel>
  );
}
