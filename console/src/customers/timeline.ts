import i18next from 'i18next';
import type { Icon } from '@tabler/icons-react';
import type { TimelineItem } from '../api/types';
import { strandIcon } from '../ui/base';
import * as f from '../ui/format';
import { IconBell, IconBuildingStore, IconCheck, IconClick, IconDeviceMobile, IconEye, IconMail, IconMailOff, IconMailOpened, IconMessage, IconPhone, IconReceipt, IconReceiptRefund, IconSearch, IconShoppingCart, IconStar, IconUserCircle, IconX } from '../ui/icons';

export interface Told {
  icon: Icon;
  title: string;
  facts: string;
  /** Something that did not happen or was taken back: drawn hollow. */
  off?: boolean;
  /** Neighbours with the same key within half an hour become one line. */
  fold?: string;
  foldTitle?: (count: number) => string;
}

type Props = Record<string, unknown>;
const str = (v: unknown): string | null => (typeof v === 'string' && v !== '' ? v : typeof v === 'number' ? f.number(v) : null);
const quoted = (s: string) => i18next.t('quoted', { text: s });
const join = (...parts: (string | null | undefined | false)[]) => parts.filter(Boolean).join(' · ');

/** Some shops write all names in capitals: a list of them is unreadable, the payload keeps them as they came. */
const calm = (s: string): string => (s.length > 8 && /\s/.test(s) && s === s.toLocaleUpperCase() && /\p{L}{3}/u.test(s) ? s.charAt(0) + s.slice(1).toLocaleLowerCase() : s);
const goods = (p: Props): string | null => (str(p.name) ? calm(str(p.name)!) : (str(p.product_id) ?? str(p.sku)));

function items(p: Props): { count: number; names: string[] } {
  const products = Array.isArray(p.products) ? (p.products as Props[]) : [];
  const count = products.reduce((n, x) => n + (typeof x.quantity === 'number' ? x.quantity : 1), 0);
  return { count, names: products.map(goods).filter((x): x is string => x !== null) };
}

function host(url: unknown): string | null {
  if (typeof url !== 'string') return null;
  try {
    const u = new URL(url, 'http://x');
    return u.pathname + u.search;
  } catch {
    return url;
  }
}

const device = (c: Props): string | null => str((c.device as Props | undefined)?.type) ?? str((c.os as Props | undefined)?.name) ?? null;

/** The lines of a few properties that no rule knows. */
const anyFacts = (p: Props): string =>
  Object.entries(p)
    .filter(([, v]) => typeof v === 'string' || typeof v === 'number' || typeof v === 'boolean')
    .slice(0, 3)
    .map(([k, v]) => `${k} ${String(v)}`)
    .join(' · ');

/** Who somebody said they are: the values speak for themselves. */
function traitFacts(p: Props): string {
  const name = str(p.name) ?? [str(p.firstName) ?? str(p.first_name), str(p.lastName) ?? str(p.last_name)].filter(Boolean).join(' ');
  return join(name, str(p.phone) && f.phone(str(p.phone)!), str(p.email), str(p.city)) || anyFacts(p);
}

type Kind = (e: TimelineItem, p: Props) => Told;

// One entry per kind of event. An area that brings new events adds its lines here.
const kinds: Record<string, Kind> = {
  'Order Completed': (e, p) => {
    const { count, names } = items(p);
    const place = str(p.store) ?? str(p.store_name) ?? str(p.location) ?? str((p.shop as Props | undefined)?.name) ?? (e.strand === 'store' ? str(p.affiliation) : null);
    const total = f.sum(p.total ?? p.revenue ?? p.value, p.currency);
    const n = f.number(count);
    const t = i18next.t.bind(i18next);
    const title = count > 0 ? (place ? t('tl.boughtAt', { count, n, place }) : t('tl.bought', { count, n })) : place ? t('tl.orderAt', { place }) : t('tl.order');
    return { icon: e.strand === 'store' ? IconReceipt : IconShoppingCart, title, facts: join(str(p.order_id) && t('tl.orderNo', { id: str(p.order_id)! }), total, names.slice(0, 2).join(', ')) };
  },
  'Order Refunded': (_e, p) => ({ icon: IconReceiptRefund, title: i18next.t('tl.refunded'), facts: join(str(p.order_id) && i18next.t('tl.orderNo', { id: str(p.order_id)! }), f.sum(p.total ?? p.revenue ?? p.value, p.currency)) }),
  'Order Cancelled': (_e, p) => ({ icon: IconX, title: i18next.t('tl.cancelled'), facts: join(str(p.order_id), str(p.reason)), off: true }),
  'Product Viewed': (e, p) => {
    const name = goods(p);
    const category = str(p.category);
    return {
      icon: device(e.context)?.match(/mobile|ios|android/i) ? IconDeviceMobile : IconEye,
      title: name ? i18next.t('tl.viewed', { name: quoted(name) }) : i18next.t('tl.viewedAny'),
      facts: join(category && i18next.t('tl.category', { name: category }), f.sum(p.price, p.currency), device(e.context)),
      fold: `view${category ?? ''}`,
      foldTitle: (count) => (category ? i18next.t('tl.viewedManyIn', { count, n: f.number(count), name: quoted(category) }) : i18next.t('tl.viewedMany', { count, n: f.number(count) })),
    };
  },
  'Product List Viewed': (_e, p) => ({ icon: IconEye, title: str(p.category) ? i18next.t('tl.list', { name: quoted(str(p.category)!) }) : i18next.t('tl.listAny'), facts: items(p).names.slice(0, 3).join(', '), fold: 'list' }),
  'Products Searched': (e, p) => ({ icon: IconSearch, title: i18next.t('tl.searched', { text: quoted(str(p.query) ?? '') }), facts: join(device(e.context), typeof p.results === 'number' && i18next.t('tl.results', { count: p.results, n: f.number(p.results) })) }),
  'Product Added': (_e, p) => ({ icon: IconShoppingCart, title: i18next.t('tl.added', { name: quoted(goods(p) ?? '') }), facts: join(f.sum(p.price, p.currency), typeof p.quantity === 'number' && i18next.t('tl.pieces', { count: p.quantity, n: f.number(p.quantity) })) }),
  'Product Removed': (_e, p) => ({ icon: IconShoppingCart, title: i18next.t('tl.removed', { name: quoted(goods(p) ?? '') }), facts: f.sum(p.price, p.currency) ?? '', off: true }),
  'Cart Viewed': (_e, p) => ({ icon: IconShoppingCart, title: i18next.t('tl.cart'), facts: join(f.sum(p.total ?? p.value, p.currency), items(p).names.slice(0, 2).join(', ')) }),
  'Checkout Started': (_e, p) => ({ icon: IconShoppingCart, title: i18next.t('tl.checkout'), facts: join(f.sum(p.total ?? p.value ?? p.revenue, p.currency), items(p).names.slice(0, 2).join(', ')) }),
  'Page Viewed': (e, p) => {
    const c = e.context.page as Props | undefined;
    const name = str(p.title) ?? str(p.name) ?? str(c?.title);
    const path = host(p.path ?? p.url ?? c?.path ?? c?.url);
    return { icon: strandIcon.online, title: name ? i18next.t('tl.page', { name: quoted(name) }) : i18next.t('tl.pageAny', { path: path ?? '' }), facts: join(name ? path : null, device(e.context)), fold: 'page', foldTitle: (count) => i18next.t('tl.pages', { count, n: f.number(count) }) };
  },
  'Screen Viewed': (e, p) => ({ icon: IconDeviceMobile, title: i18next.t('tl.page', { name: quoted(str(p.name) ?? '') }), facts: device(e.context) ?? '', fold: 'page', foldTitle: (count) => i18next.t('tl.pages', { count, n: f.number(count) }) }),
  'Message Sent': (_e, p) => ({ icon: IconMail, title: i18next.t('tl.sent', { name: quoted(str(p.subject) ?? str(p.template) ?? str(p.template_name) ?? '') }), facts: join(str(p.channel) && channelName(str(p.channel)!), str(p.address) ?? str(p.to)) }),
  'Message Delivered': (_e, p) => ({ icon: IconMail, title: i18next.t('tl.delivered', { name: quoted(str(p.subject) ?? str(p.template) ?? '') }), facts: join(str(p.channel) && channelName(str(p.channel)!), str(p.address)) }),
  'Message Opened': (_e, p) => ({ icon: IconMailOpened, title: i18next.t('tl.opened', { name: quoted(str(p.subject) ?? str(p.template) ?? '') }), facts: str(p.channel) ? channelName(str(p.channel)!) : '' }),
  'Message Clicked': (_e, p) => ({ icon: IconClick, title: i18next.t('tl.clicked', { name: quoted(str(p.subject) ?? str(p.template) ?? '') }), facts: join(str(p.channel) && channelName(str(p.channel)!), host(p.url)) }),
  'Message Failed': (_e, p) => ({ icon: IconMailOff, title: i18next.t('tl.failed', { name: quoted(str(p.subject) ?? str(p.template) ?? '') }), facts: join(str(p.channel) && channelName(str(p.channel)!), str(p.reason) ?? str(p.detail)), off: true }),
  'Message Suppressed': (_e, p) => ({ icon: IconMailOff, title: i18next.t('tl.suppressed', { reason: reasonText(str(p.reason)) }), facts: join(str(p.channel) && channelName(str(p.channel)!), str(p.subject) ?? str(p.template) ?? str(p.rule_name), str(p.detail)), off: true }),
  'Consent Granted': (_e, p) => ({ icon: IconCheck, title: i18next.t('tl.granted', { channel: channelName(str(p.channel) ?? '') }), facts: join(str(p.purpose) && purposeName(str(p.purpose)!), str(p.wording)) }),
  'Consent Denied': (e, p) => kinds['Consent Revoked']!(e, p),
  'Consent Revoked': (_e, p) => ({ icon: IconX, title: i18next.t('tl.revoked', { channel: channelName(str(p.channel) ?? '') }), facts: join(str(p.purpose) && purposeName(str(p.purpose)!), str(p.wording)) }),
  Unsubscribed: (_e, p) => ({ icon: IconX, title: i18next.t('tl.unsubscribed'), facts: join(str(p.channel) && channelName(str(p.channel)!), str(p.address)) }),
  'Product Reviewed': (_e, p) => ({ icon: IconStar, title: i18next.t('tl.reviewed'), facts: anyFacts(p) }),
  'Call Finished': (_e, p) => ({ icon: IconPhone, title: i18next.t('tl.called', { about: str(p.about) ?? str(p.topic) ?? '' }), facts: join(str(p.agent), str(p.duration), str(p.result)) }),
  'Message Received': (_e, p) => ({ icon: IconMessage, title: i18next.t('tl.wrote', { text: quoted(str(p.text) ?? '') }), facts: str(p.channel) ? channelName(str(p.channel)!) : '' }),
  'Shipment Collected': (_e, p) => ({ icon: strandIcon.partner, title: i18next.t('tl.collected', { place: str(p.place) ?? '' }), facts: join(str(p.waybill) && i18next.t('tl.waybill', { no: str(p.waybill)! }), str(p.note)) }),
  'Push Opened': (_e, p) => ({ icon: IconBell, title: i18next.t('tl.opened', { name: quoted(str(p.subject) ?? '') }), facts: '' }),
  'Store Visited': (_e, p) => ({ icon: IconBuildingStore, title: i18next.t('tl.visited', { place: str(p.store) ?? '' }), facts: '' }),
};

export function tell(e: TimelineItem): Told {
  const p = (e.properties ?? {}) as Props;
  const name = e.type === 'page' ? 'Page Viewed' : e.type === 'screen' ? 'Screen Viewed' : e.event;
  const kind = name ? kinds[name] : undefined;
  const told = kind
    ? kind(e, p)
    : e.type === 'identify'
      ? { icon: IconUserCircle as Icon, title: i18next.t('tl.identify'), facts: traitFacts((e.traits ?? {}) as Props) }
      : e.type === 'alias'
        ? { icon: IconUserCircle as Icon, title: i18next.t('tl.alias'), facts: '' }
        : e.type === 'group'
          ? { icon: IconUserCircle as Icon, title: i18next.t('tl.group'), facts: anyFacts((e.traits ?? {}) as Props) }
          : { icon: strandIcon[e.strand] as Icon, title: name ?? e.type, facts: anyFacts(p) };
  return { ...told, facts: told.facts || e.source.name };
}

export interface Entry {
  key: string;
  items: TimelineItem[];
  told: Told;
}

const HALF_HOUR = 30 * 60_000;
const same = (a: TimelineItem, b: TimelineItem) => a.strand === b.strand && a.event === b.event && a.type === b.type && f.dayKey(a.timestamp) === f.dayKey(b.timestamp);

/** Runs of the same kind within half an hour are one line. */
export function fold(list: TimelineItem[]): Entry[] {
  const out: Entry[] = [];
  for (const item of list) {
    const told = tell(item);
    const last = out[out.length - 1];
    const head = last?.items[0];
    if (last && head && told.fold && last.told.fold === told.fold && same(head, item) && Date.parse(head.timestamp) - Date.parse(item.timestamp) < HALF_HOUR) {
      last.items.push(item);
      continue;
    }
    out.push({ key: item.message_id, items: [item], told });
  }
  for (const e of out) if (e.items.length > 1) e.told = { ...e.told, title: e.told.foldTitle?.(e.items.length) ?? i18next.t('tl.times', { title: e.told.title, n: f.number(e.items.length) }) };
  return out;
}

export function channelName(channel: string): string {
  const t = i18next.t.bind(i18next);
  const names: Record<string, string> = { email: t('channel.email'), sms: t('channel.sms'), viber: 'Viber', telegram: 'Telegram', whatsapp: 'WhatsApp', push: t('channel.push'), call: t('channel.call'), phone: t('channel.call') };
  return names[channel] ?? channel;
}

export function purposeName(purpose: string): string {
  const t = i18next.t.bind(i18next);
  return purpose === 'marketing' ? t('purpose.marketing') : purpose === 'service' ? t('purpose.service') : purpose;
}

/** Why a message did not go, in the trade's words. */
export function reasonText(reason: string | null | undefined): string {
  if (!reason) return i18next.t('reason.other');
  const key = `reason.${reason}`;
  return i18next.exists(key) ? i18next.t(key) : reason.replaceAll('_', ' ');
}
export function gateText(gate: string): string {
  const key = `gate.${gate}`;
  return i18next.exists(key) ? i18next.t(key) : gate.replaceAll('_', ' ');
}
export function identifierName(kind: string): string {
  const key = `identifier.${kind}`;
  return i18next.exists(key) ? i18next.t(key) : kind.replaceAll('_', ' ');
}
export const identifierText = (i: { kind: string; value: string }): string => (i.kind === 'phone' ? f.phone(i.value) : i.kind === 'email' || i.value.length < 24 ? i.value : f.middle(i.value));
