// An order on its customer's own phone: what is happening with it, by when, the code for the counter, what is to pay.
// One small file without a framework: it opens at a shop's door with one bar of signal.
(function () {
  'use strict';
  var uk = navigator.languages.some(function (l) { return l.toLowerCase().indexOf('uk') === 0; }) || !navigator.languages.some(function (l) { return l.toLowerCase().indexOf('en') === 0; });
  var words = uk ? {
    title: 'Замовлення {n}', awaiting_payment: 'Чекає на оплату', on_hold: 'Уточнюємо деталі', parked: 'Шукаємо товар', confirmed: 'Прийнято', in_progress: 'Збираємо', partly_sent: 'Частина в дорозі', sent: 'У дорозі', partly_delivered: 'Частина у вас', delivered: 'Отримано', partly_returned: 'Частину повернуто', returned: 'Повернуто', lost: 'Загублено перевізником', cancelled: 'Скасовано', ready: 'Можна забирати',
    code: 'Код для видачі', show: 'Покажіть або назвіть його на касі.', keep: 'Чекаємо на вас до {t}.', promise: 'Обіцяємо: до {t}', pay: 'До сплати', back: 'Повернемо вам', even: 'Усе сплачено.', goods: 'Товари', delivery: 'Доставка', discount: 'Знижка', total: 'Разом', pickup: 'Забрати: {p}', ship: 'Доставка перевізником', tracking: 'ТТН {t}', try: 'Примірка: платите лише за те, що залишите собі.',
    l_waiting: 'готуємо', l_ready: 'готово', l_sent: 'у дорозі', l_delivered: 'у вас', l_returned: 'повернуто', l_cancelled: 'скасовано', confirm: 'Магазин чекає, що ви підтвердите замовлення: натисніть кнопку в повідомленні від нас.', prepay: 'Щоб ми відправили замовлення, потрібна передплата.',
    none: 'Такого замовлення немає', noneText: 'Перевірте посилання: можливо, воно скопійоване не повністю.', away: 'Немає зв’язку', awayText: 'Показуємо, як було о {t}. Спробуємо знову самі.', awayNothing: 'Замовлення збережене в магазині. Спробуємо знову самі.', again: 'Спробувати зараз', at: 'Оновлено о {t}'
  } : {
    title: 'Order {n}', awaiting_payment: 'Waiting for payment', on_hold: 'We are checking details', parked: 'We are looking for the goods', confirmed: 'Accepted', in_progress: 'Being packed', partly_sent: 'Part of it is on the way', sent: 'On the way', partly_delivered: 'You have part of it', delivered: 'You have it', partly_returned: 'Part of it was returned', returned: 'Returned', lost: 'Lost by the carrier', cancelled: 'Cancelled', ready: 'Ready to be picked up',
    code: 'Pick-up code', show: 'Show it at the counter, or say it.', keep: 'We keep it until {t}.', promise: 'Promised by {t}', pay: 'To pay', back: 'We give you back', even: 'All is paid.', goods: 'Goods', delivery: 'Delivery', discount: 'Discount', total: 'Total', pickup: 'Pick up at {p}', ship: 'Delivered by carrier', tracking: 'Waybill {t}', try: 'Try-on: you pay only for what you keep.',
    l_waiting: 'being prepared', l_ready: 'ready', l_sent: 'on the way', l_delivered: 'with you', l_returned: 'returned', l_cancelled: 'cancelled', confirm: 'The shop waits for you to confirm: press the button in our message.', prepay: 'We send it once a part is paid.',
    none: 'There is no such order', noneText: 'Check the link: perhaps it was not copied whole.', away: 'No connection', awayText: 'This is how it was at {t}. We try again by ourselves.', awayNothing: 'The order is safe with the shop. We try again by ourselves.', again: 'Try now', at: 'As of {t}'
  };
  var say = function (key, value) { return (words[key] || key).replace(/\{\w\}/, value); };
  var locale = uk ? 'uk-UA' : 'en-GB';
  document.documentElement.lang = uk ? 'uk' : 'en';
  var root = document.getElementById('order');
  var id = location.pathname.split('/')[2] || '';
  var last = null, at = null, timer;

  function el(tag, cls, text) {
    var e = document.createElement(tag);
    if (cls) e.className = cls;
    if (text !== undefined) e.textContent = text;
    for (var i = 3; i < arguments.length; i++) if (arguments[i]) e.appendChild(arguments[i]);
    return e;
  }
  function money(m, sign) {
    var f = new Intl.NumberFormat(locale, { style: 'currency', currency: m.currency, currencyDisplay: 'narrowSymbol' });
    return f.format((sign || 1) * m.minor / Math.pow(10, f.resolvedOptions().maximumFractionDigits));
  }
  function time(w) { return new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' }).format(new Date(w)); }
  function clock(w) { return new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit', second: '2-digit' }).format(w); }
  function row(name, value, note) { return el('li', '', undefined, el('span', '', name, note ? el('div', 'q small', note) : null), el('span', 'r', value)); }

  function draw(o, away) {
    document.title = say('title', o.number);
    var ready = o.pick_up_code !== undefined && o.pick_up_code !== null;
    var state = ready ? 'ready' : o.state;
    var tone = { ready: 'good', delivered: 'good', awaiting_payment: 'warn', on_hold: 'warn', parked: 'warn', cancelled: 'bad', lost: 'bad' }[state] || '';
    var out = [];
    if (away) out.push(el('section', 'pay', undefined, el('h2', '', words.away), el('p', '', say('awayText', clock(at))), again()));
    out.push(el('h1', '', say('title', o.number)));
    var top = el('section', '', undefined, el('p', 'state ' + tone, words[state] || state));
    if (o.promised && ['delivered', 'cancelled', 'returned', 'lost'].indexOf(o.state) < 0 && !ready) top.appendChild(el('p', '', say('promise', time(o.promised.latest))));
    if (o.delivery) top.appendChild(el('p', 'q', o.delivery.kind === 'pickup' ? say('pickup', o.delivery.location_name || o.delivery.location_id || '') : words.ship));
    o.parcels.forEach(function (p) {
      if (p.keep_until && p.state === 'ready') top.appendChild(el('p', 'q', say('keep', time(p.keep_until))));
      if (p.tracking) top.appendChild(el('p', 'q', say('tracking', p.tracking)));
    });
    out.push(top);
    if (ready) out.push(el('section', 'code', undefined, el('h2', '', words.code), el('b', '', o.pick_up_code), el('p', 'q', words.show)));
    if (o.asks === 'confirm' || o.asks === 'prepay') out.push(el('section', 'pay', words[o.asks]));
    var due = o.to_pay.minor;
    if (o.state !== 'cancelled' || due < 0) out.push(el('section', due > 0 ? 'pay' : '', undefined, due ? el('h2', '', due > 0 ? words.pay : words.back) : null, due ? el('p', 'state', money(o.to_pay, due > 0 ? 1 : -1)) : el('p', '', words.even), o.try_on ? el('p', 'q', words.try) : null));
    var list = el('ul');
    o.lines.forEach(function (l) { list.appendChild(row(l.name || l.sku, money(l.total), (l.quantity !== 1 ? l.quantity + ' × · ' : '') + (words['l_' + l.state] || l.state))); });
    if (o.shipping.minor) list.appendChild(row(words.delivery, money(o.shipping)));
    if (o.discount.minor) list.appendChild(row(words.discount, money(o.discount, -1)));
    list.appendChild(row(words.total, money(o.total)));
    out.push(el('section', '', undefined, el('h2', '', words.goods), list));
    out.push(el('p', 'q small', say('at', clock(at))));
    root.replaceChildren.apply(root, out);
  }
  function again() {
    var b = el('button', '', words.again);
    b.type = 'button';
    b.onclick = load;
    return b;
  }
  function load() {
    clearTimeout(timer);
    fetch('/shop/v1/orders/' + encodeURIComponent(id), { headers: { accept: 'application/json' }, credentials: 'omit' })
      .then(function (r) {
        if (r.status === 404) return root.replaceChildren(el('h1', '', words.none), el('p', 'q', words.noneText));
        if (!r.ok) throw new Error(String(r.status));
        return r.json().then(function (o) {
          var changed = JSON.stringify(o) !== JSON.stringify(last);
          last = o;
          at = new Date();
          // The same answer moves nothing but the clock, so that a reader is not interrupted.
          if (changed || root.querySelector('button')) draw(o, false);
          else root.lastChild.textContent = say('at', clock(at));
          timer = setTimeout(load, 10000);
        });
      })
      .catch(function () {
        if (last) draw(last, true);
        else root.replaceChildren(el('h1', '', words.away), el('p', 'q', words.awayNothing), again());
        timer = setTimeout(load, 15000);
      });
  }
  document.addEventListener('visibilitychange', function () { if (!document.hidden) load(); else clearTimeout(timer); });
  load();
})();
