// Decision served: what does this customer want, and how does it get to them?
import { SegmentedControl, Select, Switch, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import { cash } from '../orders/parts';
import { personName, personQuery } from '../customers/query';
import { type NewOrder, type Order, ORDERS, settingsQuery } from '../orders/query';
import { useMay } from '../session/session';
import { faultsOf, quantity, useOnce } from '../stock/forms';
import { Lines, type NewLine, Note, PlaceSelect, usePlaces } from '../stock/parts';
import { outletsQuery } from '../stock/query';
import { ErrorNote } from '../ui/base';
import * as f from '../ui/format';

export function NewOrderForm({ at, who: person }: { at: string; who?: string }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const places = usePlaces();
  const may = useMay('orders:write');
  const settings = useQuery(settingsQuery);
  const outlets = useQuery(outletsQuery);
  const known = useQuery({ ...personQuery(person ?? ''), enabled: Boolean(person) });
  const once = useOnce();
  const [lines, setLines] = useState<NewLine[]>([]);
  const [who, setWho] = useState({ name: '', phone: '', email: '' });
  // Whoever's card was open is whom it is for, until somebody types otherwise.
  useEffect(() => {
    const p = known.data;
    const one = (kind: string) => p?.identifiers.find((i) => i.kind === kind)?.value ?? '';
    if (p) setWho((old) => (old.name || old.phone || old.email ? old : { name: personName(p) ?? '', phone: one('phone'), email: one('email') }));
  }, [known.data]);
  const [kind, setKind] = useState<'pickup' | 'ship'>('pickup');
  const [place, setPlace] = useState(at);
  const [way, setWay] = useState<string | null>(null);
  const [address, setAddress] = useState('');
  const [tryOn, setTryOn] = useState(false);
  const [note, setNote] = useState('');
  const [channel, setChannel] = useState<string | null>(null);
  const [made, setMade] = useState<Order | null>(null);
  const methods = (Array.isArray(settings.data?.doc.methods) ? settings.data.doc.methods : []) as { id: string; name?: string }[];
  const option = way ?? methods[0]?.id ?? '';
  const channels = outlets.data?.items.map((c) => c.id) ?? [];
  // An order taken at a counter is the store's, where the shop counts such a channel.
  const via = channel ?? ['store', 'phone'].find((c) => channels.includes(c)) ?? (channels.length ? channels[0]! : 'phone');
  const save = useMutation({
    mutationFn: () => {
      const body: NewOrder = {
        sales_channel: via,
        customer: { name: who.name.trim(), phone: who.phone.trim(), email: who.email.trim(), address: address.trim() } as never,
        lines: lines.map((l) => ({ sku: l.sku, quantity: quantity(l.quantity) ?? 0 })),
        delivery: (kind === 'pickup' ? { kind: 'pickup', location_id: place } : { option_id: option, address: address.trim() }) as never,
        try_on: tryOn,
        note: note.trim(),
      };
      return must(api.POST('/api/v1/orders', { body, headers: once(body) }));
    },
    onSuccess: (o) => {
      void client.invalidateQueries({ queryKey: ORDERS });
      setMade(o);
    },
  });
  if (!may) return <div className="store-one"><h1>{t('store.tab.new')}</h1><p className="m2">{t('locked.right')}</p></div>;
  if (made)
    return (
      <div className="store-one" data-testid="made">
        <h1>{t('store.made', { number: made.number })}</h1>
        <p className="sum">{cash(made.total_minor, made.currency)}</p>
        <p className="m2">{made.balance_minor > 0 ? t('store.madeOwed', { sum: cash(made.balance_minor, made.currency) }) : t('pay.even')}</p>
        {made.promised && <p>{t('store.madePromise', { time: `${f.dayMonth(made.promised.latest)}, ${f.time(made.promised.latest)}` })}</p>}
        <div className="row g12 wrap-row"><a className="sbtn" href={`/orders/${made.order_id}`}>{t('store.openOrder')}</a><button type="button" className="sbtn act" onClick={() => { setMade(null); setLines([]); setWho({ name: '', phone: '', email: '' }); setAddress(''); setNote(''); save.reset(); }} data-testid="new-again">{t('store.another')}</button></div>
      </div>
    );
  const bad = lines.length === 0 || lines.some((l) => !((quantity(l.quantity) ?? 0) > 0)) || !(who.phone.trim() || who.email.trim()) || (kind === 'pickup' ? !place : !option || !address.trim());
  const faults = faultsOf(save.error, places.name);
  const wrong = { name: faults.at('/customer/name', '/customer'), phone: faults.at('/customer/phone'), email: faults.at('/customer/email'), place: faults.at('/delivery/location_id', '/location_id'), way: faults.at('/delivery/option_id', '/option_id'), address: faults.at('/delivery/address', '/address', '/customer/address'), channel: faults.at('/sales_channel') };
  const list = <Lines lines={lines} onChange={setLines} faults={faults} from={at} />;
  return (
    <form className="store-one bigfield" onSubmit={(e) => { e.preventDefault(); if (!bad) save.mutate(); }} noValidate>
      <h1>{t('store.tab.new')}</h1>
      {list}
      <div className="grid2">
        <TextInput label={t('order.name')} autoComplete="off" value={who.name} error={wrong.name} onChange={(e) => setWho({ ...who, name: e.currentTarget.value })} data-testid="new-name" />
        <TextInput label={t('order.phone')} type="tel" autoComplete="off" placeholder="067 123 45 67" value={who.phone} error={wrong.phone} onChange={(e) => setWho({ ...who, phone: e.currentTarget.value })} data-testid="new-phone" />
      </div>
      <TextInput label={t('field.email')} type="email" autoComplete="off" value={who.email} error={wrong.email} onChange={(e) => setWho({ ...who, email: e.currentTarget.value })} />
      <SegmentedControl value={kind} onChange={(v) => setKind(v as typeof kind)} aria-label={t('promise.way')} data={[{ value: 'pickup', label: t('fkind.pick_up') }, { value: 'ship', label: t('fkind.ship') }]} data-testid="new-kind" />
      {kind === 'pickup' ? <PlaceSelect label={t('store.pickupAt')} value={place} onChange={setPlace} places={places} error={wrong.place} testId="new-place" /> : (
        <>
          {methods.length > 0 ? <Select label={t('promise.way')} value={option} allowDeselect={false} onChange={setWay} data={methods.map((m) => ({ value: m.id, label: m.name || m.id }))} error={wrong.way} data-testid="new-way" /> : <p className="m2">{t('store.noWays')}</p>}
          <TextInput label={t('order.address')} autoComplete="off" value={address} error={wrong.address} onChange={(e) => setAddress(e.currentTarget.value)} data-testid="new-address" />
        </>
      )}
      <Switch checked={tryOn} onChange={(e) => setTryOn(e.currentTarget.checked)} label={t('store.tryOnAsk')} data-testid="new-try" />
      {channels.length > 1 && <Select label={t('order.channel')} value={via} allowDeselect={false} onChange={setChannel} data={outlets.data!.items.map((c) => ({ value: c.id, label: c.name || c.id }))} error={wrong.channel} />}
      <Note label={t('order.noteLabel')} value={note} onChange={setNote} />
      {Boolean(faults.rest()) && <ErrorNote error={faults.rest()} kept={t('error.formKept')} />}
      <div className="row g12"><span className="sp m2">{bad ? t('store.needs') : ''}</span><button type="submit" className="sbtn tall act" disabled={bad || save.isPending} data-testid="new-do">{t('store.place')}</button></div>
    </form>
  );
}
