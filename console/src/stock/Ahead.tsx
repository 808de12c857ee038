// What is awaited of an SKU and still free, where it is sold before it is there, and promising it to somebody by hand.
import { Switch, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import { ActLink } from '../session/Guarded';
import { useMay } from '../session/session';
import { ErrorNote, Panel } from '../ui/base';
import * as f from '../ui/format';
import { IconLock } from '../ui/icons';
import { say, sayError } from '../ui/toast';
import { Acts, Dialog } from './acts';
import { dayStart, faultsOf, quantity, useOnce } from './forms';
import { Amount, Day, type Places, PlaceSelect } from './parts';
import { type Ahead as Sold, aheadQuery, supplyQuery } from './promises';
import { GOODS } from './query';

export default function Ahead({ sku, places }: { sku: string; places: Places }) {
  const { t } = useTranslation();
  const supply = useQuery(supplyQuery(sku));
  const [open, setOpen] = useState(false);
  const items = supply.data?.items;
  const total = Math.round((items ?? []).reduce((n, s) => n + s.free, 0) * 1000) / 1000;
  return (
    <div className="person-two">
      <Panel title={t('ahead.free.title')} count={items ? f.number(total) : undefined} query={supply} empty={(d) => d.items.length === 0} emptyText={<p className="body m2">{t('ahead.nothingFree')}</p>} right={items?.length ? <ActLink right="stock:write" onClick={() => setOpen(true)} data-testid="ahead-promise">{t('ahead.promise')}</ActLink> : undefined} testId="supply">
        {(d) => (
          <ul className="line-list body">
            {d.items.map((s) => (
              <li key={`${s.purchase_order_id}-${s.line}`} className="row g8" style={{ padding: '6px 0' }} data-testid="supply-row">
                <span className="b">{f.number(s.free)}</span>
                <Link to="/purchases/$id" params={{ id: s.purchase_order_id }}>{t('purchase.no', { id: s.purchase_order_id })}</Link>
                <span className="m2 el sp">{places.name(s.location_id)}</span>
                <Day at={s.expected_at} why={t('incoming.unknown')} />
              </li>
            ))}
          </ul>
        )}
      </Panel>
      <SoldAhead sku={sku} places={places} />
      {open && <PromiseForm sku={sku} places={places} close={() => setOpen(false)} />}
    </div>
  );
}

function SoldAhead({ sku, places }: { sku: string; places: Places }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const may = useMay('stock:write');
  const query = useQuery(aheadQuery(sku));
  const put = (to: Sold) => must(api.PUT('/api/v1/stock/{sku}/ahead', { params: { path: { sku } }, body: to }));
  const kept = (after: Sold) => { client.setQueryData(aheadQuery(sku).queryKey, after); void client.invalidateQueries({ queryKey: [...GOODS, 'sku', sku] }); };
  const set = useMutation({
    mutationFn: ({ to }: { to: Sold; before: Sold; what: string }) => put(to),
    onSuccess: (after, v) => { kept(after); say(v.what, () => void put(v.before).then(kept, sayError)); },
    onError: sayError,
  });
  return (
    <Panel title={t('ahead.title')} query={query} right={may ? undefined : <IconLock aria-label={t('locked.right')} />} testId="ahead">
      {(d) => {
        const turn = (id: string, on: boolean) => set.mutate({ before: d, to: { everywhere: d.everywhere, locations: on ? [...(d.locations ?? []), id] : (d.locations ?? []).filter((x) => x !== id) }, what: t(on ? 'ahead.on' : 'ahead.off', { place: places.name(id) }) });
        return (
          <div className="body col g12">
            <p className="m2">{t('ahead.text')}</p>
            <Switch label={t('ahead.everywhere')} checked={d.everywhere ?? false} disabled={!may || set.isPending} onChange={(e) => set.mutate({ before: d, to: { everywhere: e.currentTarget.checked, locations: d.locations }, what: e.currentTarget.checked ? t('ahead.onEverywhere') : t('ahead.offEverywhere') })} data-testid="ahead-everywhere" />
            {!d.everywhere && <div className="col g8" role="group" aria-label={t('ahead.places')}>{places.own.map((l) => <Switch key={l.id} label={l.name || l.id} checked={d.locations?.includes(l.id) ?? false} disabled={!may || set.isPending} onChange={(e) => turn(l.id, e.currentTarget.checked)} data-testid={`ahead-${l.id}`} />)}</div>}
          </div>
        );
      }}
    </Panel>
  );
}

function PromiseForm({ sku, places, close }: { sku: string; places: Places; close: () => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const once = useOnce();
  const [form, setForm] = useState({ owner: '', n: '1', at: '', latest: '' });
  const set = (part: Partial<typeof form>) => setForm((old) => ({ ...old, ...part }));
  const n = quantity(form.n);
  const bad = !form.owner.trim() || n === null || n <= 0;
  const make = useMutation({
    mutationFn: () => { const body = { owner: form.owner.trim(), location_id: form.at || null, latest: dayStart(form.latest) ?? null, lines: [{ sku, quantity: n ?? 0 }] }; return must(api.POST('/api/v1/incoming-claims', { body, headers: once(body) })); },
    onSuccess: (made) => {
      const fresh = () => client.invalidateQueries({ queryKey: GOODS });
      void fresh();
      say(<>{made.promised_at ? t('ahead.made', { owner: made.owner, day: f.date(made.promised_at) }) : t('ahead.madeOpen', { owner: made.owner })} <Link to="/purchases" search={{ tab: 'promises', claim: made.id }}>{t('ahead.claimNo', { id: made.id })}</Link></>, () => void must(api.DELETE('/api/v1/incoming-claims/{id}', { params: { path: { id: made.id } } })).then(fresh, sayError));
      close();
    },
  });
  const faults = faultsOf(make.error, places.name);
  const at = { owner: faults.at('/owner'), n: faults.at('/lines/0/quantity', '/lines/0', ''), at: faults.at('/location_id'), latest: faults.at('/latest') };
  return (
    <Dialog title={t('ahead.promiseTitle', { sku })} close={close} submit={() => { if (!bad) make.mutate(); }}>
      <p className="m2">{t('ahead.promiseText')}</p>
      <TextInput label={t('ahead.for')} placeholder={t('ahead.forExample')} value={form.owner} error={at.owner} maxLength={100} onChange={(e) => set({ owner: e.currentTarget.value })} data-autofocus data-testid="promise-owner" />
      <div className="grid2">
        <Amount label={t('stock.quantity')} value={form.n} onChange={(v) => set({ n: v })} error={at.n} testId="promise-n" />
        <TextInput type="date" label={t('ahead.latest')} value={form.latest} error={at.latest} onChange={(e) => set({ latest: e.currentTarget.value })} />
      </div>
      <PlaceSelect label={t('ahead.whereTo')} value={form.at} onChange={(v) => set({ at: v })} places={places} error={at.at} testId="promise-at" />
      {Boolean(faults.rest()) && <ErrorNote error={faults.rest()} kept={t('error.formKept')} />}
      <Acts label={t('ahead.promise')} busy={make.isPending} disabled={bad} close={close} testId="promise-do" />
    </Dialog>
  );
}
