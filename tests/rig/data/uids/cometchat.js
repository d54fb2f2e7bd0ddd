// Makes vectors for `encode = "cometchat"` with a JavaScript engine, whose lower-casing and code units the encoding
// is defined by: one [text, uid] a line. Without this file nothing is missing: the tests read what it has written.
//
//     node tests/rig/data/uids/cometchat.js 1000 > tests/rig/data/uids/cometchat.ndjson
//
// 1000 is how many random texts; a second number is the seed.

const uidOf = (text) => {
  const plain = text.toLowerCase().replace(/[^a-z0-9_-]/g, "_");
  if (plain === text && plain.length <= 100) return plain;
  let hash = 0;
  for (const letter of text) hash = (Math.imul(hash, 31) + letter.codePointAt(0)) >>> 0;
  return `${plain.slice(0, 90)}_${hash.toString(36)}`;
};

const [count = 1000, seed = 1] = process.argv.slice(2).map(Number);

let state = seed >>> 0;
const random = (below) => {
  state = (state + 0x6d2b79f5) >>> 0;
  let t = Math.imul(state ^ (state >>> 15), state | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return ((t ^ (t >>> 14)) >>> 0) % below;
};
const range = (from, to) => Array.from({ length: to - from + 1 }, (_, at) => String.fromCodePoint(from + at));
const anyPoint = () => {
  const point = random(2) ? random(0xd800) : 0xe000 + random(0x110000 - 0xe000);
  return String.fromCodePoint(point || 1);
};

const pools = [
  [..."abcdefghijklmnopqrstuvwxyz0123456789-_"],
  [..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"],
  [..." .@+:/|!#%&'()*,;<=>?[]^`{}~\"\\\t"],
  [..."İIıiĞğŞşÇçÖöÜü", "I\u0307", "i\u0307"], // Turkish
  [...range(0x391, 0x3a1), ...range(0x3a3, 0x3a9), "Σ", "Σ ", "ς", "ΆΣ", "ΟΔΟΣ"], // Greek, with its final sigma
  range(0x300, 0x36f), // combining marks
  ["😀", "👩‍👩‍👧", "👍🏽", "🇬🇷", "❤️", "1️⃣", "🏴󠁧󠁢󠁥󠁮󠁧󠁿"],
  ["\u212a", "\u212b", "\u2126", "ß", "ẞ", "ﬁ", "Ǆ", "ǅ", "Ϲ", "ẛ", "Ⓐ", "Ａ", "Ⅷ", "Ά", "ᾈ", "ᾼ"], // odd cases
  [...range(0x10400, 0x10410), ...range(0x13a0, 0x13b0), ...range(0x1c90, 0x1ca0), "𝐀", "𞤀"], // Deseret, Cherokee …
  ["山", "田", "한", "नि", "ا", "\u200d", "\ufeff", "\u0001", "\ud7ff", "\ue000", "\uffff", "\u{10000}", "\u{10ffff}"],
];

const text = () => {
  const chosen = Array.from({ length: 1 + random(3) }, () => pools[random(pools.length)]);
  const length = random(8) ? 1 + random(24) : 60 + random(120);
  const letter = () => (random(20) ? chosen[random(chosen.length)] : null);
  return Array.from({ length }, letter).map((pool) => (pool ? pool[random(pool.length)] : anyPoint())).join("");
};

const edges = ["alice", "Alice", "ann@example.org", "A.b", "x😀", "I", "\u212a", "a".repeat(100), "a".repeat(101),
  "a".repeat(99) + ".", "A".repeat(100), "é".repeat(127), "é".repeat(128), "é".repeat(129), "_", "-", "\u0001"];
for (const each of [...edges, ...Array.from({ length: count }, text)]) {
  process.stdout.write(JSON.stringify([each, uidOf(each)]) + "\n");
}
