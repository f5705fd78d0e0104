// What a reader changes in World, as short codes that fit into an address, as data for the engine, and in words.
//
//   L3H3     head 3 of layer 3 off            M2    the MLP of layer 2 off
//   L3H3~    the head at its average          M2~   the MLP at its average
//   L3H3!5-1 the head may not look from position 5 at position 1 (0 is the beginning of the text)

const CODE = /^(?:L(?<layer>\d)H(?<head>\d)|M(?<mlp>\d))(?<mean>~)?(?:!(?<query>\d+)-(?<key>\d+))?$/;

const numbers = (code) => {
  const groups = code.match(CODE)?.groups;
  if (!groups) return null;
  return Object.fromEntries(Object.entries(groups).map(([name, text]) => [name, text === "~" ? true : text && +text]));
};

/** Codes that a model of these sizes and a text of this length have; others are left out. */
export function readCodes(text, { layers, heads }, length) {
  return [...new Set(text.split(" "))].filter((code) => {
    const { layer, head, mlp, query, key } = numbers(code) ?? {};
    if (layer === undefined && mlp === undefined) return false;
    if (query !== undefined) return mlp === undefined && query < length && key <= query && query > 0;
    return mlp === undefined ? layer < layers && head < heads : mlp < layers;
  });
}

/** A reader of codes for an address: undefined if one of them does not exist, wherever in a text. */
export const codesIn = (sizes) => (text) => {
  const codes = new Set(text.split(" ").filter(Boolean));
  return readCodes([...codes].join(" "), sizes, Infinity).length === codes.size ? text : undefined;
};

/** The edits of edits.js that codes stand for. Cuts of one head are one edit, so that its row sums to one. */
export function toEdits(codes) {
  const edits = [];
  const cuts = new Map();
  for (const code of codes) {
    const { layer, head, mlp, mean, query, key } = numbers(code);
    if (query !== undefined) {
      const name = `${layer} ${head}`;
      if (!cuts.has(name)) {
        cuts.set(name, { op: "cut", layer, heads: [head], edges: [] });
        edits.push(cuts.get(name));
      }
      cuts.get(name).edges.push([query, key]);
      continue;
    }
    const place = mlp === undefined ? { place: "z", layer, heads: [head] } : { place: "mlp_out", layer: mlp };
    edits.push(mean ? { op: "mean", ...place, texts: "stories" } : { op: "zero", ...place });
  }
  return edits;
}

/** The codes of all heads. */
export const headCodes = ({ layers, heads }) => Array.from({ length: layers * heads }, (_, i) => headCode(Math.floor(i / heads), i % heads));
export const headCode = (layer, head) => `L${layer}H${head}`;
export const mlpCode = (layer) => `M${layer}`;
export const cutCode = (layer, head, query, key) => `L${layer}H${head}!${query}-${key}`;
export const partOf = (code) => code.replace(/~?(!.*)?$/, "");
export const isCut = (code) => code.includes("!");

/** A part's name for readers: L3H3, or MLP 2. */
export const partName = (code) => partOf(code).replace(/^M/, "MLP ");

/** An edit in words. */
export function inWords(code, words) {
  const { mean, query, key } = numbers(code);
  const name = `${code.startsWith("L") ? "Head " : ""}${partName(code)}`;
  const word = (at) => (at ? `*${words[at] ?? at}*` : "the beginning");
  if (query !== undefined) return `${name} cannot look from ${word(query)} at ${word(key)}`;
  return mean ? `${name} at its average` : `${name} off`;
}

/** A control for an edit: the same done to a part chosen at random among those that nothing is done to; or null. */
export function controlFor(code, codes, { layers, heads }, random = Math.random) {
  const { layer, head, mlp, mean, query, key } = numbers(code);
  const used = new Set(codes.map(partOf));
  const all = Array.from({ length: layers }, (_, i) => i);
  let from;
  if (query !== undefined) {
    from = Array.from({ length: query + 1 }, (_, other) => cutCode(layer, head, query, other));
    from = from.filter((other) => !codes.includes(other) && other !== cutCode(layer, head, query, key));
    if (from.length < 2) return null; // the last edge of a row cannot be cut
  } else if (mlp !== undefined) from = all.map(mlpCode).filter((one) => !used.has(one));
  else from = all.flatMap((l) => Array.from({ length: heads }, (_, h) => headCode(l, h))).filter((one) => !used.has(one));
  if (!from.length) return null;
  return from[Math.floor(random() * from.length)] + (mean ? "~" : "");
}
