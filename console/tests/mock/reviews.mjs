// Reviews of the stand-in: one negative without an answer, one to be read, one published, one of a marketplace.
export function reviews({ ago, me }) {
  let all = [];
  const one = (id, rating, name, title, text, more = {}) => ({ id, product_id: 'khmara', product_name: 'Ковдра «Хмара»', sku: 'HM-200220', order_number: '31878', source: 'own', source_id: '', state: 'awaiting', reason: '', rating, title, text, name, lang: 'uk', verified: true, answer: '', answered_by: '', answered_at: null, written_at: ago(600 - Number(id)), updated_at: ago(600 - Number(id)), version: 1, ...more });
  const reset = () => {
    all = [
      one('41', 1, 'Андрій', 'Лізе пух', 'Після першого прання пух лізе зі швів.'),
      one('44', 3, 'Марія', '', 'Тепла, але заважка.'),
      one('43', 5, 'Олена', 'Як хмаринка', 'Легка й тепла, спимо вже місяць.', { state: 'published', answer: 'Дякуємо!', answered_by: me.email, answered_at: ago(60) }),
      one('42', 4, '', '', '', { state: 'published', source: 'marketplace', source_id: 'rozetka:1201', order_number: null, verified: false, product_id: 'kosiv', product_name: 'Горня «Косів»', sku: '' }),
    ];
  };
  reset();
  const shown = (r) => ({ ...r, raised: r.state !== 'rejected' && !r.answer && r.rating <= 2 });
  const rating = (id) => {
    const stars = [1, 2, 3, 4, 5].map((n) => all.filter((r) => r.product_id === id && r.state === 'published' && r.rating === n).length);
    const count = stars.reduce((a, b) => a + b, 0);
    return { count, mean: count ? (stars.reduce((a, n, at) => a + n * (at + 1), 0) / count).toFixed(2) : null, stars };
  };
  return ({ path, url, m, input, json, problem, res }) => {
    let x;
    const is = (re) => (x = re.exec(path));
    if (path === '/mock/reviews-reset') { reset(); return json({}); }
    if (path === '/mock/reviews-empty') { all = []; return json({}); }
    if (is(/^\/api\/v1\/products\/([^/]+)\/rating$/)) return json(rating(decodeURIComponent(x[1])));
    if (path === '/api/v1/reviews' && m === 'GET') {
      const q = url.searchParams, has = (name, of) => !q.get(name) || of === q.get(name);
      const items = all.map(shown).filter((r) => has('state', r.state) && has('source', r.source) && has('rating', String(r.rating)) && has('product_id', r.product_id) && (q.get('unanswered') !== 'true' || !r.answer));
      items.sort((a, b) => Number(b.raised) - Number(a.raised) || Number(b.id) - Number(a.id));
      return json({ items, next_cursor: null });
    }
    if (is(/^\/api\/v1\/reviews\/(\d+)\/steps$/)) {
      const r = all.find((one) => one.id === x[1]);
      if (!r) return problem(res, 404, 'not_found', 'There is no such review');
      if (input.do === 'publish') Object.assign(r, { state: 'published', reason: '' });
      if (input.do === 'reject') {
        if (!input.reason.trim()) return problem(res, 409, 'wrong_state', 'It is not at a point where this can be done');
        Object.assign(r, { state: 'rejected', reason: input.reason });
      }
      if (input.do === 'answer') Object.assign(r, { answer: input.text.trim(), answered_by: me.email, answered_at: ago(0) });
      r.version += 1;
      return json(shown(r));
    }
    return undefined;
  };
}
