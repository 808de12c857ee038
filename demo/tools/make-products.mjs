// Derives demo/products.json from a year of real invoices: the goods sold most, with clean names, their usual price,
// a category and a barcode. Run: node demo/tools/make-products.mjs
import { readFile, writeFile } from "node:fs/promises";
import { gunzipSync } from "node:zlib";
import { pathToFileURL } from "node:url";

const SOURCE = new URL("../../examples/online_retail_ii/year_2009_2010.csv.gz", import.meta.url);
const TARGET = new URL("../products.json", import.meta.url);
const HOW_MANY = 300;

/** Each category has at least so many, else the season's goods would hardly show in the most sold of a whole year. */
const AT_LEAST = 16;

/**
 * The first that matches wins, so what is particular stands before what is general: a Christmas candle is Christmas.
 * A word counts from its beginning ("light" finds "lights"), one that ends in `$` as a whole.
 */
const CATEGORIES = [
  ["Christmas", "christmas|advent|santa|reindeer|snowman|snowflake|bauble|wreath|angel|festive|noel"],
  ["Home", "hot water bottle|hand warmer|hottie|doorstop|money bank|trinket|jewellery|sewing"],
  ["Kitchen", "tea bag plate|lunch box|baking set|bottle|tea towel|cake tins|cookie cutter|apron|measuring|small bowl"],
  ["Signs and mats", "sign$|metal sign|door ?mat|building block|key fob|plaque"],
  ["Party", "party|bunting|napkin|doil|paper cups|paper plates|paper chain|cake cases|birthday|balloon|cocktail|feather|tattoo"],
  ["Bags", "bag$|bags$|shopper|tote|purse|rucksack|washbag|satchel"],
  ["Candles", "candle|t-light|lantern|incense|votive"],
  ["Lights", "light|lamp|chandelier|bulb"],
  ["Stationery", "card|paper|notebook|pencil|pen$|wrap|tissue|gift tag|envelope|sticker|journal|stamp|ribbon|calendar|tape$|memo|bookmark|chalk|parcel"],
  ["Toys", "toy|doll|game|puzzle|ludo|skittle|jigsaw|spaceboy|robot|dinosaur|child|kids|playhouse|spinning|skipping|domino|snakes|soldier|feltcraft|circus|plasters|harmonica|gliders|bubble gum|bingo|colouring|rounders"],
  ["Garden", "garden|plant|flower|watering|parasol|picnic|shed$|seed|vase|umbrella|pegs|trellis|bird|wicker"],
  ["Kitchen", "mug|cups?$|saucer|plate|bowl|jug$|teapot|tea |coffee|cake|cookie|jelly|spoon|fork|cutlery|kitchen|oven|tins?$|pantry|recipe|cook|jar$|glass|tumbler|tray|coaster|snack|bread|sugar|egg |popcorn|pan$|dish|ramekin|scales|food|washing up|biscuit|teacup|pot$|pannetone|place setting"],
];

/** Not goods, or not goods that a shop would list. */
const SKU = /^\d{5}[A-Z]{0,2}$/;
const NOT_GOODS = /postage|carriage|manual|sample|voucher|discount|damage|adjust|\?/i;
/** The shop's own shorthand and slips of the pen. */
const SPELLING = [
  [/\bset\s*\/\s*(\d+)\b/gi, "set of $1"],
  [/\bs\/(\d+)\b/gi, "set of $1"],
  [/\bof(\d)/gi, "of $1"],
  [/\b(\d+)\s*pcs?\b/gi, "$1 piece"],
  [/\bassorted colou?r\b|\bass(td|t)? colou?r\b/gi, "assorted colour"],
  [/\bass(td|t)\b/gi, "assorted"],
  [/\bant\b/gi, "antique"],
  [/\bxmas\b/gi, "christmas"],
  [/\bstrawbery\b/gi, "strawberry"],
  [/\bpannetone\b/gi, "panettone"],
  [/chocolatecandle/gi, "chocolate candle"],
  [/\blunchbox\b/gi, "lunch box"],
  [/\blightbulb\b/gi, "light bulb"],
  [/\bt(ea)? ?light/gi, "t-light"],
  [/\bhldr\b/gi, "holder"],
  [/\bdec\b/gi, "decoration"],
  [/\bcol\b/gi, "colour"],
];
const SMALL = new Set(["of", "and", "in", "with", "for", "the", "a", "to", "on", "at", "or"]);
const WHOLE = { LED: "LED", CD: "CD", IPOD: "iPod", "T-LIGHT": "T-Light", "T-LIGHTS": "T-Lights", UK: "UK" };

export function parseCsvLine(line) {
  const fields = [];
  let field = "";
  let quoted = false;
  for (let i = 0; i < line.length; i++) {
    const char = line[i];
    if (quoted) {
      if (char !== '"') field += char;
      else if (line[i + 1] === '"') field += line[++i];
      else quoted = false;
    } else if (char === '"') quoted = true;
    else if (char === ",") {
      fields.push(field);
      field = "";
    } else field += char;
  }
  return [...fields, field];
}

/** Check digit of GTIN-13: weights 1 and 3 from the left over twelve digits. */
export function checkDigit(twelve) {
  const sum = [...twelve].reduce((total, digit, i) => total + Number(digit) * (i % 2 ? 3 : 1), 0);
  return (10 - (sum % 10)) % 10;
}

/**
 * A barcode of the range that shops may give out themselves (prefix 20), made of the article number: five digits
 * as they are, letters as numbers after them. So it is stable, and different for each article.
 */
export function barcodeOf(sku) {
  const [, digits, letters] = /^(\d{5})([A-Z]{0,2})$/.exec(sku);
  const [first = 0, second = 0] = [...letters].map((letter) => letter.charCodeAt(0) - 64);
  const twelve = "20" + digits + "0" + String(first).padStart(2, "0") + String(second).padStart(2, "0");
  return twelve + checkDigit(twelve);
}

export function nameOf(description) {
  const spelled = SPELLING.reduce((text, [wrong, right]) => text.replace(wrong, right), description);
  const words = spelled
    .replace(/\s*,\s*/g, ", ")
    .replace(/\s*\/\s*/g, "/")
    .replace(/\.(?=\s|$)/g, "")
    .replace(/\s+/g, " ")
    .trim()
    .split(" ");
  return words
    .map((word, i) => {
      const lower = word.toLowerCase();
      if (WHOLE[word.toUpperCase()]) return WHOLE[word.toUpperCase()];
      if (i > 0 && SMALL.has(lower)) return lower;
      // "15CM" is a measure; in "RED/WHITE" and "NO-ONE" each part is a word.
      if (/^\d+(\.\d+)?(cm|mm|m|l|ml)$/.test(lower)) return lower;
      return lower.replace(/(^|[-/("&+])([a-z])/g, (_, before, letter) => before + letter.toUpperCase());
    })
    .join(" ");
}

export function categoryOf(name) {
  const found = CATEGORIES.find(([, words]) =>
    words.split("|").some((word) => new RegExp("\\b" + word.replace("$", "\\b"), "i").test(name)),
  );
  return found ? found[0] : "Home";
}

function mostFrequent(counts) {
  return [...counts].reduce((best, entry) => (entry[1] > best[1] ? entry : best))[0];
}

async function main() {
  const lines = gunzipSync(await readFile(SOURCE)).toString("utf8").split("\n").slice(1);
  const articles = new Map();
  for (const line of lines) {
    if (!line) continue;
    const [invoice, code, description, quantity, , price] = parseCsvLine(line.replace(/\r$/, ""));
    const sku = code.toUpperCase();
    if (invoice.startsWith("C") || !SKU.test(sku) || Number(quantity) <= 0 || Number(price) <= 0) continue;
    if (!description.trim() || NOT_GOODS.test(description)) continue;
    let article = articles.get(sku);
    if (!article) articles.set(sku, (article = { sku, lines: 0, names: new Map(), prices: new Map() }));
    // Popular = on many invoice lines; pieces would only show what wholesalers take by the thousand.
    article.lines++;
    const count = (map, key) => map.set(key, (map.get(key) ?? 0) + 1);
    count(article.names, description.trim());
    count(article.prices, Number(price));
  }

  const names = new Set();
  const ranked = [];
  for (const article of [...articles.values()].sort((a, b) => b.lines - a.lines || (a.sku < b.sku ? -1 : 1))) {
    const name = nameOf(mostFrequent(article.names));
    if (names.has(name)) continue;
    names.add(name);
    ranked.push({
      sku: article.sku,
      name,
      category: categoryOf(name),
      price: mostFrequent(article.prices),
      barcode: barcodeOf(article.sku),
    });
  }
  const wanted = new Set();
  for (const category of new Set(CATEGORIES.map(([name]) => name))) {
    ranked.filter((product) => product.category === category).slice(0, AT_LEAST).forEach((product) => wanted.add(product));
  }
  for (const product of ranked) if (wanted.size < HOW_MANY) wanted.add(product);
  const products = ranked.filter((product) => wanted.has(product));

  // One product a line: small, and a change reads well in a diff.
  await writeFile(TARGET, "[\n" + products.map((product) => JSON.stringify(product)).join(",\n") + "\n]\n");
  const perCategory = {};
  for (const { category } of products) perCategory[category] = (perCategory[category] ?? 0) + 1;
  console.log(`${products.length} products`, perCategory);
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) await main();
