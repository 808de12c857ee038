// Lots, who waits, costs, serial numbers, tags, companies, law and the exchange with an accounting system, of the stand-in.
export function company({ NOW, ago, movements = () => [] }) {
  const DAY = 24 * 60;
  const later = (min) => new Date(NOW + min * 60_000).toISOString();
  const world = {};
  const reset = () => {
    world.lots = [
      { lot: 'L-2611', state: 'good', why: '', version: 1, first_at: ago(DAY * 30), expires_at: later(DAY * 9), places: [{ location_id: 'Lviv-1', condition: 'sellable', quantity: 8 }, { location_id: 'Hub', condition: 'sellable', quantity: 40 }] },
      { lot: 'L-2604', state: 'expired', why: '', version: 2, first_at: ago(DAY * 200), expires_at: ago(DAY), places: [{ location_id: 'Hub', condition: 'quarantine', quantity: 3 }] },
    ];
    world.waiting = [
      { id: '1', sku: 'HM-200220', channel: 'site', location_id: null, quantity: 1, email: null, phone: '+380671234567', state: 'told', joined_at: ago(DAY * 3), told_at: ago(40), until_at: later(80), reservation_id: '305' },
      { id: '2', sku: 'HM-200220', channel: 'site', location_id: 'Lviv-1', quantity: 2, email: 'o.hudz@ukr.net', phone: null, state: 'waiting', joined_at: ago(DAY), told_at: null, until_at: null, reservation_id: null },
    ];
    world.entities = [
      { id: 'tov', kind: 'company', name: 'ТОВ «Світлиця»', code: '32855961', vat: true, vat_code: '328559613015', iban: 'UA213223130000026007233566001', address: 'Львів', markup_permille: 50, version: 1, places: [{ location_id: 'Hub', since: '2024-01-01T00:00:00Z', until: null }, { location_id: 'Lviv-1', since: '2024-01-01T00:00:00Z', until: null }] },
      { id: 'fop', kind: 'sole_trader', name: 'ФОП Ґалаґан', code: '2935277368', vat: false, vat_code: '', iban: '', address: '', markup_permille: 0, version: 1, places: [{ location_id: 'Kyiv-1', since: '2025-06-01T00:00:00Z', until: null }] },
    ];
    world.law = { version: 0, id: 'UA', updated_at: null, document: { country: 'UA', time_zone: 'Europe/Kyiv', standard: 'standard', rules: [
      { rule: { kind: 'tax', class: 'standard', letter: 'А', vat_percent: 20 }, from: '2011-01-01', source: 'ПКУ, ст. 193.1 а' },
      { rule: { kind: 'tax', class: 'medicines', letter: 'Б', vat_percent: 7 }, from: '2014-04-01', source: 'ПКУ, ст. 193.1 в' },
      { rule: { kind: 'tax', class: 'excise', letter: 'Г', vat_percent: 20, excise_percent: 5 }, from: '2015-01-01', source: 'ПКУ, ст. 213.1.9' },
      { rule: { kind: 'cash', rounding: { step_minor: 10, up_from_minor: 5 } }, from: '2018-07-01', until: '2025-10-01', source: 'НБУ' },
      { rule: { kind: 'cash', rounding: { step_minor: 50, up_from_minor: 25 } }, from: '2025-10-01', source: 'НБУ: монета 10 коп. виходить з обігу' },
      { rule: { kind: 'age', goods: ['alcohol', 'tobacco'], years: 18 }, from: '2010-01-01', source: 'Закон 481/95' },
      { rule: { kind: 'returns', days: 14, fault_days: 730, except: [{ class: 'food', words: 'харчі' }] }, from: '1994-03-19', source: 'Закон про захист прав споживачів, ст. 9' },
      { rule: { kind: 'earlier_price', shown: { as: 'previous' } }, from: '2011-01-01', source: 'Закон про захист прав споживачів' },
    ] } };
    world.tags = { id: '3', session: 'walk-1', location_id: 'Lviv-1', device: 'Zebra 2', source: 'rfid', created_by: 'robot', first_at: ago(70), last_at: ago(55), count_id: null };
    world.erp = [{ id: '1', name: 'bas', kind: 'commerceml', address: 'https://braid.example.com/exchange/1c/bas', login: 'bas', password: null, settings: { stock: 'counts', vanish_percent: 20, zip: true, currency: 'UAH' }, acknowledged: '0', created_at: ago(DAY * 40), created_by: 'iryna', updated_at: ago(DAY), version: 3 }];
    world.exchanges = [{ id: '12', direction: 'catalog', state: 'open', whole: true, asked: '240 of 900', begun_at: ago(30), heard_at: ago(12), files: [{ name: 'import0_1.xml', bytes: 90_000, job_id: '5', tally: { goods: 660, changed: 14, refused: 2, created: 0, counts: 0, items: 0, moved: 0, offers: 0, orders: 0, prices: 0, waiting: 0 } }] }, { id: '11', direction: 'sale', state: 'done', whole: null, asked: null, begun_at: ago(DAY), heard_at: ago(DAY - 3), files: [{ name: 'orders.xml', bytes: 4_000, job_id: null, tally: { orders: 21 } }] }];
    world.journal = [{ id: '91', at: ago(12), exchange_id: '12', level: 'refused', file: 'import0_1.xml', row: 418, subject: 'a1b2-4418', what: 'the price is no number: “договірна”' }, { id: '90', at: ago(13), exchange_id: '12', level: 'note', file: 'offers0_1.xml', row: 3, subject: 'HM-200220', what: 'less than nothing counts as nothing' }];
    const diff = (id, sku, cause, right, ours, theirs, location_id = 'Lviv-1') => ({ id, sku, cause, right, ours, theirs, location_id, external_id: `x-${id}`, warehouse: 'Городоцька', advice: '', at: ago(200), run: '4' });
    world.differences = [diff('1', 'HM-200220', 'late_document', 'here', 18, 20), diff('2', 'KS-350-Z', 'lost', 'unknown', 12, 14), diff('3', null, 'unmapped_warehouse', 'unknown', 0, 7, null)];
    world.mappings = [{ kind: 'warehouse', external_id: 'w-1', name: 'Городоцька', target: 'Lviv-1' }, { kind: 'warehouse', external_id: 'w-2', name: 'Сихів', target: '' }, { kind: 'price_type', external_id: 'p-1', name: 'Роздрібна', target: 'base', currency: 'UAH' }];
  };
  reset();

  return ({ path, m, url, input, json, problem, res, page }) => {
    const bad = (pointer, detail) => problem(res, 422, 'bad_input', 'A value is not possible', { detail, errors: [{ pointer, detail }] });
    const all = (items, status = 200) => json({ items, next_cursor: null }, status);
    let x;
    const is = (re) => (x = re.exec(path));
    if (path === '/mock-company-reset') { reset(); return json({}); }
    if (is(/^\/stock\/([^/]+)\/lots$/)) return all(x[1] === 'HM-200220' ? world.lots : []);
    if (is(/^\/stock\/[^/]+\/lots\/([^/]+)$/)) {
      const lot = world.lots.find((l) => l.lot === decodeURIComponent(x[1]));
      if (input.expires_on === '2020-01-01') return bad('/expires_on', 'it is out of range');
      Object.assign(lot, { why: input.why, state: input.quarantined ? 'quarantined' : 'good' });
      return json({ lot, broken: input.quarantined ? [{ reservation_id: '305', owner: 'o', sku: 'HM-200220', location_id: 'Lviv-1', quantity: 1 }] : [] });
    }
    if (is(/^\/stock\/([^/]+)\/cost$/)) return json({ sku: x[1], currency: 'UAH', on_hand: 58, average_minor: 3_944_000, average_unit_minor: 68_000, fifo_minor: 3_990_000, owed: 0, unknown: 1, foreign: 0, layers: [{ movement_id: '7', at: ago(DAY * 40), quantity: 18, value_minor: 1_170_000 }, { movement_id: '9', at: ago(DAY * 12), quantity: 40, value_minor: 2_820_000 }] });
    if (path === '/waiting-list' && m === 'GET') return all(url.searchParams.get('sku') === 'HM-200220' ? world.waiting : []);
    if (path === '/waiting-list') {
      if (input.phone && input.phone.replace(/\D/g, '').length < 9) return bad('/phone', 'it is no phone');
      const w = { id: String(world.waiting.length + 1), channel: 'site', told_at: null, until_at: null, reservation_id: null, state: 'waiting', joined_at: ago(0), ...input };
      world.waiting.push(w);
      return json(w, 201);
    }
    if (is(/^\/waiting-list\/(\d+)$/)) { world.waiting = world.waiting.filter((w) => w.id !== x[1]); return json(undefined, 204); }
    if (is(/^\/serials\/(.+)$/)) return x[1] === 'SN-00412' ? all([{ serial: 'SN-00412', sku: 'HM-200220', places: [{ location_id: 'Lviv-1', condition: 'sellable', quantity: 1 }], history: [{ movement_id: '1', document_id: '1', kind: 'receipt', at: ago(DAY * 20), from: 'supplier', to: 'Hub', from_condition: 'sellable', to_condition: 'sellable', quantity: 1, reason: '', reference: 'ВН-412', actor: 'iryna' }, { movement_id: '4', document_id: '2', kind: 'movement', at: ago(DAY * 3), from: 'Hub', to: 'Lviv-1', from_condition: 'sellable', to_condition: 'sellable', quantity: 1, reason: 'transfer', reference: '', actor: 'iryna' }] }]) : all([]);
    if (path === '/rfid-sessions') return all([world.tags]);
    if (path === '/rfid-sessions/3') return json({ session: world.tags, lines: [{ sku: 'HM-200220', seen: 17, book: 18, sellable: 17, difference: -1 }, { sku: 'KS-350-Z', seen: 12, book: 12, sellable: 12, difference: 0 }], unknown: [{ gtin: '04820000000017', tags: 2 }] });
    if (path === '/rfid-sessions/3/count') { world.tags.count_id = '41'; return json({ count_id: '41' }, 201); }
    if (path === '/legal-entities') return all(world.entities);
    if (path === '/legal-entities/report') {
      // As the server counts it: by the place that is ours, and whose it was then.
      const [from, until] = [url.searchParams.get('from'), url.searchParams.get('until')];
      const row = (entity_id) => ({ entity_id, received: 0, sold: 0, returned: 0, corrected: 0, sold_between_minor: 0, bought_between_minor: 0 });
      const total = row(null);
      const rows = new Map();
      for (const mv of movements().filter((y) => y.at >= from && y.at < until)) {
        const place = ['supplier', 'customer', 'loss'].includes(mv.from) ? mv.to : mv.from;
        const who = world.entities.find((e) => e.places.some((p) => p.location_id === place && p.since <= mv.at && (!p.until || mv.at < p.until)))?.id ?? null;
        const part = { received: mv.from === 'supplier' ? mv.quantity : 0, sold: mv.to === 'customer' ? mv.quantity : 0, returned: mv.from === 'customer' ? mv.quantity : 0, corrected: mv.from === 'loss' ? mv.quantity : mv.to === 'loss' ? -mv.quantity : 0 };
        if (!Object.values(part).some(Boolean)) continue;
        if (!rows.has(who)) rows.set(who, row(who));
        for (const [k, n] of Object.entries(part)) { rows.get(who)[k] += n; total[k] += n; }
      }
      if (ago(DAY * 2) >= from && ago(DAY * 2) < until) { for (const [who, k] of [['tov', 'sold_between_minor'], ['fop', 'bought_between_minor']]) { if (!rows.has(who)) rows.set(who, row(who)); rows.get(who)[k] += 285_600; total[k] += 285_600; } }
      return json({ items: [...rows.values()], total });
    }
    if (path === '/legal-entities/documents') return all([{ id: '1', document_id: '80', entity_id: 'tov', other_id: 'fop', side: 'sale', quantity: 4, net_minor: 285_600, currency: 'UAH', seller_vat: true, reference: 'T-12', at: ago(DAY * 2) }, { id: '1', document_id: '80', entity_id: 'fop', other_id: 'tov', side: 'purchase', quantity: 4, net_minor: 285_600, currency: 'UAH', seller_vat: true, reference: 'T-12', at: ago(DAY * 2) }]);
    if (is(/^\/legal-entities\/([^/]+)\/locations$/)) { for (const e of world.entities) for (const p of e.places) if (p.location_id === input.location_id && !p.until) p.until = ago(0); world.entities.find((e) => e.id === x[1]).places.push({ location_id: input.location_id, since: input.since ?? ago(0), until: null }); return json(undefined, 204); }
    if (is(/^\/legal-entities\/([^/]+)$/)) {
      if (input.code && !/^\d{8}$|^\d{10}$/.test(input.code)) return bad('/code', 'its check digit is wrong');
      const old = world.entities.find((e) => e.id === x[1]);
      if (old) return json(Object.assign(old, input));
      const e = { id: x[1], version: 1, places: [], ...input };
      world.entities.push(e);
      return json(e, 201);
    }
    if (is(/^\/laws\/([A-Z]{2})$/)) {
      if (x[1] !== 'UA' && world.law.id !== x[1] && m === 'GET') return problem(res, 404, 'not_found', 'Not found', { detail: 'no rules of law are known of this country' });
      if (m === 'PUT') {
        const { rules } = input.document;
        const none = rules.findIndex((r) => !r.source);
        if (none >= 0) return bad(`/document/rules/${none}/source`, 'say where the rule is written');
        const odd = rules.findIndex((r) => r.rule.kind === 'tax' && r.rule.class === 'odd');
        if (odd >= 0) return bad(`/document/rules/${odd}/rule/class`, 'no product names this class');
        world.law = { ...world.law, id: x[1], version: world.law.version + 1, document: input.document, updated_at: ago(0) };
      }
      return json(world.law);
    }
    if (path === '/erp' && m === 'GET') return all(world.erp);
    if (path === '/erp') {
      if (!/^[a-z0-9-]+$/.test(input.name)) return bad('/name', 'small letters, digits and - are allowed');
      const c = { ...world.erp[0], id: '2', name: input.name, kind: input.kind, login: input.name, address: `https://braid.example.com/exchange/1c/${input.name}`, version: 1 };
      world.erp.push(c);
      return json({ ...c, password: 'qV7-once-only' }, 201);
    }
    if (is(/^\/erp\/([^/]+)$/)) {
      const c = world.erp.find((e) => e.name === x[1]);
      if (!c) return problem(res, 404, 'not_found', 'There is no such connection');
      if (m === 'DELETE') { world.erp = world.erp.filter((e) => e !== c); return json(undefined, 204); }
      if (m === 'PUT') { Object.assign(c, { settings: input.settings, version: c.version + 1 }); return json({ ...c, password: input.new_password ? 'nEw-once-only' : null }); }
      return json(c);
    }
    if (/\/exchanges$/.test(path)) return json(page(world.exchanges, url));
    if (/\/exchanges\/12\/confirm$/.test(path)) { Object.assign(world.exchanges[0], { asked: null, state: 'done' }); return json({ archived: input.archive ? 240 : 0 }); }
    if (/\/journal$/.test(path)) { const of = url.searchParams.get('exchange'); return json(page(world.journal.filter((l) => !of || l.exchange_id === of), url)); }
    if (/\/differences$/.test(path)) return json(page(world.differences, url));
    if (/\/reconciliations$/.test(path)) return json({ items: 900, differences: 3, run: '5' });
    if (/\/mappings$/.test(path)) { if (m === 'PUT') return json(Object.assign(world.mappings.find((y) => y.external_id === input.external_id), input)); return all(world.mappings); }
    return undefined;
  };
}
