// A small stand-in for the server, for pictures and accessibility checks where none runs. One Sunday, 22 November, 14:32 in Kyiv:
// the receipt that Olena has just got is the newest entry of her page, the first row among customers, a line in live events and
// the reason why she has left the segment.
import { createServer } from 'node:http';
import { createReadStream, existsSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';
import { front } from './front.mjs';
import { reviews } from './reviews.mjs';
import { orders as ordered } from './orders.mjs';
import { returns as afterSale } from './returns.mjs';
import { company } from './company.mjs';
import { goods as stocked } from './stock.mjs';

const PORT = Number(process.env.MOCK_PORT ?? 4599);
const DIST = join(import.meta.dirname, '../../dist');
const NOW = Date.parse('2026-11-22T12:32:08Z');
const ago = (min, s = 0) => new Date(NOW - min * 60_000 - s * 1000).toISOString();
const uah = (n) => ({ minor: Math.round(n * 100), currency: 'UAH' });

const src = {
  till: { id: 's-till', name: 'Till, Lviv', kind: 'server' },
  site: { id: 's-site', name: 'Site', kind: 'browser' },
  app: { id: 's-app', name: 'Android', kind: 'browser' },
  bot: { id: 's-bot', name: 'Viber bot', kind: 'server' },
  calls: { id: 's-calls', name: 'Calls', kind: 'server' },
  np: { id: 's-np', name: 'Nova Poshta', kind: 'server' },
  rozetka: { id: 's-rozetka', name: 'Rozetka', kind: 'import' },
  braid: { id: 's-braid', name: 'Braid', kind: 'system' },
};
const segs = [
  { id: 'seg-blankets', name: 'Interested in blankets, not bought yet', expression: 'count("Product Viewed" where properties.category = "Blankets" in last 14 days) >= 2 and sum("Order Completed".total in last 365 days) >= 3000 and not count("Order Completed" where products[].category = "Blankets" in last 90 days) >= 1 and trait.city in ["Lviv", "Kyiv", "Odesa"]', state: 'live', count: 18412, version: 7, progress: 1 },
  { id: 'seg-loyal', name: 'Loyal', expression: 'count("Order Completed" in last 365 days) >= 4', state: 'live', count: 4107, version: 3, progress: 1 },
  { id: 'seg-cart', name: 'Left a full cart', expression: 'seq("Checkout Started" then not "Order Completed" within 2 hours)', state: 'live', count: 1284, version: 2, progress: 1 },
  { id: 'seg-new', name: 'New this week', expression: 'count("Order Completed" in last 7 days) = 1 and not in segment("Loyal")', state: 'live', count: 1936, version: 1, progress: 1 },
  { id: 'seg-mail', name: 'Reachable by e-mail', expression: 'consent.email.marketing = "granted"', state: 'filling', count: 9744, version: 1, progress: 0.62 },
].map((s, i) => ({ ...s, created_at: ago(60 * 24 * (40 - i * 6)), updated_at: ago(60 * 24 * (9 + i * 3)), as_of: ago(0) }));

const people = [
  ['p-olena', 'Olena Gudz', 'o.hudz@ukr.net', '+380671234567', 'Lviv', 0.9, 1284, 9, 18420, 3, ['email', 'sms', 'viber'], ['seg-loyal', 'seg-mail']],
  ['p-taras', 'Taras Shevchuk-Holembiievskyi', 't.shevchuk@gmail.com', '+380951112312', 'Ivano-Frankivsk', 2, 214, 4, 6310, 1, ['email', 'sms'], ['seg-blankets']],
  ['p-mariia', 'Mariia Kravets', 'm.kravets@gmail.com', '+380501230040', 'Kyiv', 6, 902, 12, 31240, 2, ['email', 'viber'], ['seg-loyal', 'seg-blankets']],
  ['p-andrii', 'Andrii Bondarenko', 'andrii.b@i.ua', '+380631230005', 'Dnipro', 9, 18, 1, 1249, 1, ['sms'], ['seg-new']],
  ['p-yevheniia', 'Yevheniia Lytvyn', 'y.lytvyn@gmail.com', null, 'Poltava', 14, 377, 6, 9876, 1, ['email'], ['seg-loyal']],
  ['p-ivan', 'Ivan Prykhodko', null, '+380481230031', 'Odesa', 22, 4, 0, 0, 1, ['sms'], []],
  ['p-nataliia', 'Nataliia Hnatiuk', 'hnatiuk@ukr.net', '+380971230088', 'Ternopil', 31, 145, 3, 4560, 1, ['email', 'sms', 'viber'], ['seg-blankets']],
  ['p-oleh', 'Oleh Diachuk', 'diachuk@gmail.com', '+380661230073', 'Lutsk', 48, 233, 7, 8320, 2, ['viber', 'sms'], ['seg-loyal']],
  ['p-sofiia', 'Sofiia Mazur', 's.mazur@ukr.net', null, 'Kharkiv', 56, 96, 2, 2190, 1, ['email'], []],
  ['p-vasyl', 'Vasyl Romaniuk', 'vasyl.r@ukr.net', '+380681230019', 'Chernivtsi', 154, 310, 5, 5415, 1, ['email', 'sms'], ['seg-loyal']],
  ['p-khrystyna', 'Khrystyna Koval', 'koval.k@gmail.com', '+380991230054', 'Uzhhorod', 165, 1520, 15, 42180, 2, ['email', 'viber', 'sms'], ['seg-loyal', 'seg-blankets']],
  ['p-petro', 'Petro Zavadskyi', null, '+380731230026', 'Vinnytsia', 172, 34, 2, 1780, 1, ['sms'], ['seg-new']],
  ['p-hanna', 'Hanna Ilchenko', 'hanna.i@gmail.com', '+380501230090', 'Sumy', 180, 610, 8, 11960, 1, ['email', 'viber'], ['seg-loyal']],
  ['p-yurii', 'Yurii Stelmakh', 'stelmakh@i.ua', '+380671230038', 'Rivne', 192, 120, 3, 3640, 1, ['email'], []],
  ['p-oksana', 'Oksana Galagan', 'oksana.g@ukr.net', '+380671230077', 'Drohobych', 200, 81, 3, 4120, 1, ['email', 'sms'], ['seg-blankets']],
].map(([person_id, name, email, phone, city, min, events, orders, revenue, profiles, channels, s]) => ({
  person_id, name, email, phone, city, demo: false, first_seen: '2023-03-14T09:12:00Z', last_seen: ago(min), events, orders,
  revenue: revenue ? [uah(revenue)] : [], profiles, channels, stage: orders >= 6 ? 'loyal' : orders > 1 ? 'active' : orders ? 'new' : 'prospect', segments: s.map((id) => ({ id, name: segs.find((x) => x.id === id).name })),
}));
const many = Array.from({ length: 400 }, (_, i) => ({ ...people[3 + (i % 11)], person_id: `p-x${i}`, name: `${['Iryna', 'Bohdan', 'Larysa', 'Roman', 'Ґанна'][i % 5]} ${['Melnyk', 'Shvets', 'Kozak', 'Bilyk', 'Tkachuk', 'Moroz'][i % 6]}`, email: `c${i}@example.com`, phone: null, last_seen: ago(210 + i * 7), segments: [] }));
const all = [...people, ...many];

let seq = 184000;
const kinds = [
  ['views', 'Views', 'customers', /^(Product (List )?Viewed|Products Searched|Page Viewed)$/], ['cart', 'Cart and checkout', 'customers', /^(Checkout|Cart|Product Added|Product Removed)/],
  ['returns', 'Returns', 'orders', /^Order Refunded/], ['purchases', 'Purchases', 'orders', /^Order /], ['contacts', 'Contacts', 'service', /^(Call|Chat) /],
  ['reviews', 'Reviews', 'reviews', /Reviewed$/], ['consents', 'Consents', 'consents', /^(Consent |Unsubscribed)/], ['messages', 'Messages and reactions', 'messages', /^(Message|Email) /], ['other', 'Other', 'customers', /^/],
];
const kindOf = (event) => kinds.find(([, , , re]) => re.test(event ?? ''))[0];
const ev = (id, min, source, strand, event, properties, extra = {}) => ({ message_id: id, type: 'track', event, timestamp: ago(min), received_at: ago(min, -0.4), properties, traits: {}, context: {}, profile_id: 'pr-1', source, strand, kind: kindOf(event), ...extra });
const timeline = [
  ev('till-184233', 0.9, src.till, 'store', 'Order Completed', { order_id: '184233', store: 'Lviv, Horodotska', total: 2486, currency: 'UAH', products: [{ sku: 'HM-200220', name: 'Khmara 200×220', category: 'Blankets', quantity: 1, price: 1249 }, { name: 'Linen towel', quantity: 2, price: 618.5 }] }),
  ...Array.from({ length: 7 }, (_, i) => ev(`app-v${i}`, 111 + i * 2, src.app, 'online', 'Product Viewed', { name: `Khmara ${i + 1}`, category: 'Blankets', price: 1249 + i }, { context: { device: { type: 'android' } } })),
  ev('mail-c1', 112 + 16, src.bot, 'message', 'Message Clicked', { channel: 'Viber', subject: 'Winter textiles', url: 'https://svitlytsia.ua/kovdry' }),
  ev('call-1', 60 * 20 + 27, src.calls, 'talk', 'Call Finished', { about: 'is the blanket in stock in Lviv', agent: 'Taras Kovalchuk', duration: '3 min 12 s', result: 'solved' }),
  ev('site-s', 60 * 20 + 40, src.site, 'online', 'Products Searched', { query: 'down blanket 200', results: 14 }, { context: { device: { type: 'desktop' } } }),
  ev('np-1', 60 * 24 * 6 + 320, src.np, 'partner', 'Shipment Collected', { place: 'Nova Poshta No. 12', waybill: '20 4507 8812 3341', note: 'a day early' }),
  ev('sup-1', 60 * 24 * 6 + 392, src.braid, 'message', 'Message Suppressed', { channel: 'SMS', reason: 'cap_reached', detail: '3 messages in 7 days' }),
  ev('mail-o', 60 * 24 * 7 - 352, src.bot, 'message', 'Message Opened', { channel: 'E-mail', subject: 'Order confirmation' }),
  ev('app-o', 60 * 24 * 7 - 346, src.app, 'online', 'Order Completed', { order_id: '31877', total: 1890, currency: 'UAH', products: [{ name: '“Barvinok” bed linen', quantity: 1 }] }),
  ev('cons-1', 60 * 24 * 20, src.site, 'message', 'Consent Granted', { channel: 'email', purpose: 'marketing', wording: 'Yes, write to me about new things' }),
  ev('id-1', 60 * 24 * 20 + 4, src.site, 'online', null, {}, { type: 'identify', traits: { email: 'o.hudz@ukr.net', city: 'Lviv' } }),
  ...Array.from({ length: 60 }, (_, i) => ev(`old-${i}`, 60 * 24 * (24 + i * 5), [src.site, src.till, src.app][i % 3], ['online', 'store', 'online'][i % 3], i % 3 === 1 ? 'Order Completed' : 'Product Viewed', i % 3 === 1 ? { order_id: String(30000 - i), store: 'Lviv, Horodotska', total: 960 + i * 13, currency: 'UAH', products: [{ name: 'Linen', quantity: 1 }] } : { name: `Linen towel ${i}`, category: 'Linen', price: 320 })),
];
const person = (row) => ({
  computed: [{ name: 'spent_90_days', title: 'Spent in 90 days', kind: 'number', value: 8420.5, valid_until: '2026-12-20T10:00:00Z', expression: 'sum("Order Completed".total in last 90 days)', live: true }, { name: 'last_store', title: '', kind: 'text', value: null, valid_until: null, expression: 'last("Order Completed".store_id)', live: false }],
  person_id: row.person_id,
  profile_ids: ['pr-1', 'pr-2', 'pr-3'].slice(0, row.profiles),
  identifiers: [
    ...(row.phone ? [{ kind: 'phone', value: row.phone, profile_id: 'pr-1', first_seen: '2023-03-14T09:12:00Z', last_seen: ago(1), message_id: 'till-1' }] : []),
    ...(row.email ? [{ kind: 'email', value: row.email, profile_id: 'pr-3', first_seen: '2024-11-02T09:12:00Z', last_seen: ago(40), message_id: 'id-1' }] : []),
  ],
  traits: { name: row.name, city: row.city, birthday: '8 May', preferred_channel: 'Viber', favourite_shop: 'Lviv, Horodotska', interested_in: ['blankets', 'linen'], household: 4, tier: 'gold', size: 'M' },
  trait_origins: [
    { name: 'name', timestamp: '2023-03-14T09:12:00Z', message_id: 'till-1', source: 'Till, Lviv' }, { name: 'city', timestamp: '2023-03-14T09:12:00Z', message_id: 'till-1', source: 'Till, Lviv' },
    { name: 'birthday', timestamp: '2024-05-12T10:00:00Z', message_id: 'f-1', source: 'Site' }, { name: 'preferred_channel', timestamp: ago(130), message_id: 'x', source: 'Viber bot' },
    { name: 'favourite_shop', timestamp: ago(1), message_id: 'till-184233', source: 'Till, Lviv' }, { name: 'interested_in', timestamp: ago(111), message_id: 'app-v0', source: 'Android' }, { name: 'household', timestamp: '2024-05-12T10:00:00Z', message_id: 'f-1', source: 'Site' },
  ],
  derived: [
    { name: 'lifecycle_stage', kind: 'text', unit: '', value: 'loyal', valid_until: '2026-12-20T00:00:00Z', window: 'ever', count: 14, why: "14 orders, the last 0 days ago; at risk after 60, lapsed after 121 days of the customer's own rhythm" },
    { name: 'average_order', kind: 'number', unit: 'money', value: 1720.5, valid_until: null, window: 'ever', count: 14, why: '14 orders' },
    { name: 'purchase_interval_days', kind: 'number', unit: 'days', value: 40.5, valid_until: null, window: 'ever', count: 14, why: '14 orders' },
    { name: 'preferred_channel', kind: 'text', unit: '', value: 'shop', valid_until: '2026-12-03T00:00:00Z', window: 'the present 30 days and the 90 before', count: 9, why: '9 acts there weigh 66 % of all' },
    { name: 'preferred_device', kind: 'text', unit: '', value: 'mobile', valid_until: null, window: 'the present 30 days and the 90 before', count: 31, why: '31 acts on it' },
    { name: 'habits.best_weekday', kind: 'text', unit: '', value: 'sunday', valid_until: null, window: 'ever', count: 58, why: '21 of 58 acts on this day' },
    { name: 'omnichannel.bopis', kind: 'bool', unit: '', value: true, valid_until: null, window: 'ever', count: 2, why: '2 orders collected in a shop' },
    { name: 'omnichannel.leaves_reviews', kind: 'bool', unit: '', value: false, valid_until: null, window: 'ever', count: 0, why: '0 reviews' },
    { name: 'habits.sms', kind: 'text', unit: '', value: null, valid_until: null, window: 'the present 30 days and the 90 before', count: 0, why: '0 sent: fewer than 3 say nothing' },
  ],
  facts: {
    channels: [
      { channel: 'shop', first_at: '2023-03-14T09:12:00Z', last_at: ago(1), acts: { ordered: 11 }, orders: 11, revenue: [uah(19420)], returns: 1, returned: [uah(516)] },
      { channel: 'site', first_at: '2024-11-02T09:12:00Z', last_at: ago(111), acts: { viewed: 214, ordered: 3 }, orders: 3, revenue: [uah(4667)], returns: 0, returned: [] },
      { channel: 'messenger', first_at: '2025-06-03T09:12:00Z', last_at: ago(130), acts: { opened: 12 }, orders: 0, revenue: [], returns: 0, returned: [] },
    ],
    devices: { mobile: 180, desktop: 34 }, products: [{ value: 'HM-200220', at: ago(111) }], categories: [{ value: 'Blankets', at: ago(111) }, { value: 'Linen', at: ago(4000) }],
    last_orders: [], lost: [{ channel: 'sms', reason: 'hard_bounce', address: '+380501112233', at: ago(60 * 24 * 20), message_id: 'l-1', holds: true }], hours: [], service_seconds: 0, first_order_at: '2023-03-14T09:12:00Z',
  },
  totals: { events: row.events, orders: row.orders, refunds: 1, revenue: row.revenue, refunded: row.orders > 3 ? [uah(516)] : [], average_order: row.orders ? [uah(row.revenue[0].minor / 100 / row.orders)] : [], first_seen: row.first_seen, last_seen: row.last_seen, last_order_at: row.orders ? row.last_seen : null },
  segments: row.segments.map((s, i) => ({ ...s, since: ago(60 * 24 * (3 + i * 40)), leaves_at: i ? null : new Date(NOW + 86_400_000 * 60).toISOString() })),
  consents: row.email ? [
    { channel: 'email', address: row.email, purpose: 'marketing', state: 'granted', at: '2025-06-03T09:00:00Z', wording: 'Yes, write to me about new things', message_id: 'cons-1' },
    { channel: 'sms', address: row.phone ?? '', purpose: 'marketing', state: 'granted', at: '2024-11-02T09:00:00Z', wording: 'SMS about discounts', message_id: 'cons-2' },
    { channel: 'call', address: row.phone ?? '', purpose: 'marketing', state: 'denied', at: '2025-01-12T09:00:00Z', wording: 'Said at the till', message_id: 'cons-3' },
  ] : [],
  as_of: ago(0),
});
const identity = {
  profiles: [
    { profile_id: 'pr-1', created_at: '2023-03-14T09:12:00Z', source: 'Till, Lviv', identifiers: [{ kind: 'phone', value: '+380671234567' }, { kind: 'card', value: '2004118' }] },
    { profile_id: 'pr-2', created_at: '2025-06-03T09:12:00Z', source: 'Viber bot', identifiers: [{ kind: 'viber', value: '7f2a91b04c91' }] },
    { profile_id: 'pr-3', created_at: '2024-11-02T09:12:00Z', source: 'Site', identifiers: [{ kind: 'email', value: 'o.hudz@ukr.net' }, { kind: 'user_id', value: 'c-1042' }, { kind: 'anonymous_id', value: '4d1f0a6e-77aa-4a83-9b39-5f60b2a7d0c1' }] },
  ],
  edges: [
    { id: 'e-1', a: 'pr-1', b: 'pr-2', rule: 'shared_identifier', message_id: 'bot-0001-7f2a', at: '2025-06-03T09:12:00Z', evidence: { kind: 'phone', value: '+380671234567' } },
    { id: 'e-2', a: 'pr-2', b: 'pr-3', rule: 'shared_identifier', message_id: 'site-0002-11aa', at: '2024-11-02T09:12:00Z', evidence: { kind: 'phone', value: '+380671234567' } },
  ],
  cannot_link: [{ id: 'c-1', a: 'pr-1', b: 'pr-9041', at: '2026-10-26T10:00:00Z', actor: 'Iryna Melnyk' }],
};
const templates = [
  { id: 't-cart', name: 'Your cart waits', channel: 'email', subject: 'Your cart waits, {{ trait.name }}', body_html: '<h1>Your cart waits</h1>\n<p>{{ trait.name }}, the blanket is kept for you until tomorrow.</p>', body_text: 'Your cart waits.', version: 4, updated_at: ago(60 * 24 * 3) },
  { id: 't-hello', name: 'Welcome', channel: 'email', subject: 'Glad to meet you', body_html: '<p>Hello</p>', body_text: 'Hello', version: 2, updated_at: ago(60 * 24 * 30) },
  { id: 't-winter', name: 'Winter textiles', channel: 'email', subject: 'Warm things for December', body_html: '<p>Warm things</p>', body_text: 'Warm things', version: 1, updated_at: ago(60 * 30) },
];
const rules = [
  { id: 'r-cart', name: 'Abandoned cart', segment_id: 'seg-cart', template_id: 't-cart', channel: 'email', purpose: 'marketing', once: true, enabled: true, counts: { intended: 1284, pending: 14, stopped: 68, sending: 0, sent: 1190, refused: 9, unknown: 3 } },
  { id: 'r-hello', name: 'Welcome series', segment_id: 'seg-new', template_id: 't-hello', channel: 'email', purpose: 'marketing', once: true, enabled: true, counts: { intended: 412, pending: 0, stopped: 7, sending: 0, sent: 405, refused: 0, unknown: 0 } },
  { id: 'r-winter', name: 'Winter textiles', segment_id: 'seg-blankets', template_id: 't-winter', channel: 'email', purpose: 'marketing', once: true, enabled: false, counts: { intended: 0, pending: 0, stopped: 0, sending: 0, sent: 0, refused: 0, unknown: 0 } },
];
const gates = (stop, detail) => {
  const out = [];
  for (const [g, d] of [['segment', 'in “Left a full cart” since 13:58'], ['address', 'e-mail'], ['consent', 'granted 3 Jun 2025'], ['cap', '1 of 3 messages in 7 days'], ['quiet_hours', 'daytime'], ['delivery', 'accepted']]) {
    if (g === stop) { out.push({ gate: g, passed: false, detail }); break; }
    out.push({ gate: g, passed: true, detail: d });
  }
  return out;
};
let messages = people.map((p, i) => {
  const kind = i === 0 ? 'stopped' : ['sent', 'sent', 'unknown', 'stopped', 'pending', 'refused'][i % 6];
  const stop = kind === 'stopped' ? (i % 4 === 0 ? 'cap' : 'consent') : kind === 'refused' || kind === 'unknown' ? 'delivery' : null;
  return {
    id: `m-${i}`, rule_id: 'r-cart', rule_name: 'Abandoned cart', template_name: 'Your cart waits', person_id: p.person_id, person_name: p.name, channel: 'email', address: p.email, status: kind,
    reason: kind === 'stopped' ? (stop === 'consent' ? 'no_consent' : 'cap_reached') : kind === 'refused' ? 'refused' : kind === 'unknown' ? 'connection_lost' : null,
    why: gates(stop, stop === 'cap' ? `${p.name.split(' ')[0]} has already had 3 messages in 7 days, and the rule allows 3.` : stop === 'consent' ? 'No consent for e-mail, marketing, is on record.' : kind === 'refused' ? '550 5.1.1 no such mailbox' : 'The connection broke after the text was handed over.'),
    intended_at: ago(40 + i * 11), settled_at: kind === 'pending' ? null : ago(39 + i * 11), attempts: kind === 'pending' ? 0 : 1, subject: 'Your cart waits',
  };
});
// One that works, one that was switched off because it answered 410.
let hooks = [
  { id: 'w-erp', name: 'ERP', url: 'https://erp.example.com/hooks/braid?token=7f', types: ['event.tracked', 'person.merged'], event_names: ['Order Completed'], segment_ids: [], imported: false, state: 'active', reason: null, failures: 2, failing_since: ago(42), blocked_until: new Date(NOW + 240_000).toISOString(), last_at: ago(1), last_status: 503, last_error: null, waiting: 18, oldest_s: 2520, lately: [false, false, ...Array(28).fill(true)], old_secret_until: null, version: 3, created_by: 'iryna@svitlytsia.ua', created_at: ago(60 * 24 * 30), updated_at: ago(60 * 24 * 2) },
  { id: 'w-old', name: 'Old loyalty', url: 'https://loyalty.example.com/in', types: ['person.erased'], event_names: [], segment_ids: [], imported: false, state: 'disabled', reason: 'gone', failures: 1, failing_since: ago(9000), blocked_until: null, last_at: ago(9000), last_status: 410, last_error: null, waiting: 0, oldest_s: null, lately: [false, true, true], old_secret_until: null, version: 1, created_by: 'iryna@svitlytsia.ua', created_at: ago(60 * 24 * 90), updated_at: ago(9000) },
];
let sent = [
  { id: 'd-3', webhook_id: 'w-erp', message_id: 'msg_a1b2c3d41042', type: 'event.tracked', timestamp: ago(1), state: 'failed', attempts: 2, next_at: new Date(NOW + 300_000).toISOString(), last_status: 503, last_error: null, created_at: ago(1), settled_at: null },
  { id: 'd-2', webhook_id: 'w-erp', message_id: 'msg_a1b2c3d41041', type: 'person.merged', timestamp: ago(300), state: 'dead', attempts: 10, next_at: null, last_status: null, last_error: 'no answer within 20s', created_at: ago(300), settled_at: ago(200) },
  { id: 'd-1', webhook_id: 'w-erp', message_id: 'msg_a1b2c3d41040', type: 'event.tracked', timestamp: ago(400), state: 'delivered', attempts: 1, next_at: null, last_status: 204, last_error: null, created_at: ago(400), settled_at: ago(400) },
];
const sources = Object.values(src).map((s, i) => ({ ...s, write_key_prefix: s.kind === 'system' ? null : `wk_${s.id.slice(2, 6)}`, created_at: ago(60 * 24 * 300), events_24h: [184233, 621044, 402118, 51200, 1204, 8220, 912, 20411][i], rejected_24h: s.id === 's-app' ? 23 : 0, last_event_at: ago(i * 0.2) }));
const acc = (min, s, source, event, summary, person_id, extra = {}) => ({ status: 'accepted', seq: ++seq, message_id: `e-${seq}-a41f`, type: 'track', event, timestamp: ago(min, s), received_at: ago(min, s), person_id, profile_id: 'pr-1', source, summary, ...extra });
const raw = (price) => JSON.stringify({ type: 'track', event: 'Cart Updated', messageId: 'and-7c1e09', properties: { sku: 'HM-200220', price, quantity: 1 }, sentAt: '2026-11-22T12:31:54Z' });
const rej = (i, min, s) => ({ status: 'rejected', id: `rej-${i}`, received_at: ago(min, s), code: 'invalid_type', pointer: '/properties/price', detail: 'The price came as text; a number is expected.', raw: raw(i % 2 ? '890 грн' : '1 249 грн'), source: src.app });
const events = Array.from({ length: 6 }, (_, r) => [
  acc(r, 12, src.till, 'Order Completed', 'receipt 184 233 · ₴2,486', 'p-olena'), acc(r, 13, src.site, 'Product Viewed', 'Linen towel 70×140', 'p-mariia'), rej(r * 2, r, 13), acc(r, 14, src.site, null, '/kovdry/hmara-200x220', null, { type: 'page' }),
  acc(r, 14, src.bot, 'Message Opened', 'Winter textiles', 'p-sofiia'), acc(r, 15, src.rozetka, 'Order Completed', 'order 31 911 · ₴1,249', 'p-andrii'), acc(r, 15, src.site, 'Products Searched', '“embroidered tablecloth”', null), rej(r * 2 + 1, r, 16),
  acc(r, 16, src.np, 'Shipment Moved', 'waybill … 9004 · Lutsk', 'p-yurii'), acc(r, 17, src.till, 'Order Refunded', 'receipt 184 102 · −₴960', 'p-oleh'), acc(r, 18, src.site, null, 'phone joined a profile', 'p-yevheniia', { type: 'identify' }),
]).flat();
const dayHours = (d) => [3, 1, 1, 0, 0, 2, 11, 40, 118, 209, 431, 560, 668, 742, 708, 690, 662, 641, 588, 515, 340, 152, 60, 12].map((v, h) => [d, h, v]);
const hours = [...dayHours(15), ...dayHours(22).map(([d, h, v]) => [d, h, h < 14 ? v * 1.06 : h === 14 ? 446 : null])].filter(([, , v]) => v !== null).map(([d, h, v]) => ({ hour: new Date(Date.UTC(2026, 10, d, h - 2)).toISOString(), events: Math.round(v * 1900), orders: Math.round(v * 1.3), revenue: uah(v * 1000) }));
const counts = { events: 20418233, derived: 1204418, rejected: 23, profiles: 2311904, people: 2041386, messages: 184210, outbox_pending: 14 };
const home = () => ({
  as_of: ago(0), counts, hours, today: { events: 8113220, orders: 4312, revenue: uah(3184620), new_people: 1936, messages_sent: 2002 },
  segments: segs.map((s, i) => ({ id: s.id, name: s.name, count: s.count, entered_24h: [614, 41, 390, 288, 0][i], left_24h: [432, 12, 402, 71, 0][i] })),
  attention: [
    { kind: 'rejects', count: 23, detail: 'all from Android since 13:58: price as text', link: '/live' },
    { kind: 'unknown_messages', count: 3, detail: 'mail server silent 14:08–14:11', link: '/messages' },
    { kind: 'review', count: 2, detail: 'closest: same surname and city', link: '/identity' },
  ],
});
let role = 'owner';
// The identity provider: off for most tests; `/mock/provider` switches it, and how an attempt there ends.
let provider = { name: null, passwords: 'everyone' };
let signIn = { enabled: true, issuer: 'https://login.svitlytsia.ua/realms/shop', client_id: 'braid', has_secret: true, label: 'Svitlytsia', domains: ['svitlytsia.ua'], create: false, role: 'agent', provider_second_factor: false, passwords: 'everyone', redirect_uri: 'https://braid.svitlytsia.ua/signin/oidc' };
let linked = true;
let looking = true;
let household = ['p-taras'];
let computed = [{ id: 'ct-0', name: 'spent_90_days', title: 'Spent in 90 days', expression: 'sum("Order Completed".total in last 90 days)', kind: 'number', state: 'live', progress: 1, version: 2, segments: ['Loyal'], created_at: ago(900), updated_at: ago(90) }];
const READS = ['home', 'customers', 'identity', 'consents', 'segments', 'messages', 'events', 'sources', 'imports', 'exports', 'privacy', 'settings', 'jobs', 'orders', 'service', 'reviews', 'catalog', 'prices', 'stock'];
// Goods: what is searched here is found by letters alone; the real index does better.
const variant = (sku, size, price, extra = {}) => ({ number: `v-${sku}`, sku, gtin: null, gtin_in_store: false, price: uah(price), tracked: true, lots: 'none', weight_g: 900, archived: false, attributes: size ? { size } : {}, ...extra });
const product = (id, name, brand, colour, variants, extra = {}) => ({ id, number: `no-${id}`, name, state: 'active', family: 'textile', brand, tax_class: 'standard', categories: ['Дім > Ковдри'], axes: ['size'], attributes: { colour, 'description#uk': `${name}, тепла й легка` }, levels: {}, media: [], variants, completeness: [{ channel: 'site', locale: 'uk', filled: 3, required: 4, percent: 75 }], version: 3, created_at: ago(60 * 24 * 90), updated_at: ago(55), ...extra });
let goods = [
  product('khmara', 'Ковдра «Хмара»', 'Svitlytsia', 'white', [variant('HM-200220', '200×220', 1249, { gtin: '4820000000000' }), variant('HM-150210', '150×210', 999)]),
  product('barvinok', 'Постіль «Барвінок»', 'Svitlytsia', 'blue', [variant('BV-1', null, 1890)], { completeness: [{ channel: 'site', locale: 'uk', filled: 4, required: 4, percent: 100 }] }),
  product('lantern', 'Ліхтар Lumo', 'Lumo', 'black', [variant('LM-7', null, 420)], { state: 'draft', completeness: [{ channel: 'site', locale: 'uk', filled: 1, required: 4, percent: 25 }] }),
];
const facetOf = (kind, label, values) => ({ kind, label, values: Object.entries(values).map(([value, count]) => ({ value, label: value, count })) });
const attribute = (code, uk, kind, extra = {}) => ({ code, kind, labels: { uk, en: code }, part: '', unit_family: null, localisable: false, scopable: false, unique: false, facet: true, compared: true, options: [], position: 1, learned: false, version: 1, ...extra });
const goodsAttributes = [attribute('colour', 'Колір', 'select'), attribute('size', 'Розмір', 'text'), attribute('description', 'Опис', 'text', { localisable: true, scopable: true, facet: false }), attribute('weight', 'Вага', 'number', { unit_family: 'mass', learned: true })];
let productFeeds = [{ id: 'fd-1', name: 'Rozetka', format: 'yml', channel: 'site', locale: 'uk', currency: 'UAH', link: 'https://svitlytsia.ua/p/{id}', active: true, url: 'https://braid.svitlytsia.ua/feed/k3yk3yk3y', items: 2, left_out: 1, reasons: [{ why: 'not_offered', count: 1, sku: 'LM-7' }], up_to_date: true, followed_at: ago(1), version: 1 }];
function goodsAnswer(path, m, input, url, json, problem, res) {
  const one = (re) => re.exec(path)?.[1];
  const found = (id) => goods.find((p) => p.id === decodeURIComponent(id));
  let x;
  if (path === '/catalog/search') {
    const q = (input.q ?? '').toLowerCase();
    const states = input.filters?.['@state'];
    const items = goods.filter((p) => (!q || `${p.name} ${p.variants.map((v) => v.sku)}`.toLowerCase().includes(q)) && (!states?.length || states.includes(p.state)));
    return json({ items, total: items.length, facets: [facetOf('@brand', '@brand', { Svitlytsia: 2, Lumo: 1 }), facetOf('@state', '@state', { active: 2, draft: 1 }), facetOf('colour', 'Колір', { white: 1, blue: 1, black: 1 })], understood: null, indexed: goods.length });
  }
  if (path === '/catalog/products') { const accepted = input.products.map((p, index) => { const known = found(p.id); Object.assign(known, { ...p, attributes: { ...known.attributes, ...p.attributes }, levels: {}, variants: known.variants }); return { index, number: known.number, outcome: 'changed' }; }); return json({ accepted, rejected: [] }); }
  if (path === '/catalog/compare') { const list = url.searchParams.get('ids').split(',').map(found); return json({ products: list.map((p) => ({ id: p.id, name: p.name, picture: null, prices: [p.variants[0].price] })), rows: [{ attribute: 'colour', label: 'Колір', part: '', values: list.map((p) => p.attributes.colour), differs: true }, { attribute: 'weight', label: 'Вага', part: '', values: list.map(() => '900 g'), differs: false }] }); }
  if (path === '/products' && m === 'POST') { const known = found(input.id); Object.assign(known, { ...input, attributes: { ...known.attributes, ...input.attributes }, variants: known.variants, levels: {}, version: known.version + 1 }); return json(known); }
  if ((x = one(/^\/products\/([^/]+)$/))) return found(x) ? json(found(x)) : problem(res, 404, 'not_found', 'There is no such product');
  if ((x = one(/^\/products\/([^/]+)\/completeness$/))) return json({ items: [{ channel: 'site', locale: 'uk', filled: 3, required: 4, percent: 75, missing: [{ attribute: 'weight', sku: null }] }], next_cursor: null });
  if ((x = one(/^\/products\/([^/]+)\/links$/))) return json({ items: [{ kind: 'accompanying', product_id: 'barvinok', quantity: 1, name: 'Постіль «Барвінок»' }], next_cursor: null });
  if ((x = one(/^\/products\/([^/]+)\/history$/))) return json({ items: [{ version: 2, at: ago(55), actor: 'danylo@svitlytsia.ua', changes: [{ path: 'attributes/colour', before: 'grey', after: 'white' }] }], next_cursor: null });
  if ((x = one(/^\/products\/([^/]+)\/roll-back$/))) { const p = found(x); p.version += 1; p.attributes.colour = 'grey'; return json(p); }
  if (path === '/attributes') return json({ items: goodsAttributes, next_cursor: null });
  if (path === '/families') return json({ items: [{ code: 'textile', labels: { uk: 'Текстиль', en: 'Textiles' }, label_attribute: '', attributes: [{ code: 'colour', required: ['*'] }, { code: 'description', required: ['site'] }, { code: 'weight', required: [] }], axes: ['size'], version: 1 }], next_cursor: null });
  if (path === '/categories') return json({ items: [{ code: 'Дім', parent: null, labels: { uk: 'Дім' }, position: 1, archived: false, version: 1 }, { code: 'Дім > Ковдри', parent: 'Дім', labels: { uk: 'Ковдри' }, position: 2, archived: false, version: 1 }], next_cursor: null });
  if (path === '/sales-channels') return json({ items: [{ code: 'site', kind: 'site', labels: { uk: 'Сайт', en: 'Site' }, root: null, locales: ['uk'], currencies: ['UAH'], assortment: [{ sell: false, categories: [], brands: ['Lumo'], families: [], skus: [], attribute: null, values: [] }], version: 1 }], next_cursor: null });
  if (path === '/feeds' && m === 'POST') { const made = { ...productFeeds[0], ...input, id: 'fd-2', items: 0, left_out: 0, reasons: [], up_to_date: false, followed_at: null }; productFeeds = [...productFeeds, made]; return json(made, 201); }
  if (path === '/feeds') return json({ items: productFeeds, next_cursor: null });
  return undefined;
}
const rightsOf = (role) => [...READS.map((r) => `${r}:read`), 'own', ...(role === 'owner' ? [...READS.map((r) => `${r}:write`), 'accounts:read', 'accounts:write', 'audit:read', 'audit:write', 'contacts:see', 'contacts:reveal', 'contacts:use', 'exports:approve', 'costs:see'] : [])];
const defaults = { kinds: [{ kind: 'user_id', priority: 1, limits: [{ count: 1, window_days: null }], form: 'exact' }, { kind: 'phone', priority: 3, limits: [{ count: 5, window_days: 365 }], form: 'phone' }, { kind: '*', priority: 10, limits: [{ count: 5, window_days: 365 }], form: 'exact' }], hubs: { suspect_at: 3, demote_at: 10, window_days: 30 }, stitch: { known_within_days: 7, alarm_factor: 2 } };
let idRules = { version: 0, ...defaults, built_in: ['0', '-1', 'null', 'test'], changed_at: null, changed_by: null, applied: true, job_id: null };
const pair = (a, b, rule, evidence, kind, value, probability, min) => ({ a, b, rule, evidence, kind, value, probability, message_id: null, actor: null, decision: null, closed_at: null, at: ago(min), ...Object.fromEntries([['person_a', a], ['person_b', b]].map(([k, x]) => [k, all.find((p) => p.person_id === x)])) });
let pairs = null;
const step = (name, done, have = done ? 1 : 0, want = 1, at = done ? 60 * 24 : null) => ({ step: name, done, have, want, at: at === null ? null : ago(at) });
const barOf = { items_permille: 5, sum_permille: 2, day_border_counts: false, green_days: 14, open_differences: 0, stale_days: 3, live_only: true };
const rollout = [
  { area: 'consents', steps: [step('import', true), step('quality', false), step('compare', true, 14, 14, null), step('live', true, 0, 0, null), step('way_back', true)], modules: ['opt_ins'], ready: false, decisions: [] },
  { area: 'orders', steps: [step('import', true), step('compare', false, 9, 14, null), step('live', false, 2, 0, null), step('way_back', false)], modules: ['orders', 'receipts', 'refunds', 'revenue'], ready: false, decisions: [{ id: '1', at: ago(60 * 24 * 2), actor: 'Olena', go: false, reason: 'the till differs', lacking: ['compare', 'way_back'] }] },
];
let asks = [{ id: 'q-1', kind: 'access', who: 'Oksana Savchuk', contact: 'oksana@ukr.net', note: 'asked at the till', state: 'received', reason: '', received_at: ago(60 * 24 * 33), due_at: ago(60 * 24 * 3), overdue: true, version: 1, person_id: 'p-oksana', result: null }, { id: 'q-2', kind: 'access', who: 'Olena Hudz', contact: 'o.hudz@ukr.net', note: '', state: 'verified', reason: '', received_at: ago(60 * 24 * 2), due_at: new Date(NOW + 86_400_000 * 28).toISOString(), overdue: false, version: 2, person_id: 'p-olena', result: '/api/v1/customers/p-olena/export?format=html&request_id=q-2' }, { id: 'q-3', kind: 'erasure', who: 'Taras Kit', contact: 'taras@ukr.net', note: '', state: 'verified', reason: '', received_at: ago(60 * 24), due_at: new Date(NOW + 86_400_000 * 29).toISOString(), overdue: false, version: 2, person_id: 'p-taras', result: null }];
let silent = [{ channel: 'email', address: 'bounced@ukr.net', reason: 'hard bounce: 5.1.1', at: ago(60 * 24 * 2), actor: null }, { channel: 'email', address: null, reason: 'complaint', at: ago(60 * 24 * 9), actor: null }];
let quiet = null;
let wishes = [{ channel: 'email', topic: 'news', wanted: false, at: ago(60 * 24 * 5), actor: null }];
let keeps = { rules: [{ kind: 'rejects', source_id: null, pattern: '', days: 30, ground: 'nobody looks later', enabled: true }], documents: [{ event: 'Order Completed', ground: 'Tax Code of Ukraine, art. 44.3', term_days: 1095, enabled: true }], ran_at: ago(300) };
let purposes = [{ id: '0', purpose: 'Marketing messages', ground: 'Consent (GDPR art. 6.1.a)', categories: 'Subscribers: contacts, purchases, visits', retention: 'Until the consent is withdrawn', recipients: 'Mail service', archived: false, version: 1 }];
let views = [{ id: 'v-1', page: 'customers', name: 'Loyal, by orders', owner: 'iryna@svitlytsia.ua', shared: true, may_change: true, version: 1, state: { segment: 'seg-loyal', sort: 'orders', cols: 'name,reach,-last,stage,orders,revenue,segments' } }];
let notes = [{ id: 'n-1', text: 'Asks for Taras at the till; likes wool, not synthetics.', author: 'iryna@svitlytsia.ua', created_at: ago(60 * 24 * 9), changed_at: null, may_change: true }];
let files = [{ id: 'f-1', name: 'Warranty 184233.pdf', media_type: 'application/pdf', size: 48211, sha256: 'ab', author: 'iryna@svitlytsia.ua', created_at: ago(60 * 24 * 2) }];
let edits = [];
// The preview that the real server would give: by number, phone or e-mail, against the few traits that the stand-in has.
const looked = (input) => {
  const seen = new Set();
  const rows = input.rows.map((r, row) => {
    const who = all.find((c) => (r.person_id ? c.person_id === r.person_id : r.identifier.kind === 'phone' ? c.phone?.endsWith(r.identifier.value.replace(/\D/g, '').slice(-9)) : c[r.identifier.kind] === r.identifier.value));
    const out = { row, person_id: who?.person_id ?? null, name: who?.name ?? null, changes: [], error: null, at: null };
    if (!who) return { ...out, error: 'nobody' };
    if (seen.has(who.person_id)) return { ...out, error: 'twice' };
    seen.add(who.person_id);
    const bad = Object.keys(r.traits).find((n) => ['email', 'phone'].includes(n));
    if (bad) return { ...out, error: 'protected', at: bad };
    const before = { city: who.city };
    return { ...out, changes: Object.entries(r.traits).filter(([n, v]) => (before[n] ?? null) !== v).map(([name, after]) => ({ name, before: before[name] ?? null, after })) };
  });
  const failed = rows.filter((r) => r.error).length;
  const changed = rows.filter((r) => r.changes.length).length;
  return { rows, changed, failed, unchanged: rows.length - failed - changed };
};
let suspects = [{ kind: 'phone', value: '+380322400400', other_kind: 'user_id', others: 214, profiles: 9, first_at: ago(60 * 24 * 20), last_at: ago(6), examples: [{ other_kind: 'user_id', other_value: 'c-1042', profile_id: 'pr-1', at: ago(6), seq: '9' }] }];
let blocked = [{ kind: 'email', value: 'kasa@svitlytsia.ua', mode: 'block', reason: 'the till’s own address', at: ago(60 * 24 * 40), actor: 'Iryna Melnyk', profiles: 0 }];
const me = { email: 'iryna@svitlytsia.ua', name: 'Iryna Melnyk', shop: { time_zone: 'Europe/Kyiv', currency: 'UAH', locale: 'uk', country: 'UA', name: 'Svitlytsia' } };

const stock = stocked({ NOW, ago, me });
const shopOrders = ordered({ NOW, ago, me, send: (...told) => send(...told) });
const shopReturns = afterSale({ NOW, ago, me });
const counter = front({ ago, me, uah });
const said = reviews({ ago, me });
const shopCompany = company({ NOW, ago, movements: stock.movements });
const streams = new Map();
const send = (path, event, data) => {
  for (const res of streams.get(path) ?? []) res.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
};
const problem = (res, status, code, title, more = {}) => {
  res.writeHead(status, { 'content-type': 'application/problem+json' });
  res.end(JSON.stringify({ type: `/docs/problems/${code}`, title, status, code, detail: title, ...more }));
};
const page = (items, url, size = 50) => {
  const limit = Number(url.searchParams.get('limit') ?? size);
  const from = Number(url.searchParams.get('cursor') ?? 0);
  return { items: items.slice(from, from + limit), next_cursor: from + limit < items.length ? String(from + limit) : null };
};
const types = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.woff2': 'font/woff2', '.json': 'application/json', '.webmanifest': 'application/manifest+json' };
const policy = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:";

const server = createServer(async (req, res) => {
  const url = new URL(req.url, `http://127.0.0.1:${PORT}`);
  let path = url.pathname;
  let body = '';
  for await (const chunk of req) body += chunk;
  const input = body && (req.headers['content-type'] ?? '').includes('json') ? JSON.parse(body) : {};
  const cookies = req.headers.cookie ?? '';
  const json = (value, status = 200, headers = {}) => {
    res.writeHead(status, { 'content-type': 'application/json', ...headers });
    res.end(value === undefined ? '' : JSON.stringify(value));
  };
  // What a test does to the world: a new receipt of Olena's, or a cut of every stream.
  if (path === '/mock/receipt') {
    const item = ev(`live-${Date.now()}`, 0, src.till, 'store', 'Order Completed', { order_id: '184240', store: 'Lviv, Horodotska', total: 740, currency: 'UAH', products: [{ name: 'Pillow', quantity: 1 }] });
    item.timestamp = item.received_at = new Date(NOW + 2000).toISOString();
    send('/api/v1/customers/p-olena/stream', 'timeline', item);
    send('/api/v1/customers/p-olena/stream', 'person', {});
    segs[1].count += 1;
    send('/api/v1/live', 'segment', { id: 'seg-loyal', count: segs[1].count });
    send('/api/v1/segments/seg-loyal/stream', 'count', { count: segs[1].count, as_of: ago(0) });
    send('/api/v1/live', 'event', acc(0, 0, src.till, 'Order Completed', 'receipt 184 240 · ₴740', 'p-olena'));
    return json({});
  }
  counter({ path, m: req.method, input, json, problem, res });
  if (res.headersSent) return;
  said({ path, url, m: req.method, input, json, problem, res });
  if (res.headersSent) return;
  if (path === '/mock/orders-reset' || path === '/mock/alert' || path.startsWith('/shop/v1/orders/')) return shopOrders({ path: path.replace('/mock/', '/mock-'), m: req.method, url, input, json, problem, res, page, req });
  if (path === '/mock/company-reset') return shopCompany({ path: '/mock-company-reset', m: req.method, url, input, json, problem, res, page });
  if (path === '/mock/returns-reset') return shopReturns({ path: '/mock-returns-reset', m: req.method, url, input, json, problem, res, page, req });
  if (path.startsWith('/mock/stock-')) return stock({ path: `/mock-${path.slice('/mock/stock-'.length)}`, json, send });
  if (path === '/mock/provider') {
    provider = { name: url.searchParams.get('name') || null, passwords: url.searchParams.get('passwords') ?? 'everyone' };
    return json({});
  }
  if (path === '/mock/cut') {
    for (const set of streams.values()) for (const s of set) s.destroy();
    return json({});
  }
  if (!path.startsWith('/api/v1')) {
    let file = join(DIST, path);
    if (!existsSync(file) || statSync(file).isDirectory()) file = join(DIST, { store: 'store.html', o: 'order.html', c: 'cart.html', i: 'item.html' }[path.split('/')[1]] ?? 'index.html');
    res.writeHead(200, { 'content-type': types[extname(file)] ?? 'application/octet-stream', 'content-security-policy': policy });
    return createReadStream(file).pipe(res);
  }
  path = path.slice('/api/v1'.length);
  const m = req.method;
  if (path === '/session/ways') return json({ provider: provider.name, passwords: provider.passwords });
  if (path === '/session/provider') return json({ url: `/signed-in-elsewhere?return_to=${encodeURIComponent(input.return_to)}` });
  if (path === '/session/provider/code') return input.code === '123456' ? json({ me: { ...me, role, rights: rightsOf(role) }, return_to: '/segments' }, 200, { 'set-cookie': 'braid_session=1; HttpOnly; SameSite=Strict; Path=/' }) : problem(res, 401, 'second_factor_needed', 'Signing in needs the code of the second factor');
  if (path === '/session') {
    if (m === 'POST') {
      role = input.email.startsWith('danylo') ? 'analyst' : 'owner';
      return input.password === 'svitlytsia' ? json({ ...me, role, rights: rightsOf(role) }, 200, { 'set-cookie': 'braid_session=1; HttpOnly; SameSite=Strict; Path=/' }) : problem(res, 401, 'bad_credentials', 'Wrong e-mail or password');
    }
    if (m === 'DELETE') return json(undefined, 204, { 'set-cookie': 'braid_session=; Max-Age=0; Path=/' });
    return cookies.includes('braid_session=1') ? json({ ...me, role, rights: rightsOf(role) }) : problem(res, 401, 'not_signed_in', 'Not signed in');
  }
  if (!cookies.includes('braid_session=1')) return problem(res, 401, 'not_signed_in', 'Not signed in');
  if (m !== 'GET' && !req.headers['x-braid-csrf']) return problem(res, 403, 'csrf', 'The header x-braid-csrf is missing');
  if (path === '/live' || path.endsWith('/stream')) {
    res.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    res.write(': here\n\n');
    const key = `/api/v1${path}`;
    if (!streams.has(key)) streams.set(key, new Set());
    streams.get(key).add(res);
    res.on('close', () => streams.get(key).delete(res));
    return;
  }
  const id = (re) => re.exec(path)?.[1];
  let x;
  if (/^\/(catalog|products|attributes|families|categories|sales-channels|feeds)(\/|$)/.test(path)) { const answered = goodsAnswer(path, m, input, url, json, problem, res); return answered; }
  if (/^\/(returns|claims|after-sale|refunds|goodwill|customers\/[^/]+\/orders)(\/|$)/.test(path)) return shopReturns({ path, m, url, input, json, problem, res, page, req });
  if (/^\/(orders|order-settings|alerts|pick-queue|locations\/[^/]+\/reroute)(\/|$)/.test(path)) return shopOrders({ path, m, url, input, json, problem, res, page, req });
  if (/^\/(erp|legal-entities|laws|serials|rfid-sessions|waiting-list)(\/|$)/.test(path) || /^\/stock\/[^/]+\/(lots|cost)/.test(path)) return shopCompany({ path, m, url, input, json, problem, res, page });
  if (/^\/(stock|incoming-claims|locations|stock-channels|stock-counts|reservations|transfers|suppliers|purchase-orders)(\/|$)/.test(path) && stock({ path, m, url, input, json, problem, res, page, send }) !== false) return undefined;
  if (path === '/home') return json(home());
  if (path === '/views') { if (m === 'POST') { const v = { id: `v-${views.length + 1}`, owner: me.email, may_change: true, version: 1, ...input }; views = [...views, v]; return json(v, 201); } return json({ items: views.filter((v) => v.page === url.searchParams.get('page')), next_cursor: null }); }
  if ((x = id(/^\/views\/([^/]+)$/))) { if (m === 'DELETE') { views = views.filter((v) => v.id !== x); return json(undefined, 204); } views = views.map((v) => (v.id === x ? { ...v, ...input, version: v.version + 1 } : v)); return json(views.find((v) => v.id === x)); }
  if (path === '/table-downloads') return input.rows > 500 ? problem(res, 403, 'approval_needed', 'so many rows need the approval of a second person') : json({ mark: 'ab12cd34ef56ab78', canary: 'cab12cd34ef56ab78@canary.invalid', actor: me.email, at: ago(0) }, 201);
  if (path === '/bulk-edits/preview') return json(looked(input));
  if (path === '/bulk-edits') { if (m === 'POST') { const e = { id: `e-${edits.length + 1}`, at: ago(0), actor: me.email, title: input.title, changed: looked(input).changed, undone_at: null, undone_by: null }; edits = [e, ...edits]; return json(e, 201); } return json({ items: edits, next_cursor: null }); }
  if ((x = id(/^\/bulk-edits\/([^/]+)\/undo$/))) { edits = edits.map((e) => (e.id === x ? { ...e, undone_at: ago(0), undone_by: me.email } : e)); return json({ changed: edits.find((e) => e.id === x)?.changed ?? 0, passed: 0 }); }
  if (/^\/customers\/[^/]+\/notes$/.test(path)) { if (m === 'POST') { const n = { id: `n-${Date.now()}`, text: input.text, author: me.email, created_at: ago(0), changed_at: null, may_change: true }; notes = [n, ...notes]; return json(n, 201); } return json({ items: notes.filter((n) => !n.deleted), next_cursor: null }); }
  if ((x = id(/^\/customers\/[^/]+\/notes\/([^/]+)$/))) { notes = notes.map((n) => (n.id === x ? (m === 'DELETE' ? { ...n, deleted: true } : { ...n, text: input.text, changed_at: ago(0), deleted: false }) : n)); return m === 'DELETE' ? json(undefined, 204) : json(notes.find((n) => n.id === x)); }
  if (/^\/customers\/[^/]+\/files$/.test(path)) { if (m === 'POST') { const f = { id: `f-${files.length + 1}`, name: url.searchParams.get('name'), media_type: 'text/plain', size: body.length, sha256: 'cd', author: me.email, created_at: ago(0) }; files = [f, ...files]; return json(f, 201); } return json({ items: files, next_cursor: null }); }
  if (path === '/identity/review' && m === 'POST') { const done = input.pairs.map((p) => ({ ...p, decision: input.decision, person_id: input.decision === 'join' ? p.a : null, edge: input.decision === 'join' ? `e-${p.a}` : null })); pairs = pairs.filter((p) => !done.some((d) => d.a === p.a && d.b === p.b)); return json({ items: done }); }
  if (path === '/customers') {
    const q = (url.searchParams.get('query') ?? '').toLowerCase().trim();
    const digits = q.replace(/\D/g, '').replace(/^(380|0)/, '');
    const seg = url.searchParams.get('segment_id');
    const sort = url.searchParams.get('sort');
    let list = all.filter((p) => (!q || p.name.toLowerCase().split(/[\s-]/).some((w) => w.startsWith(q)) || p.name.toLowerCase().startsWith(q) || (p.email ?? '').startsWith(q) || (digits.length >= 3 && (p.phone ?? '').replace('+380', '').startsWith(digits))) && (!seg || p.segments.some((s) => s.id === seg)));
    if (sort === 'revenue') list = [...list].sort((a, b) => (b.revenue[0]?.minor ?? 0) - (a.revenue[0]?.minor ?? 0));
    if (sort === 'orders') list = [...list].sort((a, b) => b.orders - a.orders);
    return json({ ...page(list, url), total: q ? list.length : seg ? segs.find((s) => s.id === seg)?.count : counts.people });
  }
  if ((x = id(/^\/customers\/([^/]+)$/))) { const row = all.find((p) => p.person_id === x); return row ? json(person(row)) : problem(res, 404, 'not_found', 'No such customer'); }
  if ((x = id(/^\/customers\/([^/]+)\/timeline$/))) {
    const wanted = url.searchParams.get('kind')?.split(',');
    const channel = url.searchParams.get('channel');
    const [from, to] = [url.searchParams.get('from'), url.searchParams.get('to')];
    const rows = x === 'p-olena' ? timeline : timeline.slice(3, 12);
    return json(page(rows.filter((e) => (!wanted || wanted.includes(e.kind)) && (!channel || e.strand === channel) && (!from || e.timestamp >= from) && (!to || e.timestamp < to)), url));
  }
  if (/^\/customers\/[^/]+\/timeline\/counts$/.test(path)) return json({ complete: true, names: [], kinds: kinds.map(([kind]) => ({ kind, count: timeline.filter((e) => e.kind === kind).length })).filter((k) => k.count > 0) });
  if (path === '/household-settings') { if (m === 'PUT') looking = input.on; return json({ on: looking }); }
  if (/^\/customers\/[^/]+\/household$/.test(path)) {
    if (m === 'POST') household = input.together ? [...household, input.person_id] : household.filter((y) => y !== input.person_id);
    const items = ['p-olena', ...household].map((y, i) => { const p = all.find((q) => q.person_id === y); return { person_id: y, name: p.name, because: i === 0 ? 'self' : i === 1 ? 'home' : 'said', orders: p.orders, revenue: p.revenue, last_order_at: i ? ago(900) : null }; });
    return json({ items, members: items.length, orders: items.reduce((n, y) => n + y.orders, 0), revenue: [uah(60000)], on: looking });
  }
  if (path === '/customer-page') {
    const hidden = role === 'shop_assistant' ? ['messages', 'identity', 'segments', 'reviews'] : [];
    const panels = [['contacts', 'customers'], ['traits', 'customers'], ['known', 'customers'], ['computed', 'customers'], ['household', 'customers'], ['consents', 'consents'], ['segments', 'segments'], ['identities', 'identity'], ['messages', 'messages']];
    return json({ kinds: kinds.map(([k, title, area]) => ({ id: k, title, icon: 'dot', area })).filter((k) => !hidden.includes(k.area)), panels: panels.map(([k, area]) => ({ id: k, title: k, area })).filter((k) => !hidden.includes(k.area)) });
  }
  if (path === '/computed-traits/preview') return /^(count|sum|min|max|first|last|distinct)\(/.test(input.expression) ? json({ expression: input.expression, of: counts.people, known: 22640, least: 0, greatest: 42180, average: 1733.25, frequent: [], sample: people.slice(1, 5).map((p, i) => ({ customer: p, value: 900 + i })) }) : problem(res, 422, 'bad_expression', 'The expression cannot be read', { errors: [{ pointer: '/expression', detail: 'expected a function such as `count(…)`', offset: 0 }] });
  if (path === '/computed-traits') { if (m === 'POST') { const c = { id: `ct-${computed.length}`, ...input, state: 'filling', progress: 0.4, version: 1, segments: [], created_at: ago(0), updated_at: ago(0) }; computed.push(c); return json(c, 201); } return json({ items: computed, next_cursor: null }); }
  if ((x = id(/^\/computed-traits\/([^/]+)$/))) { if (m === 'DELETE') { computed = computed.filter((c) => c.id !== x); return json(undefined, 204); } const c = computed.find((y) => y.id === x); if (m === 'PUT') Object.assign(c, input, { version: c.version + 1 }); return json(c); }
  if (path === '/segment-fields') return json({ fields: [{ path: 'trait.lifecycle_stage', origin: 'derived', kind: 'text', unit: '', options: ['new', 'loyal', 'at risk'], doc: 'Where the customer stands' }, { path: 'trait.spent_90_days', origin: 'computed', kind: 'number', unit: '', options: [], doc: 'Spent in 90 days' }, { path: 'trait.city', origin: 'sent', kind: 'text', unit: '', options: [], doc: '' }], events: [{ name: 'Product Viewed', count: 9, properties: [{ name: 'category', count: 9 }] }] });
  if ((x = id(/^\/customers\/([^/]+)\/identity$/))) return json(x === 'p-olena' ? identity : { profiles: identity.profiles.slice(0, 1), edges: [], cannot_link: [] });
  if ((x = id(/^\/customers\/([^/]+)\/messages$/))) return json(page(messages.filter((y) => y.person_id === x), url));
  if (/^\/customers\/[^/]+\/traits\/[^/]+\/history$/.test(path)) return json({ name: 'city', complete: true, items: [{ value: 'Lviv', timestamp: ago(60 * 24 * 90), received_at: ago(60 * 24 * 90), message_id: 'h-2', source: src.till }, { value: 'Ternopil', timestamp: '2023-03-14T09:12:00Z', received_at: '2023-03-14T09:12:00Z', message_id: 'h-1', source: src.site }] });
  if (/^\/customers\/[^/]+\/merge\/preview$/.test(path)) return json({ person_id: 'p-olena', profile_ids: ['pr-1', 'pr-2', 'pr-3', 'pr-7'], identifiers: [{ kind: 'phone', value: '+380671234567' }, { kind: 'email', value: 'o.hudz@ukr.net' }], traits: {}, events: 214, orders: 17, exceeds: [{ kind: 'user_id', limit: 1, window_days: null, values: 2 }], was_kept_apart: true });
  if (/^\/customers\/[^/]+\/merge$/.test(path)) return json({ person_id: 'p-olena', absorbed: input.with, edge: 'e-9' });
  if (/^\/customers\/[^/]+\/erasure$/.test(path)) return json({ job_id: 'j-1' }, 202);
  if (path === '/identity/review' && m === 'GET') { pairs ??= [pair('p-olena', 'p-oksana', 'resolve', 'same surname and city, phones differ in one digit', null, null, 0.87, 14), pair('p-taras', 'p-andrii', 'same_event', 'one receipt names both, whom somebody took apart', 'phone', '+380501112233', null, 190), pair('p-mariia', 'p-hanna', 'resolve', 'phone: the same, and rare; surname: one typing mistake apart; city: different', null, null, 0.64, 400)]; return json({ items: pairs, next_cursor: null, open: pairs.length }); }
  if ((x = id(/^\/identity\/review\/(.+)$/))) { const p = pairs.find((y) => `${y.a}-${y.b}` === x); if (input.decision !== 'later') pairs = pairs.filter((y) => y !== p); return json({ a: p.a, b: p.b, decision: input.decision, person_id: input.decision === 'join' ? p.a : null }); }
  if (path === '/identity/suspects') return json({ items: suspects, next_cursor: null });
  if (path === '/identity/suspects/dismiss') { suspects = suspects.filter((y) => y.value !== input.value); return json(undefined, 204); }
  if (path === '/identity/blocked') {
    if (m === 'POST') { const b = { at: ago(0), actor: me.name, profiles: 9, reason: '', mode: 'block', ...input }; blocked = [b, ...blocked]; suspects = suspects.filter((y) => y.value !== b.value); return json(b, 201); }
    if (m === 'DELETE') { blocked = blocked.filter((y) => y.value !== url.searchParams.get('value')); return json(undefined, 204); }
    return json({ items: blocked, next_cursor: null });
  }
  if (path === '/identity/rules/preview') return json({ people: 2041102, people_apart: 12, people_joined: 271, events_moved: 1940, values_moved: 18 });
  if (path === '/identity/rules') { if (m === 'PUT') idRules = { ...idRules, ...input, version: idRules.version + 1, applied: false, changed_at: ago(0), changed_by: me.name }; return json(idRules); }
  if (path === '/privacy/requests') { if (m === 'POST') { const q = { id: `q-${asks.length + 1}`, note: '', ...input, state: 'received', reason: '', received_at: ago(0), due_at: new Date(NOW + 86_400_000 * 30).toISOString(), overdue: false, version: 1, person_id: null, result: null }; asks = [q, ...asks]; return json(q, 201); } return json(page(asks, url)); }
  if ((x = id(/^\/privacy\/requests\/([^/]+)\/erasure$/))) {
    asks = asks.map((q) => (q.id === x ? { ...q, state: 'running', erasure_job_id: '77', version: q.version + 1 } : q));
    // The log and the disk take a moment; then the request closes by itself.
    setTimeout(() => { asks = asks.map((q) => (q.id === x ? { ...q, state: 'done', who: 'erased', contact: '', version: q.version + 1 } : q)); }, 1500);
    return json(asks.find((q) => q.id === x), 202);
  }
  if ((x = id(/^\/customers\/([^/]+)\/export$/))) {
    asks = asks.map((q) => (q.id === url.searchParams.get('request_id') ? { ...q, state: 'running', export: { at: ago(0), format: url.searchParams.get('format'), events: 214, bytes: 88120, sha256: 'ab12'.repeat(16) }, version: q.version + 1 } : q));
    res.writeHead(200, { 'content-type': 'text/html', 'content-disposition': `attachment; filename="customer-${x}.html"` });
    return res.end('<!doctype html>');
  }
  if ((x = id(/^\/customers\/([^/]+)\/preferences$/))) { if (m === 'PUT') wishes = input.items.map((w) => ({ ...w, at: ago(0), actor: me.name })); return json({ person_id: x, items: wishes, topics: ['news', 'sale'] }); }
  if (path === '/privacy/retention/preview') return json({ items: input.rules.map((rule) => ({ rule, count: 1204, complete: true })), documents: 3 });
  if (path === '/privacy/retention/run') return json({ job_id: '78' }, 202);
  if (path === '/privacy/retention') { if (m === 'PUT') keeps = { ...keeps, ...input }; return json(keeps); }
  if (path === '/privacy/wordings') return json({ items: [{ channel: 'email', purpose: 'marketing', version: '3', wording: 'I agree to get offers of Svitlytsia by e-mail', source: 'Site', granted: 41200, denied: 310, first_at: ago(60 * 24 * 300), last_at: ago(12) }, { channel: 'sms', purpose: 'marketing', version: '', wording: 'agreed at the till', source: null, granted: 900, denied: 14, first_at: ago(60 * 24 * 200), last_at: ago(60) }], next_cursor: null });
  if (path === '/privacy/purposes/adopt') { purposes = purposes.map((p, i) => ({ ...p, id: String(900 + i) })); return json({ items: purposes, requests: [], retained: [], erasures: 2 }); }
  if ((x = id(/^\/privacy\/purposes\/([^/]+)$/))) { purposes = purposes.map((p) => (p.id === x ? { ...p, ...input, version: p.version + 1 } : p)); return json(purposes.find((p) => p.id === x)); }
  if (path === '/quiet-hours') { if (m === 'PUT') quiet = input.hours; return json({ hours: quiet }); }
  if (path === '/suppressions/import') {
    const lines = input.text.split('\n').map((l) => l.trim()).filter(Boolean);
    const good = lines.filter((l) => (input.channels[0] === 'email' ? l.includes('@') : /\d/.test(l)));
    silent = [...good.flatMap((l) => input.channels.map((channel) => [channel, l])).map(([channel, l]) => ({ channel, address: l.split(',')[0], reason: l.split(',')[1] ?? input.reason, at: ago(0), actor: me.name })), ...silent];
    return json({ lines: lines.length, added: good.length, known: 0, bad: lines.flatMap((l, i) => (good.includes(l) ? [] : [{ line: i + 1, reason: 'this is no e-mail address' }])), bad_count: lines.length - good.length });
  }
  if (path === '/suppressions/lift') { silent = silent.filter((y) => y.address !== input.address); return json(undefined, 204); }
  if (path === '/suppressions') {
    if (m === 'POST') { const y = { ...input, at: ago(0), actor: me.name }; silent = [y, ...silent]; return json(y, 201); }
    const of = url.searchParams.get('channel') ?? 'email';
    const own = silent.filter((y) => y.channel === of);
    return json({ ...page(own.filter((y) => (y.address ?? '').startsWith(url.searchParams.get('query') ?? '')), url), total: own.length, totals: Object.fromEntries(['email', 'sms'].map((c) => [c, silent.filter((y) => y.channel === c).length])), channels: ['email', 'sms'] });
  }
  if ((x = id(/^\/privacy\/requests\/([^/]+)$/))) { asks = asks.map((q) => (q.id === x ? { ...q, ...input, reason: input.reason ?? '', version: q.version + 1 } : q)); return json(asks.find((q) => q.id === x)); }
  if (path === '/privacy/purposes') { if (m === 'POST') { const p = { ...input, id: String(990 + purposes.length), version: 1 }; purposes = [...purposes, p]; return json(p, 201); } return json({ items: purposes, requests: [], retained: [{ event: 'Order Completed', ground: 'Tax Code of Ukraine, art. 44.3', term_days: 1095, enabled: true, kept: 4 }], erasures: 2 }); }
  if (path === '/identity/stitch') return json({ last_day: { events: 8113220, anonymous: 4120, stitched_share: 0.31, joins_per_1000: 2.4, anonymous_per_1000: 0.5 }, before: { events: 1, anonymous: 1, stitched_share: 0.29, joins_per_1000: 2.6, anonymous_per_1000: 0.5 }, alarms: [], hours: Array.from({ length: 7 }, (_, i) => ({ hour: ago(60 * 24 * (6 - i)), events: 8e6, anonymous: 4000, known: 1200, stitched: 1100 + i * 40, joins: 1800 - i * 30 })) });
  if (path === '/identity/changes') return json({ items: url.searchParams.get('cursor') ? [] : [{ id: 'c-1', at: ago(400), kind: 'merged', before: [{ person_id: 'p-olena', profile_ids: ['pr-1'] }, { person_id: 'p-oksana', profile_ids: ['pr-2'] }], after: [{ person_id: 'p-olena', profile_ids: ['pr-1', 'pr-2'] }], cause: 'event', evidence: { rule: 'shared_identifier', kind: 'phone', message_id: 'm-1' } }], next_cursor: null });
  if (/^\/customers\/[^/]+\/unmerge$/.test(path)) return json({ people: [{ person_id: 'p-olena', profile_ids: ['pr-1'] }, { person_id: 'p-oksana', profile_ids: ['pr-2', 'pr-3'] }] });
  if (path === '/consents') return json({ ...input, at: ago(0), message_id: 'c' }, 201);
  if (path === '/segments' && m === 'GET') return json({ items: segs, next_cursor: null });
  if (path === '/segments/preview') {
    const at = input.expression.search(/\bn last\b|>>|==/);
    if (at >= 0) return problem(res, 422, 'bad_expression', 'The condition cannot be read', { errors: [{ pointer: '/expression', detail: 'Expected “in last”, “between” or “)”', offset: Buffer.byteLength(input.expression.slice(0, at)) }] });
    return json({ count: 22640, of: counts.people, sample: people.slice(1, 6), took_ms: 84 });
  }
  if (path === '/segments') { const s = { id: `seg-${segs.length}`, ...input, state: 'filling', count: 22640, version: 1, created_at: ago(0), updated_at: ago(0), as_of: ago(0), progress: 0.1 }; segs.push(s); return json(s, 201); }
  if ((x = id(/^\/segments\/([^/]+)$/))) { const s = segs.find((y) => y.id === x); if (!s) return problem(res, 404, 'not_found', 'No such segment'); if (m === 'PUT') Object.assign(s, input, { version: s.version + 1 }); return m === 'DELETE' ? json(undefined, 204) : json(s); }
  if (/\/members$/.test(path)) return json(page(people.slice(1).map((p, i) => ({ person_id: p.person_id, name: p.name, email: p.email, since: ago(8 + i * 390), leaves_at: i % 3 ? null : new Date(NOW + 86_400_000 * (i + 2)).toISOString(), cause: i % 4 ? 'event' : 'timer' })), url));
  if (/\/changes$/.test(path)) return json({ items: [{ person_id: 'p-olena', name: 'Olena Gudz', at: ago(1), change: 'left', cause: 'event' }, ...people.slice(2, 8).map((p, i) => ({ person_id: p.person_id, name: p.name, at: ago(8 + i * 17), change: i % 3 === 1 ? 'left' : 'entered', cause: i % 3 === 1 ? 'timer' : 'event' }))], next_cursor: null });
  if (/\/restore$/.test(path)) return json(segs[0]);
  if (path === '/templates' && m === 'GET') return json({ items: templates, next_cursor: null });
  if (path === '/templates/preview') return input.body_html.includes('{{ oops') ? problem(res, 422, 'bad_template', 'The template cannot be read', { errors: [{ pointer: '/body_html', detail: 'unexpected end of expression', line: 2 }] }) : json({ subject: input.subject.replace(/{{[^}]*}}/g, 'Olena'), html: `<style>body{font:16px sans-serif;padding:16px}</style>${input.body_html.replace(/{{[^}]*}}/g, 'Olena')}`, text: input.body_text, warnings: ['No unsubscribe link: one is added below the text.'] });
  if (path === '/templates') return json({ id: 't-new', ...input, version: 1, updated_at: ago(0) }, 201);
  if ((x = id(/^\/templates\/([^/]+)$/))) { const t = templates.find((y) => y.id === x); if (m === 'PUT') Object.assign(t, input, { version: t.version + 1 }); return t ? json(t) : problem(res, 404, 'not_found', 'No such template'); }
  if (path === '/message-rules' && m === 'GET') return json({ items: rules, next_cursor: null });
  if (path === '/message-rules') return json({ id: 'r-new', ...input, counts: rules[2].counts }, 201);
  if ((x = id(/^\/message-rules\/([^/]+)$/))) return m === 'DELETE' ? json(undefined, 204) : json(Object.assign(rules.find((r) => r.id === x) ?? {}, input));
  if (path === '/caps') return json(m === 'PUT' ? input : { items: [{ channel: 'email', purpose: 'marketing', limit: 3, window: '7d' }, { channel: 'sms', purpose: 'marketing', limit: 1, window: '7d' }] });
  if (path === '/messages') { const s = url.searchParams.get('status'); const p = url.searchParams.get('person_id'); return json(page(messages.filter((y) => (!s || y.status === s) && (!p || y.person_id === p)), url)); }
  if ((x = id(/^\/messages\/([^/]+)\/settle$/))) { messages = messages.map((y) => (y.id === x ? { ...y, status: input.as } : y)); return json(messages.find((y) => y.id === x)); }
  if (path === '/webhook-types') return json({ items: [['event.tracked', { event: 'Order Completed' }], ['person.merged', {}], ['person.erased', {}], ['segment.entered', {}]].map(([name, example]) => ({ name, says: name, example })), next_cursor: null });
  if (path === '/webhooks' && m === 'GET') return json({ items: hooks, next_cursor: null });
  if (path === '/webhooks') { const w = { ...hooks[1], id: 'w-new', ...input, state: 'active', reason: null, failures: 0, failing_since: null, last_at: null, last_status: null, lately: [], version: 1, created_at: ago(0), updated_at: ago(0) }; hooks.push(w); return json({ ...w, secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw' }, 201); }
  if ((x = id(/^\/webhooks\/([^/]+)$/))) { const w = hooks.find((y) => y.id === x); if (!w) return problem(res, 404, 'not_found', 'There is no such webhook'); if (m === 'PUT') Object.assign(w, input, { version: w.version + 1 }); if (m === 'DELETE') { hooks = hooks.filter((y) => y !== w); return json(undefined, 204); } return json(w); }
  if ((x = id(/^\/webhooks\/([^/]+)\/state$/))) return json(Object.assign(hooks.find((y) => y.id === x), { state: input.state, reason: null, failures: 0, failing_since: null, blocked_until: null }));
  if ((x = id(/^\/webhooks\/([^/]+)\/rotate$/))) return json({ secret: 'whsec_bmV3IHNlY3JldCBmb3IgdGhlIHdlYmhvb2s=', old_secret_until: new Date(NOW + input.grace_hours * 3_600_000).toISOString() });
  if ((x = id(/^\/webhooks\/([^/]+)\/test$/))) { const d = { ...sent[2], id: `d-${sent.length + 1}`, webhook_id: x, type: 'webhook.test', state: 'pending', attempts: 0, last_status: null, created_at: ago(0), settled_at: null }; sent = [d, ...sent]; return json(d, 201); }
  if ((x = id(/^\/webhooks\/([^/]+)\/replay$/))) return json({ deliveries: 2 });
  if ((x = id(/^\/webhooks\/([^/]+)\/deliveries$/))) { const st = url.searchParams.get('state'); return json(page(sent.filter((d) => d.webhook_id === x && (!st || d.state === st)), url)); }
  if ((x = id(/^\/webhook-deliveries\/([^/]+)$/))) { const d = sent.find((y) => y.id === x); return d ? json({ ...d, payload: { type: d.type, timestamp: d.timestamp, data: { event: 'Order Completed', person_id: '17', properties: { total: 2486, currency: 'UAH' } } }, attempt_log: d.attempts ? [{ attempt: d.attempts, at: ago(1), duration_ms: 212, status: d.last_status, error: d.last_error, answer: d.last_status === 503 ? 'out of order' : null }] : [] }) : problem(res, 404, 'not_found', 'There is no such delivery'); }
  if ((x = id(/^\/webhook-deliveries\/([^/]+)\/replay$/))) return json(Object.assign(sent.find((y) => y.id === x), { state: 'pending', next_at: ago(0) }));
  if (path === '/sources' && m === 'GET') return json({ items: sources, next_cursor: null });
  if (path === '/sources') { const s = { id: 's-new', ...input, write_key_prefix: 'wk_9f31', write_key: 'wk_9f31c04d7a2e4bb1', created_at: ago(0), events_24h: 0, rejected_24h: 0, last_event_at: null }; sources.push(s); return json(s, 201); }
  if (/\/rotate$/.test(path)) return json({ ...sources[0], write_key: 'wk_0b77e2' });
  if (path === '/events') { const s = url.searchParams.get('status'); const so = url.searchParams.get('source_id'); const named = url.searchParams.get('event'); const kind = url.searchParams.get('type'); return json(page(events.filter((e) => (!s || e.status === s) && (!so || e.source.id === so) && (!named || e.event === named) && (!kind || e.type === kind)), url, 100)); }
  if ((x = id(/^\/events\/([^/]+)$/))) { const e = events.find((y) => String(y.seq) === x) ?? events[0]; return json({ ...e, original_timestamp: null, sent_at: e.timestamp, properties: timeline[0].properties, context: { ip: '10.0.0.2' }, traits: {} }); }
  if (path === '/rejects') return json(page(events.filter((e) => e.status === 'rejected'), url));
  if (path === '/rejects/summary') return json({ items: [{ code: 'invalid_type', pointer: '/properties/price', source: src.app, count: 23, first_at: ago(34), last_at: ago(0, 13), example: raw('1 249 грн') }], next_cursor: null });
  if (path === '/settings/sign-in') {
    if (m === 'PUT') {
      const { client_secret, ...rest } = input;
      if (rest.issuer.startsWith('http://')) return problem(res, 422, 'bad_input', 'A value is not possible', { detail: 'a provider is asked over https; plain http is for this machine only', errors: [{ pointer: '/issuer', detail: 'a provider is asked over https; plain http is for this machine only' }] });
      signIn = { ...signIn, ...rest, has_secret: signIn.has_secret || Boolean(client_secret) };
    }
    return json(signIn);
  }
  if (path === '/settings/sign-in/check') return json({ steps: [['redirect_uri', 'good', 'browsers come back over https'], ['issuer', 'good', 'the address can be asked'], ...(input.issuer.endsWith('/') ? [['discovery', 'bad', `the provider calls itself ${input.issuer.slice(0, -1)}, not ${input.issuer}; enter its name letter by letter`]] : [['discovery', 'good', 'the provider says where its doors are'], ['keys', 'good', 'keys that can be used: 2'], ['client', 'unknown', 'whether the client id and the secret are right shows when somebody signs in']])].map(([step, state, detail]) => ({ step, state, detail })) });
  if (path === '/users/u-2/reset') { if (input.what === 'link') linked = false; return json(undefined, 204); }
  if (path === '/invitations' || path === '/export-approvals' || path === '/view-alarms' || path === '/sessions' || path === '/jobs') return json({ items: [], next_cursor: null });
  if (path === '/users') return m === 'POST' ? json({ id: 'u-9', ...input, created_at: ago(0) }, 201) : json({ items: [{ id: 'u-1', email: me.email, name: me.name, role: 'owner', active: true, own_password: true, second_factor: true, has_password: true, linked: null, stores: [], seen_at: ago(0), created_at: ago(60 * 24 * 300) }, { id: 'u-2', email: 'danylo@svitlytsia.ua', name: 'Danylo Reva', role: 'analyst', active: true, own_password: true, second_factor: false, has_password: false, linked: linked ? { email: 'd.reva@svitlytsia.ua', linked_at: ago(60 * 24 * 9), used_at: ago(40) } : null, stores: [], seen_at: null, created_at: ago(60 * 24 * 20) }], next_cursor: null });
  if (path === '/rollout') return json({ items: rollout, next_cursor: null });
  if (path === '/quality/read') {
    for (const p of rollout) for (const step of p.steps) if (step.step === 'quality') Object.assign(step, { done: true, have: 1, at: ago(0) });
    res.writeHead(204);
    return res.end();
  }
  if (/^\/rollout\/\w+\/decisions$/.test(path)) {
    const part = rollout.find((p) => p.area === path.split('/')[2]);
    const open = part.steps.filter((step) => !step.done).map((step) => step.step);
    if (input.go && open.length && !input.although) return problem(res, 409, 'conflict', `${open.length} steps of the checklist are open. Say although to decide it nevertheless`);
    part.decisions.unshift({ id: String(part.decisions.length + 1), at: ago(0), actor: 'Iryna', go: input.go, reason: input.reason, lacking: open });
    return json(part);
  }
  if (path === '/parallel-run/m-1') return json({ module: { id: 'm-1', name: 'Orders of the old shop', module: 'orders', settings: barOf, standing: { green_days: 9, newest: ago(60 * 24).slice(0, 10), open_differences: 0, verdict: 'no_go', lacking: ['9 green days in a row, 14 wanted'] }, switched_at: null, switched_by: null, version: 3 }, days: [], runs: [], decisions: [], open_by_cause: {} });
  if (path === '/parallel-run/m-1/differences') return json({ items: [], next_cursor: null });
  if (path === '/api-keys') return m === 'POST' ? json({ id: 'k-9', ...input, prefix: 'bk_77aa', key: 'bk_77aa01c2d3e4', created_at: ago(0) }, 201) : json({ items: [{ id: 'k-1', name: 'Warehouse robot', prefix: 'bk_11fe', role: 'analyst', scopes: ['customers:read'], networks: [], stores: [], created_at: ago(60 * 24 * 12) }], next_cursor: null });
  if (/^\/api-keys\//.test(path)) return json(undefined, 204);
  if (path === '/audit') return json(page([{ id: 'a-1', at: ago(12), actor: me.name, action: 'update', subject_kind: 'segment', subject: 'seg-blankets', before: { version: 6, expression: segs[0].expression.replace('3000', '2000') }, after: { version: 7, expression: segs[0].expression } }, { id: 'a-2', at: ago(60 * 26), actor: me.name, action: 'create', subject_kind: 'source', subject: 's-app', before: null, after: { name: 'Android', kind: 'browser' } }], url));
  if (path === '/health') return json({ database: { engine: 'sqlite', sync: 'full' }, queue_depth: 0, dedup: {}, version: '0.1.0' });
  return problem(res, 404, 'not_found', `No ${m} ${path}`);
});
server.listen(PORT, '127.0.0.1');
