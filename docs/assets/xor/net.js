// The network's arithmetic, in the shape and with the names of llmnotes/scratch/nets.py: nothing here knows the page.
// A net is { weights, biases, activation }: one matrix (a list of rows) and one list a layer; gradients look the same.

export const ACTIVATIONS = {
  tanh: { value: Math.tanh, slope: (h) => 1 - h * h },
  relu: { value: (z) => Math.max(z, 0), slope: (h) => (h > 0 ? 1 : 0) },
  identity: { value: (z) => z, slope: () => 1 },
};

export const sigmoid = (z) => 0.5 * (1 + Math.tanh(0.5 * z)); // without overflow at either end

/** Random numbers in [0, 1), the same for the same seed and stream (mulberry32). */
export function random(seed, stream = 0) {
  let state = Math.imul(seed + 1, 0x9e3779b1) ^ Math.imul(stream + 1, 0x85ebca6b);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** A fresh network: weights uniform within ±sqrt(6 / (d_in + d_out)), biases zero (Glorot & Bengio 2010). */
export function init(sizes, seed, activation = "tanh") {
  const draw = random(seed);
  const weights = [], biases = [];
  for (let layer = 0; layer + 1 < sizes.length; layer++) {
    const [d_in, d_out] = [sizes[layer], sizes[layer + 1]];
    const limit = Math.sqrt(6 / (d_in + d_out));
    weights.push(table(d_in, d_out, () => limit * (2 * draw() - 1)));
    biases.push(Array(d_out).fill(0));
  }
  return { weights, biases, activation };
}

/** What every layer puts out, a row an example: the input itself, each hidden layer, last the logits. */
export function forward(net, x) {
  const outputs = [x];
  const last = net.weights.length - 1;
  net.weights.forEach((w, layer) => {
    const bent = layer === last ? (z) => z : ACTIVATIONS[net.activation].value;
    outputs.push(outputs[layer].map((h) => net.biases[layer].map((b, j) => bent(sum(h, (h_i, i) => h_i * w[i][j]) + b))));
  });
  return outputs;
}

/** Mean surprise at the right answers, in nats. */
export function crossEntropy(logits, y) {
  return sum(logits, ([z], i) => surprise(z, y[i])) / y.length;
}

/** ln(1 + e^z) − y z, which is −ln p where y is 1 and −ln(1 − p) where it is 0. */
export const surprise = (z, y) => Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z))) - y * z;

/** The loss's derivative by every weight and bias, from what forward returned. */
export function backward(net, outputs, y) {
  const { slope } = ACTIVATIONS[net.activation];
  // with sigmoid and cross-entropy together: the answer given minus the right one
  let delta = outputs.at(-1).map(([z], i) => [(sigmoid(z) - y[i]) / y.length]);
  const weights = [], biases = [];
  for (let layer = net.weights.length - 1; layer >= 0; layer--) {
    const h = outputs[layer], w = net.weights[layer], error = delta;
    weights.unshift(table(w.length, w[0].length, (i, j) => sum(h, (row, n) => row[i] * error[n][j])));
    biases.unshift(w[0].map((_, j) => sum(error, (row) => row[j])));
    if (layer) delta = h.map((row, n) => row.map((h_i, i) => sum(w[i], (w_ij, j) => error[n][j] * w_ij) * slope(h_i)));
  }
  return { weights, biases, activation: net.activation };
}

/** One step of gradient descent: every parameter moves against its derivative. */
export function descend(net, gradient, rate) {
  return {
    weights: net.weights.map((w, l) => w.map((row, i) => row.map((v, j) => v - rate * gradient.weights[l][i][j]))),
    biases: net.biases.map((b, l) => b.map((v, j) => v - rate * gradient.biases[l][j])),
    activation: net.activation,
  };
}

/** The examples of a task: inputs x, answers y, and a name each. */
export function examples(task, noise, seed) {
  const draw = random(seed, 1);
  const jitter = () => noise * Math.sqrt(-2 * Math.log(1 - draw())) * Math.cos(2 * Math.PI * draw());
  const x = [], y = [];
  if (task === "circles") {
    for (let i = 0; i < 32; i++) {
      const [radius, angle] = [i % 2 ? 1 : 0.4, (2 * Math.PI * i) / 32];
      x.push([radius * Math.cos(angle) + jitter(), radius * Math.sin(angle) + jitter()]);
      y.push(1 - (i % 2));
    }
  } else {
    const answer = { xor: (a, b) => a ^ b, and: (a, b) => a & b }[task];
    for (let copy = 0; copy < (noise ? 8 : 1); copy++) {
      for (const [a, b] of [[0, 0], [0, 1], [1, 0], [1, 1]]) {
        x.push([a + jitter(), b + jitter()]);
        y.push(answer(a, b));
      }
    }
  }
  const plain = task !== "circles" && !noise;
  return { x, y, plain, names: x.map((p, i) => (plain ? p.join("") : `no. ${i + 1}`)) };
}

/** Which split of the four corners a hidden unit makes by its sign, named as in lab 01; turned round where 00 is positive. */
export function split(net, unit) {
  const h = forward(net, [[0, 0], [0, 1], [1, 0], [1, 1]])[1].map((row) => row[unit]);
  const names = { "0111": "OR", "0001": "AND", "0100": "only 01", "0010": "only 10", "0011": "the first input", "0101": "the second input" };
  return names[h.map((v) => Number(v > 0 !== h[0] > 0)).join("")] ?? "the same for all";
}

const sum = (list, of) => list.reduce((total, item, i) => total + of(item, i), 0);

const table = (rows, columns, of) => Array.from({ length: rows }, (_, i) => Array.from({ length: columns }, (_, j) => of(i, j)));
