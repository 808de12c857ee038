// An order on its customer's own phone: what is happening with it, by when, the code for the counter, what is to pay.
// One small file without a framework: it opens at a shop's door with one bar of signal.
(function () {
  'use strict';
  var uk = window.Front.uk;
  var words = uk ? {
    title: 'Замовлення {n}', awaiting_payment: 'Чекає на оплату', on_hold: 'Уточнюємо деталі', parked: 'Шукаємо товар', confirmed: 'Прийнято', in_progress: 'Збираємо', partly_sent: 'Частина в дорозі', sent: 'У дорозі', partly_delivered: 'Частина у вас', delivered: 'Отримано', partly_returned: 'Частину повернуто', returned: 'Повернуто', lost: 'Загублено перевізником', cancelled: 'Скасовано', ready: 'Можна забирати',
    code: 'Код для видачі', show: 'Покажіть або назвіть його на касі.', keep: 'Чекаємо на вас до {t}.', promise: 'Обіцяємо: до {t}', pay: 'До сплати', back: 'Повернемо вам', even: 'Усе сплачено.', goods: 'Товари', delivery: 'Доставка', discount: 'Знижка', total: 'Разом', pickup: 'Забрати: {p}', ship: 'Доставка перевізником', tracking: 'ТТН {t}', try: 'Примірка: платите лише за те, що залишите собі.',
    l_waiting: 'готуємо', l_ready: 'готово', l_sent: 'у дорозі', l_delivered: 'у вас', l_returned: 'повернуто', l_cancelled: 'скасовано', confirm: 'Магазин чекає, що ви підтвердите замовлення: натисніть кнопку в повідомленні від нас.', prepay: 'Щоб ми відправили замовлення, потрібна передплата.',
    none: 'Такого замовлення немає', noneText: 'Перевірте посилання: можливо, воно скопійоване не повністю.', away: 'Немає зв’язку', awayText: 'Показуємо, як було о {t}. Спробуємо знову самі.', awayNothing: 'Замовлення збережене в магазині. Спробуємо знову самі.', again: 'Спробувати зараз', at: 'Оновлено о {t}',
    also: 'Цей код відкриє й замовлення {n}: усе в одному пакеті.', qr: 'Код для сканера на касі', credit: 'Оплатити кредитом магазину', creditCode: 'Код кредиту', creditPay: 'Оплатити', creditDone: 'Сплачено {t}.',
    after: 'Після покупки', back_do: 'Повернути товар', claim_do: 'Повідомити про проблему', cancel: 'Не зараз', how: 'Скільки', why: 'Чому', note: 'Що сталося (необов’язково)', send: 'Надіслати', none_chosen: 'Виберіть, що саме.', until: 'можна до {t}', sent_back: 'Заявку прийнято.', sent_claim: 'Ми отримали ваше повідомлення.',
    k_return: 'Повернення', k_exchange: 'Обмін', k_claim: 'Звернення', answer: 'Відповідь: {t}', gives: 'Повернемо {t}', slots: 'До цього пасує', slot_here: 'є там, де ви забираєте',
    review: 'Ваші відгуки', review_do: 'Залишити відгук', review_change: 'Змінити відгук', review_of: 'Відгук: {n}', stars: 'Оцінка', stars_n: '{n} з 5', review_title: 'Заголовок (необов’язково)', review_text: 'Що сподобалося, а що ні (необов’язково)', review_name: 'Ім’я, яке побачать усі (необов’язково)', review_why: 'Чому: {t}', v_awaiting: 'перевіряємо', v_published: 'опубліковано', v_rejected: 'не опубліковано',
    r_too_small: 'мале', r_too_large: 'велике', r_not_liked: 'не сподобалося', r_changed_mind: 'передумали', r_not_as_described: 'не таке, як описано', r_defect: 'брак', r_damaged: 'пошкоджене в дорозі', r_wrong_item: 'не той товар', r_late: 'прийшло запізно', r_other: 'інше',
    s_requested: 'розглядаємо', s_approved: 'погоджено: принесіть товар', s_received: 'товар у нас', s_partly_received: 'частина товару в нас', s_refunded: 'гроші повернено', s_fulfilled: 'обміняно', s_cancelled: 'скасовано', c_open: 'розглядаємо', c_approved: 'погоджено', c_resolved: 'вирішено', c_denied: 'відмовлено', c_cancelled: 'скасовано'
  } : {
    title: 'Order {n}', awaiting_payment: 'Waiting for payment', on_hold: 'We are checking details', parked: 'We are looking for the goods', confirmed: 'Accepted', in_progress: 'Being packed', partly_sent: 'Part of it is on the way', sent: 'On the way', partly_delivered: 'You have part of it', delivered: 'You have it', partly_returned: 'Part of it was returned', returned: 'Returned', lost: 'Lost by the carrier', cancelled: 'Cancelled', ready: 'Ready to be picked up',
    code: 'Pick-up code', show: 'Show it at the counter, or say it.', keep: 'We keep it until {t}.', promise: 'Promised by {t}', pay: 'To pay', back: 'We give you back', even: 'All is paid.', goods: 'Goods', delivery: 'Delivery', discount: 'Discount', total: 'Total', pickup: 'Pick up at {p}', ship: 'Delivered by carrier', tracking: 'Waybill {t}', try: 'Try-on: you pay only for what you keep.',
    l_waiting: 'being prepared', l_ready: 'ready', l_sent: 'on the way', l_delivered: 'with you', l_returned: 'returned', l_cancelled: 'cancelled', confirm: 'The shop waits for you to confirm: press the button in our message.', prepay: 'We send it once a part is paid.',
    none: 'There is no such order', noneText: 'Check the link: perhaps it was not copied whole.', away: 'No connection', awayText: 'This is how it was at {t}. We try again by ourselves.', awayNothing: 'The order is safe with the shop. We try again by ourselves.', again: 'Try now', at: 'As of {t}',
    also: 'The code opens order {n} too: all of it is in one bag.', qr: 'The code for the scanner at the counter', credit: 'Pay with store credit', creditCode: 'Code of the credit', creditPay: 'Pay', creditDone: '{t} is paid.',
    after: 'After the purchase', back_do: 'Return goods', claim_do: 'Tell of a problem', cancel: 'Not now', how: 'How many', why: 'Why', note: 'What happened (if you like)', send: 'Send', none_chosen: 'Choose what it is about.', until: 'until {t}', sent_back: 'Your return is noted.', sent_claim: 'We have your message.',
    k_return: 'Return', k_exchange: 'Exchange', k_claim: 'Claim', answer: 'Answer: {t}', gives: 'We give back {t}', slots: 'Goes with it', slot_here: 'is there where you pick up',
    review: 'Your reviews', review_do: 'Write a review', review_change: 'Change the review', review_of: 'Review: {n}', stars: 'Stars', stars_n: '{n} of 5', review_title: 'Headline (if you like)', review_text: 'What was good and what was not (if you like)', review_name: 'Name that everybody sees (if you like)', review_why: 'Why: {t}', v_awaiting: 'we read it', v_published: 'published', v_rejected: 'not published',
    r_too_small: 'too small', r_too_large: 'too large', r_not_liked: 'not liked', r_changed_mind: 'changed my mind', r_not_as_described: 'not as described', r_defect: 'a fault', r_damaged: 'broken on the way', r_wrong_item: 'the wrong item', r_late: 'came too late', r_other: 'something else',
    s_requested: 'we look at it', s_approved: 'agreed: bring the goods', s_received: 'we have the goods', s_partly_received: 'we have part of the goods', s_refunded: 'the money is back', s_fulfilled: 'exchanged', s_cancelled: 'cancelled', c_open: 'we look at it', c_approved: 'agreed', c_resolved: 'settled', c_denied: 'refused', c_cancelled: 'cancelled'
  };
  var F = window.Front, el = F.el, money = F.money, time = F.time, clock = F.clock;
  var say = function (key, value) { return (words[key] || key).replace(/\{\w\}/, value); };
  var root = document.getElementById('order');
  var id = location.pathname.split('/')[2] || '';
  var last = null, at = null, timer, busy = false;

  function row(name, value, note) { return el('li', '', undefined, el('span', '', name, note ? el('div', 'q small', note) : null), el('span', 'r', value)); }

  function draw(o, away) {
    document.title = say('title', o.number);
    var ready = o.pick_up_code !== undefined && o.pick_up_code !== null;
    var state = ready ? 'ready' : o.state;
    var tone = { ready: 'good', delivered: 'good', awaiting_payment: 'warn', on_hold: 'warn', parked: 'warn', cancelled: 'bad', lost: 'bad' }[state] || '';
    var out = [];
    if (away) out.push(el('section', 'pay away', undefined, el('h2', '', words.away), el('p', '', say('awayText', clock(at))), again()));
    out.push(el('h1', '', say('title', o.number)));
    var top = el('section', '', undefined, el('p', 'state ' + tone, words[state] || state));
    if (o.promised && ['delivered', 'cancelled', 'returned', 'lost'].indexOf(o.state) < 0 && !ready) top.appendChild(el('p', '', say('promise', time(o.promised.latest))));
    if (o.delivery) top.appendChild(el('p', 'q', o.delivery.kind === 'pickup' ? say('pickup', o.delivery.location_name || o.delivery.location_id || '') : words.ship));
    o.parcels.forEach(function (p) {
      if (p.keep_until && p.state === 'ready') top.appendChild(el('p', 'q', say('keep', time(p.keep_until))));
      if (p.tracking) top.appendChild(el('p', 'q', say('tracking', p.tracking)));
    });
    out.push(top);
    if (ready) {
      var code = el('section', 'code', undefined, el('h2', '', words.code), el('b', '', o.pick_up_code), el('p', 'q', words.show));
      (o.with || []).forEach(function (n) { code.appendChild(el('p', '', say('also', n))); });
      var qr = el('img', 'qr');
      qr.src = '/shop/v1/orders/' + encodeURIComponent(id) + '/code.svg';
      qr.alt = words.qr;
      qr.onerror = function () { qr.remove(); };
      code.appendChild(qr);
      out.push(code);
    }
    if (o.asks === 'confirm' || o.asks === 'prepay') out.push(el('section', 'pay', words[o.asks]));
    var due = o.to_pay.minor;
    if (o.state !== 'cancelled' || due < 0) out.push(el('section', due > 0 ? 'pay' : '', undefined, due ? el('h2', '', due > 0 ? words.pay : words.back) : null, due ? el('p', 'state', money(o.to_pay, due > 0 ? 1 : -1)) : el('p', '', words.even), o.try_on ? el('p', 'q', words.try) : null));
    if (due > 0 && o.state !== 'cancelled') out.push(credit(o));
    var list = el('ul');
    o.lines.forEach(function (l) { list.appendChild(row(l.name || l.sku, money(l.total), (l.quantity !== 1 ? l.quantity + ' × · ' : '') + (words['l_' + l.state] || l.state))); });
    if (o.shipping.minor) list.appendChild(row(words.delivery, money(o.shipping)));
    if (o.discount.minor) list.appendChild(row(words.discount, money(o.discount, -1)));
    list.appendChild(row(words.total, money(o.total)));
    out.push(el('section', '', undefined, el('h2', '', words.goods), list));
    if (o.can_return || o.can_claim || o.returns || o.claims) out.push(after(o));
    if (o.lines.some(function (l) { return l.can_review; })) out.push(reviews(o));
    if (slots && slots.length) out.push(beside());
    out.push(el('p', 'q small', say('at', clock(at))));
    root.replaceChildren.apply(root, out);
  }
  /** Credit of the shop as a way to pay: asked for only when somebody wants it. */
  function credit(o) {
    var box = el('section', 'quiet');
    box.appendChild(F.button(words.credit, function () {
      busy = true;
      var code = F.input({ autocomplete: 'off', autocapitalize: 'characters', maxlength: '40' }), wrong = F.alarm();
      var pay = F.button(words.creditPay, function () {
        pay.disabled = true;
        F.ask('POST', 'orders/' + encodeURIComponent(id) + '/payments', { provider: 'store_credit', code: code.value, amount: o.to_pay })
          .catch(function (e) {
            // As much as is there: the server names it only to who has the code, so it is asked in two steps.
            var first = e.body && e.body.errors && e.body.errors[0], there = first && /credit is (\d+)/.exec(first.detail);
            if (!there || there[1] === '0') throw e;
            return F.ask('POST', 'orders/' + encodeURIComponent(id) + '/payments', { provider: 'store_credit', code: code.value, amount: { minor: Number(there[1]), currency: o.to_pay.currency } });
          })
          .then(function () { busy = false; load(); })
          .catch(function (e) { pay.disabled = false; wrong.textContent = F.why(e); });
      }, 'act');
      box.replaceChildren(F.field(words.creditCode, code), wrong, el('div', 'row', undefined, pay, F.button(words.cancel, function () { busy = false; draw(last, false); })));
      code.focus();
    }));
    return box;
  }
  /** Returns and claims: what there is, and a form for a new one. */
  function after(o) {
    var box = el('section', '', undefined, el('h2', '', words.after));
    var list = el('ul');
    papers.returns.forEach(function (r) { list.appendChild(paper(words['k_' + r.kind], words['s_' + r.state] || r.state, r, r.total)); });
    papers.claims.forEach(function (c) { list.appendChild(paper(words.k_claim, words['c_' + c.state] || c.state, c, c.refund)); });
    if (list.firstChild) box.appendChild(list);
    var acts = el('div', 'row');
    if (o.can_return) acts.appendChild(F.button(words.back_do, function () { form(o, box, 'returns'); }));
    if (o.can_claim) acts.appendChild(F.button(words.claim_do, function () { form(o, box, 'claims'); }));
    box.appendChild(acts);
    return box;
  }
  function paper(name, state, p, sum) {
    var what = p.lines.map(function (l) { return F.count(l.quantity) + ' × ' + (nameOf(l.line) || l.sku); }).join(', ');
    var li = row(name + ': ' + state, sum && sum.minor ? money(sum) : '', what);
    if (p.answer) li.firstChild.appendChild(el('div', 'small', say('answer', p.answer)));
    return li;
  }
  function nameOf(line) { var l = last && last.lines[line]; return l ? l.name || l.sku : ''; }
  function form(o, box, kind) {
    busy = true;
    var wrong = F.alarm(), rows = [], note = el('textarea');
    note.rows = 3;
    note.maxLength = 1500;
    var key = 'p' + Date.now().toString(36) + Math.random().toString(36).slice(2);
    F.ask('GET', 'orders/' + encodeURIComponent(id) + '/' + kind).then(function (of) {
      var body = el('div', 'form');
      of.offered.forEach(function (x) {
        var most = kind === 'returns' ? (x.denied ? 0 : x.returnable) : x.claimable;
        if (!(most > 0)) return;
        var steps = [['0', '0']];
        for (var n = 1; n <= Math.min(most, 99); n++) steps.push([String(n), F.count(n)]);
        if (most % 1) steps.push([String(most), F.count(most)]);
        var how = F.select(steps, '0'), why = F.select(of.reasons.map(function (r) { return [r, words['r_' + r] || r]; }));
        rows.push({ line: x.line, how: how, why: why });
        body.appendChild(el('div', 'pick', undefined, el('b', '', nameOf(x.line) || x.sku), x.until && kind === 'returns' ? el('span', 'q small', say('until', F.day(x.until))) : null, el('div', 'row', undefined, F.field(words.how, how), F.field(words.why, why))));
      });
      var send = F.button(words.send, function () {
        var lines = rows.filter(function (r) { return Number(r.how.value) > 0; }).map(function (r) { return { line: r.line, quantity: Number(r.how.value), reason: r.why.value }; });
        if (!lines.length) { wrong.textContent = words.none_chosen; return; }
        send.disabled = true;
        F.ask('POST', 'orders/' + encodeURIComponent(id) + '/' + kind, { lines: lines, note: note.value.trim(), key: key }, key)
          .then(function () { busy = false; papersOf(null).then(load); })
          .catch(function (e) { send.disabled = false; wrong.textContent = F.why(e); });
      }, 'act');
      box.replaceChildren(el('h2', '', kind === 'returns' ? words.back_do : words.claim_do), body, F.field(words.note, note), wrong, el('div', 'row', undefined, send, F.button(words.cancel, function () { busy = false; draw(last, false); })));
      box.querySelector('select').focus();
    }).catch(function (e) { busy = false; box.appendChild(wrong); wrong.textContent = F.why(e); });
  }
  var papers = { returns: [], claims: [] }, read = '';
  /** Reads returns and claims again when there are others than before. */
  function papersOf(o) {
    var now = o ? [o.returns, o.claims, o.state].join() : '';
    if (o && (now === read || !(o.returns + o.claims))) return Promise.resolve();
    var one = function (kind) { return F.ask('GET', 'orders/' + encodeURIComponent(id) + '/' + kind).then(function (r) { papers[kind] = r.items; }); };
    return Promise.all([one('returns'), one('claims')]).then(function () { read = now; }, function () { /* the order itself is shown */ });
  }
  /** What they think of goods that they have: a line each, as often changed as they like. */
  function reviews(o) {
    var box = el('section', 'reviews', undefined, el('h2', '', words.review)), list = el('ul');
    o.lines.forEach(function (l, line) {
      if (!l.can_review) return;
      var r = l.review, act = F.button(r ? words.review_change : words.review_do, function () { reviewForm(o, box, line); });
      act.setAttribute('aria-label', act.textContent + ': ' + (l.name || l.sku));
      var said = r ? F.stars(r.rating) + ' · ' + words['v_' + r.state] : '';
      var li = el('li', '', undefined, el('span', '', l.name || l.sku, said ? el('div', 'q small', said) : null), act);
      if (r && r.reason) li.firstChild.appendChild(el('div', 'small', say('review_why', r.reason)));
      if (r && r.answer) li.firstChild.appendChild(el('div', 'small', say('answer', r.answer)));
      list.appendChild(li);
    });
    box.appendChild(list);
    return box;
  }
  function reviewForm(o, box, line) {
    busy = true;
    var l = o.lines[line], was = l.review || { rating: 5, title: '', text: '', name: '' }, wrong = F.alarm();
    var rating = F.select([5, 4, 3, 2, 1].map(function (n) { return [String(n), F.stars(n) + ' ' + say('stars_n', n)]; }), String(was.rating));
    var title = F.input({ maxlength: '200', value: was.title }), name = F.input({ maxlength: '80', autocomplete: 'given-name', value: was.name }), text = el('textarea');
    title.value = was.title;
    name.value = was.name;
    text.rows = 5;
    text.maxLength = 4000;
    text.value = was.text;
    var send = F.button(words.send, function () {
      send.disabled = true;
      F.ask('POST', 'orders/' + encodeURIComponent(id) + '/reviews', { line: line, rating: Number(rating.value), title: title.value.trim(), text: text.value.trim(), name: name.value.trim(), lang: uk ? 'uk' : 'en' })
        .then(function () { busy = false; load(); })
        .catch(function (e) { send.disabled = false; wrong.textContent = F.why(e); });
    }, 'act');
    box.replaceChildren(el('h2', '', say('review_of', l.name || l.sku)), el('div', 'form', undefined, F.field(words.stars, rating), F.field(words.review_title, title), F.field(words.review_text, text), F.field(words.review_name, name)), wrong, el('div', 'row', undefined, send, F.button(words.cancel, function () { busy = false; draw(last, false); })));
    rating.focus();
  }
  var slots = null;
  function beside() {
    var list = el('ul');
    slots.forEach(function (s) { list.appendChild(row(s.name, money(s.price), s.available === null ? '' : words.slot_here)); });
    return el('section', '', undefined, el('h2', '', words.slots), list);
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
          if (slots === null && o.delivery && o.delivery.kind === 'pickup' && ['delivered', 'cancelled', 'returned'].indexOf(o.state) < 0) {
            slots = [];
            F.ask('GET', 'orders/' + encodeURIComponent(id) + '/slots').then(function (x) { slots = x.items; if (slots.length && last && !busy) draw(last, false); }, function () { /* nothing is offered */ });
          }
          return papersOf(o).then(function () { return o; });
        }).then(function (o) {
          var away = Boolean(root.querySelector('.away')), changed = JSON.stringify(o) !== JSON.stringify(last);
          last = o;
          at = new Date();
          // The same answer moves nothing but the clock, so that a reader is not interrupted.
          if (busy) { /* whoever fills a form is left alone */ } else if (changed || away) draw(o, false);
          else root.lastChild.textContent = say('at', clock(at));
          timer = setTimeout(load, 10000);
        });
      })
      .catch(function () {
        if (last) { if (!busy) draw(last, true); }
        else root.replaceChildren(el('h1', 'away', words.away), el('p', 'q', words.awayNothing), again());
        timer = setTimeout(load, 15000);
      });
  }
  document.addEventListener('visibilitychange', function () { if (!document.hidden) load(); else clearTimeout(timer); });
  load();
})();
