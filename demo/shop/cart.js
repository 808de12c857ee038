// The cart: lines of articles and quantities, kept on the device.
import { readStoredJson, store } from "../assets/ui.js";

const KEY = "demo_cart";
const EMPTY = { id: null, lines: [] };

export function createCart(products) {
  const bySku = new Map(products.map((product) => [product.sku, product]));
  const kept = readStoredJson(KEY, EMPTY);
  let id = kept.id;
  // A line of an article that is no longer sold falls away.
  let lines = kept.lines.filter((line) => bySku.has(line.sku) && line.quantity > 0);

  return {
    get id() {
      return (id ??= "c-" + Math.random().toString(36).slice(2, 12));
    },
    lines: () => lines.map((line) => ({ product: bySku.get(line.sku), quantity: line.quantity })),
    count: () => lines.reduce((sum, line) => sum + line.quantity, 0),
    pence: () => lines.reduce((sum, line) => sum + line.quantity * bySku.get(line.sku).pence, 0),
    quantity: (sku) => lines.find((line) => line.sku === sku)?.quantity ?? 0,
    set(sku, quantity) {
      const line = lines.find((candidate) => candidate.sku === sku);
      if (quantity <= 0) lines = lines.filter((candidate) => candidate !== line);
      else if (line) line.quantity = quantity;
      else lines.push({ sku, quantity });
      store(KEY, JSON.stringify({ id: this.id, lines }));
    },
    clear() {
      id = null;
      lines = [];
      store(KEY, null);
    },
  };
}
