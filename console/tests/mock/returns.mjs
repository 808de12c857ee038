// What comes after the sale of the stand-in: returns, claims, cases and refunds with the rules that the pages' flows need.
export function returns({ NOW, ago, me }) {
  const DAY = 24 * 60;
  const later = (min) => new Date(NOW + min * 60_000).toISOString();
  const uah = (minor) => ({ minor, currency: 'UAH' });
  const PRICE = { 'VY-M-42': 230_000, 'VY-W-S': 210_000, 'RL-70140-K': 48_900, 'HM-200220': 124_900, 'KS-350-Z': 39_500 };
  const PHOTO = 'ab'.repeat(32);
  const world = {};
  const refund = (id, cause, minor, state, more = {}) => ({ id, order_id: 'o31880x', cause, provider: 'test', payment_id: `${cause}-1`, amount: uah(minor), state, external_id: '', why: '', at: ago(90), settled_at: state === 'settled' ? ago(20) : null, ...more });
  const line = (sku, quantity, reason, more = {}) => ({ line: 0, sku, quantity, reason, denied: null, arrived: [], refund: uah(0), refund_tax: uah(0), ...more });
  const came = (quantity, grade, min = 30) => ({ quantity, grade, location_id: 'Lviv-1', lot: '', at: ago(min), by: me.email });
  const make = (id, order, name, min, state, lines, more = {}) => ({ id, order_id: order && `o${order}x`, order_number: order ?? '', customer: name, kind: 'return', state, receipt: '', email: '', phone: '', name: '', note: '', answer: '', photos: [], channel: 'site', lines, way: 'payments', total: uah(0), withheld: uah(0), lost_discount: uah(0), shipping: uah(0), refunds: [], credit_code: null, exchange: null, opened_by: 'customer', decided_by: '', opened_at: ago(min), due_at: later(DAY * 3), updated_at: ago(min / 2), version: 1, ...more });
  const claim = (id, order, name, min, state, more = {}) => ({ id, order_id: `o${order}x`, order_number: order, customer: name, kind: 'claim', state, note: 'the seam came apart after one wash', answer: '', photos: [], lines: [{ line: 0, quantity: 1, reason: 'defect' }], channel: 'site', resolution: null, refund_minor: 0, refunds: [], replacement_order_id: null, decided_by: '', opened_at: ago(min), due_at: later(DAY), version: 1, updated_at: ago(min), ...more });
  const after = (id, order, name, kind, state, owner, due, more = {}) => ({ id, order_id: `o${order}x`, order_number: order, customer: name, kind, state, serial: 'SN-00412', sku: 'HM-200220', line: 0, warranty_until: later(DAY * 300), paid_by_customer: false, owner, note: 'the zip sticks', outcome: '', loans: [], opened_at: ago(DAY * 4), due_at: due, version: 1, updated_at: ago(60), ...more });

  const reset = () => {
    world.next = 2001;
    world.refunds = [refund('901', 'return:1881', 210_000, 'pending'), refund('902', 'return:1879', 48_900, 'failed', { why: 'the card is closed' }), refund('903', 'claim:501', 20_000, 'settled')];
    world.returns = [
      make('1884', '31880', 'Софія Мельник', 40, 'requested', [line('VY-M-42', 1, 'too_small')], { note: 'Замала в плечах', photos: [PHOTO], due_at: later(60 * 5) }),
      make('1883', '31879', 'Андрій Коваль', 60 * 20, 'requested', [line('RL-70140-K', 2, 'changed_mind', { denied: 'it could be returned until 2026-11-10: what the shop promises' })], { due_at: ago(60 * 2) }),
      make('1882', '31878', 'Ірина Ткачук', DAY * 2, 'approved', [line('HM-200220', 2, 'not_liked'), line('KS-350-Z', 1, 'damaged')]),
      make('1881', '31877', 'Софія Мельник', DAY * 4, 'received', [line('VY-W-S', 1, 'too_small', { arrived: [came(1, 'sellable')], refund: uah(210_000) })], { total: uah(210_000), refunds: [world.refunds[0]] }),
      make('1880', '31876', 'Андрій Коваль', DAY * 5, 'received', [line('VY-M-42', 1, 'too_large', { arrived: [came(1, 'sellable')] })], { kind: 'exchange', exchange: { instead: [{ of: 0, sku: 'VY-W-S', quantity: 1 }], order_id: 'o31921x', moved: uah(210_000) } }),
      make('1879', '31875', 'Ірина Ткачук', DAY * 9, 'received', [line('RL-70140-K', 1, 'defect', { arrived: [came(1, null)] })]),
      make('1870', null, 'Ґалина Їжакевич', DAY * 30, 'refunded', [line('KS-350-Z', 1, 'not_liked', { arrived: [came(1, 'outlet', DAY * 29)], refund: uah(39_500) })], { receipt: 'r-184102', way: 'credit', total: uah(39_500), credit_code: 'SV-7K2M-QX', name: 'Ґалина Їжакевич' }),
    ];
    world.claims = [claim('502', '31878', 'Ірина Ткачук', 60 * 30, 'open', { photos: [PHOTO], due_at: ago(90) }), claim('501', '31874', 'Софія Мельник', DAY * 6, 'resolved', { resolution: 'refund', refund_minor: 20_000, refunds: [world.refunds[2]], answer: 'We are sorry', decided_by: me.email })];
    world.cases = [
      after('71', '31877', 'Софія Мельник', 'repair', 'accepted', 'Iryna Melnyk', later(DAY * 2), { loans: [{ sku: 'HM-200220', quantity: 1, location_id: 'Lviv-1', lot: '', out_at: ago(DAY), back_at: null }] }),
      after('72', '31876', 'Андрій Коваль', 'check_in', 'open', '', ago(60), { serial: '', warranty_until: null, note: '' }),
      after('70', '31870', 'Ірина Ткачук', 'warranty', 'closed', 'Taras', ago(DAY), { outcome: 'the blanket was replaced' }),
    ];
    world.policy = { days: 30, fault_days: 730, answer_days: 3, bring_days: 14, check_in_days: 5, approve_by_rule: true, without_order: true, shipping: 'our_fault', class_attribute: 'return_class', size_attribute: 'size', warranty_attribute: 'warranty_months', warranty_months: 12, class_of_category: { underwear: 'underwear' } };
  };
  reset();

  const over = ['refunded', 'fulfilled', 'cancelled', 'closed', 'refused'];
  const row = ({ id, order_id, order_number, kind, state, owner, opened_at, due_at, updated_at, customer }) => ({ id, order_id, order_number, kind, state, owner: owner ?? '', name: customer, opened_at, due_at, updated_at });
  const shown = ({ customer: _, order_number: _n, ...r }) => r;
  const list = (of, p) => of.filter((x) => (!p('state') || x.state === p('state') || (['open', 'running'].includes(p('state')) && x.kind !== 'claim' && !over.includes(x.state) && !(p('state') === 'open' && 'owner' in x))) && (!p('kind') || x.kind === p('kind')) && (!p('order_id') || x.order_id === p('order_id')) && (!p('due_before') || x.due_at < p('due_before')) && (!p('reason') || x.lines?.some((l) => l.reason === p('reason'))) && (!p('location_id') || x.lines?.some((l) => l.arrived?.some((a) => a.location_id === p('location_id')))) && (!p('q') || x.order_number === p('q'))).map(row);
  const share = (delivered, returned) => ({ delivered, returned, rate: delivered ? returned / delivered : null, low: delivered ? Math.max(0, returned / delivered - 0.02) : null, high: delivered ? Math.min(1, returned / delivered + 0.02) : null });
  const group = (key, name, d, n, reasons) => ({ key, name, all: share(d, n), with_try_on: share(Math.round(d / 4), Math.round(n / 8)), without_try_on: share(d - Math.round(d / 4), n - Math.round(n / 8)), reasons: reasons.map(([reason, returned]) => ({ reason, returned })) });

  return ({ path, m, url, input, json, problem, res, page }) => {
    const bad = (pointer, detail) => problem(res, 422, 'bad_input', 'A value is not possible', { detail, errors: [{ pointer, detail }] });
    const p = (k) => url.searchParams.get(k);
    let x;
    const is = (re) => (x = re.exec(path));
    if (path === '/mock-returns-reset') { reset(); return json({}); }
    if (is(/^\/customers\/([^/]+)\/orders$/)) return json(x[1] === 'p-olena' ? { orders: [{ order_id: 'o31915x', number: '31915', state: 'in_progress', sales_channel: 'site', total: uah(203_900), placed_at: ago(18) }, { order_id: 'o31877x', number: '31877', state: 'delivered', sales_channel: 'app', total: uah(189_000), placed_at: ago(DAY * 7) }], returns: list(world.returns, (k) => (k === 'order_id' ? 'o31877x' : null)), claims: [], cases: list(world.cases, (k) => (k === 'order_id' ? 'o31877x' : null)) } : { orders: [], returns: [], claims: [], cases: [] });
    if (path === '/goodwill') return json({ code: 'SV-9F3C-TT', balance: uah(input.amount_minor) }, 201);
    if (path === '/refunds') return json(page(world.refunds.filter((r) => !p('state') || r.state === p('state')), url));
    if (is(/^\/refunds\/(\d+)\/(\w+)$/)) {
      const r = world.refunds.find((y) => y.id === x[1]);
      Object.assign(r, { settle: { state: 'settled', settled_at: ago(0), external_id: input?.external_id }, fail: { state: 'failed', why: input?.why }, retry: { state: 'pending', why: '' }, credit: { state: 'credited' } }[x[2]]);
      return json(r);
    }
    if (path === '/returns/policy') {
      if (m === 'PUT') { if (input.days < 14) return bad('/days', 'the law gives 14 days: promise more or as much'); world.policy = input; }
      return json(world.policy);
    }
    if (path === '/returns/rates')
      return json({ from: p('from'), to: ago(0), overall: group('', '', 4210, 388, [['too_small', 171], ['not_liked', 84], ['changed_mind', 62], ['defect', 41], ['damaged', 30]]), categories: [group('shirts', 'Вишиванки', 880, 162, [['too_small', 118]]), group('linen', 'Ковдри й білизна', 1960, 141, [['not_liked', 60]]), group('pottery', 'Косівська кераміка', 1370, 85, [['damaged', 29]])], products: [group('khmara', 'Ковдра пухова «Хмара»', 640, 44, [['not_liked', 20]]), group('vyshyvanka', 'Вишиванка чоловіча', 410, 102, [['too_small', 81]])], sizes: [group('42', '42', 180, 61, [['too_small', 52]]), group('46', '46', 160, 20, [['not_liked', 9]])], hints: [{ product_id: 'vyshyvanka', size: '42', hint: 'runs_small', pieces: 52, of: 61, usual: 0.31, p: 0.00001 }], try_on_effect: { difference: -0.061, low: -0.082, high: -0.041 } });
    for (const [base, of] of [['/returns', world.returns], ['/claims', world.claims], ['/after-sale', world.cases]]) {
      if (path === base && m === 'GET') return json(page(list(of, p), url));
      if (is(new RegExp(`^${base}/(\\d+)$`))) { const found = of.find((y) => y.id === x[1]); return found ? json(shown(found)) : problem(res, 404, 'not_found', 'There is no such thing'); }
    }
    if (path === '/returns') {
      if (input.lines.some((l) => l.reason === 'late')) return bad('/lines/0', 'it could be returned until 2026-11-10: what the shop promises');
      const r = make(String(world.next++), input.order_id.slice(1, -1), 'Софія Мельник', 0, 'approved', input.lines.map((l) => line('RL-70140-K', l.quantity, l.reason, { line: l.line })), { note: input.note, channel: input.channel, opened_by: me.email, ...(input.instead.length ? { kind: 'exchange', exchange: { instead: input.instead, order_id: null, moved: uah(0) } } : {}) });
      world.returns.unshift(r);
      return json(shown(r), 201);
    }
    if (path === '/claims') { const c = claim(String(world.next++), input.order_id.slice(1, -1), 'Софія Мельник', 0, 'open', { note: input.note, lines: input.lines }); world.claims.unshift(c); return json(shown(c), 201); }
    if (path === '/after-sale') { const c = after(String(world.next++), input.order_id.slice(1, -1), 'Софія Мельник', input.kind, 'open', input.owner, input.due_at ?? later(DAY * 7), { note: input.note, serial: input.serial }); world.cases.unshift(c); return json(shown(c), 201); }
    if (is(/^\/returns\/(\d+)\/([\w-]+)$/)) {
      const r = world.returns.find((y) => y.id === x[1]);
      const to = (state, more = {}) => json(shown(Object.assign(r, { state, version: r.version + 1, updated_at: ago(0), ...more })));
      if (x[2] === 'approve') return r.lines.some((l) => l.denied) && !input.exception ? bad('/exception', 'say why it is taken all the same') : to('approved', { decided_by: me.email });
      if (x[2] === 'deny') return to('cancelled', { answer: input.why, decided_by: me.email });
      if (x[2] === 'cancel') return to('cancelled');
      if (x[2] === 'grade') { r.lines[input.line].arrived[input.nth].grade = input.grade; return to(r.state); }
      if (x[2] === 'close-short') return to('received');
      if (x[2] === 'receive') {
        if (input.location_id === 'Lviv-2') return bad('/location_id', 'no goods are taken in there');
        for (const l of input.lines) r.lines[l.line].arrived.push({ quantity: l.quantity, grade: l.grade, location_id: input.location_id, lot: l.lot, at: ago(0), by: me.email });
        const all = r.lines.every((l) => l.arrived.reduce((n, a) => n + a.quantity, 0) >= l.quantity && l.arrived.every((a) => a.grade));
        return to(all ? 'received' : 'partly_received');
      }
      if (x[2] === 'refund') {
        const goods = r.lines.reduce((n, l) => n + l.arrived.reduce((k, a) => k + a.quantity, 0) * (PRICE[l.sku] ?? 50_000), 0);
        if (input.withheld_minor > goods) return bad('/withheld', `the goods bring ${goods}; not more is kept back`);
        const back = refund(String(world.next++), `return:${r.id}`, goods - input.withheld_minor, input.paid_out ? 'settled' : 'pending', { at: ago(0), order_id: r.order_id });
        world.refunds.unshift(back);
        return to(input.paid_out ? 'refunded' : 'received', { total: back.amount, withheld: uah(input.withheld_minor), way: input.way, refunds: [back] });
      }
      if (x[2] === 'fulfil') return to('fulfilled');
      return to('received', { kind: 'return', exchange: null });
    }
    if (is(/^\/claims\/(\d+)\/(\w+)$/)) {
      const c = world.claims.find((y) => y.id === x[1]);
      if (x[2] === 'approve') { if ((input.amount_minor ?? 0) > 124_900) return bad('/amount', 'it is more than nothing and at most 124900'); Object.assign(c, { state: 'approved', resolution: input.resolution, refund_minor: input.amount_minor ?? 124_900, answer: input.answer, decided_by: me.email }); }
      else Object.assign(c, { deny: { state: 'denied', answer: input?.why }, cancel: { state: 'cancelled' }, reopen: { state: 'open', note: `${c.note}\n${input?.note}` }, resolve: { state: 'resolved' } }[x[2]]);
      return json(shown(c));
    }
    if (is(/^\/after-sale\/(\d+)\/([\w-]+)$/)) {
      const c = world.cases.find((y) => y.id === x[1]);
      if (x[2] === 'step') c.state = { accept: 'accepted', wait: 'waiting', work: 'in_work', finish: 'ready', cancel: 'cancelled' }[input.step];
      if (x[2] === 'close') { if (c.loans.some((l) => !l.back_at)) return problem(res, 409, 'wrong_state', 'It is not at that point', { detail: 'what was lent is not back' }); Object.assign(c, { state: input.refused ? 'refused' : 'closed', outcome: input.outcome }); }
      if (x[2] === 'assign') Object.assign(c, { owner: input.owner, due_at: input.due_at ?? c.due_at, paid_by_customer: input.paid_by_customer });
      if (x[2] === 'lend') c.loans.push({ sku: input.sku, quantity: input.quantity, location_id: input.location_id, lot: input.lot, out_at: ago(0), back_at: null });
      if (x[2] === 'take-back') c.loans[input.loan].back_at = ago(0);
      return json(shown(c));
    }
    return undefined;
  };
}
