// The counter and the customers' own pages of the stand-in: bags, what goes with what, advice, price tags.
export function front({ ago, me, uah }) {
  const world = {};
  const money = (minor) => ({ minor, currency: 'UAH' });
  const GOODS = { 'HM-200220': ['Ковдра пухова «Хмара» 200×220', 124_900], 'RL-70140-K': ['Рушник лляний 70×140, червона крайка', 48_900], 'KS-350-Z': ['Горня «Косів», 350 мл', 39_500] };
  const slot = (sku, because, available = 4) => ({ sku, product_id: sku, name: GOODS[sku][0], kind: 'accompanying', because, price: money(GOODS[sku][1]), available });
  const reset = () => {
    world.lines = [{ sku: 'HM-200220', quantity: 1 }];
    world.goods = [];
    world.talk = { id: '77', cart_id: 'c77-0123456789abcdef', link: 'https://svitlytsia.ua/c/c77-0123456789abcdef', location_id: 'Lviv-1', seller: me.email, note: '', name: '', email: '', phone: '', opened_at: ago(3), sent_at: null, order_id: null };
    world.returns = [];
  };
  reset();
  const total = () => world.lines.reduce((n, l) => n + GOODS[l.sku][1] * l.quantity, 0);
  const talk = () => ({ ...world.talk, lines: world.lines.map((l) => ({ sku: l.sku, name: GOODS[l.sku][0], quantity: l.quantity, total: money(GOODS[l.sku][1] * l.quantity) })), total: money(total()), goods: world.goods });
  const cart = () => ({ cart_id: world.talk.cart_id, channel: 'site', currency: 'UAH', lines: world.lines.map((l) => ({ sku: l.sku, name: GOODS[l.sku][0], quantity: l.quantity, unit: money(GOODS[l.sku][1]), list: money(GOODS[l.sku][1] * l.quantity), total: money(GOODS[l.sku][1] * l.quantity), discounts: [], why: '' })), coupons: [], goods: money(total()), discount: money(0), shipping: money(0), tax: money(0), total: money(total()), try_on: false, delivery: world.way ?? null, promised: null, held_until: null, payment_ways: ['test', 'on_delivery', 'store_credit'], advised: world.goods, advised_at: 'Lviv-1', reachable: Boolean(world.talk.phone) });
  const put = (sku, quantity) => { world.lines = world.lines.filter((l) => l.sku !== sku); if (quantity > 0) world.lines.push({ sku, quantity }); };
  return ({ path, m, input, json, problem, res }) => {
    let x;
    const is = (re) => (x = re.exec(path));
    if (path === '/mock/front-reset') { reset(); return json({}); }
    if (is(/^\/api\/v1\/orders\/[^/]+\/slots$/)) return json({ items: [slot('KS-350-Z', GOODS['HM-200220'][0])], next_cursor: null });
    if (is(/^\/api\/v1\/orders\/[^/]+\/beside$/)) return json({ order_id: 'o31999x', number: '31999', state: 'delivered', currency: 'UAH', total_minor: 39_500, balance_minor: 39_500, paid_minor: 0, lines: [], fulfilments: [], payments: [], history: [], holds: [] }, 201);
    if (path === '/api/v1/bags') return json({ orders: input.items.map((i) => ({ order_id: i.order_id, number: i.order_id, state: 'delivered', to_pay_minor: 0, currency: 'UAH' })), tracking: input.tracking ?? '' });
    if (path === '/api/v1/consultations') { if (m === 'POST' && input.customer?.phone) world.talk.phone = input.customer.phone; return m === 'POST' ? json(talk(), 201) : json({ items: [talk()], next_cursor: null }); }
    if (is(/^\/api\/v1\/consultations\/77$/)) return json(talk());
    if (is(/^\/api\/v1\/consultations\/77\/steps$/)) {
      if (input.do === 'goods') {
        if (!GOODS[input.sku]) return problem(res, 422, 'bad_input', 'A value is not possible', { detail: 'there is no such SKU', errors: [{ pointer: '/sku', detail: 'there is no such SKU' }] });
        world.goods = [...world.goods.filter((g) => g.sku !== input.sku), { sku: input.sku, name: GOODS[input.sku][0], tried: input.tried, liked: input.liked ?? null, at: ago(0) }];
        if (input.quantity !== null && input.quantity !== undefined) put(input.sku, input.quantity);
      }
      if (input.do === 'note') world.talk.note = input.text;
      if (input.do === 'customer') Object.assign(world.talk, { name: input.customer.name ?? '', phone: input.customer.phone ?? '', email: input.customer.email ?? '' });
      if (input.do === 'send') world.talk.sent_at = ago(0);
      return json(talk());
    }
    if (is(/^\/api\/v1\/customers\/([^/]+)\/counter$/)) return json({ person_id: x[1], orders: [{ order_id: 'o31905x', number: '31905', state: 'in_progress', placed_at: ago(150), sales_channel: 'site', total: money(39_500), to_pay: money(0), lines: [{ sku: 'KS-350-Z', name: GOODS['KS-350-Z'][0], quantity: 1 }] }], baskets: [{ cart_id: world.talk.cart_id, updated_at: ago(400), lines: [{ sku: 'HM-200220', name: GOODS['HM-200220'][0], quantity: 1 }] }], offers: [{ name: 'Для постійних', ends_at: null }], credit: [money(50_000)], price: { sku: 'HM-200220', name: GOODS['HM-200220'][0], price: money(112_410), usual: money(124_900), why: 'Для постійних' } });
    // The customers' own pages.
    if (is(/code\.svg$/)) { res.setHeader('content-type', 'image/svg+xml'); return res.end('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 33 33"><path fill="#fff" d="M0 0h33v33H0z"/><path d="M4 4h7v7h-7zM22 4h7v7h-7zM4 22h7v7h-7zM14 14h5v5h-5z"/></svg>'); }
    if (is(/^\/shop\/v1\/(orders|carts)\/[^/]+\/slots$/)) return json({ items: x[1] === 'orders' ? [] : [slot('KS-350-Z', GOODS['HM-200220'][0])].filter((s) => !world.lines.some((l) => l.sku === s.sku)) });
    const offered = [{ line: 0, sku: 'KS-350-Z', returnable: 1, until: '2026-12-06', denied: null, claimable: 1 }];
    if (is(/^\/shop\/v1\/orders\/[^/]+\/(returns|claims)$/)) {
      if (m === 'POST') { world.returns.unshift({ id: '1', kind: 'return', state: 'approved', lines: input.lines.map((l) => ({ ...l, sku: 'KS-350-Z' })), note: input.note, answer: '', total: money(0), way: 'payments', withheld: money(0), lost_discount: money(0), opened_at: ago(0), due_at: ago(0) }); return json(world.returns[0], 201); }
      return json({ items: x[1] === 'returns' ? world.returns : [], offered, reasons: ['too_small', 'not_liked', 'defect'] });
    }
    if (is(/^\/shop\/v1\/carts\/([^/]+)$/)) return x[1] === world.talk.cart_id ? json(cart()) : problem(res, 404, 'not_found', 'There is no such cart');
    if (is(/^\/shop\/v1\/carts\/[^/]+\/lines$/)) { const now = world.lines.find((l) => l.sku === input.sku)?.quantity ?? 0; put(input.sku, m === 'PUT' ? input.quantity : now + input.quantity); return json(cart()); }
    if (is(/^\/shop\/v1\/carts\/[^/]+\/delivery-options$/)) return json({ items: [{ option_id: 'pickup:Lviv-1', kind: 'pick_up', name: 'Львів, Площа Ринок', location_id: 'Lviv-1', price: money(0), latest: ago(-60) }, { option_id: 'np-branch', kind: 'branch', name: 'Нова пошта, відділення', price: money(8000), latest: ago(-2880) }], zone: '*' });
    if (is(/^\/shop\/v1\/carts\/[^/]+\/delivery$/)) { world.way = { kind: 'pickup', location_id: 'Lviv-1' }; return json(cart()); }
    if (is(/^\/shop\/v1\/carts\/[^/]+\/customer$/)) { world.talk.phone = input.phone; return json(cart()); }
    if (is(/^\/shop\/v1\/carts\/[^/]+\/checkout$/)) return json({ order_id: 'o31905x', number: '31905', state: 'awaiting_payment', total: money(total()) }, 201);
    if (is(/^\/shop\/v1\/orders\/[^/]+\/payments$/)) return json({ payment_id: '1', payment_state: 'captured' }, 201);
    if (is(/^\/shop\/v1\/shelf\/([^/]+)\/(.+)$/)) {
      const sku = decodeURIComponent(x[2]);
      if (!GOODS[sku]) return problem(res, 404, 'not_found', 'nothing here has this code');
      return json({ location_id: 'Lviv-1', location_name: 'Львів, Площа Ринок', sku, gtin: null, product_id: sku, name: GOODS[sku][0], picture: null, characteristics: [{ label: 'Наповнення', value: 'Гусячий пух' }], price: money(GOODS[sku][1]), own_price: sku === 'HM-200220' ? money(112_410) : null, why: 'прайс-лист «Для постійних»', here: 3, elsewhere: [{ location_id: 'Kyiv-1', name: 'Київ, Хрещатик', address: 'Хрещатик 22', available: 10 }], variants: [{ sku, label: '200×220', here: 3, elsewhere: true }, { sku: 'KS-350-Z', label: '150×220', here: 0, elsewhere: true }], slots: [slot('KS-350-Z', GOODS[sku][0])], rating: { count: 3, mean: '4.67', stars: { 1: 0, 2: 0, 3: 0, 4: 1, 5: 2 } }, reviews: [{ rating: 5, title: 'Як хмаринка', text: 'Легка й тепла.', name: 'Олена', lang: 'uk', source: 'own', verified: true, at: ago(600), answer: 'Дякуємо!' }] });
    }
    if (is(/^\/shop\/v1\/shelf\/[^/]+$/)) return json({ cart_id: world.talk.cart_id }, 201);
    return undefined;
  };
}
