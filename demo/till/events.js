// A receipt as Braid gets it.
import { toEventProduct } from "../assets/ui.js";

export const STORE_ID = "store-1";
export const REGISTER_ID = "till-2";
const AFFILIATION = "Demo store";
const CURRENCY = "GBP";
/** British VAT, contained in the price: a sixth of it. */
export const vatOf = (pence) => Math.round(pence / 6);

export function saleEvent({ id, lines, pence, customer, method, at }) {
  return toEvent("Order Completed", customer, at, {
    order_id: id,
    receipt_id: id,
    ...sums(pence),
    payment_method: method,
    products: lines.map(({ product, quantity }) => toEventProduct(product, quantity)),
  });
}

/** Lists only what comes back, and its sum. */
export function refundEvent({ id, orderId, lines, pence, customer, at }) {
  return toEvent("Order Refunded", customer, at, {
    order_id: orderId,
    receipt_id: id,
    ...sums(pence),
    products: lines.map(({ product, quantity }) => toEventProduct(product, quantity)),
  });
}

function sums(pence) {
  // Subtotal and revenue are without tax, total with it.
  const tax = vatOf(pence);
  return { subtotal: (pence - tax) / 100, revenue: (pence - tax) / 100, tax: tax / 100, total: pence / 100, currency: CURRENCY };
}

function toEvent(event, customer, at, properties) {
  const traits = customer && { phone: customer.phone, ...(customer.isNew && customer.name && { name: customer.name }) };
  return {
    type: "track",
    event,
    messageId: crypto.randomUUID(),
    timestamp: at.toISOString(),
    // A known customer by the id that Braid knows, anyone else by the phone.
    ...(customer?.userId && { userId: customer.userId }),
    context: { channel: "server", library: { name: "demo-till", version: "1" }, ...(traits && !customer.userId && { traits }) },
    properties: { ...properties, affiliation: AFFILIATION, channel: "store", store_id: STORE_ID, register_id: REGISTER_ID },
  };
}
