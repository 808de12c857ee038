// The goods of the demonstration.
import assert from "node:assert/strict";
import { readFile, stat } from "node:fs/promises";
import { test } from "node:test";
import { barcodeOf, checkDigit, nameOf, parseCsvLine } from "../tools/make-products.mjs";

const FILE = new URL("../products.json", import.meta.url);
const products = JSON.parse(await readFile(FILE, "utf8"));

test("check digits are those of GTIN-13", () => {
  // Printed on real goods.
  for (const code of ["4006381333931", "5901234123457", "9780201379624", "0075678164125"]) {
    assert.equal(checkDigit(code.slice(0, 12)), Number(code[12]), code);
  }
});

test("each product has a barcode of the in-store range, right and its own", () => {
  for (const { sku, barcode } of products) {
    assert.match(barcode, /^20\d{11}$/);
    assert.equal(Number(barcode[12]), checkDigit(barcode.slice(0, 12)), sku);
    assert.equal(barcode, barcodeOf(sku));
  }
  assert.equal(new Set(products.map(({ barcode }) => barcode)).size, products.length);
  assert.notEqual(barcodeOf("85123A"), barcodeOf("85123AA"));
});

test("there are about 300, small enough, each with all it needs", async () => {
  assert.ok(products.length >= 280 && products.length <= 320);
  assert.ok((await stat(FILE)).size < 100_000);
  assert.equal(new Set(products.map(({ sku }) => sku)).size, products.length);
  const counts = {};
  for (const { name, price, category } of products) {
    assert.ok(name === name.trim() && name.length > 3 && name !== name.toUpperCase(), name);
    assert.ok(price > 0 && Number.isInteger(Math.round(price * 1e6) / 1e4), `${name}: ${price}`);
    counts[category] = (counts[category] ?? 0) + 1;
  }
  assert.ok(Object.keys(counts).length >= 8);
  assert.ok(Math.min(...Object.values(counts)) >= 10);
});

test("names become readable", () => {
  assert.equal(nameOf("SET/10 RED SPOTTY PARTY CANDLES "), "Set of 10 Red Spotty Party Candles");
  assert.equal(nameOf("ROTATING SILVER ANGELS T-LIGHT HLDR"), "Rotating Silver Angels T-Light Holder");
  assert.equal(nameOf("I'M ON HOLIDAY METAL SIGN"), "I'm on Holiday Metal Sign");
  assert.equal(nameOf("15CM CHRISTMAS GLASS BALL 20 LIGHTS"), "15cm Christmas Glass Ball 20 Lights");
});

test("quoted CSV fields are read", () => {
  assert.deepEqual(parseCsvLine('1,"RECORD FRAME 7"" SIZE, BIG ",2,'), ["1", 'RECORD FRAME 7" SIZE, BIG ', "2", ""]);
});
