// Decision served: who is this, and what do I offer or say to them now?
import { TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import { rowName } from '../customers/PersonSearch';
import { personName, personQuery } from '../customers/query';
import { channelName, purposeName } from '../customers/timeline';
import { cash, OrderBadge } from '../orders/parts';
import { consultationsQuery, counterQuery, ORDERS } from '../orders/query';
import { useMay } from '../session/session';
import { useOnce } from '../stock/forms';
import { SkuField, useSku } from '../stock/parts';
import { useScanner } from '../stock/scan';
import { Badge, ErrorNote, Skeleton } from '../ui/base';
import * as f from '../ui/format';
import { IconArrowLeft, IconPackage, IconShoppingBag } from '../ui/icons';
import type { At } from './address';
import { CameraButton } from './Camera';

type Go = (part: Partial<At>, replace?: boolean) => void;

/** Opens the basket of somebody: the one they show, or their newest. */
function useTalk(at: string, go: Go) {
  const client = useQueryClient();
  const once = useOnce();
  return useMutation({
    mutationFn: (of: { cart?: string; customer?: Record<string, string> }) => {
      const body = { location_id: at, cart: of.cart ?? '', customer: of.customer ?? {} };
      return must(api.POST('/api/v1/consultations', { body: body as never, headers: once({ body, at: Math.floor(Date.now() / 2000) }) }));
    },
    onSuccess: (c) => {
      void client.invalidateQueries({ queryKey: ORDERS });
      go({ talk: c.id });
    },
  });
}

export function Client({ at, who, go }: { at: string; who: string; go: Go }) {
  return who ? <Card key={who} at={at} id={who} go={go} /> : <Search at={at} go={go} />;
}

function Search({ at, go }: { at: string; go: Go }) {
  const { t } = useTranslation();
  const may = useMay('customers:read');
  const writes = useMay('orders:write');
  const [text, setText] = useState('');
  const [query] = useDebouncedValue(text.trim(), 250);
  const found = useQuery({ queryKey: ['store-search', query], enabled: may && query.length > 2 && !/\/c\//.test(query), queryFn: () => must(api.GET('/api/v1/customers', { params: { query: { query, limit: 8 } } })) });
  const recent = useQuery(consultationsQuery(at));
  const talk = useTalk(at, go);
  // A basket's code opens it; anything else is looked for.
  const scanned = (code: string) => (/(^|\/c\/)c\d+-[0-9a-f]{16}/.test(code) ? talk.mutate({ cart: code }) : setText(code));
  useScanner(scanned, true);
  const rows = found.data?.items ?? [];
  return (
    <div className="store-one wide-one bigfield">
      <h1>{t('store.tab.who')}</h1>
      <div className="row g12 wrap-row"><TextInput className="sp" label={t('store.whoFind')} placeholder={t('store.whoExample')} value={text} onChange={(e) => setText(e.currentTarget.value)} autoComplete="off" data-testid="who-find" /><CameraButton label={t('store.scan')} found={scanned} /></div>
      {!may && <p className="m2">{t('locked.right')}</p>}
      {found.error && <ErrorNote error={found.error} retry={() => void found.refetch()} />}
      {talk.error && <ErrorNote error={talk.error} />}
      {query.length > 2 && found.isPending && found.isFetching && <Skeleton rows={3} height={64} />}
      <ul className="store-choices">
        {rows.map((r) => <li key={r.person_id}><button type="button" className="sbtn wide" onClick={() => go({ who: r.person_id })} data-testid="who-row"><span className="col"><b>{rowName(r)}</b><span className="m2">{[r.phone && f.phone(r.phone), r.email, r.city].filter(Boolean).join(' · ')}</span></span></button></li>)}
      </ul>
      {query.length > 2 && found.data && rows.length === 0 && <p className="m2" role="status">{t('store.whoNobody', { text: query })}</p>}
      {writes && <button type="button" className="sbtn" disabled={talk.isPending} onClick={() => talk.mutate(/\d{7}/.test(query.replace(/\D/g, '')) ? { customer: { phone: query } } : {})} data-testid="talk-new"><IconShoppingBag />{t('store.talkNew')}</button>}
      {(recent.data?.items.length ?? 0) > 0 && (
        <section aria-label={t('store.talks')}>
          <h2 className="found">{t('store.talks')}</h2>
          <ul className="store-rows">
            {recent.data!.items.slice(0, 10).map((c) => <li key={c.id} className="row g12"><button type="button" className="textlink sp" onClick={() => go({ talk: c.id })} data-testid="talk-row">{c.name || (c.phone && f.phone(c.phone)) || t('store.nobodyYet')}</button><span className="m2">{c.order_id ? t('store.talkOrdered') : c.sent_at ? t('store.talkSent', { time: f.time(c.sent_at) }) : f.ago(c.opened_at)}</span><b>{cash(c.total.minor, c.total.currency)}</b></li>)}
          </ul>
        </section>
      )}
    </div>
  );
}

function Card({ at, id, go }: { at: string; id: string; go: Go }) {
  const { t } = useTranslation();
  const person = useQuery(personQuery(id));
  const writes = useMay('orders:write');
  const look = useSku();
  const [sku, setSku] = useState('');
  const card = useQuery(counterQuery(id, at, ''));
  const priced = useQuery({ ...counterQuery(id, at, sku), enabled: sku !== '' });
  const talk = useTalk(at, go);
  const p = person.data;
  const one = (kind: string) => p?.identifiers.find((i) => i.kind === kind)?.value ?? '';
  const customer = { name: (p && personName(p)) ?? '', phone: one('phone'), email: one('email'), user_id: one('user_id') };
  const c = card.data;
  const price = priced.data?.price;
  return (
    <div className="store-one wide-one bigfield" data-testid="client-card">
      <div className="row g12"><button type="button" className="sbtn square" onClick={() => go({ who: '' })} aria-label={t('store.back')}><IconArrowLeft /></button><h1 className="el">{(p && personName(p)) || `№ ${id}`}</h1></div>
      {person.error && <ErrorNote error={person.error} retry={() => void person.refetch()} />}
      {!p && !person.error && <Skeleton rows={3} height={48} />}
      {p && <p className="m2">{[customer.phone && f.phone(customer.phone), customer.email].filter(Boolean).join(' · ')}</p>}
      {p && <p className="row g8 wrap-row">{p.consents.length === 0 ? <span className="m2">{t('store.noConsent')}</span> : p.consents.map((x, i) => <Badge key={i} tone={x.state === 'granted' ? 'good' : 'bad'}>{t('store.consent', { channel: channelName(x.channel), purpose: purposeName(x.purpose), state: x.state === 'granted' ? t('consents.granted') : t('consents.denied') })}</Badge>)}</p>}
      {writes && <div className="row g12 wrap-row"><button type="button" className="sbtn act" disabled={!p || talk.isPending} onClick={() => talk.mutate({ customer })} data-testid="card-talk"><IconShoppingBag />{t('store.talkOpen')}</button><button type="button" className="sbtn" onClick={() => go({ tab: 'new' })} data-testid="card-order"><IconPackage />{t('store.orderFor')}</button></div>}
      {talk.error && <ErrorNote error={talk.error} />}
      <section aria-label={t('store.theirPrice')}>
        <h2 className="found">{t('store.theirPrice')}</h2>
        <SkuField onSku={async (text) => setSku((await look(text)).sku)} everywhere width="min(100%, 420px)" label={t('store.findGoods')} testId="card-sku" />
        {priced.error && <ErrorNote error={priced.error} />}
        {price && <p className="row g12 wrap-row here" data-testid="card-price"><b className="sum">{cash(price.price.minor, price.price.currency)}</b>{price.usual.minor !== price.price.minor && <s className="m2">{cash(price.usual.minor, price.usual.currency)}</s>}<span className="sp">{price.name || price.sku}</span><span className="m2">{price.why}</span></p>}
      </section>
      {card.error && <ErrorNote error={card.error} retry={() => void card.refetch()} />}
      {c && c.offers.length > 0 && <section aria-label={t('store.offers')}><h2 className="found">{t('store.offers')}</h2><ul className="store-rows">{c.offers.map((o) => <li key={o.name} className="row g12"><span className="sp">{o.name}</span><span className="m2">{o.ends_at ? t('store.untilDay', { day: f.dayMonth(o.ends_at) }) : ''}</span></li>)}</ul></section>}
      {c && c.credit.length > 0 && <p>{t('store.credit', { sum: c.credit.map((m) => cash(m.minor, m.currency)).join(', ') })}</p>}
      {c && c.baskets.length > 0 && (
        <section aria-label={t('store.baskets')}>
          <h2 className="found">{t('store.baskets')}</h2>
          <ul className="store-rows">{c.baskets.map((b) => <li key={b.cart_id} className="row g12"><span className="sp">{b.lines.map((l) => `${l.name || l.sku}${l.quantity === 1 ? '' : ` × ${f.number(l.quantity)}`}`).join(', ')}</span><span className="m2">{f.ago(b.updated_at)}</span>{writes && <button type="button" className="sbtn" onClick={() => talk.mutate({ cart: b.cart_id })} data-testid="basket-open">{t('store.openBasket')}</button>}</li>)}</ul>
        </section>
      )}
      {p && p.facts.products.length > 0 && <section aria-label={t('store.lookedAt')}><h2 className="found">{t('store.lookedAt')}</h2><ul className="store-rows">{p.facts.products.slice(0, 5).map((x) => <li key={x.value} className="row g12"><span className="sp mono">{x.value}</span><span className="m2">{f.ago(x.at)}</span></li>)}</ul></section>}
      {c && (
        <section aria-label={t('nav.orders')}>
          <h2 className="found">{t('store.theirOrders')}</h2>
          {c.orders.length === 0 && <p className="m2">{t('store.noOrders')}</p>}
          <ul className="store-rows">{c.orders.map((o) => <li key={o.order_id} className="row g12 wrap-row"><a className="textlink" href={`/orders/${o.order_id}`}>{o.number}</a><OrderBadge of="ostate" state={o.state} /><span className="sp el">{o.lines.map((l) => l.name || l.sku).join(', ')}</span><span className="m2">{f.ago(o.placed_at)}</span><b>{cash(o.total.minor, o.total.currency)}</b></li>)}</ul>
        </section>
      )}
    </div>
  );
}
