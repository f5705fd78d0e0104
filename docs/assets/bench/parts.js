// The pieces that benches are put together from. Each gives an element and a function that shows a state in it.

import { controlFor, headCode, inWords, mlpCode, partName, partOf } from "./changes.js";
import { bits, emphasised, inGrid, make, oneStop, percent } from "./dom.js";
import { END, VOCABULARY } from "./lexicon.js";

/** A word for the eye: the beginning of a text has a sign of its own. */
export const shownWord = (word) => (word === END ? "▏" : word);

/** The verdict, announced when it changes. */
export function sayPart() {
  const element = make("p", { class: "bench-say", role: "status", "aria-live": "polite" });
  const MARK = { right: "✓ ", off: "≈ ", wrong: "✕ " };
  let last = "";
  return {
    element,
    show({ kind, title }, text) {
      if (last === kind + title + text) return; // or it would be said again
      last = kind + title + text;
      element.replaceChildren(make("b", { class: `bench-${kind}` }, MARK[kind] ?? "", title), " ", ...emphasised(text));
    },
  };
}

/** Bars: what the model says, and under it what is true. */
export function barsPart(labels = ["the model says", "true"]) {
  const note = make("span", { class: "bench-gap" });
  const key = make("div", { class: "bench-key" });
  key.append(make("span", {}, make("i", { class: "bench-ink" }), labels[0]));
  if (labels[1]) key.append(make("span", {}, make("i", { class: "bench-true" }), labels[1]));
  key.append(note);
  const list = make("ul", { class: "bench-bars" });
  const rows = new Map();
  function row(word) {
    const one = { said: make("i", { class: "bench-ink" }), real: make("i", { class: "bench-true" }), number: make("b") };
    one.truth = make("span");
    one.element = make(
      "li",
      {},
      make("span", { class: "bench-word" }, word),
      make("span", { class: "bench-track", "aria-hidden": "true" }, one.said, labels[1] ? one.real : null),
      make("span", { class: "bench-number" }, one.number, one.truth),
    );
    rows.set(word, one);
    return one;
  }
  return {
    element: make("div", { class: "bench-chart" }, key, list),
    /** @param {{word: string, said: number, real?: number}[]} words @param {string} beside text at the right of the key */
    show(words, beside = "") {
      const scale = Math.max(0.5, ...words.flatMap(({ said, real = 0 }) => [said, real]));
      for (const { word, said, real } of words) {
        const one = rows.get(word) ?? row(word);
        one.said.style.width = `${(100 * said) / scale}%`;
        one.number.textContent = percent(said);
        if (real === undefined) continue;
        one.real.style.width = `${(100 * real) / scale}%`;
        one.truth.textContent = ` / ${percent(real)}`;
        one.element.className = !real && said >= 0.01 ? "bench-row-wrong" : "";
      }
      const shown = words.map(({ word }) => rows.get(word).element);
      if (shown.some((element, i) => list.children[i] !== element) || list.children.length !== shown.length) {
        list.replaceChildren(...shown);
      }
      note.replaceChildren(...emphasised(beside));
    },
  };
}

/** A switch for each head and each MLP. */
export function switchesPart({ layers, heads }, title, toggle) {
  const buttons = new Map();
  const grid = make("div", { class: "bench-switches", role: "group", "aria-label": title });
  const add = (code, text, name) => {
    const press = () => toggle(code);
    const button = make("button", { type: "button", "aria-label": name, onclick: press }, make("span", {}, text));
    buttons.set(code, button);
    grid.append(button);
  };
  for (let layer = 0; layer < layers; layer++) {
    grid.append(make("i", { "aria-hidden": "true" }, `L${layer}`));
    for (let head = 0; head < heads; head++) add(headCode(layer, head), `H${head}`, `Layer ${layer}, head ${head}`);
    add(mlpCode(layer), "MLP", `Layer ${layer}, MLP`);
  }
  oneStop(grid, () => [...buttons.values()], inGrid(heads + 1))();
  return {
    element: make("div", {}, make("h3", {}, title), grid),
    show(codes) {
      for (const [code, button] of buttons) {
        const changed = codes.find((one) => partOf(one) === code);
        button.setAttribute("aria-pressed", !codes.includes(code));
        button.classList.toggle("bench-mean", Boolean(changed) && changed !== code);
      }
    },
  };
}

/** The best guess after each layer. */
export function lensPart(layers) {
  const body = make("tbody");
  const rows = Array.from({ length: layers + 1 }, (_, i) => {
    const cells = [make("td", { class: "bench-word" }), make("td")];
    body.append(make("tr", {}, make("th", { scope: "row" }, i ? `layer ${i - 1}` : "embedding"), ...cells));
    return cells;
  });
  const heading = make("h3", {}, "Best guess after each layer");
  return {
    element: make("div", {}, heading, make("table", { class: "bench-lens" }, body)),
    /** @param steps probabilities of the next word at one position, by step */
    show(steps) {
      for (const [i, row] of steps.entries()) {
        const best = row.reduce((best, p, id) => (p > row[best] ? id : best), 0);
        rows[i][0].textContent = VOCABULARY[best] === END ? "(end)" : VOCABULARY[best];
        const bar = make("i", { class: "bench-share", style: `width:${Math.round(48 * row[best])}px` });
        rows[i][1].replaceChildren(bar, percent(row[best]));
      }
    },
  };
}

/** What is changed, in words; each can be undone, and has a control. */
export function changesPart(sizes, change) {
  const list = make("ul", { class: "bench-changes" });
  const none = make("p", { class: "bench-small" }, "Nothing is changed.");
  const clear = make("button", { type: "button", class: "bench-text", onclick: () => change([]) }, "Undo all");
  const element = make("div", {}, make("h3", {}, "What you changed"), none, list, clear);
  return {
    element,
    /** @param {boolean} means whether an average may stand in a part's place */
    show(codes, words, means = true) {
      const undo = (code) => {
        change(codes.filter((one) => one !== code));
        (list.querySelector("button") ?? element.closest(".bench").querySelector(".bench-switches [tabindex='0']"))?.focus();
      };
      const replace = (code, other) => change(codes.map((one) => (one === code ? other : one)));
      none.hidden = codes.length > 0;
      clear.hidden = codes.length < 2;
      list.replaceChildren(
        ...codes.map((code) => {
          const name = inWords(code, words);
          const control = controlFor(code, codes, sizes);
          const plain = name.replaceAll("*", "");
          const button = (text, label, onclick) =>
            make("button", { type: "button", class: "bench-text", "aria-label": `${label}: ${plain}`, onclick }, text);
          const mean = code.endsWith("~") ? code.slice(0, -1) : `${code}~`;
          return make(
            "li",
            {},
            make("span", {}, ...emphasised(name)),
            button("Undo", "Undo", () => undo(code)),
            code.includes("!") || !means
              ? null
              : button(code.endsWith("~") ? "Zero instead" : "Average instead", "Other kind", () => replace(code, mean)),
            control && button("Control: random instead", "Control", () => replace(code, control)),
          );
        }),
      );
    },
  };
}

/** The parts that are changed, as the subject of a sentence: "L3H3 and MLP 2". */
export function namedTogether(codes) {
  const names = [...new Set(codes.map(partName))];
  if (names.length < 2) return names[0] ?? "";
  if (names.length > 3) return `${names.length} parts`;
  return `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

export const gapText = (gap) => `gap to the truth ${bits(gap)} bits`;
