// Goods of the stand-in: places in Lviv and Kyiv, what lies there, and enough of the server's rules for the pages' flows.
import { promises } from './promises.mjs';

const q = (n) => Math.round(n * 1000) / 1000;

const places = () => [
  ['supplier', 'supplier', 'Supplier', ''], ['customer', 'customer', 'Customer', ''], ['loss', 'loss', 'Loss', ''], ['transit', 'transit', 'In transit', ''],
  ['Lviv-1', 'store', 'Львів, Городоцька 179', 'Львів, вул. Городоцька, 179'], ['Lviv-2', 'store', 'Львів, Сихів', 'Львів, просп. Червоної Калини, 62'], ['Kyiv-1', 'store', 'Київ, Хрещатик', 'Київ, вул. Хрещатик, 22'],
  ['Hub', 'warehouse', 'Склад Бровари', 'Бровари, вул. Ґалаґанівська, 4'], ['Box-7', 'locker', 'Поштомат Рясне', 'Львів, вул. Шевченка, 366'],
].map(([id, kind, name, address]) => ({ id, kind, name, address, lat: kind === 'store' ? 49.83 : null, lon: kind === 'store' ? 23.98 : null, time_zone: 'Europe/Kyiv', entity: '', state: 'open', why: '', version: 1 }));

const GOODS = [
  ['HM-200220', 'Ковдра пухова «Хмара» 200×220'], ['RL-70140-K', 'Рушник лляний 70×140, червона крайка'], ['KS-350-Z', 'Горня «Косів», 350 мл'], ['SB-150220', 'Скатертина «Барвінок» 150×220'],
  ['KS-220-T', 'Тарілка «Косів», 22 см'], ['PD-5070', 'Подушка «Ґава» 50×70'], ['VY-M-42', 'Вишиванка чоловіча, 42'], ['VY-W-S', 'Вишиванка жіноча, S'], ['SH-OP-3', 'Глечик «Опішня», 3 л'], ['LN-220240', 'Плед вовняний 220×240'],
];

/** All of it, as it is at first. */
export function goods({ NOW, ago, me }) {
  let seq = 400;
  const id = () => String(++seq);
  const later = (min) => new Date(NOW + min * 60_000).toISOString();
  const world = {};
  const onOrder = promises({ NOW, ago });
  const reset = () => {
    onOrder.reset();
    Object.assign(world, { places: places(), lying: new Map(), claims: [], movements: [], transfers: [], counts: [], suppliers: [], orders: [] });
    world.names = new Map([...GOODS, ...Array.from({ length: 240 }, (_, i) => [`TX-${String(1000 + i)}`, `Тканина лляна, відтінок ${i + 1}`])]);
    world.outlets = [
      { id: 'site', name: 'Сайт', hold_seconds: 900, buffer: 1, kinds: ['store', 'warehouse'], only: [], excluded: [], serving: 4, version: 2 },
      { id: 'rozetka', name: 'Rozetka', hold_seconds: 3600, buffer: 2, kinds: ['warehouse'], only: [], excluded: [], serving: 1, version: 1 },
      { id: 'app', name: 'Застосунок', hold_seconds: 900, buffer: 0, kinds: ['store', 'warehouse'], only: [], excluded: ['Kyiv-1'], serving: 3, version: 1 },
    ];
    let n = 0;
    for (const sku of world.names.keys()) {
      n += 1;
      for (const at of ['Lviv-1', 'Lviv-2', 'Kyiv-1', 'Hub']) {
        if (n > 10 && at !== 'Lviv-1') continue;
        world.lying.set(`${sku}@${at}`, { on_hand: at === 'Hub' ? 40 + ((n * 7) % 23) : (n * 3) % 9, display: at === 'Hub' ? 0 : n % 3 === 0 ? 1 : 0, damaged: n % 5 === 0 ? 1 : 0, quarantine: n % 7 === 0 ? 2 : 0, safety: n % 4 === 0 ? 1 : 0, counted_at: n % 3 ? ago(60 * 24 * n) : null });
      }
    }
    Object.assign(world.lying.get('HM-200220@Lviv-1'), { on_hand: 3, display: 1, safety: 1, counted_at: ago(60 * 24 * 6) });
    world.claims = [
      { reservation_id: '311', kind: 'cart', owner: 'cart:8f21c0', sku: 'HM-200220', location_id: 'Hub', quantity: 2, created_at: ago(6), expires_at: later(8.4) },
      { reservation_id: '305', kind: 'in_store', owner: 'Дарина Федорів', sku: 'HM-200220', location_id: 'Lviv-1', quantity: 1, created_at: ago(90), expires_at: later(60 * 21) },
      { reservation_id: '290', kind: 'order', owner: 'order:31915', sku: 'HM-200220', location_id: 'Hub', quantity: 1, created_at: ago(60 * 5), expires_at: null },
    ];
    const move = (min, sku, from, to, quantity, kind, more = {}) => ({ id: id(), sku, from, from_condition: 'sellable', to, to_condition: 'sellable', lot: '', quantity, reason: '', at: ago(min), recorded_at: ago(min), document_id: id(), kind, source: 'till:Lviv-1', external_id: `r-${seq}`, reference: '', actor: 'api_key:till', ...more });
    world.movements = [
      move(1, 'HM-200220', 'Lviv-1', 'customer', 1, 'sale', { reference: 'Чек 184 233' }),
      move(34, 'KS-350-Z', 'Lviv-1', 'customer', 2, 'sale', { reference: 'Чек 184 229' }),
      move(150, 'HM-200220', 'Kyiv-1', 'customer', 1, 'sale', { source: 'till:Kyiv-1', reference: 'Чек 71 002', recorded_at: ago(12) }),
      move(240, 'HM-200220', 'Hub', 'transit', 4, 'transfer_out', { source: 'braid', external_id: '#t-88', actor: me.email }),
      move(60 * 26, 'RL-70140-K', 'customer', 'Lviv-1', 1, 'return', { reason: 'не той колір', to_condition: 'quarantine' }),
      move(60 * 50, 'HM-200220', 'supplier', 'Hub', 40, 'receipt', { source: 'erp', external_id: 'ВН-2231', reference: 'ВН-2231', actor: 'api_key:erp' }),
      ...Array.from({ length: 70 }, (_, i) => move(60 * 60 + i * 55, GOODS[i % 10][0], i % 4 ? 'Lviv-1' : 'Hub', i % 4 ? 'customer' : 'Lviv-2', 1 + (i % 3), i % 4 ? 'sale' : 'movement', { reference: i % 4 ? `Чек ${183900 - i}` : '' })),
    ];
    const line = (sku, requested, more = {}) => ({ sku, requested, shipped: 0, received: 0, damaged: 0, lost: 0, returned: 0, on_the_way: 0, why: '', ...more });
    const transfer = (no, from, to, state, lines, min, more = {}) => ({ id: no, from, to, state, reference: '', note: '', expected_at: later(60 * 20), created_by: 'nazar@svitlytsia.ua', created_at: ago(min + 60), updated_at: ago(min), lines, version: 1, ...more });
    world.transfers = [
      transfer('88', 'Hub', 'Lviv-1', 'in_transit', [line('HM-200220', 4, { shipped: 4, on_the_way: 4 }), line('KS-350-Z', 12, { shipped: 12, on_the_way: 12 })], 240, { note: 'Перед вихідними' }),
      transfer('87', 'Lviv-2', 'Lviv-1', 'requested', [line('SB-150220', 2)], 300),
      transfer('80', 'Hub', 'Kyiv-1', 'received', [line('PD-5070', 10, { shipped: 10, received: 9, lost: 1, why: 'подряпана коробка' })], 60 * 30),
      transfer('79', 'Hub', 'Lviv-2', 'cancelled', [line('LN-220240', 5)], 60 * 50),
    ];
    const counted = (sku, more = {}) => ({ sku, state: 'open', counted: null, counted_at: null, counted_by: null, recounts: 0, book: null, variance: null, decided_by: null, ...more });
    world.counts = [
      { id: '51', location_id: 'Lviv-1', closed: false, blind: true, tolerance_permille: 0, note: 'Полиця A', created_by: 'nazar@svitlytsia.ua', created_at: ago(50), version: 1, lines: [counted('KS-350-Z', { state: 'variance', counted: 4, counted_at: ago(30), counted_by: 'nazar@svitlytsia.ua' }), counted('HM-200220'), counted('RL-70140-K'), counted('SB-150220'), counted('KS-220-T', { state: 'settled', counted: 6, counted_at: ago(35), counted_by: 'nazar@svitlytsia.ua', book: 6, variance: 0, decided_by: 'nazar@svitlytsia.ua' })] },
      { id: '44', location_id: 'Kyiv-1', closed: true, blind: true, tolerance_permille: 20, note: '', created_by: me.email, created_at: ago(60 * 24 * 4), version: 9, lines: [counted('PD-5070', { state: 'settled', counted: 2, counted_at: ago(60 * 24 * 4), counted_by: 'nazar@svitlytsia.ua', book: 3, variance: -1, decided_by: me.email })] },
    ];
    world.suppliers = [{ id: 'kosiv', name: 'Косівська кераміка', lead_days: 14, note: 'Тільки самовивіз', version: 1 }, { id: 'linen', name: 'Льон Полісся', lead_days: 7, note: '', version: 2 }];
    const ordered = (sku, ordered, cost_minor, received = 0) => ({ sku, ordered, received, cancelled: 0, awaited: ordered - received, cost_minor });
    world.orders = [
      { id: '23', supplier: 'Косівська кераміка', location_id: 'Hub', state: 'ordered', currency: 'UAH', freight_minor: 45_000, expected_at: later(60 * 24 * 5), note: '', created_by: me.email, created_at: ago(60 * 24 * 3), lines: [ordered('KS-350-Z', 60, 18_500), ordered('KS-220-T', 40, 21_000)], version: 2 },
      { id: '22', supplier: 'Льон Полісся', location_id: 'Hub', state: 'partly_received', currency: 'UAH', freight_minor: 0, expected_at: ago(60 * 24), note: '', created_by: me.email, created_at: ago(60 * 24 * 9), lines: [ordered('HM-200220', 20, 142_000, 12)], version: 3 },
      { id: '24', supplier: 'Льон Полісся', location_id: 'Hub', state: 'draft', currency: 'UAH', freight_minor: 0, expected_at: null, note: 'Перевірити ціну', created_by: me.email, created_at: ago(40), lines: [{ ...ordered('RL-70140-K', 100, 9_900), awaited: 0 }], version: 1 },
    ];
  };
  reset();

  const here = (sku, at) => world.lying.get(`${sku}@${at}`);
  const reserved = (sku, at) => q(world.claims.filter((c) => c.sku === sku && c.location_id === at).reduce((n, c) => n + c.quantity, 0));
  const available = (sku, at) => q(Math.max(0, here(sku, at).on_hand - reserved(sku, at) - here(sku, at).safety));
  const own = () => world.places.filter((p) => !['supplier', 'customer', 'loss', 'transit'].includes(p.id));
  const channels = (sku) => world.outlets.map((c) => ({ channel: c.id, available: q(own().filter((p) => p.state === 'open' && c.kinds.includes(p.kind) && !c.excluded.includes(p.id) && here(sku, p.id)).reduce((n, p) => n + Math.max(0, available(sku, p.id) - c.buffer), 0)) }));
  const body = (sku) => {
    const items = own().filter((p) => here(sku, p.id)).map((p) => ({ location_id: p.id, ...here(sku, p.id), reserved: reserved(sku, p.id), available: available(sku, p.id), at_the_till: q(here(sku, p.id).on_hand - reserved(sku, p.id)) }));
    const onTheWay = q(world.transfers.flatMap((x) => x.lines).filter((l) => l.sku === sku).reduce((n, l) => n + l.on_the_way, 0));
    const incoming = world.orders.filter((o) => ['ordered', 'partly_received'].includes(o.state)).flatMap((o) => o.lines.filter((l) => l.sku === sku && l.awaited > 0).map((l) => ({ purchase_order_id: o.id, location_id: o.location_id, quantity: l.awaited, expected_at: o.expected_at })));
    return { sku, name: world.names.get(sku), items, available: q(items.reduce((n, i) => n + i.available, 0)), in_transit: onTheWay, channels: channels(sku), incoming, claims: world.claims.filter((c) => c.sku === sku), as_of: ago(0) };
  };

  const answer = ({ path, m, url, input, json, problem, res, page, send }) => {
    const tell = (sku) => send('/api/v1/stock/stream', 'stock', { sku, channels: Object.fromEntries(channels(sku).map((c) => [c.channel, c.available])), as_of: new Date(NOW + 3000).toISOString() });
    const bad = (pointer, detail, code = 'bad_input', status = 422) => problem(res, status, code, 'A value is not possible', { detail, errors: [{ pointer, detail }] });
    const put = (sku, at, condition, n) => {
      if (['supplier', 'customer', 'loss', 'transit'].includes(at)) return;
      if (!here(sku, at)) world.lying.set(`${sku}@${at}`, { on_hand: 0, display: 0, damaged: 0, quarantine: 0, safety: 0, counted_at: null });
      const key = condition === 'sellable' ? 'on_hand' : condition;
      here(sku, at)[key] = q(here(sku, at)[key] + n);
    };
    const noted = (sku, from, to, quantity, kind, more = {}) => {
      put(sku, from, more.from_condition ?? 'sellable', -quantity);
      put(sku, to, more.to_condition ?? 'sellable', quantity);
      const document_id = id();
      world.movements.unshift({ id: id(), sku, from, from_condition: 'sellable', to, to_condition: 'sellable', lot: '', quantity, reason: '', at: ago(0), recorded_at: ago(0), document_id, kind, source: 'api', external_id: `m-${seq}`, reference: '', actor: me.email, ...more });
      tell(sku);
      return document_id;
    };
    let x;
    const is = (re) => (x = re.exec(path));
    const unknown = (skus, pointer) => {
      const at = skus.findIndex((s) => !world.names.has(s));
      return at >= 0 && (bad(pointer(at), `there is no SKU "${skus[at]}"`), true);
    };
    if (path === '/mock-reset') { reset(); return json({}); }
    if (path === '/mock-sale') { noted('HM-200220', 'Lviv-1', 'customer', 1, 'sale', { source: 'till:Lviv-1', reference: 'Чек 184 240', actor: 'api_key:till' }); return json({}); }
    if (/^\/incoming-claims|\/incoming$|\/ahead$|\/expected$/.test(path)) return onOrder.answer({ path, m, input, json, problem, res, bad, orders: world.orders, names: world.names });
    if (path === '/locations') {
      if (m === 'GET') return json({ items: world.places, next_cursor: null });
      if (/\s/.test(input.id)) return bad('/id', 'an id is up to 100 bytes of letters, digits and - _ . :');
      const old = world.places.find((p) => p.id === input.id);
      const made = { lat: null, lon: null, state: 'open', why: '', ...old, ...input, version: (old?.version ?? 0) + 1 };
      world.places = old ? world.places.map((p) => (p === old ? made : p)) : [...world.places, made];
      return json(made, old ? 200 : 201);
    }
    if (is(/^\/locations\/([^/]+)\/state$/)) { const p = world.places.find((y) => y.id === x[1]); return json(Object.assign(p, input, { version: p.version + 1 })); }
    if (path === '/stock-channels') return json({ items: world.outlets, next_cursor: null });
    if (is(/^\/stock-channels\/([^/]+)$/)) {
      if (input.hold_seconds < 30) return bad('/hold_seconds', 'a cart holds goods from 30 seconds to a day');
      const old = world.outlets.find((c) => c.id === x[1]);
      const made = { serving: own().filter((p) => input.kinds.includes(p.kind)).length, ...old, ...input, id: x[1], version: (old?.version ?? 0) + 1 };
      world.outlets = old ? world.outlets.map((c) => (c === old ? made : c)) : [...world.outlets, made];
      return json(made);
    }
    if (path === '/stock') {
      const at = url.searchParams.get('location');
      const rows = [...world.names].filter(([sku]) => here(sku, at)).map(([sku, name]) => ({ sku, name, ...here(sku, at), reserved: reserved(sku, at), available: available(sku, at) }));
      return json(page(rows, url));
    }
    if (path === '/stock/movements') {
      if (m === 'GET') {
        const [sku, document] = [url.searchParams.get('sku'), url.searchParams.get('document')];
        return json(page(world.movements.filter((y) => (!sku || y.sku === sku) && (!document || y.document_id === document)), url));
      }
      const { sku, from, to, quantity, reason, document, from_condition = 'sellable', to_condition = 'sellable' } = input;
      if (from === to && from_condition === to_condition) return bad('/to', 'it goes to where it comes from');
      const there = here(sku, from) ? (from_condition === 'sellable' ? here(sku, from).on_hand - reserved(sku, from) : here(sku, from)[from_condition]) : Infinity;
      if (quantity > there) return bad('', `of ${sku} at ${from} ${quantity} are wanted and ${there} available`, 'not_enough', 409);
      const document_id = noted(sku, from, to, quantity, from === to ? 'condition' : 'movement', { reason, external_id: document, from_condition, to_condition });
      return json({ document_id, repeated: false, found: [], broken: [] }, 201);
    }
    if (is(/^\/stock\/([^/]+)\/safety$/)) { const sku = decodeURIComponent(x[1]); put(sku, input.location_id, 'sellable', 0); here(sku, input.location_id).safety = input.quantity; tell(sku); return json(undefined, 204); }
    if (is(/^\/stock\/([^/]+)$/)) { const sku = decodeURIComponent(x[1]); return world.names.has(sku) ? json(body(sku)) : problem(res, 404, 'not_found', 'Not found', { detail: `there is no SKU ${sku}` }); }
    if (path === '/reservations/stuck') return json({ items: [], next_cursor: null });
    if (path === '/reservations') {
      const no = id();
      for (const l of input.lines) world.claims.push({ reservation_id: no, kind: input.kind, owner: input.owner, sku: l.sku, location_id: l.location_id, quantity: l.quantity, created_at: ago(0), expires_at: new Date(NOW + input.seconds * 1000).toISOString() });
      input.lines.forEach((l) => tell(l.sku));
      return json({ reservation_id: no, expires_at: null, lines: [], short: [] }, 201);
    }
    if (is(/^\/reservations\/([^/]+)$/)) {
      const found = world.claims.filter((c) => c.reservation_id === x[1]);
      if (!found.length) return problem(res, 404, 'not_found', 'Not found');
      if (m === 'GET') return json({ ...found[0], lines: found.map((c) => ({ sku: c.sku, location_id: c.location_id, quantity: c.quantity, ended: null, ended_at: null })) });
      world.claims = world.claims.filter((c) => c.reservation_id !== x[1]);
      found.forEach((c) => tell(c.sku));
      return json(undefined, 204);
    }
    if (path === '/transfers') {
      if (m === 'GET') {
        const open = url.searchParams.get('open') === 'true';
        return json(page(world.transfers.filter((y) => !open || !['received', 'cancelled'].includes(y.state)).map((y) => ({ ...y, lines: y.lines.length, requested: y.lines.reduce((n, l) => n + l.requested, 0) })), url));
      }
      if (input.from === input.to) return bad('/to', 'it goes to where it comes from');
      if (unknown(input.lines.map((l) => l.sku), (at) => `/lines/${at}/sku`)) return undefined;
      const short = input.lines.findIndex((l) => !here(l.sku, input.from) || available(l.sku, input.from) < l.quantity);
      if (short >= 0) { const l = input.lines[short]; return bad(`/lines/${short}`, `of ${l.sku} at ${input.from} ${l.quantity} are wanted and ${here(l.sku, input.from) ? available(l.sku, input.from) : 0} available`, 'not_enough', 409); }
      const made = { id: id(), from: input.from, to: input.to, state: 'requested', reference: '', note: input.note ?? '', expected_at: input.expected_at ?? null, created_by: me.email, created_at: ago(0), updated_at: ago(0), version: 1, lines: input.lines.map((l) => ({ sku: l.sku, requested: l.quantity, shipped: 0, received: 0, damaged: 0, lost: 0, returned: 0, on_the_way: 0, why: '' })) };
      world.transfers.unshift(made);
      return json(made, 201);
    }
    if (is(/^\/transfers\/([^/]+)(?:\/(ship|receive|cancel))?$/)) {
      const t = world.transfers.find((y) => y.id === x[1]);
      if (!t) return problem(res, 404, 'not_found', 'Not found');
      if (!x[2]) return json(t);
      const touch = (state) => json(Object.assign(t, { state, version: t.version + 1, updated_at: ago(0) }));
      if (x[2] === 'ship') {
        const over = input.quantities.findIndex((n, i) => n > t.lines[i].requested);
        if (over >= 0) return bad(`/lines/${over}/shipped`, `nothing up to ${t.lines[over].requested} can leave`);
        t.lines.forEach((l, i) => { l.shipped = l.on_the_way = input.quantities[i]; noted(l.sku, t.from, 'transit', l.shipped, 'transfer_out'); });
        return touch('in_transit');
      }
      if (x[2] === 'receive') {
        const over = input.lines.findIndex((l) => l.received + (l.damaged ?? 0) > t.lines[l.line].on_the_way);
        if (over >= 0) return bad(`/lines/${over}/received`, `${t.lines[input.lines[over].line].on_the_way} are on the way`);
        if (input.rest === 'lost' && !input.why) return bad('/why', 'say why less came than left');
        for (const l of input.lines) {
          const at = t.lines[l.line];
          at.received += l.received;
          at.damaged += l.damaged ?? 0;
          at.on_the_way -= l.received + (l.damaged ?? 0);
          if (l.received) noted(at.sku, 'transit', t.to, l.received, 'transfer_in');
        }
        if (input.rest !== 'awaited') for (const l of t.lines) { l[input.rest === 'lost' ? 'lost' : 'returned'] += l.on_the_way; if (l.on_the_way) l.why = input.why; l.on_the_way = 0; }
        return touch(t.lines.some((l) => l.on_the_way > 0) ? 'partly_received' : 'received');
      }
      if (t.state !== 'requested') for (const l of t.lines) { l[input.rest === 'lost' ? 'lost' : 'returned'] += l.on_the_way; l.on_the_way = 0; }
      return touch('cancelled');
    }
    if (path === '/stock-counts') {
      if (m === 'GET') return json(page(world.counts.map((c) => ({ ...c, lines: c.lines.length, settled: c.lines.filter((l) => l.state === 'settled').length, variances: c.lines.filter((l) => l.state === 'variance').length })), url));
      if (unknown(input.skus, (at) => `/skus/${at}`)) return undefined;
      const { skus, ...rest } = input;
      const made = { ...rest, id: id(), closed: false, created_by: me.email, created_at: ago(0), version: 1, lines: skus.map((sku) => ({ sku, state: 'open', counted: null, counted_at: null, counted_by: null, recounts: 0, book: null, variance: null, decided_by: null })) };
      world.counts.unshift(made);
      return json(made, 201);
    }
    if (is(/^\/stock-counts\/([^/]+)(?:\/(close|lines\/([^/]+)(\/approve)?))?$/)) {
      const c = world.counts.find((y) => y.id === x[1]);
      if (!c) return problem(res, 404, 'not_found', 'Not found');
      // Who approves must know; who counts again must not.
      const told = (l) => (l.state === 'open' ? l : { ...l, ...(!c.blind || l.state === 'settled' || l.counted_by !== me.email ? { book: l.book ?? here(l.sku, c.location_id)?.on_hand ?? 0, variance: q(l.counted - (l.book ?? here(l.sku, c.location_id)?.on_hand ?? 0)) } : { book: null, variance: null }) });
      if (!x[2]) return json({ ...c, lines: c.lines.map(told) });
      if (x[2] === 'close') { c.closed = true; return json({ ...c, lines: c.lines.map(told) }); }
      const l = c.lines.find((y) => y.sku === decodeURIComponent(x[3]));
      const book = here(l.sku, c.location_id)?.on_hand ?? 0;
      if (x[4]) {
        if (l.counted_by === me.email) return bad('/approve', 'who counted it cannot approve it: ask somebody else');
        put(l.sku, c.location_id, 'sellable', q(l.counted - book));
        Object.assign(l, { state: 'settled', book, variance: q(l.counted - book), decided_by: me.email });
        return json({ line: told(l), broken: [] });
      }
      const far = Math.abs(input.counted - book) * 1000 > c.tolerance_permille * Math.max(book, 0);
      Object.assign(l, { counted: input.counted, counted_at: ago(0), counted_by: me.email, recounts: l.counted == null ? 0 : l.recounts + 1, state: far ? 'variance' : 'settled', book: far ? null : book, variance: far ? null : q(input.counted - book), decided_by: far ? null : me.email });
      return json({ line: told(l), broken: [] });
    }
    if (path === '/suppliers') {
      if (m === 'GET') return json({ items: world.suppliers, next_cursor: null });
      const old = world.suppliers.find((s) => s.id === input.id);
      const made = { lead_days: 0, note: '', ...old, ...input, version: (old?.version ?? 0) + 1 };
      world.suppliers = old ? world.suppliers.map((s) => (s === old ? made : s)) : [...world.suppliers, made];
      return json(made, old ? 200 : 201);
    }
    if (path === '/purchase-orders') {
      if (m === 'GET') return json(page(world.orders.map((o) => ({ ...o, lines: o.lines.length, total: { minor: o.freight_minor + o.lines.reduce((n, l) => n + l.ordered * l.cost_minor, 0), currency: o.currency } })), url));
      if (unknown(input.lines.map((l) => l.sku), (at) => `/lines/${at}/sku`)) return undefined;
      const made = { id: id(), supplier: world.suppliers.find((s) => s.id === input.supplier_id).name, location_id: input.location_id, state: 'draft', currency: 'UAH', freight_minor: input.freight_minor, expected_at: input.expected_at ?? null, note: input.note, created_by: me.email, created_at: ago(0), version: 1, lines: input.lines.map((l) => ({ sku: l.sku, ordered: l.quantity, received: 0, cancelled: 0, awaited: 0, cost_minor: l.cost_minor })) };
      world.orders.unshift(made);
      return json(made, 201);
    }
    if (is(/^\/purchase-orders\/([^/]+)(?:\/(place|receive|cancel))?$/)) {
      const o = world.orders.find((y) => y.id === x[1]);
      if (!o) return problem(res, 404, 'not_found', 'Not found');
      if (x[2] === 'place') { for (const l of o.lines) l.awaited = l.ordered; Object.assign(o, { state: 'ordered', expected_at: input.expected_at ?? o.expected_at, version: o.version + 1 }); }
      if (x[2] === 'cancel') Object.assign(o, { state: 'cancelled', version: o.version + 1 });
      if (x[2] === 'receive') {
        const over = input.lines.findIndex((l) => l.quantity > o.lines[l.line].awaited);
        if (over >= 0) return bad(`/lines/${over}/received`, `${o.lines[input.lines[over].line].awaited} are awaited`);
        if (!input.complete && !input.lines.some((l) => l.quantity > 0)) return bad('/lines', 'nothing came');
        for (const l of input.lines) { const at = o.lines[l.line]; at.received += l.quantity; at.awaited -= l.quantity; if (l.quantity) noted(at.sku, 'supplier', o.location_id, l.quantity, 'receipt', { reference: input.document }); }
        if (input.complete) for (const l of o.lines) { l.cancelled += l.awaited; l.awaited = 0; }
        Object.assign(o, { state: o.lines.some((l) => l.awaited > 0) ? 'partly_received' : 'received', version: o.version + 1 });
      }
      const { supplier: _, ...shown } = o;
      return json(shown);
    }
    return false;
  };
  return Object.assign(answer, { movements: () => world.movements });
}
