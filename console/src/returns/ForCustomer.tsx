// What a customer ordered and what came after it, on their page.
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { areaTexts } from '../i18n';
import { OrderBadge } from '../orders/parts';
import { Panel } from '../ui/base';
import * as f from '../ui/format';
import { AfterLines } from './ForOrder';
import { ofCustomerQuery } from './query';

const SHOWN = 4;

export default function AfterOfCustomer({ person }: { person: string }) {
  const { t } = useTranslation();
  const [ready, setReady] = useState(false);
  // The words of orders and returns come with this panel: only who may see orders has it.
  useEffect(() => void Promise.all([areaTexts('orders'), areaTexts('stock'), areaTexts('returns')]).then(() => setReady(true)), []);
  const query = useQuery({ ...ofCustomerQuery(person), enabled: ready });
  if (!ready) return null;
  return (
    <Panel title={t('after.ordersPanel')} count={query.data ? f.number(query.data.orders.length) : undefined} query={query} skeleton={2} testId="customer-orders" empty={(d) => d.orders.length === 0} emptyText={<p className="body m2">{t('after.noOrders')}</p>}>
      {(d) => (
        <>
          <ul className="line-list body">
            {d.orders.slice(0, SHOWN).map((o) => (
              <li key={o.order_id} className="row g8" style={{ padding: '6px 0' }}>
                <span className="col sp"><Link to="/orders/$id" params={{ id: o.order_id }} className="plain b name">{o.number}</Link><span className="t12 m2">{f.date(o.placed_at)} · {f.money(o.total)}</span></span>
                <OrderBadge of="ostate" state={o.state} />
              </li>
            ))}
          </ul>
          {d.returns.length + d.claims.length + d.cases.length > 0 && <><h3 className="body t12 m2" style={{ paddingTop: 12, paddingBottom: 0 }}>{t('after.panel')}</h3><AfterLines of={d} order /></>}
        </>
      )}
    </Panel>
  );
}
