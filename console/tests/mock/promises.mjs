// Goods on order of the stand-in: who is promised what of which line, which promises moved, where an SKU is sold ahead.
export function promises({ NOW, ago }) {
  const world = {};
  const day = (n) => new Date(NOW + n * 86_400_000).toISOString();
  const part = (sku, quantity, purchase_order_id, line, state, promised_at) => ({ line: 0, sku, quantity, state, purchase_order_id, of_line: line, promised_at, reservation_id: null });
  const reset = () => {
    world.claims = [
      { id: '601', owner: 'order:31921', promised_at: day(5), parts: [part('KS-350-Z', 4, '23', 0, 'open', day(5))] },
      { id: '602', owner: 'Кав’ярня «Ґанок»', promised_at: day(5), parts: [part('KS-350-Z', 12, '23', 0, 'open', day(5))] },
      { id: '588', owner: 'order:31899', promised_at: null, parts: [part('HM-200220', 1, '22', 0, 'moved', ago(60 * 24))] },
    ];
    world.changes = [
      { id: '1', claim_id: '588', owner: 'order:31899', before: day(-4), after: day(-1), quantity: 1, why: 'it comes later', at: ago(60 * 24 * 5) },
      { id: '2', claim_id: '601', owner: 'order:31921', before: day(2), after: day(5), quantity: 4, why: 'it comes later', at: ago(60 * 7) },
    ];
    world.ahead = new Map([['KS-350-Z', { everywhere: false, locations: ['Lviv-1'] }]]);
    world.made = 610;
  };
  reset();
  const promised = (order, line) => world.claims.flatMap((c) => c.parts).filter((p) => p.purchase_order_id === order && p.of_line === line && p.state === 'open').reduce((n, p) => n + p.quantity, 0);
  const supplies = (orders, sku) => orders.filter((o) => ['ordered', 'partly_received'].includes(o.state)).flatMap((o) => o.lines.map((l, line) => ({ o, l, line }))).filter(({ l }) => l.sku === sku && l.awaited > 0).map(({ o, l, line }) => ({ purchase_order_id: o.id, line, location_id: o.location_id, free: l.awaited - promised(o.id, line), expected_at: o.expected_at }));
  const shown = (c) => ({ ...c, parts: c.parts.map(({ of_line: _, ...p }) => p) });
  return {
    reset,
    answer: ({ path, m, input, json, problem, res, bad, orders, names }) => {
      let x;
      if ((x = /^\/stock\/([^/]+)\/incoming$/.exec(path))) return json({ items: supplies(orders, decodeURIComponent(x[1])), next_cursor: null });
      if ((x = /^\/stock\/([^/]+)\/ahead$/.exec(path))) {
        const sku = decodeURIComponent(x[1]);
        if (!names.has(sku)) return problem(res, 404, 'not_found', 'Not found', { detail: 'there is no such SKU' });
        if (m === 'PUT') world.ahead.set(sku, input);
        return json(world.ahead.get(sku) ?? { everywhere: false, locations: [] });
      }
      if (path === '/incoming-claims/changes') return json({ items: world.changes, next_cursor: null });
      if (path === '/incoming-claims') {
        const [want] = input.lines;
        const from = supplies(orders, want.sku).find((s) => s.free >= want.quantity && (!input.location_id || s.location_id === input.location_id));
        if (!from) { const free = supplies(orders, want.sku).reduce((n, s) => n + s.free, 0); return bad('/lines/0', `of ${want.sku} ${want.quantity} are wanted and ${free} available`, 'not_enough', 409); }
        const c = { id: String(++world.made), owner: input.owner, promised_at: from.expected_at, parts: [part(want.sku, want.quantity, from.purchase_order_id, from.line, 'open', from.expected_at)] };
        world.claims.push(c);
        return json(shown(c), 201);
      }
      if ((x = /^\/incoming-claims\/(\d+)$/.exec(path))) {
        const c = world.claims.find((y) => y.id === x[1]);
        if (!c) return problem(res, 404, 'not_found', 'Not found');
        if (m === 'DELETE') { for (const p of c.parts) if (p.state === 'open') p.state = 'released'; return json(undefined, 204); }
        return json(shown(c));
      }
      if ((x = /^\/purchase-orders\/([^/]+)\/expected$/.exec(path))) {
        const o = orders.find((y) => y.id === x[1]);
        for (const c of world.claims) for (const p of c.parts) if (p.purchase_order_id === o.id && p.state === 'open') {
          world.changes.push({ id: String(world.changes.length + 1), claim_id: c.id, owner: c.owner, before: p.promised_at, after: input.expected_at, quantity: p.quantity, why: (input.expected_at ?? '9') > (p.promised_at ?? '') ? 'it comes later' : 'it comes earlier', at: ago(0) });
          p.promised_at = c.promised_at = input.expected_at;
        }
        Object.assign(o, { expected_at: input.expected_at, version: o.version + 1 });
        return json({ expected_at: o.expected_at, version: o.version });
      }
      return undefined;
    },
  };
}
