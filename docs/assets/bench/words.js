// A text word by word: what the model guesses after each, beside what is true; and where one head looks, as arcs.

import { cutCode, headCode } from "./changes.js";
import { bits, inGrid, make, oneStop, percent } from "./dom.js";
import { VOCABULARY } from "./lexicon.js";
import { shownWord } from "./parts.js";

const ROW = 46; // pixels

function likeliestOf(row) {
  let best = 0;
  for (let id = 1; id < row.length; id++) if (row[id] > row[best]) best = id;
  return { word: VOCABULARY[best], p: row[best] };
}

/**
 * @param {{layers: number, heads: number}} sizes
 * @param {{select: (at: number) => void, cut: (code: string) => void, choose: (head: string) => void}} act
 */
export function wordsPart({ layers, heads }, { select, cut, choose }) {
  const picker = make("select", { "aria-label": "The head whose attention is drawn" });
  for (let layer = 0; layer < layers; layer++) {
    for (let head = 0; head < heads; head++) picker.append(make("option", {}, headCode(layer, head)));
  }
  picker.onchange = () => choose(picker.value);
  const svg = make("svg", { "aria-hidden": "true", class: "bench-arcs", width: 72 });
  const body = make("tbody");
  const arcs = make("div", { class: "bench-arcs-box" }, svg);
  const head = make("tr", {}, ...["after", "it looks here", "it says", "true", "gap, bits"].map((text) => make("th", { scope: "col" }, text)));
  const table = make("table", { class: "bench-words" }, make("thead", {}, head), body);
  const words = make("div", { class: "bench-reading" }, arcs, table);
  const element = make(
    "div",
    { class: "bench-panel" },
    make("h3", {}, "Word by word"),
    make("p", { class: "bench-small" }, "Choose a word to see what comes after it. The arcs show where ", picker, " looks from there; press a share to cut that look."),
    words,
  );
  let built = "";
  let rows = [];

  function build(all) {
    built = all.join(" ");
    rows = all.map((word, at) => {
      const one = { said: make("td"), real: make("td"), gap: make("td", { class: "bench-number" }), look: make("td") };
      one.select = make("button", { type: "button", class: "bench-pick", onclick: () => select(at), "aria-label": at ? word : "the beginning" }, at ? word : "start");
      one.cut = make("button", { type: "button", class: "bench-look" });
      one.look.append(one.cut);
      one.element = make("tr", {}, make("th", { scope: "row" }, one.select), one.look, one.said, one.real, one.gap);
      return one;
    });
    body.replaceChildren(...rows.map(({ element }) => element));
  }
  const stop = oneStop(body, () => rows.flatMap(({ select, cut }) => [select, cut]), inGrid(2));

  function draw(weights, at, cuts) {
    const room = (arcs.clientWidth || 72) / 72; // less on a phone
    const middle = (i) => ROW * i + ROW / 2;
    svg.setAttribute("height", ROW * rows.length);
    svg.replaceChildren(
      ...weights.flatMap((weight, i) => {
        if (weight < 0.02 || i === at) return [];
        const bend = 66 - Math.min(60, 10 + 9 * (at - i)) * room;
        const d = `M70 ${middle(at)}C${bend} ${middle(at)} ${bend} ${middle(i)} 70 ${middle(i)}`;
        return [make("path", { d, "stroke-width": 1 + 7 * weight, class: cuts.has(i) ? "bench-cut" : "" })];
      }),
      make("circle", { cx: 68, cy: middle(at), r: 4 }),
    );
  }

  return {
    element,
    show(look, { at, head: code, codes }, width) {
      if (built !== look.words.join(" ")) build(look.words);
      const [, layer, number] = code.match(/L(\d)H(\d)/) ?? [0, 3, 3];
      picker.value = headCode(layer, number);
      const n = look.words.length;
      const first = (number * n + at) * n;
      const weights = [...look.pattern[layer].subarray(first, first + n)];
      const cuts = new Set();
      for (const [i, one] of rows.entries()) {
        const said = likeliestOf(look.said.subarray(i * width, (i + 1) * width));
        const real = likeliestOf(look.real.subarray(i * width, (i + 1) * width));
        const wrong = !look.real[i * width + VOCABULARY.indexOf(said.word)];
        one.said.replaceChildren(make("span", { class: wrong ? "bench-wrong" : "" }, wrong ? "✕ " : "", shownWord(said.word)), ` ${percent(said.p)}`);
        one.real.replaceChildren(make("span", {}, shownWord(real.word)), ` ${percent(real.p)}`);
        const { gap } = look.rows[i];
        one.gap.replaceChildren(make("i", { class: "bench-share", style: `width:${Math.min(40, 12 * gap)}px` }), bits(gap));
        one.select.setAttribute("aria-pressed", i === at);
        one.element.classList.toggle("bench-chosen", i === at);
        const cutting = cutCode(layer, number, at, i);
        const isOff = codes.includes(cutting);
        if (isOff) cuts.add(i);
        one.cut.hidden = i > at || at === 0;
        one.cut.textContent = isOff ? "cut" : percent(weights[i]);
        one.cut.style.setProperty("--share", weights[i]);
        one.cut.setAttribute("aria-pressed", isOff);
        const there = i ? look.words[i] : "the beginning";
        one.cut.setAttribute("aria-label", isOff ? `Let ${picker.value} look at ${there} again` : `Cut ${picker.value}'s look at ${there}, ${percent(weights[i])}`);
        one.cut.onclick = () => cut(cutting);
      }
      if (!body.contains(document.activeElement)) stop(rows[at].select);
      draw(weights, at, cuts);
    },
  };
}
