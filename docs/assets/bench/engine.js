// What a page asks of the models, answered in a worker or, where a page may start none, in the page itself.

import { keyOf } from "./edits.js";
import { END, IDS, RULES } from "./lexicon.js";
import { choices, generate, logitLens, logSoftmax, pick, randomFrom, residualSweep } from "./methods.js";
import { Model } from "./model.js";
import { gap, tellStory, truth } from "./oracle.js";
import { steered } from "./steered.js";
import { readTensors } from "./safetensors.js";
import { makeTokenizer, wordLevel } from "./tokenizers.js";

const loaded = new Map();

function modelOf(name) {
  if (!loaded.has(name)) throw new Error(`${name} is not loaded; ask to load it first`);
  return loaded.get(name);
}

/** Probabilities from logits, row by row. */
const probabilities = (logits, width) => logSoftmax(logits, width).map(Math.exp);

/** The likeliest entries of a row: [{ id, p }]. */
export function likeliest(row, count) {
  const best = [];
  for (let id = 0; id < row.length; id++) {
    if (best.length === count && row[id] <= best[count - 1].p) continue;
    const to = best.findIndex(({ p }) => p < row[id]);
    best.splice(to < 0 ? best.length : to, 0, { id, p: row[id] });
    if (best.length > count) best.pop();
  }
  return best;
}

/** Stories of World's grammar, as token ids: what a mean is taken over. */
function manyStories(count, seed) {
  const random = randomFrom(seed);
  return Array.from({ length: count }, () => tellStory(random, 64).map((word) => IDS[word]));
}
let dictionaries = null;
let told = null; // 24 stories, the same for every visitor

/** Edits as they come from a page: `texts: "stories"` stands for stories of the grammar. */
const resolve = (edits = []) =>
  edits.map((edit) => (edit.texts === "stories" ? { ...edit, texts: (told ??= manyStories(24, 1)) } : edit));

/** w + a b, for a of a shape (inputs, rank). */
function plusProduct(w, a, b, [inputs, rank]) {
  const outputs = w.length / inputs;
  const sum = w.slice();
  for (let i = 0; i < inputs; i++) {
    for (let r = 0; r < rank; r++) for (let j = 0; j < outputs; j++) sum[i * outputs + j] += a[i * rank + r] * b[r * outputs + j];
  }
  return sum;
}

/** The products of an adapter, W + a b each: ours as `W.a` and `W.b`, or peft's as lora_A (rank, inputs) and lora_B. */
function productsOf(adapter) {
  const across = ({ shape: [rows, columns], values }) => values.map((_, i) => values[(i % rows) * columns + Math.floor(i / rows)]);
  return [...adapter].flatMap(([key, { shape, values: a }]) => {
    if (key.endsWith(".a")) return [{ matrix: key.slice(0, -2), a, b: adapter.get(key.replace(/a$/, "b")).values, shape }];
    const [, module] = key.match(/^base_model\.model\.(.+)\.lora_A\.weight$/) ?? [];
    if (!module) return [];
    const [A, B] = [adapter.get(key), adapter.get(key.replace("lora_A", "lora_B"))];
    return [{ matrix: `${module}.weight`, a: across(A), b: across(B), shape: [...shape].reverse() }];
  });
}

const later = () => new Promise((go) => setTimeout(go));

export const ANSWERS = {
  /** Make a model ready: { name, config, weights, tokenizer } as its files say. */
  load({ name, config, weights, tokenizer }) {
    const tensors = readTensors(weights);
    const model = new Model(config, tensors);
    loaded.set(name, { model, tensors, tokenizer: tokenizer ? makeTokenizer(tokenizer) : wordLevel(IDS) });
    return { layers: model.layers, heads: model.heads, d: model.d, context: model.context, simd: model.kernel.simd };
  },

  /** A model with an adapter merged in: for each matrix W of the adapter, W + a b (Hu et al. 2021). */
  adapt({ name, base, weights }) {
    const { model, tensors, tokenizer } = modelOf(base);
    const changed = new Map(tensors);
    for (const { matrix, a, b, shape } of productsOf(readTensors(weights))) {
      changed.set(matrix, { values: plusProduct(tensors.get(matrix).values, a, b, shape) });
    }
    loaded.set(name, { model: new Model(model.config, changed), tensors: changed, tokenizer });
    return true;
  },

  /** What World makes of words, beside what is true: see `Look` in play.js. */
  look({ name, words, edits, lens = false, pattern = false }) {
    const { model } = modelOf(name);
    const all = [END, ...words];
    const true_ = truth(all);
    const ids = all.map((word) => IDS[word]);
    const keep = [...(lens ? ["resid_pre", "resid_post"] : []), ...(pattern ? ["pattern"] : [])];
    const { logits, places } = model.run(ids, { edits: resolve(edits), keep });
    const logs = logSoftmax(logits, model.vocab);
    const width = model.vocab;
    const rows = true_.map(({ probs, moods, rule, referent }, at) => {
      const said = logs.subarray(at * width, (at + 1) * width);
      return { gap: gap(said, probs), moods, rule, referent };
    });
    return {
      words: all,
      rows,
      said: logs.map(Math.exp),
      real: Float32Array.from(true_.flatMap(({ probs }) => Array.from(probs))),
      lens: lens ? logitLens(model, places).map((step) => step.map(Math.exp)) : null,
      pattern: pattern ? Array.from({ length: model.layers }, (_, i) => places.get(keyOf("pattern", i))) : null,
    };
  },

  /** The words that may come next in World's language, with their probability. */
  next({ words }) {
    const { probs } = truth([END, ...words]).at(-1);
    return Object.entries(IDS).map(([word, id]) => ({ word, p: probs[id] })).filter(({ p }) => p > 0).sort((a, b) => b.p - a.p);
  },

  /** The residual sweep between two texts of World. */
  sweep({ name, clean, corrupted, tokens, place }) {
    const [from, into] = [clean, corrupted].map((words) => [END, ...words].map((word) => IDS[word]));
    return residualSweep(modelOf(name).model, from, into, tokens.map((word) => IDS[word]), { place });
  },

  /** For each rule, the share of places in new stories at which the likeliest word of those it decides is a right one. */
  grade({ name, count = 24 }) {
    const { model } = modelOf(name);
    const found = {};
    const random = randomFrom(7);
    for (let n = 0; n < count; n++) {
      const words = tellStory(random, 96);
      const { logits } = model.run(words.map((word) => IDS[word]));
      for (const [at, { probs, rule }] of truth(words).entries()) {
        if (!rule) continue;
        const row = logits.subarray(at * model.vocab, (at + 1) * model.vocab);
        const best = [...RULES[rule]].reduce((one, other) => (row[IDS[other]] > row[IDS[one]] ? other : one));
        found[rule] ??= { right: 0, places: 0 };
        found[rule].places += 1;
        found[rule].right += probs[IDS[best]] > 0;
      }
    }
    return found;
  },

  /** What steering from one mood towards another does at a dose: see dial.js. */
  steer: (request) => steered(modelOf(request.name), request),

  /** A place's values for a text: { values, width }. */
  read({ name, words, place, layer, edits }) {
    const { model } = modelOf(name);
    const ids = [END, ...words].map((word) => IDS[word]);
    const { places } = model.run(ids, { keep: [place], edits: resolve(edits), read: "none" });
    return { values: places.get(keyOf(place, layer)), width: model.width(place) };
  },

  /** What Fairytale would say after a text: tokens with their probability after cut-offs, and before. */
  alternatives({ name, ids, count, sampling, edits }) {
    const { model, tokenizer } = modelOf(name);
    const { logits } = model.run(ids.slice(-model.context), { read: "last", edits: resolve(edits) });
    const raw = probabilities(logits, model.vocab);
    const left = choices(logits, sampling);
    return {
      total: left.length,
      list: left.slice(0, count).map(({ id, p }) => ({ id, p, raw: raw[id], text: tokenizer.decode([id]) })),
      drawn: pick(left, randomFrom(sampling.seed ?? 0)),
    };
  },

  /** Where Fairytale's heads look in a text, and what it would say after each token. */
  attend({ name, text, edits, longest }) {
    const { model, tokenizer } = modelOf(name);
    const ids = [0, ...tokenizer.encode(text)];
    if (ids.length > longest) throw new Error(`${ids.length - 1} tokens; the maps can show ${longest - 1}.`);
    const { logits, places } = model.run(ids, { keep: ["pattern"], edits: resolve(edits) });
    const said = probabilities(logits, model.vocab);
    const best = (at) => likeliest(said.subarray(at * model.vocab, (at + 1) * model.vocab), 4);
    return {
      words: ids.map((id) => tokenizer.decode([id])),
      next: ids.map((_, at) => best(at).map(({ id, p }) => ({ p, text: tokenizer.decode([id]) }))),
      pattern: Array.from({ length: model.layers }, (_, i) => places.get(keyOf("pattern", i))),
    };
  },

  /** Keep the encoders of the feature browser: sparse autoencoders that leave k features active (Gao et al. 2024). */
  dictionary({ weights, layer, k }) {
    dictionaries = { tensors: readTensors(weights), layer, k };
  },

  /** How active a feature is at each position, and what World says at the last. */
  activity({ name, words, source, feature }) {
    const { model } = modelOf(name);
    truth([END, ...words]); // refuses what the grammar does
    const { tensors, layer, k } = dictionaries;
    const [w, b, centre] = ["w_enc", "b_enc", "b_dec"].map((part) => tensors.get(`${source}.${part}`).values);
    const { logits, places } = model.run([END, ...words].map((word) => IDS[word]), { keep: ["resid_post"], read: "last" });
    const stream = places.get(keyOf("resid_post", layer));
    const values = Array.from({ length: words.length + 1 }, (_, at) => {
      const features = Float64Array.from(b);
      for (let i = 0; i < model.d; i++) {
        const x = stream[at * model.d + i] - centre[i];
        for (let j = 0; j < features.length; j++) features[j] += x * w[i * features.length + j];
      }
      const limit = Array.from(features).sort((one, other) => other - one)[k - 1];
      return features[feature] >= limit ? Math.max(0, features[feature]) : 0;
    });
    const best = logits.indexOf(Math.max(...logits));
    return { values, best: Object.keys(IDS)[best] };
  },

  encode: ({ name, text }) => modelOf(name).tokenizer.encode(text),
  decode: ({ name, ids }) => modelOf(name).tokenizer.decode(ids),

  /** Go on writing; each token is a part of the answer. */
  async write({ name, ids, options }, part, stopped) {
    const { model, tokenizer } = modelOf(name);
    const written = [];
    const began = performance.now();
    for (const id of generate(model, ids, { ...options, edits: resolve(options.edits) })) {
      written.push(id);
      part({ id, text: tokenizer.decode([id]) });
      if (written.length % 4 === 0) await later();
      if (stopped()) break;
    }
    return { ids: written, text: tokenizer.decode(written), ms: performance.now() - began };
  },
};
