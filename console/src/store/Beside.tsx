// Decision served: what else does this customer need, now that they stand here?
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import { type Order, ORDERS, slotsQuery } from '../orders/query';
import { cash } from '../orders/parts';
import { useOnce } from '../stock/forms';
import { GOODS } from '../stock/query';
import { ErrorNote } from '../ui/base';
import * as f from '../ui/format';
import { say } from '../ui/toast';
import { Count } from './Work';

/** Goods that go with what is handed over: sold over the same counter, as an order of their own. */
export function Beside({ order, at }: { order: string; at: string }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const once = useOnce();
  const slots = useQuery(slotsQuery(order, at));
  const [take, setTake] = useState<Record<string, number>>({});
  const [sold, setSold] = useState<Order | null>(null);
  const items = slots.data?.items ?? [];
  const chosen = items.filter((s) => (take[s.sku] ?? 0) > 0);
  const sum = chosen.reduce((n, s) => n + s.price.minor * (take[s.sku] ?? 0), 0);
  const refresh = () => {
    void client.invalidateQueries({ queryKey: ORDERS });
    void client.invalidateQueries({ queryKey: GOODS });
  };
  const sell = useMutation({
    mutationFn: () => {
      const body = { location_id: at, lines: chosen.map((s) => ({ sku: s.sku, quantity: take[s.sku] ?? 1 })) };
      return must(api.POST('/api/v1/orders/{id}/beside', { params: { path: { id: order } }, body, headers: once({ order, body }) }));
    },
    onSuccess: (o) => {
      refresh();
      setTake({});
      setSold(o);
    },
  });
  const pay = useMutation({
    mutationFn: (o: Order) => {
      const body = { provider: 'till', action: 'capture', amount: { minor: o.balance_minor, currency: o.currency } };
      return must(api.POST('/api/v1/orders/{id}/payments', { params: { path: { id: o.order_id } }, body, headers: once({ of: o.order_id, body }) }));
    },
    onSuccess: (o) => {
      refresh();
      say(t('pay.done', { sum: cash(o.paid_minor, o.currency) }));
      setSold(null);
    },
  });
  if (items.length === 0 && !sold) return null;
  return (
    <section className="store-beside" aria-label={t('store.beside')} data-testid="beside">
      <h3>{t('store.beside')}</h3>
      {sold && (
        <div className="row g12 wrap-row" data-testid="beside-sold"><span className="sp">{t('store.besideSold', { number: sold.number, sum: cash(sold.total_minor, sold.currency) })}</span>{sold.balance_minor > 0 && <button type="button" className="sbtn" disabled={pay.isPending} onClick={() => pay.mutate(sold)} data-testid="beside-pay">{t('store.takePay')}</button>}</div>
      )}
      <ul className="store-rows">
        {items.map((s) => (
          <li key={s.sku} className="row g12 wrap-row">
            <span className="col sp"><span className="b el">{s.name}</span><span className="t14 m2 el">{t('store.besideWith', { name: s.because })}{s.available !== null && ` · ${t('store.besideHere', { n: f.number(s.available ?? 0) })}`}</span></span>
            <b>{cash(s.price.minor, s.price.currency)}</b>
            <Count n={take[s.sku] ?? 0} most={Math.min(99, s.available ?? 99)} set={(n) => setTake({ ...take, [s.sku]: n })} name={s.name} />
          </li>
        ))}
      </ul>
      {(sell.error || pay.error) && <ErrorNote error={sell.error ?? pay.error} />}
      {chosen.length > 0 && <button type="button" className="sbtn" disabled={sell.isPending} onClick={() => sell.mutate()} data-testid="beside-sell">{t('store.besideSell', { sum: cash(sum, chosen[0]!.price.currency) })}</button>}
    </section>
  );
}
