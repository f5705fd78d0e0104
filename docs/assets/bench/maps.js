// Where heads look, drawn three ways: a small map for each head, one large map with its words, and the text itself with
// arcs from the word that is chosen, and to it. A map's row is the word that looks, its column the word that is looked at.

import { headCode } from "./changes.js";
import { make, percent } from "./dom.js";

const BLUE = "#2f7fbd"; // what a map is painted with; nothing is transparent, so that it lies on light and dark paper
const SEEN = 0.02; // a smaller share has no arc

/** How strongly a share is shaded: its root, so that a few per cent can be seen at all. */
const strength = (share) => Math.sqrt(share);

/** Paint a map of n words into a canvas, a pixel a cell. */
function paint(canvas, weights, n) {
  canvas.width = canvas.height = n; // and clears it
  const context = canvas.getContext("2d");
  context.fillStyle = BLUE;
  for (let at = 0; at < n; at++) {
    for (let key = 0; key <= at; key++) {
      context.globalAlpha = strength(weights[at * n + key]);
      context.fillRect(key, at, 1, 1);
    }
  }
}

/** Arrow keys lead to a number, which is chosen and gets the focus: { ArrowUp: (at) => … }. */
function onArrows(group, buttons, leads, choose) {
  group.addEventListener("keydown", (event) => {
    const at = buttons().indexOf(event.target);
    if (at < 0 || !leads[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const to = leads[event.key](at);
    if (to === null || to === undefined || !buttons()[to]) return;
    choose(to);
    buttons()[to].focus();
  });
}

function mark(button, chosen) {
  button.setAttribute("aria-checked", chosen);
  button.tabIndex = chosen ? 0 : -1;
}

/** A small map for each head, one of which is chosen. */
export function smallMaps({ layers, heads }, choose) {
  const codes = [];
  const buttons = [];
  const grid = make("div", { class: "bench-maps", role: "radiogroup", "aria-label": "The head", style: `--heads:${heads}` });
  for (let layer = 0; layer < layers; layer++) {
    grid.append(make("i", { "aria-hidden": "true" }, `L${layer}`));
    for (let head = 0; head < heads; head++) {
      const code = headCode(layer, head);
      const canvas = make("canvas", { "aria-hidden": "true" });
      const button = make("button", { type: "button", role: "radio", onclick: () => choose(code) }, canvas, make("span", {}, `H${head}`));
      codes.push(code);
      buttons.push(button);
      grid.append(button);
    }
  }
  const leads = { ArrowRight: (at) => at + 1, ArrowLeft: (at) => at - 1, ArrowDown: (at) => at + heads, ArrowUp: (at) => at - heads };
  onArrows(grid, () => buttons, leads, (to) => choose(codes[to]));
  let painted = null;
  return {
    element: make("div", {}, make("h3", {}, `All ${layers * heads} heads: choose one`), grid),
    codes,
    show({ pattern, words }, chosen, off) {
      const n = words.length;
      for (const [i, button] of buttons.entries()) {
        const [layer, head] = [Math.floor(i / heads), i % heads];
        if (painted !== pattern) paint(button.firstChild, pattern[layer].subarray(head * n * n, (head + 1) * n * n), n);
        const isOff = off(codes[i]);
        button.classList.toggle("bench-off-head", isOff);
        button.setAttribute("aria-label", `Layer ${layer}, head ${head}${isOff ? ", switched off" : ""}`);
        mark(button, codes[i] === chosen);
      }
      painted = pattern;
    },
  };
}

/** One head's map, large, with the words at its sides; a row can be chosen by pointing at it. */
export function largeMap(choose) {
  const canvas = make("canvas", { "aria-hidden": "true" });
  const row = make("div", { class: "bench-map-row", "aria-hidden": "true" });
  const [left, below] = ["bench-map-left", "bench-map-below"].map((name) => make("div", { class: name, "aria-hidden": "true" }));
  const box = make("div", { class: "bench-map-box" }, canvas, row);
  const note = make("p", { class: "bench-small" });
  const HINT = "A row looks, a column is looked at.";
  let shown = null;
  const cell = ({ clientX, clientY }) => {
    const { left: x, top: y, width } = canvas.getBoundingClientRect();
    const [key, at] = [clientX - x, clientY - y].map((d) => Math.floor((d / width) * shown.names.length));
    return shown.names[at] !== undefined && key >= 0 && key <= at ? { key, at } : null;
  };
  box.addEventListener("click", (event) => {
    const found = cell(event);
    if (found) choose(found.at);
  });
  box.addEventListener("pointermove", (event) => {
    const found = cell(event);
    note.textContent = found
      ? `${shown.names[found.at]} → ${shown.names[found.key]}: ${percent(shown.weights[found.at * shown.names.length + found.key])}`
      : HINT;
  });
  box.addEventListener("pointerleave", () => (note.textContent = HINT));
  note.textContent = HINT;
  return {
    element: make("div", { class: "bench-map" }, left, box, below, note),
    show(names, weights, at) {
      const n = names.length;
      const step = Math.ceil(n / 18); // as many words as there is room for
      const labels = () => names.map((name, i) => make("span", { class: i === at ? "bench-now" : "" }, i % step && i !== at ? "" : name));
      if (shown?.weights !== weights) paint(canvas, weights, n);
      shown = { names, weights };
      left.replaceChildren(...labels());
      below.replaceChildren(...labels());
      Object.assign(row.style, { top: `${(100 * at) / n}%`, height: `${100 / n}%`, width: `${(100 * (at + 1)) / n}%` });
    },
  };
}

/** The text: its words to choose from, each with its share of the chosen word's attention, and arcs to them. */
export function lookingText({ choose, otherHead }) {
  const svg = make("svg", { class: "bench-arcs", "aria-hidden": "true" });
  const line = make("div", { class: "bench-text-line", role: "radiogroup", "aria-label": "The word that looks" });
  const blank = make("u");
  const element = make("div", { class: "bench-looks" }, svg, line);
  let buttons = [];
  let built = "";
  let drawn = null;
  const steps = { ArrowRight: (at) => at + 1, ArrowLeft: (at) => at - 1, Home: () => 0, End: () => buttons.length - 1 };
  const heads = { ArrowUp: () => void otherHead(-1), ArrowDown: () => void otherHead(1) };
  onArrows(line, () => buttons, { ...steps, ...heads }, choose);

  function build(names, glued) {
    built = names.join("\n");
    buttons = names.map((name, at) =>
      make("button", { type: "button", role: "radio", "aria-label": `${name}, word ${at}`, class: glued?.[at] ? "bench-glued" : "", onclick: () => choose(at) }, make("span", {}, name), make("small", {})),
    );
    line.replaceChildren(...buttons, blank);
  }

  function arc(from, to, share, kind) {
    const [x0, y0, x1] = [from.offsetLeft + from.offsetWidth / 2, from.offsetTop, to.offsetLeft + to.offsetWidth / 2];
    const above = to.offsetTop < y0 - 4; // on another line of the text
    const y1 = above ? to.offsetTop + to.offsetHeight : to.offsetTop;
    const high = above ? 26 : Math.min(40, 12 + Math.abs(x0 - x1) / 6);
    const d = `M${x0} ${y0}C${x0} ${y0 - high} ${x1} ${y1 + (above ? high : -high)} ${x1} ${y1}`;
    return make("path", { d, "stroke-width": 1 + 7 * share, class: kind });
  }
  function draw() {
    if (!drawn || !line.offsetWidth) return;
    const { shares, later, at, off } = drawn;
    const there = shares.flatMap((share, key) => (share < SEEN || key === at ? [] : [arc(buttons[at], buttons[key], share, off ? "bench-off-arc" : "")]));
    const back = later.flatMap((share, i) => (share < 0.05 ? [] : [arc(buttons[i], buttons[at], share, "bench-in-arc")]));
    const from = buttons[at];
    svg.replaceChildren(...back, ...there, make("circle", { cx: from.offsetLeft + from.offsetWidth / 2, cy: from.offsetTop, r: 4 }));
  }
  new ResizeObserver(draw).observe(line);

  return {
    element,
    /** @param {{names, glued, shares, later, at, off, next}} state shares of the words up to `at`; what later words give it; next: what is said after it */
    show({ names, glued, next, ...state }) {
      if (built !== names.join("\n")) build(names, glued);
      for (const [i, button] of buttons.entries()) {
        const share = state.shares[i];
        mark(button, i === state.at);
        button.classList.toggle("bench-beyond", share === undefined);
        button.style.setProperty("--share", `${share === undefined ? 0 : Math.round(40 * strength(share))}%`);
        button.lastChild.textContent = share === undefined || share < 0.005 ? "" : percent(share);
      }
      blank.textContent = state.at === names.length - 1 ? next : "▢";
      drawn = state;
      draw();
    },
  };
}
