// The demo till. State is plain and small; after each change the part that shows it is drawn anew.
import { brandMark, h, icon, isPhone, languageButton, loadJson, loadProducts, money, number, readStoredJson, stepper, store, time } from "../assets/ui.js";
import { picture } from "../assets/picture.js";
import { REGISTER_ID, refundEvent, saleEvent, vatOf } from "./events.js";
import { createOutbox } from "./outbox.js";
import { t } from "./words.js";

const RECEIPTS_KEY = "till_receipts";
const RECEIPTS_KEPT = 30;
const FREQUENT = 6;
const SUGGESTIONS = 5;
const SEGMENTS_SHOWN = 4;
const openedAt = new Date();

const root = document.getElementById("till");
let config;
let products;
/** `{ product, quantity }`, in the order of their first scan. */
let lines = [];
/** null, or `{ phone, name, userId, personId, isNew, failed, segments, purchases }`. */
let customer = null;
/** What was just sold or given back, until the next scan. */
let finished = null;
let receipts = readStoredJson(RECEIPTS_KEY, []);
let outbox;
const parts = {};

start();

async function start() {
  try {
    [config, products] = await Promise.all([loadJson("/config.json"), loadProducts()]);
  } catch {
    root.replaceChildren(h("main", { class: "failed" }, h("h1", {}, t("title")), h("p", { role: "alert" }, t("failed")), h("button", { class: "button main", onclick: () => location.reload() }, t("again"))));
    return;
  }
  document.title = t("title");
  build();
  outbox = createOutbox(showSync);
  outbox.start();
  draw();
  parts.scan.focus();
  // A scanner types wherever the cursor is; outside of fields it means goods.
  addEventListener("keydown", (event) => {
    const free = !event.target.closest?.("input, dialog, button, a");
    if (free && event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey) parts.scan.focus();
  });
}

function build() {
  parts.sync = h("div", { class: "sync", role: "status", "data-testid": "till-unsynced" });
  parts.scan = h("input", { id: "scan", "data-testid": "till-scan", autocomplete: "off", placeholder: t("scan"), "aria-label": t("scanLabel"), role: "combobox", "aria-expanded": "false", "aria-controls": "suggestions", oninput: suggest });
  parts.suggestions = h("ul", { id: "suggestions", class: "suggestions", hidden: true });
  parts.said = h("p", { class: "said", role: "status" });
  parts.left = h("div", { class: "lines" });
  parts.picks = h("div", { class: "picks" });
  parts.clear = h("button", { class: "button large", type: "button", onclick: clear }, icon("trash"), t("clear"));
  parts.customer = h("div", { class: "customer" });
  parts.totals = h("div", { class: "totals" });
  parts.dialog = h("dialog", { class: "refund", onclose: () => parts.scan.focus() });

  parts.form = h("form", { class: "scan", onsubmit: (event) => {
    event.preventDefault();
    scan(parts.scan.value.trim());
  } }, icon("scan"), parts.scan, h("button", { class: "button", type: "submit" }, t("find")));

  root.replaceChildren(
    h("header", { class: "top" },
      h("h1", { class: "row" }, brandMark(), h("span", { class: "title" }, h("b", {}, t("title")), h("span", { class: "quiet" }, t("shift", { time: time(openedAt) })))),
      h("span", { class: "grow" }), parts.sync, languageButton()),
    h("main", {},
      h("section", { class: "left", "aria-label": t("receiptTab") }, h("div", { class: "scan-box" }, parts.form, parts.suggestions, parts.said), parts.left, parts.picks,
        h("div", { class: "actions" }, h("button", { class: "button large", type: "button", "data-testid": "till-refund", onclick: openRefund }, icon("refund"), t("refund")), parts.clear)),
      h("aside", { class: "right" }, parts.customer, h("span", { class: "grow" }), parts.totals)),
    parts.dialog);
}

function draw() {
  drawLines();
  drawPicks();
  drawCustomer();
  drawTotals();
  parts.clear.disabled = !lines.length && !customer;
}

// Goods.

function findProducts(text) {
  const query = text.toLowerCase();
  const exact = products.find((item) => item.barcode === text || item.sku.toLowerCase() === query);
  if (exact) return [exact];
  const words = query.split(/\s+/);
  return products.filter((item) => words.every((word) => item.name.toLowerCase().includes(word)));
}

function suggest() {
  const text = parts.scan.value.trim();
  // Digits come from a scanner: a list that flashes up meanwhile would only disturb.
  const found = text.length > 1 && !/^\d+$/.test(text) ? findProducts(text).slice(0, SUGGESTIONS) : [];
  parts.suggestions.replaceChildren(...found.map((item) => h("li", {}, h("button", { type: "button", onclick: () => add(item) }, picture(item), h("span", { class: "grow cut", lang: "en" }, item.name), h("span", {}, money(item.pence))))));
  parts.suggestions.hidden = !found.length;
  parts.scan.setAttribute("aria-expanded", String(Boolean(found.length)));
}

function scan(text) {
  if (!text) return;
  const [found] = findProducts(text);
  if (found) return add(found);
  say(t("unknown", { code: text }), "bad");
  parts.scan.select();
}

function add(item) {
  if (finished) startNext();
  const line = lines.find((other) => other.product === item);
  if (line) line.quantity++;
  else lines.push({ product: item, quantity: 1 });
  parts.scan.value = "";
  suggest();
  say(t("scanned", { name: item.name }), "good");
  draw();
  parts.left.lastElementChild?.scrollIntoView({ block: "nearest" });
  parts.scan.focus();
}

/** Each scan is answered by a sound, a colour and a word. */
function say(text, kind) {
  beep(kind);
  parts.said.className = "said " + kind;
  parts.said.textContent = text;
  parts.form.classList.remove("good", "bad");
  void parts.form.offsetWidth;
  parts.form.classList.add(kind);
}

let audio;
function beep(kind) {
  try {
    audio ??= new AudioContext();
    const tone = audio.createOscillator();
    const gain = audio.createGain();
    gain.gain.value = 0.05;
    tone.frequency.value = kind === "good" ? 880 : 220;
    tone.connect(gain).connect(audio.destination);
    tone.start();
    tone.stop(audio.currentTime + (kind === "good" ? 0.06 : 0.25));
  } catch {
    // No sound here: colour and word remain.
  }
}

const pence = (list) => list.reduce((sum, { product, quantity }) => sum + product.pence * quantity, 0);
const pieces = (list) => list.reduce((sum, { quantity }) => sum + quantity, 0);

function drawLines() {
  if (finished) return parts.left.replaceChildren(receiptView());
  if (!lines.length) {
    return parts.left.replaceChildren(h("div", { class: "empty" }, icon("barcode"), h("b", {}, t("emptyTitle")), h("span", { class: "quiet" }, t("emptyHelp"))));
  }
  parts.left.replaceChildren(...lines.map((line) => h("div", { class: "line", "data-testid": "till-line", "data-sku": line.product.sku },
    picture(line.product),
    h("div", { class: "grow" }, h("p", { class: "name cut", lang: "en" }, line.product.name), h("p", { class: "quiet small cut" }, line.product.sku, line.quantity > 1 && ` · ${t("each", { price: money(line.product.pence) })}`)),
    stepper(line.quantity, line.product.name, (quantity) => {
      line.quantity = quantity;
      lines = lines.filter((other) => other.quantity > 0);
      draw();
    }, { less: t("less"), more: t("more") }),
    h("b", { class: "sum" }, money(line.product.pence * line.quantity)))));
}

function drawPicks() {
  parts.picks.replaceChildren(
    h("h2", { class: "small quiet" }, t("frequent")),
    h("ul", {}, products.slice(0, FREQUENT).map((item) => h("li", {}, h("button", { type: "button", "data-testid": "till-pick", onclick: () => add(item) }, picture(item), h("span", { lang: "en" }, item.name))))));
}

// The customer.

function drawCustomer() {
  if (customer) return parts.customer.replaceChildren(...customerView());
  const error = h("span", { class: "error", id: "phone-error", role: "alert" });
  const input = h("input", { id: "phone", type: "tel", "data-testid": "till-phone", autocomplete: "off", "aria-describedby": "phone-error phone-help" });
  const button = h("button", { class: "button", type: "submit" }, icon("search"), t("findCustomer"));
  parts.customer.replaceChildren(h("form", { class: "field", novalidate: true, onsubmit: async (event) => {
    event.preventDefault();
    const phone = input.value.trim();
    const wrong = !isPhone(phone);
    error.textContent = wrong ? t("phoneWrong", { digits: phone.replace(/\D/g, "").length }) : "";
    input.setAttribute("aria-invalid", String(wrong));
    if (wrong) return input.focus();
    button.disabled = true;
    button.replaceChildren(t("looking"));
    customer = await lookUp(phone);
    draw();
    if (customer.isNew) parts.customer.querySelector("input")?.focus();
    else parts.scan.focus();
  } }, h("label", { for: "phone" }, `${t("customer")}: ${t("phone").toLowerCase()}`), h("div", { class: "row" }, h("div", { class: "grow" }, input), button), error, h("span", { class: "help", id: "phone-help" }, t("phoneHelp"))));
}

async function lookUp(phone) {
  try {
    const answer = await fetch("/till/api/lookup?" + new URLSearchParams({ phone }), { method: "POST", signal: AbortSignal.timeout(12_000) });
    if (answer.status === 404) return { phone, isNew: true, name: "" };
    if (!answer.ok) return { phone, failed: true };
    const person = await answer.json();
    const identifier = (kind) => person.identifiers?.find((item) => item.kind === kind)?.value;
    const { name, firstName, lastName } = person.traits ?? {};
    return {
      // What the customer said; the answer shows it masked.
      phone,
      userId: identifier("user_id"),
      personId: person.person_id,
      name: name ?? [firstName, lastName].filter(Boolean).join(" "),
      segments: (person.segments ?? []).map((segment) => segment.name ?? segment).filter((segment) => typeof segment === "string"),
      purchases: person.purchases,
    };
  } catch {
    return { phone, failed: true };
  }
}

function customerView() {
  const name = customer.name || (customer.isNew ? t("newCustomer") : customer.failed ? customer.phone : t("nameless"));
  const initials = name.split(/\s+/).map((word) => [...word][0]).slice(0, 2).join("").toUpperCase();
  const head = h("div", { class: "person", "data-testid": "till-customer", "data-person-id": customer.personId },
    h("span", { class: "face", "aria-hidden": "true" }, customer.isNew || customer.failed ? icon("user") : initials),
    h("div", { class: "grow" }, h("p", { class: "strong cut" }, customer.isNew ? t("newCustomer") : name), h("p", { class: "quiet small" }, customer.personId ? purchasesText() : customer.phone)),
    h("button", { class: "button square", type: "button", "aria-label": t("removeCustomer"), onclick: () => {
      customer = null;
      draw();
      parts.scan.focus();
    } }, icon("close")));
  if (customer.failed) return [head, h("p", { class: "note warn" }, t("lookupFailed", { phone: customer.phone }))];
  if (customer.isNew) {
    const input = h("input", { id: "new-name", "data-testid": "till-new-name", autocomplete: "off", value: customer.name, oninput: () => (customer.name = input.value.trim()) });
    return [head, h("p", { class: "quiet small" }, t("newCustomerHelp", { phone: customer.phone })), h("form", { class: "field", onsubmit: (event) => {
      event.preventDefault();
      parts.scan.focus();
    } }, h("label", { for: "new-name" }, t("newName")), input)];
  }
  const shown = customer.segments.slice(0, SEGMENTS_SHOWN);
  return [head,
    shown.length > 0 && h("ul", { class: "segments", "aria-label": t("inSegments") }, shown.map((segment) => h("li", {}, segment)), customer.segments.length > shown.length && h("li", {}, `+${number(customer.segments.length - shown.length)}`)),
    config.console_url && h("a", { class: "small", target: "_blank", rel: "noopener", href: new URL("/customers/" + encodeURIComponent(customer.personId), config.console_url).href }, t("openPerson")),
  ].filter(Boolean);
}

function purchasesText() {
  const { purchases } = customer;
  if (!purchases) return customer.phone;
  if (!purchases.count) return t("noPurchases");
  const values = { count: purchases.count, total: money(Math.round(purchases.total * 100)) };
  return purchases.complete === false ? t("purchasesAtLeast", values) : t("purchases", values);
}

// Paying.

function drawTotals() {
  const sum = pence(lines);
  const pay = (method, label, sign, style, testId) => h("button", { class: "button " + style, type: "button", "data-testid": testId, disabled: !lines.length, onclick: () => sell(method) }, icon(sign), t(label));
  parts.totals.replaceChildren(
    h("div", { class: "to-pay" }, h("span", {}, h("span", { class: "quiet" }, t("toPay")), h("span", { class: "small faint" }, lines.length ? `${t("items", { count: pieces(lines) })} · ${t("vat", { amount: money(vatOf(sum)) })}` : t("items", { count: 0 }))), h("b", { class: "sum", "data-testid": "till-total" }, money(sum))),
    h("div", { class: "pay" }, pay("card", "card", "card", "main huge", "till-pay"), pay("cash", "cash", "cash", "large", "till-pay-cash")));
}

function makeReceiptId(prefix) {
  const day = new Date().toISOString().slice(2, 10).replaceAll("-", "");
  return `${prefix}-${REGISTER_ID.replace(/\D/g, "")}-${day}-${Math.random().toString(36).slice(2, 7).toUpperCase().padEnd(5, "0")}`;
}

function sell(method) {
  const receipt = { id: makeReceiptId("R"), lines, pence: pence(lines), customer, method, at: new Date() };
  finish(receipt, saleEvent(receipt));
  receipts.unshift({ ...receipt, at: receipt.at.toISOString(), lines: receipt.lines.map(({ product, quantity }) => ({ sku: product.sku, quantity, returned: 0 })) });
  receipts = receipts.slice(0, RECEIPTS_KEPT);
  store(RECEIPTS_KEY, JSON.stringify(receipts));
}

function finish(receipt, message) {
  finished = { ...receipt, messageId: message.messageId };
  lines = [];
  customer = null;
  outbox.add(message);
  parts.said.textContent = "";
  draw();
  parts.scan.focus();
}

function startNext() {
  finished = null;
  draw();
  parts.scan.focus();
}

function clear() {
  lines = [];
  customer = null;
  finished = null;
  parts.said.textContent = "";
  draw();
  parts.scan.focus();
}

function receiptView() {
  const { id, pence: sum, method, at, refund, lines: sold, messageId } = finished;
  const waits = outbox.waits(messageId);
  return h("div", { class: "receipt", "data-testid": "till-receipt", "data-receipt-id": id, "data-state": waits ? "waiting" : "sent" },
    h("span", { class: "tick" + (waits ? " waits" : "") }, icon(waits ? "offline" : "check")),
    h("h2", {}, refund ? t("refundDone", { id, total: money(sum) }) : t("receipt", { id })),
    !refund && h("p", { class: "sum" }, money(sum)),
    h("p", { class: "quiet" }, refund ? time(at) : t("paid", { how: t(method === "card" ? "paidCard" : "paidCash"), time: time(at) })),
    h("ul", {}, sold.map(({ product, quantity }) => h("li", { class: "row" }, h("span", { class: "grow cut", lang: "en" }, `${number(quantity)} × ${product.name}`), h("span", {}, money(product.pence * quantity))))),
    h("p", { class: waits ? "note warn" : "note good" }, t(waits ? "waits" : "sent")),
    h("div", { class: "row" }, h("button", { class: "button", type: "button", onclick: startNext }, icon("plus"), t("next")), h("span", { class: "quiet small" }, t("nextHelp"))));
}

function showSync({ waiting, refused, kept }) {
  const count = waiting.length;
  parts.sync.dataset.count = count;
  parts.sync.classList.toggle("waits", count > 0 || refused.length > 0);
  parts.sync.replaceChildren(...[
    h("i", {}),
    h("span", {}, count ? t("unsynced", { count }) : refused.length ? t("refused", { count: refused.length }) : t("online"), !kept && count > 0 && ` · ${t("notKept")}`),
    count > 0 && h("button", { class: "button", type: "button", onclick: () => outbox.send() }, icon("refresh"), h("span", { class: "wide" }, t("sendNow"))),
  ].filter(Boolean));
  if (finished) drawLines();
}

// Refunds.

function openRefund() {
  drawReceiptList();
  parts.dialog.showModal();
}

function dialogHead(title, onBack) {
  return h("div", { class: "row" }, h("h2", { class: "grow" }, title),
    onBack && h("button", { class: "button plain", type: "button", onclick: onBack }, icon("back"), t("back")),
    h("button", { class: "button square", type: "button", "aria-label": t("close"), onclick: () => parts.dialog.close() }, icon("close")));
}

const left = (line) => line.quantity - line.returned;

function drawReceiptList() {
  const rows = receipts.map((receipt) => {
    const done = receipt.lines.every((line) => left(line) === 0);
    return h("li", {}, h("button", { class: "pick", type: "button", disabled: done, "data-testid": "till-refund-receipt", "data-receipt-id": receipt.id, onclick: () => drawReturn(receipt) },
      icon("receipt"),
      h("span", { class: "grow" }, h("b", {}, receipt.id), h("span", { class: "quiet small" }, [time(new Date(receipt.at)), receipt.customer?.name || receipt.customer?.phone, done && t("fullyRefunded")].filter(Boolean).join(" · "))),
      h("span", { class: "strong" }, money(receipt.pence))));
  });
  parts.dialog.replaceChildren(dialogHead(t("pickReceipt")), rows.length ? h("ul", { class: "receipts" }, rows) : h("p", { class: "quiet" }, t("noReceipts")));
}

function drawReturn(receipt) {
  // Usually everything comes back, so that is the start.
  const back = receipt.lines.filter((line) => left(line) > 0).map((line) => ({ line, product: products.find((item) => item.sku === line.sku), quantity: left(line) })).filter(({ product }) => product);
  const redraw = () => {
    const sum = pence(back);
    parts.dialog.replaceChildren(
      dialogHead(t("whichGoods"), drawReceiptList),
      h("ul", { class: "receipts" }, back.map((item) => h("li", { class: "row returned" }, picture(item.product),
        h("span", { class: "grow" }, h("b", { class: "cut", lang: "en" }, item.product.name), h("span", { class: "quiet small" }, `${money(item.product.pence)} · ${t("ofCount", { count: left(item.line) })}`)),
        stepper(item.quantity, item.product.name, (quantity) => {
          item.quantity = Math.min(left(item.line), Math.max(0, quantity));
          redraw();
        }, { less: t("less"), more: t("more") })))),
      h("button", { class: "button main huge", type: "button", "data-testid": "till-refund-confirm", disabled: !sum, onclick: () => giveBack(receipt, back.filter(({ quantity }) => quantity > 0)) }, icon("refund"), t("refundFor", { total: money(sum) })));
  };
  redraw();
}

function giveBack(receipt, back) {
  const refund = { id: makeReceiptId("F"), orderId: receipt.id, lines: back, pence: pence(back), customer: receipt.customer, at: new Date(), refund: true };
  for (const { line, quantity } of back) line.returned += quantity;
  store(RECEIPTS_KEY, JSON.stringify(receipts));
  // A receipt that was being made meanwhile is not lost: only the view of what is finished changes.
  const [keptLines, keptCustomer] = [lines, customer];
  finish(refund, refundEvent(refund));
  if (keptLines.length) {
    finished = null;
    lines = keptLines;
    customer = keptCustomer;
    draw();
    say(t("refundDone", { id: refund.id, total: money(refund.pence) }), "good");
  }
  parts.dialog.close();
}
