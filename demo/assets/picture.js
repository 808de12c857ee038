// A picture for a product that has no photograph: the outline of the kind of thing it is, cut from a patterned cloth.
// Kind, colour and pattern come from the name, so that "Red Spotty Cup" is a red cup with dots; the rest is settled by the
// article number, so that a product looks the same everywhere and always.
import { svg } from "./ui.js";

/** Colour words of the names, and the ramp that shows them. */
const COLORS = [
  [/\bred|strawberry|cherry|christmas|union|london|toadstool|robin/i, "kalyna"],
  [/\bpink|rose|sweetheart|fairy|doughnut|dolly|babushka|suki/i, "plum"],
  [/\bblue|spaceboy|cars|england|swallow/i, "blue"],
  [/\bgreen|garden|woodland|plant|owl|mushroom/i, "pine"],
  [/\bchocolate|wood|wicker|natural|antique|skull|black|dog|cat\b|toys/i, "clay"],
  [/\bwhite|ivory|cream|zinc|silver|metal|glass|grey/i, "teal"],
  [/\bgold|yellow|(?<!t-)light|candle|chick|honey|star|bird/i, "ochre"],
];
const RAMPS = ["kalyna", "blue", "ochre", "pine", "plum", "teal", "clay"];

const PATTERNS = [
  [/spot|dot/i, "dots"],
  [/heart|love|sweetheart/i, "hearts"],
  [/strip|knitted|ribbon|union|england/i, "stripes"],
  [/gingham|check|picnic|tea time|teatime/i, "checks"],
  [/paisley|flower|rose|floral|paisley|suki|garden|lily/i, "petals"],
  [/star|spaceboy|christmas|night|silver|zinc/i, "stars"],
  [/skull|baroque|vintage|victorian|edwardian|trellis|lace/i, "lozenges"],
];
const ANY_PATTERN = ["dots", "stripes", "checks", "scales", "lozenges", "plain"];

/** Each draws on 120 by 120 with `cloth` (patterned), `solid` (dark) and `line` (a stroke). */
const SHAPES = {
  bag: ({ cloth, line }) => [line("M45 58V42a15 15 0 0 1 30 0v16"), cloth("M32 50h56l6 48a5 5 0 0 1-5 5H31a5 5 0 0 1-5-5z")],
  cup: ({ cloth, line }) => [line("M80 54h7a11 11 0 0 1 0 24h-7"), cloth("M34 40h48v46a10 10 0 0 1-10 10H44a10 10 0 0 1-10-10z")],
  hotWaterBottle: ({ cloth, solid }) => [solid("M52 22h16a3 3 0 0 1 3 3v13H49V25a3 3 0 0 1 3-3z"), cloth("M50 36h20l4 8c10 2 14 8 14 16v28a12 12 0 0 1-12 12H44a12 12 0 0 1-12-12V60c0-8 4-14 14-16z")],
  bunting: ({ cloth, line }) => [line("M8 36Q60 62 112 36"), cloth("M15 40l24 9-17 27zM46 51h28L60 82zM81 49l24-9-7 36z")],
  sign: ({ cloth, line }) => [line("M36 54L60 26l24 28"), cloth("M26 52h68a4 4 0 0 1 4 4v36a4 4 0 0 1-4 4H26a4 4 0 0 1-4-4V56a4 4 0 0 1 4-4z")],
  mat: ({ cloth, line }) => [line("M16 42v42M104 42v42"), cloth("M21 36h78a3 3 0 0 1 3 3v48a3 3 0 0 1-3 3H21a3 3 0 0 1-3-3V39a3 3 0 0 1 3-3z")],
  heart: ({ cloth, line }) => [line("M60 46V14"), cloth("M60 102C32 82 22 66 22 54a20 20 0 0 1 38-9 20 20 0 0 1 38 9c0 12-10 28-38 48z")],
  tealight: ({ cloth, solid }) => [solid("M60 22c8 10 8 18 0 22-8-4-8-12 0-22z"), cloth("M36 50h48l-5 42a8 8 0 0 1-8 7H49a8 8 0 0 1-8-7z")],
  lantern: ({ cloth, solid, line }) => [line("M48 34a12 12 0 0 1 24 0"), solid("M40 34h40l6 10H34z"), cloth("M38 47h44v44H38z"), solid("M34 94h52v6H34z")],
  lights: ({ cloth, line }) => [line("M8 40Q26 66 44 48T80 46t32-4"), cloth("M22 56a9 9 0 1 1 0 18 9 9 0 1 1 0-18zM50 50a9 9 0 1 1 0 18 9 9 0 1 1 0-18zM74 56a9 9 0 1 1 0 18 9 9 0 1 1 0-18zM100 50a9 9 0 1 1 0 18 9 9 0 1 1 0-18z")],
  lamp: ({ cloth, solid, line }) => [line("M60 68v28"), cloth("M44 28h32l16 42H28z"), solid("M42 94h36v7H42z")],
  card: ({ cloth, line }) => [cloth("M34 24h48a5 5 0 0 1 5 5v62a5 5 0 0 1-5 5H34z"), line("M42 24v72")],
  plate: ({ cloth, line }) => [cloth("M60 22a38 38 0 1 1 0 76 38 38 0 1 1 0-76z"), line("M60 38a22 22 0 1 1 0 44 22 22 0 1 1 0-44z")],
  cakeStand: ({ cloth, line }) => [line("M60 16v70M54 16h12"), cloth("M44 32h32v7a16 8 0 0 1-32 0zM34 57h52v8a26 9 0 0 1-52 0zM24 84h72v9a36 10 0 0 1-72 0z")],
  box: ({ cloth, solid }) => [cloth("M30 52h60v40a5 5 0 0 1-5 5H35a5 5 0 0 1-5-5z"), solid("M28 36h64a4 4 0 0 1 4 4v12H24V40a4 4 0 0 1 4-4z")],
  umbrella: ({ cloth, line }) => [line("M60 24v68a9 9 0 0 1-18 0"), cloth("M14 64a46 42 0 0 1 92 0q-8-8-15.5 0-8-8-15.3 0-7-8-15.2 0-8-8-15.3 0-7-8-15.2 0-7-8-15.5 0z")],
  cushion: ({ cloth }) => [cloth("M26 26q34 9 68 0-9 34 0 68-34-9-68 0 9-34 0-68z")],
  cakeCase: ({ cloth, solid }) => [solid("M32 56a28 24 0 0 1 56 0z"), cloth("M28 58h64l-9 38a4 4 0 0 1-4 3H41a4 4 0 0 1-4-3z")],
  jar: ({ cloth, solid }) => [solid("M42 24h36a3 3 0 0 1 3 3v10H39V27a3 3 0 0 1 3-3z"), cloth("M40 40h40a8 8 0 0 1 8 8v42a9 9 0 0 1-9 9H41a9 9 0 0 1-9-9V48a8 8 0 0 1 8-8z")],
  teapot: ({ cloth, solid, line }) => [line("M86 58c16-2 16 24-2 24M34 66c-12 0-10-14-20-14"), solid("M46 42a14 9 0 0 1 28 0z"), cloth("M34 60a26 18 0 0 1 52 0v14a26 22 0 0 1-52 0z")],
  apron: ({ cloth, line }) => [line("M46 38a14 18 0 0 1 28 0M30 64H16M90 64h14"), cloth("M44 36h32l4 20 12 6v36a5 5 0 0 1-5 5H33a5 5 0 0 1-5-5V62l12-6z")],
  spoons: ({ cloth, line }) => [line("M42 54v46M78 54v46"), cloth("M42 20a13 18 0 1 1 0 36 13 18 0 1 1 0-36zM78 20a13 18 0 1 1 0 36 13 18 0 1 1 0-36z")],
  tree: ({ cloth, solid }) => [solid("M54 88h12v14H54z"), cloth("M60 16l18 26H70l16 22H76l18 26H26l18-26H34l16-22H42z")],
  blocks: ({ cloth, solid }) => [cloth("M20 62h36v36H20zM64 62h36v36H64z"), solid("M42 22h36v36H42z")],
  doll: ({ cloth, solid }) => [solid("M60 18a16 16 0 1 1 0 32 16 16 0 1 1 0-32z"), cloth("M46 52h28l16 44a5 5 0 0 1-5 6H35a5 5 0 0 1-5-6z")],
  frame: ({ cloth, line }) => [cloth("M30 20h60v80H30z"), line("M42 32h36v56H42z")],
  knob: ({ cloth, line }) => [cloth("M60 28a32 32 0 1 1 0 64 32 32 0 1 1 0-64z"), line("M60 50a10 10 0 1 1 0 20 10 10 0 1 1 0-20z")],
  roll: ({ cloth, solid }) => [cloth("M30 40h60v44a30 12 0 0 1-60 0z"), solid("M60 28a30 12 0 1 1 0 24 30 12 0 1 1 0-24z")],
  basket: ({ cloth, line }) => [line("M34 56a26 32 0 0 1 52 0"), cloth("M22 56h76l-8 38a5 5 0 0 1-5 4H35a5 5 0 0 1-5-4z")],
};

const KINDS = [
  [/apron|gloves/i, "apron"], [/basket/i, "basket"], [/napkin|doil|tissue|wrap\b/i, "cushion"],
  [/cake ?stand/i, "cakeStand"], [/hot water bottle|hottie/i, "hotWaterBottle"], [/umbrella|parasol/i, "umbrella"],
  [/bunting|paper chain/i, "bunting"], [/cake cases|cakes?\b.*(napkin)?$/i, "cakeCase"],
  [/lantern/i, "lantern"], [/lamp|table light|night light/i, "lamp"], [/lights\b/i, "lights"], [/t-light|candle/i, "tealight"],
  [/bag\b(?! plate)|shopper/i, "bag"], [/door ?mat/i, "mat"], [/sign\b|board|key fob|tags/i, "sign"],
  [/teapot|tea set/i, "teapot"], [/spoon|cutlery|cutter|pan\b|pencil|chalk stick/i, "spoons"],
  [/mug|cups?\b|jug|tea glass/i, "cup"], [/plate|bowl|dish/i, "plate"], [/jar\b|popcorn|plasters|tins?\b/i, "jar"],
  [/ribbon|toilet roll/i, "roll"], [/card|notebook|calendar|memo|recipe/i, "card"],
  [/frame|picture/i, "frame"], [/knob|hook|hanger|rack|ring\b|top\b|tops\b/i, "knob"], [/doll|angel/i, "doll"],
  [/cushion|feltcraft|warmer|towel/i, "cushion"], [/block|domino|bingo|snakes|puzzle|game|letters/i, "blocks"],
  [/christmas|tree|bauble/i, "tree"], [/heart|dove|bird|decoration|ornament/i, "heart"], [/box|case|cabinet|chest|bank/i, "box"],
];
const KIND_OF_CATEGORY = { Kitchen: "plate", Candles: "tealight", Lights: "lights", Stationery: "card", Toys: "blocks", Garden: "heart", Christmas: "tree", Party: "bunting", Bags: "bag", "Signs and mats": "sign", Home: "box" };

/** What stands for a whole category. */
const SIGN_OF_CATEGORY = {
  Bags: "blue dot bag", Candles: "gold candle scale", Christmas: "christmas tree star", Garden: "green plant umbrella", Home: "wood heart cushion",
  Kitchen: "red spot cup", Lights: "gold lights", Party: "pink strip bunting", "Signs and mats": "wood vintage sign", Stationery: "white flower card", Toys: "blue star blocks",
};

export const categoryPicture = (category) => picture({ sku: category, name: SIGN_OF_CATEGORY[category], category });

let made = 0;

export function picture({ sku, name, category }) {
  const seed = [...sku].reduce((hash, char) => (hash * 31 + char.charCodeAt(0)) >>> 0, 7);
  const ramp = COLORS.find(([word]) => word.test(name))?.[1] ?? RAMPS[seed % RAMPS.length];
  const pattern = PATTERNS.find(([word]) => word.test(name))?.[1] ?? ANY_PATTERN[(seed >>> 3) % ANY_PATTERN.length];
  const kind = KINDS.find(([word]) => word.test(name))?.[1] ?? KIND_OF_CATEGORY[category];
  // Identifiers hold for the whole document, and a page shows a product more than once.
  const id = "cloth-" + made++;
  const tone = (step) => `var(--${ramp}-${step})`;
  const shapes = SHAPES[kind]({
    cloth: (d) => svg("path", { d, fill: `url(#${id})` }),
    solid: (d) => svg("path", { d, style: { fill: tone(6) } }),
    line: (d) => svg("path", { d, fill: "none", "stroke-width": 4, "stroke-linecap": "round", style: { stroke: tone(6) } }),
  });
  return svg(
    "svg",
    { class: "picture", viewBox: "0 0 120 120", "aria-hidden": "true", style: { background: tone(0) } },
    svg("defs", {}, clothOf(pattern, id, tone, seed)),
    shapes,
  );
}

function clothOf(pattern, id, tone, seed) {
  const mark = (d) => svg("path", { d, style: { fill: tone(2) } });
  const size = { dots: 13, hearts: 16, stripes: 10, checks: 14, petals: 18, stars: 16, lozenges: 14, scales: 14, plain: 10 }[pattern];
  const marks = {
    dots: () => [mark("M3.5 1a2.5 2.5 0 1 1 0 5 2.5 2.5 0 1 1 0-5zM10 7.5a2.5 2.5 0 1 1 0 5 2.5 2.5 0 1 1 0-5z")],
    hearts: () => [mark("M8 13C4 10 2.5 8 2.5 6a2.8 2.8 0 0 1 5.5-1 2.8 2.8 0 0 1 5.5 1c0 2-1.5 4-5.5 7z")],
    stripes: () => [mark("M0 0h4v10H0z")],
    checks: () => [svg("path", { d: "M0 0h14v7H0z", style: { fill: tone(3) }, opacity: 0.7 }), svg("path", { d: "M0 0h7v14H0z", style: { fill: tone(2) }, opacity: 0.6 })],
    petals: () => [mark("M9 2q4 4 0 7-4-3 0-7zM9 16q4-4 0-7-4 3 0 7zM2 9q4-4 7 0-3 4-7 0zM16 9q-4-4-7 0 3 4 7 0z")],
    stars: () => [mark("M8 2l1.5 4.5L14 8l-4.5 1.5L8 14 6.5 9.5 2 8l4.5-1.5z")],
    lozenges: () => [mark("M7 1.5L11 7l-4 5.5L3 7z")],
    scales: () => [svg("path", { d: "M0 7a7 7 0 0 0 14 0M-7 0a7 7 0 0 0 14 0M7 0a7 7 0 0 0 14 0", fill: "none", "stroke-width": 1.6, style: { stroke: tone(2) } })],
    plain: () => [],
  }[pattern]();
  const turn = pattern === "stripes" ? (seed % 2 ? 45 : 0) : pattern === "checks" ? 0 : (seed % 3) * 15;
  return svg(
    "pattern",
    { id, width: size, height: size, patternUnits: "userSpaceOnUse", patternTransform: `rotate(${turn})` },
    svg("rect", { width: size, height: size, style: { fill: tone(4) } }),
    marks,
  );
}
