// Pieces that the pages of orders and the store app share.
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import i18next from 'i18next';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useMay } from '../session/session';
import { outletsQuery, skuQuery } from '../stock/query';
import { Badge } from '../ui/base';
import * as f from '../ui/format';

/** A word of a closed list, or what came where the server knows more. */
export const word = (of: string, key: string): string => {
  const name = `${of}.${key.replaceAll(' ', '_')}`;
  return i18next.exists(name) ? i18next.t(name) : key;
};

const TONES: Record<string, 'good' | 'warn' | 'bad' | 'info' | undefined> = {
  awaiting_payment: 'warn', on_hold: 'warn', parked: 'bad', confirmed: 'info', in_progress: 'info', partly_sent: 'info', sent: 'info', partly_delivered: 'good', delivered: 'good', lost: 'bad',
  open: 'warn', scheduled: undefined, incomplete: 'bad', closed: 'good', ready: 'good', authorised: 'info', captured: 'good', declined: 'bad', failed: 'bad', on_delivery: 'info', allocated: 'info', released: 'info',
};
export function OrderBadge({ of, state }: { of: 'ostate' | 'fstate' | 'pstate' | 'part'; state: string }) {
  return <Badge tone={TONES[state]}>{word(of, state)}</Badge>;
}

export const cash = (minor: number, currency: string): string => f.money({ minor, currency });

/** What goods are called; their SKU until that is known, and for whoever may not see goods. */
export function Goods({ sku, link = true }: { sku: string; link?: boolean }) {
  const may = useMay('stock:read');
  const { data } = useQuery({ ...skuQuery(sku), staleTime: 600_000, enabled: may, retry: false });
  const name = data?.name || sku;
  return (
    <span className="col">
      {link && may ? <Link to="/stock/$sku" params={{ sku }} search={{}} className="plain b name el" title={name}>{name}</Link> : <span className="b el" title={name}>{name}</span>}
      {name !== sku && <span className="t12 m2 mono el">{sku}</span>}
    </span>
  );
}

/** How the shop calls the channel by which an order came. */
export function useOutlets(): { items: { value: string; label: string }[]; name: (id: string) => string } {
  const may = useMay('stock:read');
  const { data } = useQuery({ ...outletsQuery, enabled: may, staleTime: 60_000 });
  const items = (data?.items ?? []).map((c) => ({ value: c.id, label: c.name || c.id }));
  return { items, name: (id) => items.find((c) => c.value === id)?.label ?? word('ochannel', id) };
}

/** The moment, by the second. */
export function useNow(): number {
  const [now, set] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => set(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return now;
}

/** How long until something is due: minutes and seconds within an hour, the time of day before that; less than nothing is late. */
export function dueText(due: string, now: number): { text: string; late: boolean; soon: boolean } {
  const left = Date.parse(due) - now;
  const s = Math.floor(Math.abs(left) / 1000);
  const two = (n: number) => String(n).padStart(2, '0');
  const clock = s >= 3600 ? `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}` : `${two(Math.floor(s / 60))}:${two(s % 60)}`;
  if (left < 0) return { text: `\u2212${clock}`, late: true, soon: false };
  if (left >= 86_400_000) return { text: f.dayMonth(due), late: false, soon: false };
  if (left >= 3_600_000) return { text: i18next.t('store.until', { time: f.time(due) }), late: false, soon: false };
  return { text: clock, late: false, soon: left < 5 * 60_000 };
}

/** Moves between the pages about orders. */
export function OrderTabs({ at }: { at: 'list' | 'figures' | 'settings' }) {
  const { t } = useTranslation();
  const tab = (id: typeof at, to: '/orders' | '/orders/figures' | '/orders/settings', name: string) => <Link to={to} search={{}} className={at === id ? 'on' : ''} aria-current={at === id ? 'page' : undefined} data-testid={`orders-tab-${id}`}>{name}</Link>;
  return (
    <nav className="tabs" aria-label={t('nav.orders')}>
      {tab('list', '/orders', t('order.list'))}
      {tab('figures', '/orders/figures', t('figures.title'))}
      {tab('settings', '/orders/settings', t('oset.title'))}
    </nav>
  );
}
