// Ways of asking a model: the logit lens, the sweep of patches, generation.

import { keyOf } from "./edits.js";

/** Log-probabilities in nats, row by row. */
export function logSoftmax(logits, width) {
  const out = new Float32Array(logits.length);
  for (let first = 0; first < logits.length; first += width) {
    let top = -Infinity, total = 0;
    for (let i = first; i < first + width; i++) if (logits[i] > top) top = logits[i];
    for (let i = first; i < first + width; i++) total += Math.exp(logits[i] - top);
    const log = Math.log(total) + top;
    for (let i = first; i < first + width; i++) out[i] = logits[i] - log;
  }
  return out;
}

/**
 * What the model would predict if it stopped after each layer (nostalgebraist 2020).
 *
 * @returns {Float32Array[]} the embedding's log-probabilities, then each layer's: positions × vocabulary
 */
export function logitLens(model, places) {
  const steps = [places.get(keyOf("resid_pre", 0))];
  for (let i = 0; i < model.layers; i++) steps.push(places.get(keyOf("resid_post", i)));
  return steps.map((rows) => logSoftmax(model.readOut(rows), model.vocab));
}

/**
 * Patch each layer and position of a place from one run into another, and read the difference of two logits at the
 * last position (Heimersheim and Nanda 2024). A patched run begins where the patch is: what comes before, in layers
 * and in words, is as it was.
 *
 * @param {number[]} clean
 * @param {number[]} corrupted as many tokens
 * @param {[number, number]} tokens the two of the metric
 * @returns {{values: Float32Array, unpatched: number, source: number, layers: number, positions: number}}
 *   values: layers × positions, for clean put into corrupted
 */
export function residualSweep(model, clean, corrupted, [one, other], { place = "resid_pre" } = {}) {
  const length = corrupted.length;
  if (clean.length !== length) throw new Error(`${clean.length} tokens and ${length}; a sweep needs as many`);
  if (!["resid_pre", "resid_mid", "resid_post", "attn_out", "mlp_out", "z"].includes(place)) {
    throw new Error(`cannot sweep ${place} by layer and position`);
  }
  const metric = (logits) => logits[logits.length - model.vocab + one] - logits[logits.length - model.vocab + other];
  const source = model.run(clean, { keep: [place], read: "last" });
  const base = model.cache(length);
  const run = model.run(corrupted, { keep: ["resid_pre"], cache: base, read: "last" });
  const values = new Float32Array(model.layers * length);
  const width = model.width(place);
  for (let layer = 0; layer < model.layers; layer++) {
    const rows = source.places.get(keyOf(place, layer));
    const x = run.places.get(keyOf("resid_pre", layer));
    for (let p = 0; p < length; p++) {
      // Later positions write over the base's keys and values from p on, so each patch gets a copy.
      const cache = { length: p, k: base.k.map((k) => k.slice()), v: base.v.map((v) => v.slice()) };
      const value = rows.slice(p * width, (p + 1) * width);
      const { logits } = model.run(corrupted.slice(p), {
        edits: [{ op: "replace", place, layer, positions: [p], value }],
        cache,
        prompt: length,
        read: "last",
        from: { layer, x: x.subarray(p * model.d) },
      });
      values[layer * length + p] = metric(logits);
    }
  }
  return { values, unpatched: metric(run.logits), source: metric(source.logits), layers: model.layers, positions: length };
}

/** Random numbers in [0, 1) that a seed decides (Mulberry32). */
export function randomFrom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** A vector of a given length in a random direction (Box and Muller 1958). */
export function randomVector(width, norm, seed) {
  const random = randomFrom(seed);
  const vector = Float32Array.from({ length: width }, () => {
    return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  });
  const length = Math.hypot(...vector);
  return vector.map((x) => (x * norm) / length);
}

/**
 * What is left of a distribution after temperature and cut-offs, most likely first.
 *
 * @param {Float32Array} logits of one position
 * @param options temperature (0 takes the likeliest), topK (0: all), topP (1: all)
 * @returns {{id: number, p: number}[]} sums to 1
 */
export function choices(logits, { temperature = 1, topK = 0, topP = 1 } = {}) {
  if (temperature <= 0) {
    let best = 0;
    for (let i = 1; i < logits.length; i++) if (logits[i] > logits[best]) best = i;
    return [{ id: best, p: 1 }];
  }
  const order = Array.from(logits.keys()).sort((i, j) => logits[j] - logits[i] || i - j);
  const kept = topK > 0 ? order.slice(0, topK) : order;
  let list = kept.map((id) => ({ id, p: Math.exp((logits[id] - logits[order[0]]) / temperature) }));
  const scale = (some) => {
    const total = some.reduce((sum, { p }) => sum + p, 0);
    return some.map(({ id, p }) => ({ id, p: p / total }));
  };
  list = scale(list);
  if (topP < 1) {
    let total = 0;
    const last = list.findIndex(({ p }) => (total += p) >= topP);
    list = scale(list.slice(0, last < 0 ? list.length : last + 1));
  }
  return list;
}

/** One of the choices. */
export function pick(list, random) {
  let left = random();
  return (list.find(({ p }) => (left -= p) < 0) ?? list[list.length - 1]).id;
}

/**
 * Go on from a text, token by token.
 *
 * @param {number[]} ids the prompt
 * @param {object} options count, edits, seed, temperature, topK, topP, stop: a token that ends the text
 * @yields {number} each new token
 */
export function* generate(model, ids, { count = 20, edits = [], seed = 0, stop = -1, ...sampling } = {}) {
  const random = randomFrom(seed);
  const cache = model.cache();
  let next = ids;
  for (let n = 0; n < count && cache.length + next.length <= model.context; n++) {
    const { logits } = model.run(next, { edits, cache, prompt: ids.length, read: "last" });
    const id = pick(choices(logits, sampling), random);
    yield id;
    if (id === stop) return;
    next = [id];
  }
}
