// Changes of a running model as plain data, with the meaning of llmnotes' interventions. An edit names its place and,
// where it is not everywhere, its layers, heads, neurons and positions (negative ones from the end of the prompt):
//
//   { op: "zero", place: "z", layer: 3, heads: [3] }                    take a head away
//   { op: "mean", place: "mlp_out", layer: 0, texts: [[0, 5, …], …] }   put its average over texts in its place
//   { op: "replace", place: "resid_pre", layer: 2, positions: [4], from: { ids: [0, 7, …], positions: [4] } }
//   { op: "add", place: "resid_post", layer: 1, vector: [0.1, …], dose: 2 }
//   { op: "cut", layer: 1, heads: [0], edges: [[4, 1]] }                keep a head from looking from 4 at 1

export const PLACES = [
  ...["resid_pre", "q", "k", "v", "pattern", "z", "attn_out", "resid_mid"],
  ...["mlp_pre", "mlp_post", "mlp_out", "resid_post", "logits"],
];
export const BY_HEAD = ["q", "k", "v", "pattern", "z"];
const OPS = ["zero", "mean", "replace", "add", "cut"];

const listOf = (some) => (Array.isArray(some) ? some : [some]);

function indices(what, some, n) {
  return listOf(some).map((i) => {
    if (!(Number.isInteger(i) && -n <= i && i < n)) throw new Error(`${what} ${i} of ${n}; expected 0 to ${n - 1}`);
    return (i + n) % n;
  });
}

/**
 * Check edits, look up what they need from other runs, and sort them by where they act.
 *
 * @param model a Model, for its sizes and for the other runs
 * @param {object[]} edits as above
 * @param prompt the prompt's length, from whose end negative positions count
 * @returns {Map<string, Function[]>} by "place layer": functions of (memory, offset, rows, start, keys) that change
 *   the rows of a place, the first of which belongs to position `start`; `keys` is the width of a pattern's row
 * @throws {Error} an edit that names what the model has not
 */
export function compileEdits(model, edits, prompt) {
  const calls = new Map();
  for (const edit of edits) {
    const place = edit.op === "cut" ? "pattern" : edit.place;
    if (!OPS.includes(edit.op)) throw new Error(`an edit's op is ${edit.op}; expected one of ${OPS.join(", ")}`);
    if (!PLACES.includes(place)) throw new Error(`no place ${place}; expected one of ${PLACES.join(", ")}`);
    if (edit.heads != null && !BY_HEAD.includes(place)) throw new Error(`${place} has no heads`);
    if (edit.neurons != null && BY_HEAD.includes(place)) throw new Error(`${place} goes by head, not by neuron`);
    const all = Array.from({ length: model.layers }, (_, i) => i);
    const layers = place === "logits" ? [null] : edit.layer == null ? all : indices("layer", edit.layer, model.layers);
    for (const layer of layers) {
      const key = keyOf(place, layer);
      if (!calls.has(key)) calls.set(key, []);
      calls.get(key).push(place === "pattern" ? onPattern(model, edit, layer, prompt) : onRows(model, edit, place, layer, prompt));
    }
  }
  return calls;
}

export const keyOf = (place, layer) => (layer == null ? place : `${place} ${layer}`);

function chosenPositions({ positions }, prompt) {
  if (positions == null) return null;
  if (positions.from != null) return { has: (position) => position >= positions.from };
  return new Set(indices("position", positions, prompt));
}

/** An edit of rows: every place but the pattern. */
function onRows(model, edit, place, layer, prompt) {
  const width = model.width(place);
  const unit = BY_HEAD.includes(place) ? model.headWidth : 1;
  const units = edit.heads ?? edit.neurons;
  const chosen = units == null ? null : indices(unit > 1 ? "head" : "neuron", units, width / unit);
  const columns = chosen
    ? chosen.flatMap((i) => Array.from({ length: unit }, (_, j) => i * unit + j))
    : Array.from({ length: width }, (_, j) => j);
  const at = chosenPositions(edit, prompt);
  const rowFor = source(model, edit, place, layer, columns, prompt);
  const add = edit.op === "add" ? (edit.dose ?? 1) : null;
  const stride = model.stride(place);
  return (memory, offset, rows, start) => {
    for (let r = 0; r < rows; r++) {
      if (at && !at.has(start + r)) continue;
      const row = rowFor(start + r);
      if (!row) continue; // text generated after what another run covers
      const to = offset + r * stride;
      if (add === null) for (const j of columns) memory[to + j] = row[j];
      else for (const j of columns) memory[to + j] += add * row[j];
    }
  };
}

/** A function from a position to the whole row that an edit puts (or adds) there. */
function source(model, edit, place, layer, columns, prompt) {
  const width = model.width(place);
  if (edit.op === "zero") {
    const zeros = new Float32Array(width);
    return () => zeros;
  }
  if (edit.op === "mean") {
    if (!edit.texts?.length) throw new Error("op mean needs texts: token ids of other texts to average over");
    const mean = model.mean(edit.texts, place, layer);
    return () => mean;
  }
  if (edit.from) {
    const { ids, positions, edits = [] } = edit.from;
    const rows = model.run(ids, { keep: [place], edits }).places.get(keyOf(place, layer));
    const from = (i) => rows.subarray(i * width, (i + 1) * width);
    if (!positions) {
      if (!edit.positions && ids.length !== prompt) {
        throw new Error(`the other run has ${ids.length} tokens, this one ${prompt}; name positions to pair them`);
      }
      return (i) => (i < ids.length ? from(i) : null);
    }
    const to = indices("position", edit.positions, prompt);
    const pairs = new Map(indices("position", positions, ids.length).map((i, n) => [to[n], i]));
    if (pairs.size !== to.length) throw new Error(`${to.length} positions are paired with ${pairs.size}`);
    return (i) => (pairs.has(i) ? from(pairs.get(i)) : null);
  }
  const value = edit.op === "add" ? edit.vector : (edit.value ?? edit.vector);
  const row = new Float32Array(width);
  if (typeof value === "number") row.fill(value);
  else if (value?.length === columns.length) columns.forEach((j, n) => (row[j] = value[n]));
  else if (value?.length === width) row.set(value);
  else if (value?.length && BY_HEAD.includes(place) && value.length === model.headWidth) {
    for (const j of columns) row[j] = value[j % model.headWidth];
  } else throw new Error(`a value for ${place} is ${value?.length ?? value} wide; expected ${columns.length}`);
  return () => row;
}

/** An edit of the pattern, whose rows are those of the first head's queries, then the next head's. */
function onPattern(model, edit, layer, prompt) {
  const heads = edit.heads == null ? null : new Set(indices("head", edit.heads, model.heads));
  const at = chosenPositions(edit, prompt);
  let change;
  if (edit.op === "cut") change = cutting(edit);
  else if (edit.op === "zero") change = (row) => row.fill(0);
  else if (edit.op === "replace" && edit.from) {
    const { ids, edits = [] } = edit.from;
    if (ids.length !== prompt) throw new Error(`the other run has ${ids.length} tokens, this one ${prompt}`);
    const kept = model.run(ids, { keep: ["pattern"], edits }).places.get(keyOf("pattern", layer));
    change = (row, head, query) => {
      const first = (head * prompt + query) * prompt;
      if (query < prompt) row.set(kept.subarray(first, first + prompt));
    };
  } else throw new Error(`a pattern's rows differ in length: op ${edit.op} is not for it; freeze it, or edit z`);
  return (memory, offset, rows, start, keys) => {
    for (let head = 0; head < model.heads; head++) {
      if (heads && !heads.has(head)) continue;
      for (let r = 0; r < rows; r++) {
        if (at && !at.has(start + r)) continue;
        const first = offset + (head * rows + r) * keys;
        change(memory.subarray(first, first + keys), head, start + r);
      }
    }
  };
}

function cutting({ edges, renormalize = true }) {
  const byQuery = new Map();
  for (const [query, key] of edges) {
    if (!(key >= 0 && key <= query)) throw new Error(`edge ${query} to ${key}: nothing looks ahead`);
    if (!byQuery.has(query)) byQuery.set(query, new Set());
    byQuery.get(query).add(key);
  }
  for (const [query, keys] of byQuery) {
    if (renormalize && keys.size > query) throw new Error(`every edge of position ${query} is cut; leave one`);
  }
  return (row, _, query) => {
    if (!byQuery.has(query)) return;
    for (const key of byQuery.get(query)) row[key] = 0;
    if (!renormalize) return;
    const total = Math.max(row.reduce((sum, p) => sum + p, 0), 1.2e-38);
    for (let i = 0; i < row.length; i++) row[i] /= total;
  };
}
