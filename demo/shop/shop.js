// The demo shop: one document, whose address says what is shown. Each view is a function that returns elements.
import { brandMark, h, icon, isPhone, languageButton, loadJson, loadProducts, money, number, readStoredJson, stepper, store } from "../assets/ui.js";
import { categoryPicture, picture } from "../assets/picture.js";
import { createCart } from "./cart.js";
import * as tracking from "./tracking.js";
import { t } from "./words.js";

const BASE = "/shop";
const HOME_PRODUCTS = 24;
const SIMILAR_PRODUCTS = 5;
const BUYER_KEY = "demo_buyer";
const ORDER_KEY = "demo_last_order";
const EMAIL = /^[^\s@]+@[^\s@]+\.[^\s@]+$/;

const root = document.getElementById("shop");
let config;
let products;
let categories;
let cart;
let main;

start();

async function start() {
  try {
    [config, products] = await Promise.all([loadJson("/config.json"), loadProducts()]);
  } catch {
    root.replaceChildren(h("main", { class: "page narrow" }, h("h1", {}, t("shop")), h("p", { role: "alert" }, t("failed")), h("button", { class: "button main", onclick: () => location.reload() }, t("again"))));
    return;
  }
  categories = [...new Set(products.map((product) => product.category))].sort((a, b) => t(a).localeCompare(t(b), document.documentElement.lang));
  cart = createCart(products);
  tracking.startTracking(config);
  root.replaceChildren(h("a", { class: "skip", href: "#main" }, t("skip")), header(), (main = h("main", { id: "main", tabindex: "-1" })), footer());
  addEventListener("popstate", () => show());
  document.addEventListener("click", followLink);
  show();
}

/** Links inside the shop change the view without loading the document again. */
function followLink(event) {
  const link = event.target.closest?.("a[href]");
  if (!link || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey || link.target) return;
  const url = new URL(link.href);
  if (url.origin !== location.origin || !url.pathname.startsWith(BASE + "/") || url.hash) return;
  event.preventDefault();
  go(url.pathname.slice(BASE.length) + url.search);
}

function go(path) {
  history.pushState(null, "", BASE + path);
  show();
  scrollTo(0, 0);
  main.focus({ preventScroll: true });
}

function show() {
  const [view = "", argument = ""] = location.pathname.slice(BASE.length + 1).split("/").map(decodeURIComponent);
  const views = { "": home, category, search, product, cart: cartView, checkout, done };
  const render = views[view] ?? notFound;
  const { title, name, content, seen } = render(argument);
  document.title = title ? `${title} · ${t("shop")}` : t("shop");
  main.replaceChildren(...[content].flat());
  for (const link of root.querySelectorAll(".categories a")) {
    const here = link.pathname === location.pathname;
    if (here) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  const input = root.querySelector("#search");
  if (document.activeElement !== input) input.value = view === "search" ? query() : "";
  tracking.page(...name);
  seen?.();
}

const query = () => new URLSearchParams(location.search).get("q")?.trim() ?? "";
const path = (...parts) => BASE + "/" + parts.map(encodeURIComponent).join("/");

// The frame.

function header() {
  const field = h("input", { id: "search", type: "search", name: "q", placeholder: t("search"), "aria-label": t("search"), autocomplete: "off" });
  const form = h("form", { class: "search", role: "search", onsubmit: (event) => {
    event.preventDefault();
    if (field.value.trim()) go("/search?" + new URLSearchParams({ q: field.value.trim() }));
  } }, icon("search"), field);
  return h("header", { class: "top" },
    h("div", { class: "bar" },
      h("a", { class: "brand", href: BASE + "/" }, brandMark(), t("shop")),
      form,
      languageButton(),
      h("a", { class: "button cart-link", href: path("cart") }, icon("bag"), h("span", { class: "wide" }, t("cart")), cartCount())),
    h("nav", { class: "categories", "aria-label": t("categories") }, categories.map((name) => h("a", { href: path("category", name) }, t(name)))));
}

function cartCount() {
  const count = cart.count();
  return h("span", { class: "count", "data-testid": "cart-count", role: "status", "aria-label": t("cartCount", { count }) }, number(count));
}

function refreshCount() {
  root.querySelector("[data-testid=cart-count]").replaceWith(cartCount());
}

function footer() {
  const link = (label, href) => h("a", { href, target: "_blank", rel: "noopener" }, label);
  return h("footer", {},
    h("div", { class: "links" },
      config.console_url && link(t("live"), new URL("/live", config.console_url).href),
      link(t("mailbox"), "/mail/"),
      link(t("till"), "/till/"),
      h("button", { class: "link", type: "button", onclick: becomeStranger }, t("stranger"))),
    h("p", { class: "small faint" }, t("footNote")));
}

function becomeStranger() {
  tracking.forgetVisitor();
  cart.clear();
  store(BUYER_KEY, null);
  store(ORDER_KEY, null);
  refreshCount();
  go("/");
  say(t("strangerDone"));
}

/** One short message at a time, bottom left, that leaves by itself; nothing is told only there. */
function say(text) {
  document.querySelector(".toast")?.remove();
  const toast = h("div", { class: "toast", role: "status" }, text);
  document.body.append(toast);
  setTimeout(() => toast.remove(), 5000);
}

// Pieces.

function grid(list) {
  return h("ul", { class: "grid" }, list.map(card));
}

function card(item) {
  const label = h("span", { class: "label" }, t("addShort"));
  const button = h("button", { class: "button", type: "button", "data-testid": "add-to-cart", "aria-label": t("addNamed", { name: item.name }), onclick: () => {
    addToCart(item, 1);
    label.textContent = t("added");
    setTimeout(() => (label.textContent = t("addShort")), 1500);
  } }, icon("plus"), label);
  return h("li", { class: "card", "data-testid": "product-card", "data-sku": item.sku },
    h("a", { class: "to-product", href: path("product", item.sku) }, picture(item), h("span", { class: "name", lang: "en" }, item.name)),
    h("div", { class: "buy" }, h("span", { class: "price" }, money(item.pence)), button));
}

function addToCart(item, quantity) {
  cart.set(item.sku, cart.quantity(item.sku) + quantity);
  tracking.added(cart, item, quantity);
  refreshCount();
}

// Views: `name` is what the page call says, `seen` tells what was looked at.

function home() {
  const popular = products.slice(0, HOME_PRODUCTS);
  return {
    name: ["Home"],
    seen: () => tracking.listViewed("most-bought", "Home", popular),
    content: h("div", { class: "page" },
      h("div", { class: "intro" }, h("h1", {}, t("homeTitle")), h("p", { class: "quiet" }, t("homeText"))),
      h("section", {}, h("h2", {}, t("categories")), h("ul", { class: "tiles" }, categories.map((name) => {
        const list = products.filter((item) => item.category === name);
        return h("li", {}, h("a", { href: path("category", name) }, categoryPicture(name), h("span", {}, h("b", {}, t(name)), h("span", { class: "small faint" }, t("goods", { count: list.length })))));
      }), h("li", {}, h("a", { class: "all", href: path("search") }, icon("store"), h("span", {}, h("b", {}, t("all")), h("span", { class: "small faint" }, t("goods", { count: products.length }))))))),
      h("section", {}, h("h2", {}, t("mostBought")), grid(popular))),
  };
}

function category(name) {
  const list = products.filter((item) => item.category === name);
  if (!list.length) return notFound();
  return {
    title: t(name),
    name: ["Category", name],
    seen: () => tracking.listViewed("category-" + name.toLowerCase().replaceAll(" ", "-"), name, list),
    content: h("div", { class: "page" }, h("div", { class: "intro" }, h("h1", {}, t(name)), h("p", { class: "quiet" }, t("goods", { count: list.length }))), grid(list)),
  };
}

function search() {
  const text = query();
  const parts = text.toLowerCase().split(/\s+/);
  const list = products.filter((item) => {
    const words = `${item.name} ${item.category} ${t(item.category)} ${item.sku} ${item.barcode}`.toLowerCase();
    return parts.every((part) => words.includes(part));
  });
  return {
    title: text || t("all"),
    name: ["Search"],
    seen: () => {
      if (text) tracking.searched(text);
      if (list.length) tracking.listViewed("search", "Search", list);
    },
    content: h("div", { class: "page" },
      h("div", { class: "intro" }, h("h1", {}, !text ? t("all") : list.length ? t("found", { count: list.length, query: text }) : t("foundNone", { query: text })), !list.length && h("p", { class: "quiet" }, t("foundNoneHelp"))),
      list.length ? grid(list) : h("ul", { class: "chips" }, categories.map((name) => h("li", {}, h("a", { class: "button", href: path("category", name) }, t(name)))))),
  };
}

function product(sku) {
  const item = products.find((candidate) => candidate.sku === sku);
  if (!item) return notFound();
  const similar = products.filter((other) => other.category === item.category && other !== item).slice(0, SIMILAR_PRODUCTS);
  let wanted = 1;
  const count = h("span", {});
  const draw = () => count.replaceChildren(stepper(wanted, item.name, (value) => {
    wanted = Math.max(1, value);
    draw();
  }, { less: t("less"), more: t("more") }));
  draw();
  const after = h("a", { class: "button plain", href: path("cart"), hidden: true }, t("openCart"));
  const button = h("button", { class: "button main", type: "button", "data-testid": "add-to-cart", onclick: () => {
    addToCart(item, wanted);
    after.hidden = false;
    say(`${t("added")}: ${item.name}`);
  } }, icon("bag"), t("add"));
  return {
    title: item.name,
    name: ["Product", item.name],
    seen: () => tracking.productViewed(item),
    content: h("div", { class: "page" },
      h("article", { class: "product", "data-testid": "product-page" },
        picture(item),
        h("div", { class: "facts" },
          h("a", { class: "small", href: path("category", item.category) }, t(item.category)),
          h("h1", { lang: "en" }, item.name),
          h("p", { class: "big-price" }, money(item.pence)),
          h("div", { class: "row wrap" }, count, button, after),
          h("p", { class: "small faint" }, t("sku", { sku: item.sku }), " · ", item.barcode))),
      h("section", {}, h("h2", {}, t("similar", { category: t(item.category) })), grid(similar))),
  };
}

function cartView() {
  const content = h("div", { class: "page narrow" });
  const draw = () => content.replaceChildren(h("h1", {}, t("cart")), ...(cart.count() ? cartLines(draw) : emptyCart()));
  draw();
  return { title: t("cart"), name: ["Cart"], seen: () => tracking.cartViewed(cart), content };
}

function emptyCart() {
  return [h("p", { class: "quiet" }, t("cartEmptyHelp")), h("div", {}, h("a", { class: "button main", href: BASE + "/" }, t("toShop")))];
}

function cartLines(draw) {
  const change = (item, from, to) => {
    cart.set(item.sku, to);
    if (to > from) tracking.added(cart, item, to - from);
    else tracking.removed(cart, item, from - Math.max(0, to));
    refreshCount();
    draw();
  };
  const lines = cart.lines().map(({ product: item, quantity }) =>
    h("li", { class: "line" },
      h("a", { class: "thumb", href: path("product", item.sku), tabindex: "-1", "aria-hidden": "true" }, picture(item)),
      h("div", { class: "grow" }, h("a", { class: "name", href: path("product", item.sku), lang: "en" }, item.name), h("p", { class: "small faint" }, t("each", { price: money(item.pence) }))),
      stepper(quantity, item.name, (value) => change(item, quantity, value), { less: t("less"), more: t("more") }),
      h("b", { class: "sum" }, money(item.pence * quantity)),
      h("button", { class: "button plain square", type: "button", "aria-label": t("remove", { name: item.name }), onclick: () => change(item, quantity, 0) }, icon("trash"))));
  return [
    h("ul", { class: "lines" }, lines),
    h("div", { class: "total" }, h("span", { class: "quiet" }, t("total")), h("b", {}, money(cart.pence()))),
    h("div", { class: "row end" }, h("a", { class: "button main", href: path("checkout") }, t("toCheckout"))),
  ];
}

function checkout() {
  if (!cart.count()) return { title: t("cart"), name: ["Cart"], content: h("div", { class: "page narrow" }, h("h1", {}, t("cartEmpty")), emptyCart()) };
  const orderId = makeOrderId();
  const buyer = readStoredJson(BUYER_KEY, {});
  const consent = h("input", { type: "checkbox", id: "consent", "data-testid": "checkout-consent" });
  const fields = {
    name: field("name", { autocomplete: "name" }, (value) => (value ? "" : t("nameMissing"))),
    phone: field("phone", { type: "tel", autocomplete: "tel" }, (value) => (!value ? t("phoneMissing") : isPhone(value) ? "" : t("phoneWrong", { digits: value.replace(/\D/g, "").length })), t("phoneHelp")),
    email: field("email", { type: "email", autocomplete: "email" }, (value) => (!value ? (consent.checked ? t("emailMissing") : "") : EMAIL.test(value) ? "" : t("emailWrong")), t("emailHelp")),
  };
  for (const [name, { input }] of Object.entries(fields)) input.value = buyer[name] ?? "";
  consent.addEventListener("change", () => fields.email.touched && fields.email.check());

  const form = h("form", { novalidate: true, onsubmit: (event) => {
    event.preventDefault();
    const wrong = Object.values(fields).filter(({ check }) => !check());
    if (wrong.length) return wrong[0].input.focus();
    const values = Object.fromEntries(Object.entries(fields).map(([name, { input }]) => [name, input.value.trim()]));
    placeOrder(orderId, values, consent.checked);
  } },
    Object.values(fields).map(({ element }) => element),
    h("label", { class: "consent", for: "consent" }, consent, h("span", {}, t("consent"))),
    h("button", { class: "button main", type: "submit", "data-testid": "checkout-submit" }, t("order", { total: money(cart.pence()) })),
    h("p", { class: "small faint" }, t("demoNote")));

  return {
    title: t("checkout"),
    name: ["Checkout"],
    seen: () => tracking.checkoutStarted(cart, orderId),
    content: h("div", { class: "page narrow" }, h("h1", {}, t("checkout")), h("div", { class: "checkout" }, form, summary())),
  };
}

function field(name, attributes, rule, help) {
  const ids = { error: name + "-error", help: name + "-help" };
  const error = h("span", { class: "error", id: ids.error, role: "alert" });
  const input = h("input", { id: name, name, "data-testid": "checkout-" + name, "aria-describedby": `${ids.error}${help ? " " + ids.help : ""}`, ...attributes });
  const self = {
    input,
    touched: false,
    check() {
      const text = rule(input.value.trim());
      error.textContent = text;
      input.setAttribute("aria-invalid", String(Boolean(text)));
      return !text;
    },
    element: h("div", { class: "field" }, h("label", { for: name }, t(name)), input, error, help && h("span", { class: "help", id: ids.help }, help)),
  };
  input.addEventListener("blur", () => {
    // Leaving a field untouched is no mistake yet; placing the order checks it.
    if (!input.value && !self.touched) return;
    self.touched = true;
    self.check();
  });
  return self;
}

function summary() {
  return h("aside", { class: "summary" },
    h("h2", {}, t("yourOrder")),
    h("ul", {}, cart.lines().map(({ product: item, quantity }) => h("li", { class: "row" }, h("span", { class: "grow" }, h("span", { lang: "en" }, item.name), h("span", { class: "faint" }, ` × ${number(quantity)}`)), h("span", {}, money(item.pence * quantity))))),
    h("div", { class: "total" }, h("span", { class: "quiet" }, t("total")), h("b", {}, money(cart.pence()))));
}

function makeOrderId() {
  const day = new Date().toISOString().slice(2, 10).replaceAll("-", "");
  return `W-${day}-${Math.random().toString(36).slice(2, 8).toUpperCase().padEnd(6, "0")}`;
}

function placeOrder(orderId, { name, phone, email }, agreed) {
  tracking.ordered(cart, orderId, { name, phone, email, wording: agreed && t("consent") });
  store(BUYER_KEY, JSON.stringify({ name, phone, email }));
  store(ORDER_KEY, JSON.stringify({ orderId, name, email, agreed, pence: cart.pence() }));
  cart.clear();
  refreshCount();
  go("/done");
}

function done() {
  const order = readStoredJson(ORDER_KEY, null);
  if (!order) return notFound();
  return {
    title: t("doneTitle", { order: order.orderId }),
    name: ["Order placed"],
    content: h("div", { class: "page narrow", "data-testid": "order-done", "data-order-id": order.orderId },
      h("span", { class: "tick" }, icon("check")),
      h("h1", {}, t("doneTitle", { order: order.orderId })),
      h("p", {}, t("doneText", { name: order.name, total: money(order.pence) })),
      h("p", { class: "quiet" }, order.agreed ? t("doneConsent", { email: order.email }) : t("doneNoConsent")),
      h("div", { class: "row" }, h("a", { class: "button main", href: BASE + "/" }, t("goOn")))),
  };
}

function notFound() {
  return {
    title: t("notFound"),
    name: ["Not found"],
    content: h("div", { class: "page narrow" }, h("h1", {}, t("notFound")), h("p", { class: "quiet" }, t("notFoundHelp")), h("div", {}, h("a", { class: "button main", href: BASE + "/" }, t("toShop")))),
  };
}
