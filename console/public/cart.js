// A basket on its customer's own phone: what is in it, what was tried in the shop, how it gets to them, how it is paid for.
(function () {
  'use strict';
  var F = window.Front, el = F.el, money = F.money;
  var words = F.uk ? {
    title: 'Кошик', empty: 'Кошик порожній', emptyText: 'Скануйте цінники в магазині, щоб покласти сюди товари.', none: 'Такого кошика немає', noneText: 'Перевірте посилання: можливо, воно скопійоване не повністю.', away: 'Немає зв’язку', again: 'Спробувати зараз',
    less: 'Менше: {n}', more: 'Більше: {n}', out: 'Прибрати', each: '{n} за одиницю', off: 'знижка', goods: 'Товари', discount: 'Знижка', shipping: 'Доставка', total: 'Разом', advised: 'Разом дивилися в магазині', liked: 'сподобалося', notLiked: 'не сподобалося', tried: 'приміряли', back: 'Додати',
    slots: 'До цього пасує', add: 'Додати', how: 'Як отримати', pickup: 'Забрати', ship: 'Доставити', address: 'Адреса доставки', find: 'Показати способи', until: 'до {t}', free: 'безкоштовно', noWays: 'Туди зараз не доставляємо.', who: 'Хто замовляє', name: 'Ім’я', phone: 'Телефон', email: 'Електронна пошта', reach: 'Дайте телефон або пошту, щоб ми могли повідомити.', known: 'Ми знаємо, як із вами зв’язатися.',
    pay: 'Оплата', p_test: 'Онлайн зараз (пробна оплата)', p_on_delivery: 'Під час отримання', p_store_credit: 'Кредитом магазину', code: 'Код кредиту', order: 'Замовити · {n}', choose: 'Виберіть, як отримати.', coupon: 'Код знижки', couponAdd: 'Застосувати', c_applied: 'діє', c_not_applied: 'зараз не діє', c_unknown: 'такого коду немає', paidNot: 'Замовлення {n} прийнято, але оплата не пройшла.', toOrder: 'До замовлення', try: 'Примірка: платите лише за те, що залишите собі.'
  } : {
    title: 'Basket', empty: 'The basket is empty', emptyText: 'Scan price tags in the shop to put goods here.', none: 'There is no such basket', noneText: 'Check the link: perhaps it was not copied whole.', away: 'No connection', again: 'Try now',
    less: 'Less: {n}', more: 'More: {n}', out: 'Take out', each: '{n} each', off: 'discount', goods: 'Goods', discount: 'Discount', shipping: 'Delivery', total: 'Total', advised: 'What we looked at in the shop', liked: 'liked', notLiked: 'not liked', tried: 'tried on', back: 'Add',
    slots: 'Goes with it', add: 'Add', how: 'How to get it', pickup: 'Pick up', ship: 'Have it delivered', address: 'Delivery address', find: 'Show ways', until: 'by {t}', free: 'free', noWays: 'We do not deliver there now.', who: 'Who orders', name: 'Name', phone: 'Phone', email: 'E-mail', reach: 'Give a phone or an e-mail, so that we can tell you.', known: 'We know how to reach you.',
    pay: 'Payment', p_test: 'Online now (trial payment)', p_on_delivery: 'When I get it', p_store_credit: 'With store credit', code: 'Code of the credit', order: 'Order · {n}', choose: 'Choose how to get it.', coupon: 'Discount code', couponAdd: 'Apply', c_applied: 'applied', c_not_applied: 'does not count now', c_unknown: 'there is no such code', paidNot: 'Order {n} is placed, but the payment did not go through.', toOrder: 'To the order', try: 'Try-on: you pay only for what you keep.'
  };
  var say = function (key, value) { return (words[key] || key).replace(/\{\w\}/, value); };
  var root = document.getElementById('cart');
  var id = location.pathname.split('/')[2] || '';
  var path = 'carts/' + encodeURIComponent(id);
  var cart = null, slots = [], ways = { pickup: null, ship: null };
  // What the customer said so far: drawing anew keeps it.
  var said = { kind: 'pickup', address: '', option: '', name: '', phone: '', email: '', pay: '', code: '', coupon: '' };
  var wrong = '';
  document.title = words.title;

  function row(name, value, note) { return el('li', '', undefined, el('span', '', name, note ? el('div', 'q small', note) : null), typeof value === 'string' ? el('span', 'r', value) : value); }
  function keep(input, name) { input.value = said[name]; input.oninput = function () { said[name] = input.value; }; return input; }
  function put(sku, quantity) { return change(F.ask('PUT', path + '/lines', { sku: sku, quantity: quantity })); }
  function add(sku) { return change(F.ask('POST', path + '/lines', { sku: sku, quantity: 1 })); }
  function change(promise) {
    wrong = '';
    return promise.then(function (c) { cart = c; ways = { pickup: null, ship: null }; said.option = ''; draw(); offers(); suggestions(); }, function (e) { wrong = F.why(e); draw(); });
  }

  function lines() {
    var list = el('ul');
    cart.lines.forEach(function (l) {
      var q = Number(l.quantity);
      var n = el('span', 'count', undefined,
        F.button('−', function () { put(l.sku, Math.max(0, q - 1)); }), el('output', '', F.count(q)),
        F.button('+', function () { put(l.sku, q + 1); }));
      n.firstChild.setAttribute('aria-label', q <= 1 ? words.out + ': ' + (l.name || l.sku) : say('less', l.name || l.sku));
      n.lastChild.setAttribute('aria-label', say('more', l.name || l.sku));
      var li = row(l.name || l.sku, n, money(l.total) + (q !== 1 ? ' · ' + say('each', money(l.unit)) : ''));
      list.appendChild(li);
    });
    if (cart.discount.minor) list.appendChild(row(words.discount, money(cart.discount, -1)));
    if (cart.delivery) list.appendChild(row(words.shipping, cart.shipping.minor ? money(cart.shipping) : words.free));
    list.appendChild(row(words.total, money(cart.total)));
    return list;
  }
  function advised() {
    var list = el('ul');
    cart.advised.forEach(function (g) {
      var there = cart.lines.some(function (l) { return l.sku === g.sku; });
      var how = [g.tried ? words.tried : '', g.liked === true ? words.liked : g.liked === false ? words.notLiked : ''].filter(Boolean).join(' · ');
      list.appendChild(row(g.name || g.sku, there ? '' : F.button(words.back, function () { add(g.sku); }), how));
    });
    return el('section', '', undefined, el('h2', '', words.advised), list);
  }
  function beside() {
    var list = el('ul');
    slots.forEach(function (s) { list.appendChild(row(s.name, F.button(words.add, function () { add(s.sku); }), money(s.price))); });
    return el('section', '', undefined, el('h2', '', words.slots), list);
  }
  function radio(group, value, chosen, name, note, act) {
    var i = F.input({ type: 'radio', name: group });
    i.checked = chosen;
    i.onchange = act;
    return el('label', 'choice', undefined, i, el('span', '', name, note ? el('span', 'q small block', note) : null));
  }
  function how() {
    var box = el('section', '', undefined, el('h2', '', words.how));
    var kinds = el('div', 'row');
    [['pickup', words.pickup], ['ship', words.ship]].forEach(function (k) {
      var b = F.button(k[1], function () { said.kind = k[0]; said.option = ''; draw(); offers(); }, said.kind === k[0] ? 'on' : '');
      b.setAttribute('aria-pressed', String(said.kind === k[0]));
      kinds.appendChild(b);
    });
    box.appendChild(kinds);
    if (said.kind === 'ship') {
      var a = keep(F.input({ autocomplete: 'street-address' }), 'address');
      a.onchange = function () { ways.ship = null; said.option = ''; offers(); };
      box.appendChild(F.field(words.address, a));
    }
    var all = ways[said.kind];
    (all || []).forEach(function (w) {
      var note = [w.price.minor ? money(w.price) : words.free, say('until', F.time(w.latest))].join(' · ');
      box.appendChild(radio('way', w.option_id, said.option === w.option_id, w.name, note, function () { said.option = w.option_id; wrong = ''; choose(); }));
    });
    if (all && !all.length) box.appendChild(el('p', 'q', words.noWays));
    return box;
  }
  function choose() {
    return change2(F.ask('PUT', path + '/delivery', said.kind === 'ship' ? { option_id: said.option, address: said.address } : { option_id: said.option }));
  }
  function change2(promise) { return promise.then(function (c) { cart = c; draw(); }, function (e) { wrong = F.why(e); draw(); }); }
  function who() {
    var box = el('section', '', undefined, el('h2', '', words.who));
    if (cart.reachable) box.appendChild(el('p', 'q', words.known));
    else {
      box.appendChild(F.field(words.name, keep(F.input({ autocomplete: 'name' }), 'name')));
      box.appendChild(F.field(words.phone, keep(F.input({ type: 'tel', autocomplete: 'tel' }), 'phone')));
      box.appendChild(F.field(words.email, keep(F.input({ type: 'email', autocomplete: 'email' }), 'email')));
      box.appendChild(el('p', 'q small', words.reach));
    }
    return box;
  }
  function paying() {
    var box = el('section', '', undefined, el('h2', '', words.pay));
    if (!said.pay) said.pay = cart.payment_ways[0] || '';
    cart.payment_ways.forEach(function (w) {
      box.appendChild(radio('pay', w, said.pay === w, words['p_' + w] || w, '', function () { said.pay = w; draw(); }));
    });
    if (said.pay === 'store_credit') box.appendChild(F.field(words.code, keep(F.input({ autocomplete: 'off', maxlength: '40' }), 'code')));
    if (cart.try_on) box.appendChild(el('p', 'q', words.try));
    return box;
  }
  function coupon() {
    var box = el('section', 'quiet');
    cart.coupons.forEach(function (c) { box.appendChild(el('p', '', c.code + ': ' + words['c_' + c.verdict])); });
    var i = keep(F.input({ autocomplete: 'off', maxlength: '100' }), 'coupon');
    box.appendChild(el('div', 'row', undefined, F.field(words.coupon, i), F.button(words.couponAdd, function () {
      if (said.coupon.trim()) { var code = said.coupon.trim(); said.coupon = ''; change(F.ask('POST', path + '/coupons', { code: code })); }
    })));
    return box;
  }
  function draw() {
    if (cart.order_id) return location.replace('/o/' + encodeURIComponent(cart.order_id));
    F.kept('braid-basket', id);
    var out = [el('h1', '', words.title)];
    if (!cart.lines.length) out.push(el('section', '', undefined, el('h2', '', words.empty), el('p', 'q', words.emptyText)));
    else out.push(el('section', '', undefined, lines()));
    if (cart.advised && cart.advised.length) out.push(advised());
    if (slots.length) out.push(beside());
    if (cart.lines.length) {
      out.push(how(), who(), paying(), coupon());
      var alarm = F.alarm();
      alarm.textContent = wrong;
      var go = F.button(say('order', money(cart.total)), order, 'act wide');
      out.push(alarm, go);
    } else if (wrong) { var a = F.alarm(); a.textContent = wrong; out.push(a); }
    var focus = document.activeElement && document.activeElement.name;
    root.replaceChildren.apply(root, out);
    if (focus) { var f = root.querySelector('input[name="' + focus + '"]:checked'); if (f) f.focus(); }
  }
  function order(event) {
    var b = event.currentTarget;
    wrong = '';
    if (!said.option && !cart.delivery) { wrong = words.choose; return draw(); }
    if (!cart.reachable && !said.phone.trim() && !said.email.trim()) { wrong = words.reach; return draw(); }
    b.disabled = true;
    var start = cart.reachable ? Promise.resolve() : F.ask('PUT', path + '/customer', { name: said.name.trim(), phone: said.phone.trim(), email: said.email.trim() });
    start
      .then(function () { return F.ask('POST', path + '/checkout', {}, 'checkout-' + id); })
      .then(function (placed) {
        F.kept('braid-basket', '');
        if (!said.pay) return placed;
        var body = { provider: said.pay, amount: placed.total };
        if (said.pay === 'store_credit') body.code = said.code;
        return F.ask('POST', 'orders/' + encodeURIComponent(placed.order_id) + '/payments', body, 'pay-' + placed.order_id).then(function () { return placed; }, function (e) {
          // The order stands; its own page takes the money in other ways.
          var a = el('a', '', words.toOrder);
          a.href = '/o/' + encodeURIComponent(placed.order_id);
          root.replaceChildren(el('h1', '', say('paidNot', placed.number)), el('p', 'q', F.why(e)), a);
          return null;
        });
      })
      .then(function (placed) { if (placed) location.href = '/o/' + encodeURIComponent(placed.order_id); })
      .catch(function (e) { wrong = F.why(e); load(); });
  }
  function offers() {
    if (!cart.lines.length || (said.kind === 'ship' && !said.address.trim())) return;
    var kind = said.kind;
    F.ask('GET', path + '/delivery-options' + (kind === 'ship' ? '?address=' + encodeURIComponent(said.address.trim()) : '')).then(function (r) {
      var pick = function (w) { return Boolean(w.location_id); };
      ways[kind] = r.items.filter(function (w) { return kind === 'pickup' ? pick(w) : !pick(w); });
      // The shop where they were advised comes first.
      if (kind === 'pickup' && cart.advised_at) ways.pickup.sort(function (a, b) { return (b.location_id === cart.advised_at) - (a.location_id === cart.advised_at); });
      if (cart.delivery && !said.option) {
        var known = ways[kind].filter(function (w) { return w.location_id ? w.location_id === cart.delivery.location_id : w.option_id === cart.delivery.option_id; })[0];
        if (known) said.option = known.option_id;
      }
      draw();
    }, function (e) { wrong = F.why(e); draw(); });
  }
  function suggestions() { F.ask('GET', path + '/slots').then(function (r) { slots = r.items; draw(); }, function () { /* nothing is offered */ }); }
  function load() {
    F.ask('GET', path).then(function (c) {
      cart = c;
      if (c.delivery && c.delivery.kind === 'ship') said.kind = 'ship';
      draw();
      offers();
      suggestions();
    }).catch(function (e) {
      if (e.status === 404) { if (F.kept('braid-basket') === id) F.kept('braid-basket', ''); return root.replaceChildren(el('h1', '', words.none), el('p', 'q', words.noneText)); }
      root.replaceChildren(el('h1', '', words.away), el('p', 'q', F.why(e)), F.button(words.again, load));
    });
  }
  load();
})();
