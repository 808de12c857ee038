// What the customers' own pages share: an order, a basket, a price tag. No framework: they open at a shop's door with one bar of signal.
(function () {
  'use strict';
  var languages = (navigator.languages || [navigator.language || 'uk']).map(function (l) { return l.toLowerCase(); });
  var is = function (code) { return languages.some(function (l) { return l.indexOf(code) === 0; }); };
  var uk = is('uk') || !is('en');
  var locale = uk ? 'uk-UA' : 'en-GB';
  document.documentElement.lang = uk ? 'uk' : 'en';

  function el(tag, cls, text) {
    var e = document.createElement(tag);
    if (cls) e.className = cls;
    if (text !== undefined && text !== null) e.textContent = text;
    for (var i = 3; i < arguments.length; i++) if (arguments[i]) e.appendChild(arguments[i]);
    return e;
  }
  function money(m, sign) {
    var f = new Intl.NumberFormat(locale, { style: 'currency', currency: m.currency, currencyDisplay: 'narrowSymbol' });
    return f.format((sign || 1) * m.minor / Math.pow(10, f.resolvedOptions().maximumFractionDigits));
  }
  function time(w) { return new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' }).format(new Date(w)); }
  function day(w) { return new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'long' }).format(new Date(w)); }
  function clock(w) { return new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit', second: '2-digit' }).format(w); }
  function count(n) { return new Intl.NumberFormat(locale).format(n); }
  /** So many of five stars; what reads aloud gets the number beside it. */
  function stars(n) { return '★★★★★'.slice(0, n) + '☆☆☆☆☆'.slice(0, 5 - n); }
  function button(text, act, cls) {
    var b = el('button', cls || '', text);
    b.type = 'button';
    b.onclick = act;
    return b;
  }
  /** A field with its label above. */
  function field(label, input) {
    var l = el('label', 'field', undefined, el('span', '', label));
    l.appendChild(input);
    return l;
  }
  function input(attributes) {
    var i = el('input');
    Object.keys(attributes || {}).forEach(function (k) { i.setAttribute(k, attributes[k]); });
    return i;
  }
  function select(options, chosen) {
    var s = el('select');
    options.forEach(function (o) {
      var x = el('option', '', o[1]);
      x.value = o[0];
      if (o[0] === chosen) x.selected = true;
      s.appendChild(x);
    });
    return s;
  }

  var tries = 0;
  /** Asks the shop; a write carries a key of its own, so that a repeat after a lost answer counts once. */
  function ask(method, path, body, key) {
    var headers = { accept: 'application/json' };
    if (body !== undefined) headers['content-type'] = 'application/json';
    if (method !== 'GET') headers['idempotency-key'] = key || 'page-' + Date.now().toString(36) + '-' + (tries += 1) + Math.random().toString(36).slice(2);
    return fetch('/shop/v1/' + path, { method: method, headers: headers, credentials: 'omit', body: body === undefined ? undefined : JSON.stringify(body) }).then(function (r) {
      return r.text().then(function (text) {
        var json = null;
        try { json = text ? JSON.parse(text) : null; } catch (e) { /* said by the status */ }
        if (r.ok) return json;
        var error = new Error((json && json.detail) || String(r.status));
        error.status = r.status;
        error.code = json && json.code;
        error.body = json;
        throw error;
      });
    });
  }
  var said = uk
    ? { away: 'Немає зв’язку: спробуйте ще раз.', too_fast: 'Забагато запитів: зачекайте кілька секунд.', not_enough: 'Цього товару вже немає в такій кількості.', refused: 'Не вдалося: {d}' }
    : { away: 'No connection: try again.', too_fast: 'Too many requests: wait some seconds.', not_enough: 'There is not so much of it any more.', refused: 'It did not work: {d}' };
  /** What to tell of a refusal. */
  function why(error) {
    if (!error.status) return said.away;
    if (said[error.code]) return said[error.code];
    var first = error.body && error.body.errors && error.body.errors[0];
    return said.refused.replace('{d}', (first && first.detail) || error.message);
  }
  /** A line for what went wrong, read out at once. */
  function alarm() {
    var p = el('p', 'bad small', '');
    p.setAttribute('role', 'alert');
    return p;
  }
  /** The camera as a scanner, where the browser can read codes; else nothing. */
  function scanner(found, label, close) {
    var Detector = window.BarcodeDetector;
    if (!Detector || !navigator.mediaDevices || !navigator.mediaDevices.getUserMedia) return null;
    return button(label, function () {
      var video = el('video');
      video.muted = true;
      video.setAttribute('playsinline', '');
      var box = el('div', 'camera', undefined, video);
      var over = false, stream;
      var end = function () { over = true; if (stream) stream.getTracks().forEach(function (t) { t.stop(); }); box.remove(); };
      box.appendChild(button(close, end));
      document.body.appendChild(box);
      navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' } }).then(function (s) {
        stream = s;
        if (over) return end();
        video.srcObject = s;
        return video.play().then(function () {
          var d = new Detector({ formats: ['qr_code', 'ean_13', 'ean_8', 'code_128'] });
          (function look() {
            if (over) return;
            d.detect(video).catch(function () { return []; }).then(function (codes) {
              var text = codes[0] && codes[0].rawValue.trim();
              if (text && !over) { end(); found(text); } else setTimeout(look, 150);
            });
          })();
        });
      }).catch(end);
    });
  }
  /** What this browser remembers for the shop; nothing where it may not. */
  function kept(name, value) {
    try {
      if (value === undefined) return localStorage.getItem(name) || '';
      if (value) localStorage.setItem(name, value); else localStorage.removeItem(name);
    } catch (e) { /* it works without */ }
    return value || '';
  }
  window.Front = { uk: uk, el: el, stars: stars, money: money, time: time, day: day, clock: clock, count: count, button: button, field: field, input: input, select: select, ask: ask, why: why, alarm: alarm, scanner: scanner, kept: kept };
})();
