// What the shop tells Braid. One function per event, so that names and properties stand in one place.
import { toEventProduct } from "../assets/ui.js";
import { CONSENT_VERSION } from "./words.js";

const CURRENCY = "GBP";
const AFFILIATION = "Demo store";

export function startTracking({ braid_url: host, shop_write_key: writeKey }) {
  // Without a key the shop works as ever; it just tells nobody.
  if (writeKey) window.braid?.load(writeKey, { host });
}

const pounds = (pence) => pence / 100;
const lineProducts = (cart) => cart.lines().map(({ product, quantity }) => toEventProduct(product, quantity));
const track = (event, properties) => window.braid?.track(event, properties);

export const page = (category, name) => (category ? window.braid?.page(category, name) : window.braid?.page(name));
export const searched = (query) => track("Products Searched", { query });
export const listViewed = (listId, category, products) =>
  track("Product List Viewed", { list_id: listId, category, products: products.slice(0, 24).map((product, i) => ({ ...toEventProduct(product), position: i + 1 })) });
export const productViewed = (product) =>
  track("Product Viewed", { ...toEventProduct(product), currency: CURRENCY, value: product.price, url: location.href });
export const added = (cart, product, quantity) =>
  track("Product Added", { cart_id: cart.id, ...toEventProduct(product, quantity), currency: CURRENCY });
export const removed = (cart, product, quantity) =>
  track("Product Removed", { cart_id: cart.id, ...toEventProduct(product, quantity), currency: CURRENCY });
export const cartViewed = (cart) => track("Cart Viewed", { cart_id: cart.id, products: lineProducts(cart) });
export const checkoutStarted = (cart, orderId) =>
  track("Checkout Started", {
    order_id: orderId,
    cart_id: cart.id,
    affiliation: AFFILIATION,
    value: pounds(cart.pence()),
    revenue: pounds(cart.pence()),
    currency: CURRENCY,
    products: lineProducts(cart),
  });

/** Who, then whether they may be written to, then the order: Braid takes a grant only for an address that it knows. */
export function ordered(cart, orderId, { name, phone, email, wording }) {
  window.braid?.identify({ name, phone, ...(email && { email }), demo: true });
  if (wording) {
    track("Consent Granted", { channel: "email", purpose: "marketing", address: email, wording, wording_version: `${CONSENT_VERSION}.${document.documentElement.lang}` });
  }
  track("Order Completed", {
    order_id: orderId,
    checkout_id: cart.id,
    cart_id: cart.id,
    affiliation: AFFILIATION,
    subtotal: pounds(cart.pence()),
    total: pounds(cart.pence()),
    revenue: pounds(cart.pence()),
    currency: CURRENCY,
    products: lineProducts(cart),
  });
  return window.braid?.flush();
}

export const forgetVisitor = () => window.braid?.reset();
