// What the page shows of a state: three pictures, two tables, one description. Each function returns text or draws once.
// A state is { net, step, loss, losses, outputs, gradient, rate, task, data, shown, chosen }; main.js makes it.
import { ACTIVATIONS, forward, sigmoid, split, surprise } from "./net.js";

const LN2 = Math.log(2);
const RULES = {
  tanh: { name: "tanh", slope: (h) => `(1 − h${h}²)` },
  relu: { name: "relu", slope: () => "slope" },
  identity: { name: "", slope: () => "1" },
};

/** A number of always the same width: a sign, and one decimal fewer for each digit more before the point. */
export function signed(value, decimals = 3) {
  const sign = value < 0 && Number(value.toFixed(decimals)) ? "−" : "+";
  return sign + plain(Math.abs(value), decimals);
}

export function plain(value, decimals = 4) {
  const before = Math.max(0, Math.floor(Math.log10(Number(value.toFixed(decimals)) || 1)));
  return value.toFixed(Math.max(0, decimals - before)).padStart(decimals + 2, "\u2007");
}

const low = (i) => "₁₂₃₄₅₆₇₈"[i];
const bracket = (value) => `(${signed(value).trim()})`;
const term = (text) => `<span>${text}</span>`; // does not break within
const colour = (value) => (value < 0 ? "minus" : "plus");
const hiddenUnits = (net) => net.biases[0].map((_, j) => j);

// The network

/** Every weight and bias of a net: where it is, what it is called, and its value. */
export function parameters({ weights: [w, v], biases: [b, [c]] }) {
  const units = hiddenUnits({ biases: [b] });
  return [
    ...w.flatMap((row, i) => row.map((value, j) => ({ at: `w.0.${i}.${j}`, name: `weight x${low(i)} → h${low(j)}`, value }))),
    ...units.map((j) => ({ at: `b.0.${j}`, name: `bias of h${low(j)}`, value: b[j] })),
    ...units.map((j) => ({ at: `w.1.${j}.0`, name: `weight h${low(j)} → p`, value: v[j][0] })),
    { at: "b.1.0", name: "bias of p", value: c },
  ];
}

export function network(width, { net, outputs, data, shown, chosen }) {
  const hidden = hiddenUnits(net);
  const height = Math.max(220, 40 * hidden.length + 8);
  const [half, tall] = [Math.min(31, width * 0.105), 14];
  const spread = (count, gap) => Array.from({ length: count }, (_, i) => height / 2 + (i - (count - 1) / 2) * gap);
  const xs = [half + 2, width / 2, width - half - 2];
  const gap = Math.min(130, (height - 40) / Math.max(1, hidden.length - 1));
  const ys = [spread(2, 130), spread(hidden.length, gap), spread(1, 0)];
  const lines = [], hits = [], nodes = [], labels = [];
  const label = (x, y, value) => labels.push(`<rect class="paper" x="${x - 26}" y="${y - 10}" width="52" height="20" rx="4"/><text class="chosen" x="${x}" y="${y + 4}">${signed(value, 2).trim()}</text>`);
  net.weights.forEach((w, layer) => w.forEach((row, i) => row.forEach((v, j) => {
    const thick = Math.min(9, 0.6 + 1.5 * Math.abs(v)).toFixed(2);
    const [a, b] = [xs[layer] + half, xs[layer + 1] - half], at = `w.${layer}.${i}.${j}`;
    const ends = `x1="${a}" y1="${ys[layer][i]}" x2="${b}" y2="${ys[layer + 1][j]}"`;
    if (at === chosen) {
      lines.push(`<line class="halo" ${ends} stroke-width="${Number(thick) + 8}"/>`);
      label(a + 0.3 * (b - a), ys[layer][i] + 0.3 * (ys[layer + 1][j] - ys[layer][i]), v);
    }
    lines.push(`<line class="${colour(v)}" ${ends} stroke-width="${thick}"/>`);
    hits.push(`<line class="hit" data-at="${at}" ${ends}/>`);
  })));
  const node = (x, y, name, value, text, bias, at) => {
    const ring = bias ? `class="ring ${colour(bias)}" stroke-width="${Math.min(6, 1 + Math.abs(bias)).toFixed(2)}"` : `class="ring"`;
    const fill = `class="fill ${colour(value)}" fill-opacity="${(0.28 * Math.min(1, Math.abs(value))).toFixed(2)}"`;
    const box = `x="${x - half}" y="${y - tall}" width="${2 * half}" height="${2 * tall}" rx="${tall}"`;
    const here = at ? ` data-at="${at}"` : "";
    if (at && at === chosen) {
      nodes.push(`<rect class="halo" x="${x - half - 4}" y="${y - tall - 4}" width="${2 * half + 8}" height="${2 * tall + 8}" rx="${tall + 4}"/>`);
      label(x, y - tall - 14, bias);
    }
    nodes.push(`<g${here}><rect class="paper" ${box}/><rect ${fill} ${box}/><rect ${ring} ${box}/>`);
    nodes.push(`<text x="${x}" y="${y + 4}">${name} ${text}</text></g>`);
  };
  const x = data.x[shown], h = outputs[1][shown], p = sigmoid(outputs[2][shown][0]);
  x.forEach((v, i) => node(xs[0], ys[0][i], `x${low(i)}`, v, data.plain ? v : signed(v, 2)));
  hidden.forEach((j) => node(xs[1], ys[1][j], `h${low(j)}`, h[j], signed(h[j], 2), net.biases[0][j], `b.0.${j}`));
  node(xs[2], ys[2][0], "p", 2 * p - 1, plain(p, 2), net.biases[1][0], "b.1.0");
  return svg(width, height, [lines, hits, nodes, labels].flat().join(""));
}

const svg = (width, height, inside) => `<svg aria-hidden="true" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">${inside}</svg>`;

// The plane of inputs

const EDGE = { left: 22, top: 4, right: 4, bottom: 22 };

export function frame(width, task) {
  const size = width - EDGE.left - EDGE.right;
  const [from, to] = task === "circles" ? [-1.6, 1.6] : [-0.5, 1.5];
  return {
    size, from, to,
    x: (v) => EDGE.left + (size * (v - from)) / (to - from),
    y: (v) => EDGE.top + (size * (to - v)) / (to - from),
    a: (left) => from + ((left - EDGE.left) * (to - from)) / size, // and back, from pixels to inputs
    b: (top) => to - ((top - EDGE.top) * (to - from)) / size,
  };
}

/** Colour the plane by the network's answer at each of its points. */
export function surface(canvas, { net, task }, width) {
  const { size, from, to } = frame(width, task);
  const cells = 48, side = Array.from({ length: cells }, (_, i) => from + ((i + 0.5) * (to - from)) / cells);
  Object.assign(canvas, { width: cells, height: cells });
  Object.assign(canvas.style, { width: `${size}px`, height: `${size}px`, left: `${EDGE.left}px`, top: `${EDGE.top}px` });
  const pen = canvas.getContext("2d"), image = pen.createImageData(cells, cells);
  const [plus, minus] = ["--xor-plus", "--xor-minus"].map((name) => {
    const hex = getComputedStyle(canvas).getPropertyValue(name).trim();
    return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
  });
  const grid = [...side].reverse().flatMap((b) => side.map((a) => [a, b]));
  forward(net, grid).at(-1).forEach(([z], i) => {
    const lean = 2 * sigmoid(z) - 1;
    image.data.set([...(lean < 0 ? minus : plus), 190 * Math.abs(lean)], 4 * i);
  });
  pen.putImageData(image, 0, 0);
}

/** What is drawn on the coloured plane: each hidden unit's line, where its sum is 0, and the examples. */
export function plane(width, { net, data, shown, task }) {
  const { size, from, to, x, y } = frame(width, task);
  const parts = [];
  hiddenUnits(net).forEach((j) => {
    const ends = zeroLine(net.weights[0][0][j], net.weights[0][1][j], net.biases[0][j], from, to);
    if (!ends) return;
    const [[a, b], [c, d]] = ends.map((end) => [x(end[0]), y(end[1])]);
    const [s, t] = [c + (a - c) * (0.06 + 0.09 * j), d + (b - d) * (0.06 + 0.09 * j)];
    parts.push(`<path class="line" d="M${a} ${b}L${c} ${d}"/><circle class="tag" cx="${s}" cy="${t}" r="9"/><text class="tag" x="${s}" y="${t + 4}">${j + 1}</text>`);
  });
  data.x.forEach(([a, b], i) => {
    if (i === shown) parts.push(`<circle class="shown" cx="${x(a)}" cy="${y(b)}" r="12"/>`);
    parts.push(`<circle class="${data.y[i] ? "one" : "zero"}" cx="${x(a)}" cy="${y(b)}" r="${data.y[i] ? 6.5 : 5}"/>`);
  });
  const ticks = (task === "circles" ? [-1, 0, 1] : [0, 1]).map((v) => {
    const name = String(v).replace("-", "−");
    return `<text x="${x(v)}" y="${EDGE.top + size + 16}">${name}</text><text class="up" x="${EDGE.left - 6}" y="${y(v) + 4}">${name}</text>`;
  });
  const box = `<rect class="box" x="${EDGE.left}" y="${EDGE.top}" width="${size}" height="${size}"/>`;
  return svg(width, width, box + parts.join("") + ticks.join(""));
}

/** The two ends, within the square, of the line on which a·x + b·y + c is 0. */
function zeroLine(a, b, c, from, to) {
  const inside = (v) => v >= from && v <= to;
  const ends = [];
  for (const edge of [from, to]) {
    if (b && inside(-(a * edge + c) / b)) ends.push([edge, -(a * edge + c) / b]);
    if (a && inside(-(b * edge + c) / a)) ends.push([-(b * edge + c) / a, edge]);
  }
  const far = ends.find((end) => Math.hypot(end[0] - ends[0][0], end[1] - ends[0][1]) > 1e-9);
  return far && [ends[0], far];
}

/** The example nearest to a place on the drawing. */
export function nearest(width, { data, task }, left, top) {
  const { x, y } = frame(width, task);
  const away = data.x.map(([a, b]) => Math.hypot(x(a) - left, y(b) - top));
  return away.indexOf(Math.min(...away));
}

// The loss so far

export function curve(width, { losses, task }) {
  const height = 230, left = 34, right = 42, top = 8, bottom = 24;
  const steps = losses.length - 1;
  const wide = roof(Math.max(steps, 10)), tall = Math.max(0.8, roof(losses.reduce((a, b) => Math.max(a, b))));
  const x = (step) => left + ((width - left - right) * step) / wide;
  const y = (loss) => top + (height - top - bottom) * (1 - loss / tall);
  const every = Math.max(1, Math.ceil(steps / 400));
  const kept = losses.map((_, i) => i).filter((i) => i % every === 0 || i === steps);
  const path = kept.map((i) => `${x(i).toFixed(1)} ${y(losses[i]).toFixed(1)}`).join("L");
  const levels = [["ln 2", LN2], ...(task === "xor" ? [["½ ln 2", LN2 / 2]] : [])].filter(([, v]) => v > tall / 12);
  const guides = levels.map(([name, v]) => `<path class="guide" d="M${left} ${y(v)}H${width - right}"/><text class="side" x="${width - right + 4}" y="${y(v) + 4}">${name}</text>`);
  const ticks = [[0, "0"], [tall, tall]].map(([v, name]) => `<text class="up" x="${left - 6}" y="${y(v) + 4}">${name}</text>`);
  const below = [0, wide / 2, wide].map((v) => `<text x="${x(v)}" y="${height - 6}">${v}</text>`);
  const axes = `<path class="axes" d="M${left} ${top}V${height - bottom}H${width - right}"/>`;
  const end = `<circle class="end" cx="${x(steps)}" cy="${y(losses[steps])}" r="4"/>`;
  return svg(width, height, guides.join("") + axes + ticks.join("") + below.join("") + `<path class="loss" d="M${path}"/>` + end);
}

/** The next of 1, 2, 4, 10, 20, 40, … so that an axis seldom changes. */
function roof(value) {
  const ten = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 4, 10].find((m) => m * ten >= value * (1 - 1e-9)) * ten;
}

// The passes, written out

const row = (name, how, value) => `<tr><th scope="row">${name}</th><td>${how}</td><td>${value}</td></tr>`;
const group = (text, columns) => `<tr><th scope="rowgroup" colspan="${columns}">${text}</th></tr>`;
const head = (...names) => `<thead><tr>${names.map((name) => `<th scope="col">${name}</th>`).join("")}</tr></thead>`;

export function forwards({ net, outputs, data, shown, loss }) {
  const { name } = RULES[net.activation];
  const x = data.x[shown], y = data.y[shown], h = outputs[1][shown], z = outputs[2][shown][0], p = sigmoid(z);
  const input = (v) => (data.plain ? v : bracket(v));
  const added = (w, carried, b, show) => [...w.map((v, i) => term(`${signed(v)}·${show(carried[i])}`)), term(signed(b))].join(" ");
  const units = hiddenUnits(net).map((j) => {
    const w = net.weights[0].map((r) => r[j]), b = net.biases[0][j];
    const sum = x[0] * w[0] + x[1] * w[1] + b;
    return row(`z${low(j)}`, added(w, x, b, input), signed(sum)) + row(`h${low(j)}`, name ? `${name}${bracket(sum)}` : `z${low(j)}`, signed(h[j]));
  });
  const out = [
    row("z", added(net.weights[1].map((r) => r[0]), h, net.biases[1][0], bracket), signed(z)),
    row("p", term(`1 / (1 + e<sup>${signed(-z)}</sup>)`), `\u2007${plain(p, 3)}`),
    row("loss", y ? `−ln ${plain(p, 3)}, for the answer is 1` : `−ln (1 − ${plain(p, 3)}), for the answer is 0`, `\u2007${plain(surprise(z, y))}`),
    row("mean", `of the losses of all ${data.y.length} points`, `\u2007${plain(loss)}`),
  ];
  return `<table class="xor-table"><caption>Forwards: from the inputs to the loss</caption>${head("", "how", "value")}
    <tbody>${group("Hidden units: z = w₁·x₁ + w₂·x₂ + b, then the nonlinearity", 3)}${units.join("")}</tbody>
    <tbody>${group(`Output: z = v₁·h₁ + … + c, then the sigmoid`, 3)}${out.join("")}</tbody></table>`;
}

export function backwards({ net, outputs, data, shown, gradient, rate }) {
  const x = data.x[shown], y = data.y[shown], h = outputs[1][shown];
  const p = sigmoid(outputs[2][shown][0]), delta = p - y;
  const { slope } = RULES[net.activation];
  const line = (name, how, here, mean, now) =>
    `<tr><th scope="row">${name}</th><td>${how ? `${how} ` : ""}${term(`${how ? "= " : ""}${signed(here, 4)}`)}</td><td>${signed(mean, 4)}</td>` +
    `<td>${term(signed(now))} ${term(`→ ${signed(now - rate * mean)}`)}</td></tr>`;
  const times = (a, b) => term(`${signed(a)}·${b}`);
  const output = hiddenUnits(net).map((j) =>
    line(`v${low(j)}`, times(delta, bracket(h[j])), delta * h[j], gradient.weights[1][j][0], net.weights[1][j][0]));
  output.push(line("c", "", delta, gradient.biases[1][0], net.biases[1][0]));
  const units = hiddenUnits(net).map((j) => {
    const v = net.weights[1][j][0], steep = ACTIVATIONS[net.activation].slope(h[j]), back = delta * v * steep;
    const rule = `δ${low(j)} = δ·v${low(j)}·${slope(low(j))} = ${term(signed(delta).trim())}·${bracket(v)}·${plain(steep, 3)} = ${term(signed(back, 4).trim())}`;
    const lines = [0, 1].map((i) =>
      line(`w${low(i)}`, times(back, data.plain ? x[i] : bracket(x[i])), back * x[i], gradient.weights[0][i][j], net.weights[0][i][j]));
    lines.push(line("b", "", back, gradient.biases[0][j], net.biases[0][j]));
    return `<tbody>${group(`Hidden unit ${j + 1}: ${rule}`, 4)}${lines.join("")}</tbody>`;
  });
  return `<table class="xor-table"><caption>Backwards: from the loss to every weight</caption>
    ${head("", "this point: δ · what came in", `mean of ${data.y.length}`, "now → next")}
    <tbody>${group(`Output: δ = p − y = ${plain(p, 3)} − ${y} = ${term(signed(delta).trim())}`, 4)}${output.join("")}</tbody>${units.join("")}</table>`;
}

// In words

export function describe({ net, step, loss, outputs, task, data, end }) {
  const answers = outputs.at(-1).map(([z]) => sigmoid(z));
  const right = answers.filter((p, i) => p > 0.5 === (data.y[i] === 1)).length;
  const list = (parts) => parts.slice(0, -1).join(", ") + (parts.length > 1 ? " and " : "") + parts.at(-1);
  const text = [`Step ${step}: the loss is ${plain(loss).trim()} nats, ${height(loss, answers, task, data)}.`];
  text.push(data.plain
    ? `The network gives 1 the probability ${list(answers.map((p, i) => `${p.toFixed(2)} for ${data.names[i]}`))}: ${right} of 4 are on the right side of one half.`
    : `${right} of ${data.y.length} points are on the right side of one half.`);
  if (task === "xor" && data.plain) {
    const kinds = hiddenUnits(net).map((j) => split(net, j));
    const few = kinds.length === 2 ? ending(kinds) : "";
    text.push(`Going by signs, ${list(kinds.map((kind, j) => `unit ${j + 1} is ${kind}`))}${few}.`);
  }
  return text.concat(end ?? []).join(" ");
}

function height(loss, answers, task, data) {
  if (loss < 0.1) return "which we call solved";
  if (Math.abs(loss - LN2) < 0.01) return "about ln 2: no better than answering one half to everything";
  const torn = answers.filter((p) => Math.abs(p - 0.5) < 0.1).length; // a run may also pass here on its way down
  if (task === "xor" && data.plain && Math.abs(loss - LN2 / 2) < 0.02 && torn === 2) return "about ½ ln 2, where stuck runs stay";
  return loss > LN2 ? "more than answering one half to everything would cost" : "less than answering one half to everything would cost";
}

function ending(kinds) {
  const both = [...kinds].sort().join(" + ");
  if (both === "AND + OR" || both === "only 01 + only 10") return ", the parts of one solution";
  return /^OR \+ only/.test(both) ? ", half of each solution" : "";
}
