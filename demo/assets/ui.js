// Small things that the pages share: making elements, icons, words, money, the list of goods.
import { ICONS } from "./icons.js";

const SVG = "http://www.w3.org/2000/svg";

/** `h("p", { class: "quiet", onclick }, "text", child)`. Attributes that are null or false are left out. */
export function h(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

export function svg(name, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, name), attributes, children);
}

function fill(element, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    // Through the object model and not as an attribute: the pages' security policy forbids style attributes.
    else if (key === "style") for (const [name, text] of Object.entries(value)) element.style.setProperty(name, text);
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export function icon(name) {
  return svg("svg", { class: "icon", viewBox: "0 0 24 24", "aria-hidden": "true" }, svg("path", { d: ICONS[name] }));
}

/** The strand: three lanes plaited, the sign of Braid. */
export function brandMark() {
  const strand = (d, color, width) => svg("path", { d, "stroke-width": width, style: { stroke: `var(--${color})` } });
  return svg(
    "svg",
    { viewBox: "0 0 22 24", width: 22, height: 24, fill: "none", "stroke-linecap": "round", "aria-hidden": "true" },
    strand("M17 2C17 7 5 7 5 12", "store", 3.2),
    strand("M5 2C5 7 17 7 17 12S5 17 5 22", "surface", 6),
    strand("M5 2C5 7 17 7 17 12S5 17 5 22", "accent", 3.2),
    strand("M5 12C5 17 17 17 17 22", "surface", 6),
    strand("M5 12C5 17 17 17 17 22", "store", 3.2),
    strand("M11 2v2.2M11 8.8v.8M11 14v.8M11 19.6V22", "message", 3.2),
  );
}

const LANGUAGE_KEY = "demo_language";
export const language = (() => {
  const kept = readStored(LANGUAGE_KEY);
  if (kept === "en" || kept === "uk") return kept;
  return navigator.language.startsWith("uk") ? "uk" : "en";
})();
document.documentElement.lang = language;

/** The page is built anew: there is nothing on it that would be lost. */
export function switchLanguage() {
  store(LANGUAGE_KEY, language === "en" ? "uk" : "en");
  location.reload();
}

export function languageButton() {
  const label = language === "en" ? "Українською" : "In English";
  return h("button", { class: "button plain", type: "button", onclick: switchLanguage, lang: language === "en" ? "uk" : "en", "aria-label": label }, language === "en" ? "Укр" : "Eng");
}

const locale = language === "uk" ? "uk-UA" : "en-GB";
const plural = new Intl.PluralRules(locale);

/**
 * `words(en, uk)` gives `t(key, values)`. A text may hold `{name}`; an object of plural forms is chosen by `values.count`.
 * Whole sentences only: languages put their words in different places.
 */
export function words(en, uk) {
  const texts = language === "uk" ? uk : en;
  return (key, values = {}) => {
    let text = texts[key] ?? en[key] ?? key;
    if (typeof text === "object") text = text[plural.select(values.count)] ?? text.other;
    return text.replace(/\{(\w+)\}/g, (_, name) => (typeof values[name] === "number" ? number(values[name]) : (values[name] ?? "")));
  };
}

const unspace = (text) => text.replace(/\u202f/g, "\u00a0");
const numberFormat = new Intl.NumberFormat(locale);
const moneyFormat = new Intl.NumberFormat(locale, { style: "currency", currency: "GBP", currencyDisplay: "narrowSymbol" });
export const number = (value) => unspace(numberFormat.format(value));
/** Pence, as all sums here are whole numbers of pence until they are shown or sent. */
export const money = (pence) => unspace(moneyFormat.format(pence / 100)).replace("-", "\u2212");
export const time = (date) => new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(date);

export async function loadJson(path) {
  const answer = await fetch(path);
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.json();
}

export async function loadProducts() {
  const products = await loadJson("/products.json");
  return products.map((product) => ({ ...product, pence: Math.round(product.price * 100) }));
}

/** The way a product appears in events. */
export function toEventProduct({ sku, name, category, price }, quantity) {
  return { product_id: sku, sku, name, category, price, ...(quantity && { quantity }) };
}

export function readStored(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

/** Whether it is kept. A browser may forbid it or have no room; then the page works on without memory. */
export function store(key, value) {
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, value);
    return true;
  } catch {
    return false;
  }
}

export function readStoredJson(key, otherwise) {
  try {
    return JSON.parse(readStored(key)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

export function stepper(count, name, onChange, labels, testId) {
  const step = (by, sign, label) =>
    h("button", { type: "button", "aria-label": `${label}: ${name}`, onclick: () => onChange(count + by) }, icon(sign));
  return h("span", { class: "stepper", "data-testid": testId }, step(-1, "minus", labels.less), h("b", {}, String(count)), step(1, "plus", labels.more));
}

const PHONE_DIGITS_MIN = 9;
const PHONE_DIGITS_MAX = 15;
/** Any way of writing will do; what country it is without "+" the server knows. */
export function isPhone(text) {
  const digits = text.replace(/\D/g, "").length;
  return /^[+\d\s().-]+$/.test(text.trim()) && digits >= PHONE_DIGITS_MIN && digits <= PHONE_DIGITS_MAX;
}
