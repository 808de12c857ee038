// Goods on a shelf, on the phone of who stands before them: what it is, what it costs here and for them, which sizes there are and where.
(function () {
  'use strict';
  var F = window.Front, el = F.el, money = F.money;
  var words = F.uk ? {
    scan: 'Сканувати цінник', typed: 'Код з цінника', open: 'Показати', close: 'Закрити камеру', here: 'Тут є: {n}', hereMany: 'Тут є багато', hereNone: 'Тут зараз немає', always: 'Можна замовити завжди', sizes: 'Розміри й кольори', elsewhere: 'Є в інших магазинах', facts: 'Характеристики', own: 'Ваша ціна', usual: 'Звичайна ціна', why: 'Чому така ціна', add: 'Покласти в кошик', added: 'У кошику. Забрати тут або доставити: вирішите в кошику.', basket: 'До кошика', slots: 'До цього пасує', none: 'Такого товару тут немає', noneText: 'Перевірте код: {n}', away: 'Немає зв’язку', again: 'Спробувати зараз', code: 'Артикул {n}', no: 'немає', elsewhereOnly: 'є в інших магазинах', look: 'Ціна, розміри й наявність', lookText: 'Наведіть камеру на код цінника або введіть його.', many: 'багато', reviews: 'Відгуки', mean: '{n} з 5', nobody: 'Покупець', bought: 'купив(ла) у нас', said: 'Магазин: {n}', noReviews: 'Відгуків ще немає.'
  } : {
    scan: 'Scan a price tag', typed: 'Code of the tag', open: 'Show', close: 'Close the camera', here: 'Here: {n}', hereMany: 'There is plenty here', hereNone: 'Not here just now', always: 'Can always be ordered', sizes: 'Sizes and colours', elsewhere: 'In other shops', facts: 'Characteristics', own: 'Your price', usual: 'Usual price', why: 'Why this price', add: 'Put into the basket', added: 'It is in the basket. Pick it up here or have it delivered: you decide there.', basket: 'To the basket', slots: 'Goes with it', none: 'There is no such thing here', noneText: 'Check the code: {n}', away: 'No connection', again: 'Try now', code: 'SKU {n}', no: 'none', elsewhereOnly: 'in other shops', look: 'Price, sizes and stock', lookText: 'Point the camera at the code of a price tag, or type it.', many: 'plenty', reviews: 'Reviews', mean: '{n} of 5', nobody: 'A customer', bought: 'bought it from us', said: 'The shop: {n}', noReviews: 'No reviews yet.'
  };
  var MANY = 10;
  var say = function (key, value) { return (words[key] || key).replace(/\{\w\}/, value); };
  var root = document.getElementById('item');
  var parts = location.pathname.split('/').map(decodeURIComponent);
  var place = parts[2] || '', code = parts.slice(3).join('/');
  var at = 'shelf/' + encodeURIComponent(place);

  function link(text, href, cls) { var a = el('a', cls || '', text); a.href = href; return a; }
  function address(sku) { return '/i/' + encodeURIComponent(place) + '/' + encodeURIComponent(sku); }
  function row(name, value, note) { return el('li', '', undefined, el('span', '', name, note ? el('div', 'q small', note) : null), typeof value === 'string' ? el('span', 'r', value) : value); }
  /** What a scanner read: the address of another tag, or a bare code. */
  function found(text) {
    var tag = /\/i\/([^/?#]+)\/([^?#]+)/.exec(text), cart = /\/c\/([\w-]+)/.exec(text);
    if (cart) location.href = '/c/' + cart[1];
    else location.href = tag ? '/i/' + tag[1] + '/' + tag[2] : address(text);
  }
  function another() {
    var i = F.input({ inputmode: 'text', autocomplete: 'off', enterkeyhint: 'go', maxlength: '80' });
    var form = el('form', 'row', undefined, F.field(words.typed, i));
    var b = el('button', '', words.open);
    form.appendChild(b);
    form.onsubmit = function (e) { e.preventDefault(); if (i.value.trim()) found(i.value.trim()); };
    var camera = F.scanner(found, words.scan, words.close);
    return el('section', '', undefined, camera, form);
  }
  function stock(n) { return n === null ? words.always : n >= MANY ? words.hereMany : n > 0 ? say('here', F.count(n)) : words.hereNone; }
  function amount(n) { return n >= MANY ? words.many : F.count(n); }

  function draw(s) {
    document.title = s.name;
    var out = [el('h1', '', s.name), el('p', 'q small', s.location_name + ' · ' + say('code', s.sku))];
    if (s.picture) { var img = el('img', 'photo'); img.src = s.picture; img.alt = ''; img.onerror = function () { img.remove(); }; out.push(img); }
    var price = el('section');
    if (s.own_price) {
      price.appendChild(el('h2', '', words.own));
      price.appendChild(el('p', 'state good', money(s.own_price)));
      price.appendChild(el('p', 'q', words.usual + ': ', el('s', '', money(s.price))));
    } else price.appendChild(el('p', 'state', money(s.price)));
    price.appendChild(el('p', s.here === null || s.here > 0 ? 'good' : 'warn', stock(s.here)));
    if (s.why) price.appendChild(el('details', 'small', undefined, el('summary', '', words.why), el('p', 'q', s.why)));
    var told = el('p', 'small'), act = F.button(words.add, put, 'act wide');
    told.setAttribute('role', 'status');
    price.appendChild(act);
    price.appendChild(told);
    out.push(price);
    function put() {
      act.disabled = true;
      var cart = F.kept('braid-basket'), body = { sku: s.sku, quantity: 1 };
      var fresh = function () { return F.ask('POST', at, body).then(function (c) { return c.cart_id; }); };
      var go = cart ? F.ask('POST', 'carts/' + encodeURIComponent(cart) + '/lines', body).then(function () { return cart; }, function (e) { if (e.status === 404 || e.status === 422) return fresh(); throw e; }) : fresh();
      go.then(function (id) {
        F.kept('braid-basket', id);
        act.disabled = false;
        told.replaceChildren(document.createTextNode(words.added + ' '), link(words.basket, '/c/' + encodeURIComponent(id)));
      }, function (e) { act.disabled = false; told.textContent = F.why(e); });
    }
    if (s.variants.length > 1) {
      var sizes = el('div', 'row');
      s.variants.forEach(function (v) {
        var note = v.here === null ? '' : v.here > 0 ? say('here', amount(v.here)) : v.elsewhere ? words.elsewhereOnly : words.no;
        var a = link('', address(v.sku), 'size' + (v.sku === s.sku ? ' on' : '') + (v.here === 0 ? ' off' : ''));
        a.appendChild(el('b', '', v.label));
        a.appendChild(el('span', 'small', note));
        if (v.sku === s.sku) a.setAttribute('aria-current', 'true');
        sizes.appendChild(a);
      });
      out.push(el('section', '', undefined, el('h2', '', words.sizes), sizes));
    }
    if (s.elsewhere.length) {
      var list = el('ul');
      s.elsewhere.forEach(function (p) { list.appendChild(row(p.name, amount(p.available), p.address)); });
      out.push(el('section', '', undefined, el('h2', '', words.elsewhere), list));
    }
    if (s.characteristics.length) {
      var facts = el('ul');
      s.characteristics.forEach(function (c) { facts.appendChild(row(c.label, el('span', 'r wrap', c.value))); });
      out.push(el('section', '', undefined, el('h2', '', words.facts), facts));
    }
    out.push(reviews(s));
    if (s.slots.length) {
      var slots = el('ul');
      s.slots.forEach(function (x) { slots.appendChild(row('', link(money(x.price), address(x.sku)))); slots.lastChild.firstChild.appendChild(link(x.name, address(x.sku))); });
      out.push(el('section', '', undefined, el('h2', '', words.slots), slots));
    }
    out.push(another());
    var basket = F.kept('braid-basket');
    if (basket) out.push(link(words.basket, '/c/' + encodeURIComponent(basket)));
    root.replaceChildren.apply(root, out);
  }
  /** What others say: the mean, how many of each, the newest words. */
  function reviews(s) {
    var of = s.rating, box = el('section', 'reviews', undefined, el('h2', '', words.reviews));
    if (!of || !of.count) { box.appendChild(el('p', 'q', words.noReviews)); return box; }
    box.appendChild(el('p', 'state', F.stars(Math.round(Number(of.mean))) + ' ' + say('mean', F.count(Number(of.mean))) + ' (' + F.count(of.count) + ')'));
    var list = el('ul');
    [5, 4, 3, 2, 1].forEach(function (n) { if (of.stars[n]) list.appendChild(row(F.stars(n), F.count(of.stars[n]))); });
    box.appendChild(list);
    s.reviews.forEach(function (r) {
      var who = (r.name || words.nobody) + (r.verified ? ' · ' + words.bought : r.source === 'own' ? '' : ' · ' + r.source);
      box.appendChild(el('div', 'pick', undefined, el('b', '', F.stars(r.rating) + ' ' + r.title), el('p', '', r.text), el('p', 'q small', who), r.answer ? el('p', 'small', say('said', r.answer)) : null));
    });
    return box;
  }
  function load() {
    if (!code) return root.replaceChildren(el('h1', '', words.look), el('p', 'q', words.lookText), another());
    var cart = F.kept('braid-basket');
    var query = '?lang=' + (F.uk ? 'uk' : 'en') + (cart ? '&cart=' + encodeURIComponent(cart) : '');
    F.ask('GET', at + '/' + encodeURIComponent(code) + query).then(draw).catch(function (e) {
      if (e.status === 404 && cart && /cart/.test(e.message)) { F.kept('braid-basket', ''); return load(); }
      if (e.status === 404) return root.replaceChildren(el('h1', '', words.none), el('p', 'q', say('noneText', code)), another());
      root.replaceChildren(el('h1', '', words.away), el('p', 'q', F.why(e)), F.button(words.again, load));
    });
  }
  load();
})();
