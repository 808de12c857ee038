/** Names and shapes of what happens to a cart, so that a page need not know the standard's words. */
import type { Properties } from "./types";

const EVENTS = {
  added: "Product Added",
  removed: "Product Removed",
  viewed: "Cart Viewed",
  checkout: "Checkout Started",
  step: "Checkout Step Viewed",
  stepDone: "Checkout Step Completed",
  payment: "Payment Info Entered",
  ordered: "Order Completed",
};

export type CartAction = keyof typeof EVENTS;

const NUMBERS = "price quantity position value revenue shipping tax discount subtotal total step".split(" ");

/** The event of an action and its properties: numbers as numbers, and the id that joins the steps of one cart. */
export function cartEvent(action: CartAction, given: Properties, cart: string): [event: string, properties: Properties] | undefined {
  if (!Object.prototype.hasOwnProperty.call(EVENTS, action)) return;
  const properties = numbered(given);
  if (Array.isArray(properties.products)) properties.products = properties.products.map(numbered);
  const id = /^(added|removed|viewed)$/.test(action) ? "cart_id" : "checkout_id";
  return [EVENTS[action], { [id]: cart, ...properties }];
}

/** Pages hold prices as text, here with a comma; `1,249` could be either and is left to the server. What is no number stays what it was. */
function numbered(given: Properties): Properties {
  const properties = { ...given };
  for (const name of NUMBERS) {
    const value = properties[name];
    const number = typeof value === "string" && value.trim() ? Number(value.replace(/\s/g, "").replace(/,(\d\d?)$/, ".$1")) : NaN;
    if (!isNaN(number)) properties[name] = number;
  }
  return properties;
}
