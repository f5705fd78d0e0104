// GPT-2 (Radford et al. 2019) as the notebook's models are saved: learned positions, norms before attention and MLP,
// GELU in its tanh form, embedding and unembedding tied. Places mean what they mean in llmnotes.model.

import { compileEdits, keyOf, PLACES } from "./edits.js";
import { makeKernel } from "./kernel.js";

const up4 = (n) => Math.ceil(n / 4) * 4;

export class Model {
  /**
   * @param config what config.json says
   * @param {Map<string, {values: Float32Array}>} tensors as readTensors gives them
   * @param options simd: use WebAssembly if it is there
   * @throws {Error} a model of another kind, or a tensor that is missing
   */
  constructor(config, tensors, { simd = true } = {}) {
    if (config.model_type !== "gpt2" || !/gelu_new|gelu_pytorch_tanh/.test(config.activation_function)) {
      throw new Error(`a ${config.model_type} with ${config.activation_function}; expected a gpt2 with gelu_new`);
    }
    this.config = config;
    [this.layers, this.heads, this.d] = [config.n_layer, config.n_head, config.n_embd];
    [this.mlp, this.context, this.vocab] = [config.n_inner ?? 4 * config.n_embd, config.n_positions, config.vocab_size];
    this.headWidth = this.d / this.heads;
    if (this.d % 4 || this.mlp % 4) throw new Error(`widths of ${this.d} and ${this.mlp}; expected multiples of 4`);
    this.padded = up4(this.vocab); // the kernel writes four columns at once
    this.#place(tensors, simd);
    this.means = new Map();
  }

  /** Lay weights and working space out in one memory. */
  #place(tensors, simd) {
    const { d, mlp, context, vocab, padded, layers } = this;
    const get = (name, length) => {
      const values = tensors.get(`transformer.${name}`)?.values;
      if (values?.length !== length) throw new Error(`${name} has ${values?.length} numbers; expected ${length}`);
      return values;
    };
    let size = 0;
    const copies = [];
    const put = (values, length = values.length) => {
      copies.push([size, values]);
      size += up4(length);
      return size - up4(length);
    };
    const room = (length) => (size += up4(length)) - up4(length);
    const linear = (name, inputs, outputs) => ({
      w: put(get(`${name}.weight`, inputs * outputs)),
      b: put(get(`${name}.bias`, outputs)),
      inputs,
      outputs,
    });
    const norm = (name) => ({ g: put(get(`${name}.weight`, d)), b: put(get(`${name}.bias`, d)) });
    const embedding = get("wte.weight", vocab * d);
    const across = new Float32Array(d * padded);
    for (let i = 0; i < vocab; i++) for (let j = 0; j < d; j++) across[j * padded + i] = embedding[i * d + j];
    this.wte = put(embedding);
    this.wpe = put(get("wpe.weight", context * d));
    this.unembed = { w: put(across), b: put(new Float32Array(padded)), inputs: d, outputs: padded };
    this.finalNorm = norm("ln_f");
    this.blocks = Array.from({ length: layers }, (_, i) => ({
      norm1: norm(`h.${i}.ln_1`),
      qkv: linear(`h.${i}.attn.c_attn`, d, 3 * d),
      proj: linear(`h.${i}.attn.c_proj`, d, d),
      norm2: norm(`h.${i}.ln_2`),
      up: linear(`h.${i}.mlp.c_fc`, d, mlp),
      down: linear(`h.${i}.mlp.c_proj`, mlp, d),
    }));
    this.at = { x: room(context * d), normed: room(context * d), qkv: room(context * 3 * d), z: room(context * d) };
    Object.assign(this.at, { out: room(context * d), pre: room(context * mlp), post: room(context * mlp) });
    Object.assign(this.at, { logits: room(context * padded), pattern: room(this.heads * context * context) });
    this.kernel = makeKernel(size, simd);
    this.memory = this.kernel.memory;
    for (const [offset, values] of copies) this.memory.set(values, offset);
  }

  /** How many numbers a place has for each position. */
  width(place) {
    return place === "logits" ? this.vocab : place.startsWith("mlp_p") ? this.mlp : this.d;
  }

  /** How far apart a place's rows lie in memory. */
  stride(place) {
    return "qkv".includes(place) ? 3 * this.d : place === "logits" ? this.padded : this.width(place);
  }

  /** Room for the keys and values of a text, which later runs go on from. */
  cache(length = this.context) {
    const rows = () => Array.from({ length: this.layers }, () => new Float32Array(length * this.d));
    return { length: 0, k: rows(), v: rows() };
  }

  /**
   * Run the model.
   *
   * @param {number[]} ids tokens; with a cache, those after the ones in it
   * @param {object} options
   *   keep: names of places to keep; edits: see edits.js; cache: goes on from it, and fills it;
   *   prompt: the prompt's length, from whose end edits count negative positions;
   *   read: "all" positions' logits, the "last" one's, or "none";
   *   from: { layer, x } begins before a block, with that residual stream for the positions of ids
   * @returns {{logits: Float32Array, places: Map<string, Float32Array>}} logits: positions × vocabulary
   * @throws {Error} a text that is empty or too long, a token or place that there is not
   */
  run(ids, { keep = [], edits = [], cache = null, prompt = 0, read = "all", from = null } = {}) {
    const { memory, d, at } = this;
    const rows = ids.length;
    const start = cache ? cache.length : 0;
    if (!rows) throw new Error("an empty text; give at least one token");
    if (start + rows > this.context) {
      throw new Error(`a text of ${start + rows} tokens; this model reads ${this.context}`);
    }
    for (const place of keep) {
      if (!PLACES.includes(place)) throw new Error(`no place ${place}; expected one of ${PLACES.join(", ")}`);
    }
    const calls = compileEdits(this, edits, prompt || start + rows); // before memory is written: it may run the model
    const places = new Map();
    const visit = (place, layer, offset) => {
      const key = keyOf(place, layer);
      for (const call of calls.get(key) ?? []) call(memory, offset, rows, start, start + rows);
      if (keep.includes(place)) places.set(key, this.#copy(place, offset, rows, start + rows));
    };
    if (from) memory.set(from.x, at.x);
    else {
      for (let r = 0; r < rows; r++) {
        const id = ids[r];
        if (!(id >= 0 && id < this.vocab)) throw new Error(`token ${id}; expected 0 to ${this.vocab - 1}`);
        const word = this.wte + id * d, position = this.wpe + (start + r) * d, x = at.x + r * d;
        for (let j = 0; j < d; j++) memory[x + j] = memory[word + j] + memory[position + j];
      }
    }
    const store = cache ?? this.cache(rows);
    for (let layer = from?.layer ?? 0; layer < this.layers; layer++) this.#block(layer, rows, start, store, visit);
    if (cache) cache.length = start + rows;
    if (read === "none") return { logits: new Float32Array(), places };
    const first = read === "last" && !keep.includes("logits") && !calls.has("logits") ? rows - 1 : 0;
    this.#readOut(at.x + first * d, rows - first);
    visit("logits", null, at.logits);
    const logits = this.#copy("logits", at.logits, rows - first);
    return { logits: read === "last" ? logits.slice(-this.vocab) : logits, places };
  }

  #block(layer, rows, start, cache, visit) {
    const { memory, d, at } = this;
    const { norm1, qkv, proj, norm2, up, down } = this.blocks[layer];
    visit("resid_pre", layer, at.x);
    this.#norm(norm1, at.x, rows);
    this.#linear(qkv, at.normed, at.qkv, rows);
    visit("q", layer, at.qkv);
    visit("k", layer, at.qkv + d);
    visit("v", layer, at.qkv + 2 * d);
    const [k, v] = [cache.k[layer], cache.v[layer]];
    for (let r = 0; r < rows; r++) {
      const row = at.qkv + 3 * d * r;
      k.set(memory.subarray(row + d, row + 2 * d), (start + r) * d);
      v.set(memory.subarray(row + 2 * d, row + 3 * d), (start + r) * d);
    }
    this.#look(rows, start, k);
    visit("pattern", layer, at.pattern);
    this.#mix(rows, start, v);
    visit("z", layer, at.z);
    this.#linear(proj, at.z, at.out, rows);
    visit("attn_out", layer, at.out);
    this.#add(rows);
    visit("resid_mid", layer, at.x);
    this.#norm(norm2, at.x, rows);
    this.#linear(up, at.normed, at.pre, rows);
    visit("mlp_pre", layer, at.pre);
    const bend = Math.sqrt(2 / Math.PI);
    for (let i = 0, n = rows * this.mlp; i < n; i++) {
      const x = memory[at.pre + i];
      memory[at.post + i] = 0.5 * x * (1 + Math.tanh(bend * (x + 0.044715 * x * x * x)));
    }
    visit("mlp_post", layer, at.post);
    this.#linear(down, at.post, at.out, rows);
    visit("mlp_out", layer, at.out);
    this.#add(rows);
    visit("resid_post", layer, at.x);
  }

  #linear({ w, b, inputs, outputs }, from, to, rows) {
    for (let r = 0; r < rows; r++) this.memory.copyWithin(to + r * outputs, b, b + outputs);
    this.kernel.matmul(to, from, w, rows, inputs, outputs);
  }

  #add(rows) {
    const { memory, d, at } = this;
    for (let i = 0; i < rows * d; i++) memory[at.x + i] += memory[at.out + i];
  }

  /** Layer norm of rows, into at.normed. */
  #norm({ g, b }, from, rows) {
    const { memory, d, at } = this;
    for (let r = 0; r < rows; r++) {
      const x = from + r * d, y = at.normed + r * d;
      let mean = 0, variance = 0;
      for (let j = 0; j < d; j++) mean += memory[x + j];
      mean /= d;
      for (let j = 0; j < d; j++) variance += (memory[x + j] - mean) ** 2;
      const scale = 1 / Math.sqrt(variance / d + this.config.layer_norm_epsilon);
      for (let j = 0; j < d; j++) memory[y + j] = (memory[x + j] - mean) * scale * memory[g + j] + memory[b + j];
    }
  }

  /** Queries times keys, softmax over those not ahead: the pattern (head × query × key). */
  #look(rows, start, k) {
    const { memory, d, at, heads, headWidth } = this;
    const keys = start + rows, scale = 1 / Math.sqrt(headWidth);
    for (let head = 0; head < heads; head++) {
      for (let r = 0; r < rows; r++) {
        const query = at.qkv + 3 * d * r + head * headWidth, row = at.pattern + (head * rows + r) * keys;
        const seen = start + r + 1;
        let top = -Infinity, total = 0;
        for (let i = 0; i < seen; i++) {
          const key = i * d + head * headWidth;
          let score = 0;
          for (let j = 0; j < headWidth; j++) score += memory[query + j] * k[key + j];
          memory[row + i] = score * scale;
          if (score * scale > top) top = score * scale;
        }
        for (let i = 0; i < seen; i++) total += memory[row + i] = Math.exp(memory[row + i] - top);
        for (let i = 0; i < seen; i++) memory[row + i] /= total;
        memory.fill(0, row + seen, row + keys);
      }
    }
  }

  /** Values mixed by the pattern, into at.z. */
  #mix(rows, start, v) {
    const { memory, d, at, heads, headWidth } = this;
    const keys = start + rows;
    memory.fill(0, at.z, at.z + rows * d);
    for (let head = 0; head < heads; head++) {
      for (let r = 0; r < rows; r++) {
        const row = at.pattern + (head * rows + r) * keys, z = at.z + r * d + head * headWidth;
        for (let i = 0; i < keys; i++) { // all keys: an edited pattern may look ahead
          const weight = memory[row + i], value = i * d + head * headWidth;
          if (weight) for (let j = 0; j < headWidth; j++) memory[z + j] += weight * v[value + j];
        }
      }
    }
  }

  /** Final norm and unembedding of rows of a residual stream in memory. */
  #readOut(offset, rows) {
    this.#norm(this.finalNorm, offset, rows);
    this.#linear(this.unembed, this.at.normed, this.at.logits, rows);
  }

  /** The logits that residual streams (rows × d) would give if the model stopped there. */
  readOut(rows) {
    this.memory.set(rows, this.at.x);
    this.#readOut(this.at.x, rows.length / this.d);
    return this.#copy("logits", this.at.logits, rows.length / this.d);
  }

  #copy(place, offset, rows, keys) {
    if (place === "pattern") return this.memory.slice(offset, offset + this.heads * rows * keys);
    const width = this.width(place), stride = this.stride(place);
    if (width === stride) return this.memory.slice(offset, offset + rows * width);
    const copy = new Float32Array(rows * width);
    for (let r = 0; r < rows; r++) {
      copy.set(this.memory.subarray(offset + r * stride, offset + r * stride + width), r * width);
    }
    return copy;
  }

  /** The average of a place over all tokens of some texts. */
  mean(texts, place, layer) {
    const key = JSON.stringify([texts, place, layer]);
    if (!this.means.has(key)) {
      const width = this.width(place), sum = new Float64Array(width);
      let rows = 0;
      for (const ids of texts) {
        const values = this.run(ids, { keep: [place] }).places.get(keyOf(place, layer));
        for (let i = 0; i < values.length; i++) sum[i % width] += values[i];
        rows += ids.length;
      }
      this.means.set(key, Float32Array.from(sum, (total) => total / rows));
    }
    return this.means.get(key);
  }
}
