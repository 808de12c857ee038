// Orders of the stand-in: one Sunday of a shop, with the rules that the pages' flows need.
import { standing } from './places.mjs';

const HOUR = 60;

export function orders({ NOW, ago, me, send = () => {} }) {
  const still = standing({ NOW, ago });
  const later = (min) => new Date(NOW + min * 60_000).toISOString();
  const world = {};
  const NAMES = { 'HM-200220': 'Ковдра пухова «Хмара» 200×220', 'RL-70140-K': 'Рушник лляний 70×140, червона крайка', 'KS-350-Z': 'Горня «Косів», 350 мл', 'SB-150220': 'Скатертина «Барвінок» 150×220', 'VY-W-S': 'Вишиванка жіноча, S', 'VY-M-42': 'Вишиванка чоловіча, 42', 'KS-220-T': 'Тарілка «Косів», 22 см' };
  const PRICE = { 'HM-200220': 124_900, 'RL-70140-K': 48_900, 'KS-350-Z': 39_500, 'SB-150220': 189_000, 'VY-W-S': 210_000, 'VY-M-42': 230_000, 'KS-220-T': 42_000 };
  const line = (sku, quantity, parts) => ({ sku, quantity, unit_minor: PRICE[sku] ?? 50_000, list_minor: PRICE[sku] ?? 50_000, total_minor: (PRICE[sku] ?? 50_000) * quantity, net_minor: 0, tax_minor: 0, why: 'price list "retail"', discounts: [], parts });
  const part = (state, location_id, fulfilment, quantity = 1) => ({ state, location_id, fulfilment, quantity });
  const serve = (no, location_id, kind, state, more = {}) => ({ no, location_id, kind, state, asked_at: ago(12), accepted_at: null, ready_at: null, due_at: later(12.66), done_at: null, keep_until: null, tracking: '', transfer_id: null, why: 'from Lviv-1: arrives today, saves 38 UAH', ...more });
  const happened = (min, actor, what, reason, detail = {}) => ({ at: ago(min), actor, what, ...(reason ? { reason } : {}), detail });
  const make = (number, name, min, more) => {
    const o = { order_id: `o${number}x`, number, stage: 'placed', sales_channel: 'site', currency: 'UAH', placed_at: ago(min), updated_at: ago(Math.max(0, min - 3)), contact: { name, phone: '+380671234567', email: 'kupets@ukr.net', address: '' }, person_id: null, delivery: { kind: 'pickup', location_id: 'Lviv-1', option_id: null, price: null }, promised: { earliest: later(10), latest: later(13), why: ['from Lviv-1: arrives today, saves 38 UAH'] }, zone: '*', try_on: false, seller: '', coupons: [], holds: [], fulfilments: [], payments: [], history: [happened(min, 'customer', 'placed')], shipping_minor: 0, shipping_tax_minor: 0, discount_minor: 0, tax_minor: 0, refunded_minor: 0, paid_minor: 0, code: '4821', version: 1, ...more };
    return settle(o);
  };
  const paid = (o) => { o.payments = [{ provider: 'test', payment_id: `${o.number}-1`, state: 'captured', authorised_minor: 0, on_delivery_minor: 0, captured_minor: o.total_minor, refunded_minor: 0 }]; o.paid_minor = o.total_minor; return settle(o); };
  function settle(o) {
    let n = 0;
    o.lines = o.lines.map((l, i) => ({ ...l, line: i, parts: l.parts.map((p) => ({ ...p, part: n++ })) }));
    const live = o.lines.flatMap((l) => l.parts.map((p) => ({ ...p, each: l.unit_minor })));
    o.total_minor = o.lines.reduce((s, l) => s + l.total_minor, 0) + o.shipping_minor;
    o.owed_minor = live.filter((p) => !['cancelled', 'returned'].includes(p.state)).reduce((s, p) => s + p.each * p.quantity, 0) + o.shipping_minor;
    o.tax_minor = Math.round(o.total_minor / 6);
    o.balance_minor = o.owed_minor - o.paid_minor + o.refunded_minor;
    const states = live.map((p) => p.state);
    const every = (...s) => states.every((x) => s.includes(x));
    o.state = every('cancelled') ? 'cancelled' : o.holds.length ? 'on_hold' : states.includes('parked') ? 'parked' : every('delivered', 'returned', 'cancelled') ? 'delivered' : every('sent', 'cancelled') ? 'sent' : o.fulfilments.some((f) => f.state === 'in_progress') ? 'in_progress' : 'confirmed';
    return o;
  }
  const done = (o, actor, what, reason, detail) => { o.history.push(happened(0, actor, what, reason, detail)); o.version += 1; o.updated_at = ago(0); return settle(o); };

  const reset = () => {
    world.list = [
      make('31912', 'Роман Гончар', 46, { lines: [line('RL-70140-K', 3, [part('released', 'Lviv-1', 1, 3)])], fulfilments: [serve(1, 'Lviv-1', 'pick_up', 'open', { due_at: ago(8, 12) })] }),
      paid(make('31915', 'Дарина Федорів', 18, { person_id: 'p-olena', lines: [line('HM-200220', 1, [part('released', 'Lviv-1', 1)]), line('KS-350-Z', 2, [part('released', 'Lviv-1', 1, 2)])], fulfilments: [serve(1, 'Lviv-1', 'pick_up', 'in_progress', { accepted_at: ago(6) })] })),
      make('31920', 'Тарас Шевчук-Голембієвський', 9, { lines: [line('SB-150220', 1, [part('released', 'Lviv-1', 1)])], fulfilments: [serve(1, 'Lviv-1', 'pick_up', 'open', { due_at: later(19.1) })] }),
      paid(make('31918', 'Марія Кравець', 70, { sales_channel: 'rozetka', delivery: { kind: 'ship', location_id: null, option_id: 'np-branch', price: null }, contact: { name: 'Марія Кравець', phone: '+380501112233', email: '', address: 'Луцьк, відділення 4' }, lines: [line('KS-220-T', 2, [part('released', 'Lviv-1', 1, 2)])], fulfilments: [serve(1, 'Lviv-1', 'ship', 'in_progress', { accepted_at: ago(60), ready_at: ago(20), due_at: later(88) })] })),
      make('31899', 'Юрій Стельмах', 200, { try_on: true, lines: [line('VY-M-42', 1, [part('released', 'Lviv-1', 1)]), line('VY-W-S', 1, [part('released', 'Lviv-1', 1)])], fulfilments: [serve(1, 'Lviv-1', 'pick_up', 'in_progress', { accepted_at: ago(190), ready_at: ago(150), due_at: ago(170), keep_until: later(22 * HOUR) })] }),
      make('31905', 'Євгенія Литвин', 150, { lines: [line('KS-350-Z', 1, [part('released', 'Lviv-1', 1)])], fulfilments: [serve(1, 'Lviv-1', 'pick_up', 'in_progress', { accepted_at: ago(140), ready_at: ago(120), due_at: ago(118), keep_until: later(46 * HOUR) })] }),
      make('31921', 'Ґалина Їжакевич', 4, { holds: ['unconfirmed'], lines: [line('HM-200220', 1, [part('allocated', 'Hub', 1)])], fulfilments: [serve(1, 'Hub', 'ship', 'open', { asked_at: null })], delivery: { kind: 'ship', location_id: null, option_id: 'np-branch', price: null } }),
      make('31917', 'Олег Бойко', 95, { lines: [line('SB-150220', 2, [part('parked', null, null, 2)])] }),
      ...Array.from({ length: 64 }, (_, i) => { const o = make(String(31880 - i), ['Софія Мельник', 'Андрій Коваль', 'Ірина Ткачук'][i % 3], 300 + i * 47, { sales_channel: ['site', 'app', 'rozetka'][i % 3], lines: [line(Object.keys(PRICE)[i % 7], 1, [part(i % 5 === 4 ? 'cancelled' : 'delivered', 'Lviv-1', 1)])], fulfilments: [serve(1, 'Lviv-1', 'pick_up', 'closed', { ready_at: ago(290 + i * 47), done_at: ago(200 + i * 47) })] }); return i % 5 === 4 ? o : paid(o); }),
    ];
    world.settings = {
      reviews: { publish_from: 0, negative_to: 2 },
      carriers: [{ id: 'np', name: 'Нова пошта', cut_off: '17:00', days: [1, 2, 3, 4, 5, 6], delivers: [1, 2, 3, 4, 5, 6, 7], holidays: [], window: ['09:00', '20:00'], late_days: 1, own: false }],
      zones: [{ id: 'lviv', words: ['Львів', '79'] }],
      methods: [{ id: 'np-branch', name: 'Нова пошта, відділення', kind: 'branch', carrier: 'np', from_kinds: ['warehouse', 'store'], rates: [{ zone: '*', price_minor: 8000, free_from_minor: 150000, cost_minor: 6500, cost_per_kg_minor: 300, days: 2, co2_g: 400 }] }],
      places: { 'Lviv-1': { work: { 1: ['09:00-20:00'], 2: ['09:00-20:00'], 3: ['09:00-20:00'], 4: ['09:00-20:00'], 5: ['09:00-20:00'], 6: ['10:00-18:00'] }, counter: null, except: {}, prepare_minutes: 20, per_hour: 12, per_day: null, handling_minor: 500, last_piece_minor: 3000, territories: ['27'], queue: '3.2', own_power: true, works_in_alerts: false } },
      transfers: { enabled: true, from_kinds: ['warehouse', 'store'], cut_off: '16:00', days: 1 },
      sourcing: { split_penalty_minor: 4000, late_penalty_minor_per_day: 5000, co2_minor_per_kg: 20, last_piece: true, rules: [] },
      policy: { begin: 'placed', hold_carts: true, keep_hours: 72, try_on_hours: 24, confirm_above_minor: 500000, prepay_after_unclaimed: 2, prepay_percent: 30, answer_minutes: 10, refunds: 'prorate' },
      ...still.lists(),
    };
    still.reset();
    world.version = 3;
    world.made = 0;
  };
  reset();

  const strip = ({ code: _, ...o }) => o;
  const view = (o) => {
    const money = (minor) => ({ minor, currency: o.currency });
    const waits = o.fulfilments.some((f) => f.ready_at && !f.done_at && f.kind === 'pick_up');
    return { order_id: o.order_id, number: o.number, state: o.state, placed_at: o.placed_at, delivery: o.delivery, promised: o.promised, lines: o.lines.map((l) => ({ sku: l.sku, quantity: l.quantity, total: money(l.total_minor), state: waits ? 'ready' : 'waiting' })), shipping: money(o.shipping_minor), discount: money(0), total: money(o.total_minor), to_pay: money(o.balance_minor), try_on: o.try_on, parcels: o.fulfilments.map((f) => ({ kind: f.kind, location_id: f.location_id, state: f.ready_at && !f.done_at ? 'ready' : 'waiting', ready_at: f.ready_at, keep_until: f.keep_until, ...(f.tracking ? { tracking: f.tracking } : {}) })), ...(waits ? { pick_up_code: o.code } : {}), ...(o.holds.includes('unconfirmed') ? { asks: 'confirm' } : {}) };
  };

  return ({ path, m, url, input, json, problem, res, page, req }) => {
    const bad = (pointer, detail, code = 'bad_input', status = 422) => problem(res, status, code, 'A value is not possible', { detail, errors: [{ pointer, detail }] });
    const found = (id) => world.list.find((o) => o.order_id === id || o.number === id);
    const shown = (o, status = 200) => json(strip(o), status, { etag: `"v${o.version}"` });
    let x;
    const is = (re) => (x = re.exec(path));
    if (path === '/mock-orders-reset') { reset(); return json({}); }
    if (is(/^\/shop\/v1\/orders\/([^/]+)$/)) { const o = found(x[1]); return o ? json(view(o)) : problem(res, 404, 'not_found', 'There is no such order'); }
    if (path === '/orders' && m === 'GET') {
      const p = (k) => url.searchParams.get(k);
      const list = world.list.filter((o) => (!p('state') || o.state === p('state')) && (!p('sales_channel') || o.sales_channel === p('sales_channel')) && (!p('location_id') || o.fulfilments.some((f) => f.location_id === p('location_id'))) && (!p('q') || o.number === p('q') || o.contact.email === p('q') || o.contact.phone.endsWith(p('q').replace(/\D/g, '').slice(-9) || '-')) && (!p('from') || o.placed_at >= p('from')) && (!p('to') || o.placed_at < p('to')));
      return json(page(list.map((o) => ({ order_id: o.order_id, number: o.number, state: o.state, sales_channel: o.sales_channel, currency: o.currency, total_minor: o.total_minor, name: o.contact.name, placed_at: o.placed_at, updated_at: o.updated_at })), url));
    }
    if (path === '/orders') {
      if (input.customer.phone && input.customer.phone.replace(/\D/g, '').length < 9) return bad('/customer/phone', 'it is no phone');
      const o = make(String(31930 + ++world.made), input.customer.name, 0, { sales_channel: input.sales_channel, try_on: input.try_on, seller: me.email, delivery: { kind: input.delivery.kind === 'pickup' ? 'pickup' : 'ship', location_id: input.delivery.location_id ?? null, option_id: input.delivery.option_id ?? null, price: null }, contact: { name: input.customer.name, phone: input.customer.phone, email: input.customer.email, address: input.customer.address }, lines: input.lines.map((l) => line(l.sku, l.quantity, [part('released', 'Lviv-1', 1, l.quantity)])), fulfilments: [serve(1, input.delivery.location_id ?? 'Lviv-1', input.delivery.kind === 'pickup' ? 'pick_up' : 'ship', 'open', { asked_at: ago(0), due_at: later(30) })] });
      world.list.unshift(o);
      return shown(o, 201);
    }
    if (path === '/orders/figures') {
      const row = (location_id, sales_channel, asked, median, in30, ready, pick_up, fetched, unclaimed, promised, kept, declined = 0) => ({ location_id, sales_channel, asked, declined, ready, ready_minutes_median: median, ready_within_30: in30, pick_up, fetched, unclaimed, promised, kept });
      return json({ from: url.searchParams.get('from'), to: url.searchParams.get('to'), truncated: false, places: [row('Lviv-1', 'site', 214, 18.5, 181, 206, 160, 141, 7, 188, 179, 2), row('Lviv-1', 'app', 88, 16, 80, 86, 71, 66, 2, 80, 78), row('Lviv-2', 'site', 131, 41.2, 52, 120, 102, 88, 9, 110, 84, 11), row('Kyiv-1', 'rozetka', 9, null, 0, 0, 0, 0, 0, 0, 0)], trouble: [{ what: 'short', count: 14 }, { what: 'declined', count: 13 }, { what: 'goods gone', count: 3 }, { what: 'parked', count: 6 }, { what: 'cancelled', count: 21 }] });
    }
    if (path === '/order-settings') {
      if (m === 'PUT') {
        if (req.headers['if-match'] !== `"v${world.version}"`) return problem(res, 412, 'changed_meanwhile', 'It was changed meanwhile');
        const c = input.carriers.findIndex((y) => !/^\d\d:\d\d$/.test(y.cut_off));
        if (c >= 0) return bad(`/carriers/${c}/cut_off`, 'a time is HH:MM');
        const z = input.methods.findIndex((y) => !input.carriers.some((w) => w.id === y.carrier));
        if (z >= 0) return bad(`/methods/${z}/carrier`, 'there is no such carrier');
        const refused = still.refuse(input);
        if (refused) return bad(...refused);
        world.settings = input;
        world.version += 1;
        send('/api/v1/live', 'reload', {});
      }
      return json(world.settings, 200, { etag: `"v${world.version}"` });
    }
    if (path === '/mock-alert') { still.world.lviv = url.searchParams.get('on') === '1'; still.world.error = url.searchParams.get('error'); still.world.failures = still.world.error ? 3 : 0; send('/api/v1/live', 'reload', {}); send('/api/v1/stock/stream', 'reload', {}); return json({}); }
    if (path === '/alerts') return json(still.answer(world.settings));
    if (path === '/alerts/key') {
      if (world.settings.alerts.feed === 'off' && input.key) return problem(res, 409, 'conflict', 'choose a feed in the order settings first: its key is kept for its address');
      if (input.key.length > 60) return bad('/key', 'a key has at most 500 bytes and no blanks');
      still.world.has_key = input.key !== '';
      return json({ has_key: still.world.has_key });
    }
    if (path === '/pick-queue') {
      const at = url.searchParams.get('location_id');
      const items = world.list.flatMap((o) => o.fulfilments.filter((f) => f.location_id === at && ['open', 'in_progress'].includes(f.state) && f.asked_at).map((f) => ({ order_id: o.order_id, number: o.number, fulfilment: f.no, kind: f.kind, state: f.state, name: o.contact.name, try_on: o.try_on, paid: o.balance_minor <= 0, to_pay_minor: Math.max(0, o.balance_minor), currency: o.currency, placed_at: o.placed_at, asked_at: f.asked_at, due_at: f.due_at, ready_at: f.ready_at, keep_until: f.keep_until, transfer_id: null, lines: o.lines.flatMap((l) => l.parts.filter((p) => p.fulfilment === f.no && p.state === 'released').map((p) => ({ line: l.line, sku: l.sku, product: NAMES[l.sku] ?? l.sku, quantity: p.quantity, state: p.state }))) })));
      items.sort((a, b) => (a.ready_at ? 1 : 0) - (b.ready_at ? 1 : 0) || a.due_at.localeCompare(b.due_at));
      return json({ items, next_cursor: null });
    }
    if (is(/^\/locations\/([^/]+)\/reroute$/)) { world.rerouted = input.why; return json({ moved: 2, more: false }); }
    if (is(/^\/orders\/([^/]+)$/)) {
      const o = found(x[1]);
      if (!o) return problem(res, 404, 'not_found', 'There is no such order');
      if (m === 'PUT') {
        if (req.headers['if-match'] !== `"v${o.version}"`) return problem(res, 412, 'changed_meanwhile', 'It was changed meanwhile');
        const i = input.lines.findIndex((l) => !NAMES[l.sku]);
        if (i >= 0) return bad(`/lines/${i}/sku`, `there is no SKU ${input.lines[i].sku}`);
        o.lines = input.lines.map((l) => line(l.sku, l.quantity, [part('allocated', 'Hub', 1, l.quantity)]));
        return shown(done(o, me.email, 'changed'));
      }
      return shown(o);
    }
    if (is(/^\/orders\/([^/]+)\/steps$/)) {
      const o = found(x[1]);
      const parts = o.lines.flatMap((l) => l.parts);
      if (input.do === 'hold') { o.holds.push(input.why); return shown(done(o, me.email, 'held', input.why)); }
      if (input.do === 'confirm') { o.holds = o.holds.filter((h) => h !== 'unconfirmed'); return shown(done(o, me.email, 'confirmed')); }
      if (input.do === 'release') { o.holds = o.holds.filter((h) => h !== input.hold); return shown(done(o, me.email, 'released from hold', input.hold)); }
      if (input.do === 'note') return shown(done(o, me.email, 'noted', null, { text: input.text }));
      if (input.do === 'source') { for (const l of o.lines) for (const p of l.parts) if (p.state === 'parked') Object.assign(p, { state: 'released', location_id: 'Hub', fulfilment: 1 }); o.fulfilments.push(serve(1, 'Hub', 'ship', 'open')); return shown(done(o, me.email, 'sourced')); }
      for (const p of parts) if (!input.parts || input.parts.includes(p.part)) p.state = 'cancelled';
      for (const f of o.fulfilments) if (parts.filter((p) => p.fulfilment === f.no).every((p) => p.state === 'cancelled')) f.state = 'cancelled';
      return shown(done(o, me.email, 'cancelled', input.why));
    }
    if (is(/^\/orders\/([^/]+)\/payments$/)) {
      const o = found(x[1]);
      const { minor } = input.amount;
      if (minor > 99_999_999) return bad('/amount', 'the sum is too large');
      if (input.action === 'refund') { const p = o.payments.find((y) => y.payment_id === input.payment_id); if (minor > p.captured_minor - p.refunded_minor) return bad('/amount', 'more than was taken cannot be given back'); p.refunded_minor += minor; p.state = p.refunded_minor === p.captured_minor ? 'refunded' : 'partly_refunded'; o.refunded_minor += minor; } else { o.payments.push({ provider: input.provider, payment_id: `${o.number}-${o.payments.length + 1}`, state: 'captured', authorised_minor: 0, on_delivery_minor: 0, captured_minor: minor, refunded_minor: 0 }); o.paid_minor += minor; }
      return shown(done(o, me.email, 'paid'));
    }
    if (is(/^\/orders\/([^/]+)\/fulfilments\/(\d+)\/steps$/)) {
      const o = found(x[1]);
      const f = o.fulfilments.find((y) => String(y.no) === x[2]);
      const own = o.lines.flatMap((l) => l.parts.filter((p) => p.fulfilment === f.no).map((p) => [l, p]));
      const end = (state) => { f.state = 'closed'; f.done_at = ago(0); return state; };
      if (input.do === 'accept') { f.state = 'in_progress'; f.accepted_at = ago(0); return shown(done(o, me.email, 'accepted')); }
      if (input.do === 'decline') { f.state = 'cancelled'; for (const [, p] of own) Object.assign(p, { state: 'parked', location_id: null, fulfilment: null }); return shown(done(o, me.email, 'declined', input.why)); }
      if (input.do === 'short') { const [l, p] = own.find(([y]) => y.line === input.line); p.quantity -= input.quantity; l.parts = l.parts.filter((y) => y.quantity > 0); l.parts.push(part('parked', null, null, input.quantity)); return shown(done(o, me.email, 'short')); }
      if (input.do === 'ready') { f.ready_at = ago(0); f.keep_until = later(72 * HOUR); return shown(done(o, me.email, 'ready')); }
      if (input.do === 'hand_over') {
        if (!input.seen && input.code !== o.code) return bad('/code', 'it is not the code of this order');
        for (const [l, p] of own) { const kept = input.kept ? (input.kept.find((k) => k.line === l.line)?.quantity ?? 0) : p.quantity; p.state = kept > 0 ? 'delivered' : 'returned'; }
        end();
        return shown(done(o, me.email, 'collected'));
      }
      for (const [, p] of own) p.state = input.do === 'dispatch' ? 'sent' : input.do === 'deliver' ? 'delivered' : 'returned';
      if (input.do === 'dispatch') { f.tracking = input.tracking; end(); }
      return shown(done(o, me.email, { dispatch: 'sent', deliver: 'delivered', bring_back: 'brought back' }[input.do]));
    }
    return undefined;
  };
}
