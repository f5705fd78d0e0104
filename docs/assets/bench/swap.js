// Swap: put what one sentence holds at a word and layer into another, and see whether its answer moves.

import { anyText, copyLink, stateOf } from "./address.js";
import { inquire, newest } from "./client.js";
import { inGrid, make, oneStop, percent } from "./dom.js";
import { END, IDS, VOCABULARY } from "./lexicon.js";
import { randomVector } from "./methods.js";
import { barsPart, sayPart } from "./parts.js";
import { rowOf } from "./play.js";

const PAIRS = [
  ["the cats near the dog", "the cat near the dog"],
  ["the cats near the dog", "the frog near the dog"],
  ["Anna lives in", "Karl lives in"],
  ["Anna was happy . Karl likes", "Karl was happy . Anna likes"],
  ["when Anna and Karl went to the river , Karl gave the ring to", "when Anna and Karl went to the river , Anna gave the ring to"],
  ["Leo sang : la mo fi la ; la mo", "Leo sang : la mo ba la ; la mo"],
];

export function playSwap(root, sizes) {
  const aCell = (text) => {
    const [, layer, at] = text.match(/^(\d)\.(\d{1,3})$/) ?? [];
    return +layer < sizes.layers ? { layer: +layer, at: +at } : undefined;
  };
  const address = stateOf("swap", root.dataset, { a: anyText, b: anyText, cell: aCell });
  const { a, b, cell: first } = address.given;
  let pair = a || b ? [a ?? "", b ?? ""] : PAIRS[0];
  let cell = null; // { layer, at }: the one that is put in
  let control = false;
  let guess = null;
  let map = null; // the sweep, once it is shown
  let setting = null; // what the pair answers by itself
  const tried = new Map();
  const say = sayPart();
  const bars = barsPart(["the second sentence says", "the first says"]);
  const choose = make("select", { "aria-label": "A pair of sentences" }, make("option", { value: "" }, "Choose a pair"));
  for (const [i, [a, b]] of PAIRS.entries()) choose.append(make("option", { value: i }, `${a} / ${b}`));
  choose.onchange = () => choose.value && begin(PAIRS[choose.value]);
  const fields = ["First sentence", "Second sentence"].map((label) =>
    make("input", { "aria-label": label, spellcheck: "false", autocapitalize: "off", autocomplete: "off" }),
  );
  const form = make("form", { class: "bench-pair" }, ...fields.map((field, i) => make("label", {}, make("span", {}, i ? "into" : "from"), field)), make("button", { type: "submit" }, "Use these"));
  form.onsubmit = (event) => {
    event.preventDefault();
    begin(fields.map((field) => field.value.trim().replace(/\s+/g, " ")));
  };
  const problem = make("p", { class: "bench-problem", role: "alert" });
  const grid = make("div", { class: "bench-grid", role: "group", "aria-label": "The residual stream of the second sentence: words down, layers across" });
  const reveal = make("button", { type: "button", class: "bench-text", onclick: showMap }, "Show the whole map");
  const swapControl = make("button", { type: "button", class: "bench-text", onclick: () => put(cell, !control) });
  const undo = make("button", { type: "button", class: "bench-text", onclick: () => put(null) }, "Take it out again");
  const ask = newest(show, (error) => (problem.textContent = error.message));
  let cells = [];
  const stop = oneStop(grid, () => cells.map(({ button }) => button), inGrid(sizes.layers));

  root.replaceChildren(
    make("p", { class: "bench-hd" }, make("b", {}, "Swap"), " one vector between two sentences", make("span", {}, "runs in this page")),
    make("div", { class: "bench-tools" }, choose),
    form,
    problem,
    address.note,
    say.element,
    bars.element,
    make("div", { class: "bench-panel" }, make("h3", {}, "Which cell holds the answer? Press your guess: its vector goes from the first sentence into the second"), grid, make("div", { class: "bench-row" }, undo, swapControl, reveal, copyLink())),
  );
  begin(pair, first, false);

  async function begin(sentences, first = null, byHand = true) {
    problem.textContent = "";
    fields.forEach((field, i) => (field.value = sentences[i])); // now: by the answer the reader may be typing again
    const words = sentences.map((text) => text.split(" ").filter(Boolean));
    try {
      if (words[0].length !== words[1].length) throw new Error(`The sentences have ${words[0].length} and ${words[1].length} words. A swap needs as many in both.`);
      const looks = [];
      for (const one of words) looks.push(await inquire("look", { name: "world", words: one, edits: [] }));
      const width = VOCABULARY.length;
      const ends = looks.map((look) => rowOf(look.real, words[0].length, width));
      const best = (here, there) => {
        const open = VOCABULARY.filter((_, id) => ends[here][id] && !ends[there][id]);
        return open.sort((a, b) => ends[here][IDS[b]] - ends[here][IDS[a]])[0];
      };
      const answers = [best(0, 1), best(1, 0)];
      if (!answers[0] || !answers[1]) throw new Error("The grammar gives both sentences the same answers, so no swap can move them. Change one word that matters.");
      pair = sentences;
      setting = { words, looks, answers, differ: words[0].flatMap((word, i) => (word === words[1][i] ? [] : [i + 1])) };
      guess = first?.at <= words[0].length ? first : null;
      map = null;
      tried.clear();
      build();
      put(guess, false, byHand);
    } catch (error) {
      if (setting) return void (problem.textContent = error.message);
      address.refuse(error.message);
      begin(PAIRS[0], null, false);
    }
  }

  function build() {
    const { words } = setting;
    grid.replaceChildren(make("i", {}), ...Array.from({ length: sizes.layers }, (_, layer) => make("i", {}, `layer ${layer}`)));
    cells = [];
    for (const [at, word] of [END, ...words[1]].entries()) {
      const other = at ? words[0][at - 1] : word;
      const label = make("span", { class: "bench-word" }, at ? word : "start");
      if (other !== word) label.append(make("small", {}, ` ← ${other}`));
      grid.append(label);
      for (let layer = 0; layer < sizes.layers; layer++) {
        const button = make("button", { type: "button" });
        button.onclick = () => put(cell?.layer === layer && cell?.at === at ? null : { layer, at });
        cells.push({ button, layer, at });
        grid.append(button);
      }
    }
    stop();
  }

  async function put(to, asControl = false, byHand = true) {
    cell = to;
    control = Boolean(to) && asControl;
    guess ??= to;
    if (byHand) address.keep({ a: pair[0], b: pair[1], cell: to ? `${to.layer}.${to.at}` : "" });
    ask("look", { name: "world", words: setting.words[1], edits: to ? await edit(to) : [] });
  }

  async function edit({ layer, at }) {
    const place = { place: "resid_pre", layer, positions: [at] };
    if (!control) {
      return [{ op: "replace", ...place, from: { ids: [END, ...setting.words[0]].map((word) => IDS[word]), positions: [at] } }];
    }
    const both = [];
    for (const words of setting.words) both.push(await inquire("read", { name: "world", words, place: "resid_pre", layer }));
    const [one, other] = both.map(({ values, width }) => values.subarray(at * width, (at + 1) * width));
    const norm = Math.hypot(...one.map((x, i) => x - other[i]));
    return [{ op: "add", ...place, vector: randomVector(one.length, norm, Math.floor(Math.random() * 1e6)) }];
  }

  /** How far the difference of the two answers' logs goes from the second sentence's (0) to the first's (1). */
  function moved(row) {
    const difference = (said) => Math.log(said[IDS[setting.answers[0]]]) - Math.log(said[IDS[setting.answers[1]]]);
    const width = VOCABULARY.length;
    const [one, other] = setting.looks.map((look) => difference(rowOf(look.said, setting.words[0].length, width)));
    return (difference(row) - other) / (one - other);
  }

  function show(look) {
    const { words, looks, answers } = setting;
    const at = words[0].length;
    const width = VOCABULARY.length;
    const row = rowOf(look.said, at, width);
    const first = rowOf(looks[0].said, at, width);
    const order = VOCABULARY.map((_, id) => id).sort((a, b) => Math.max(row[b], first[b]) - Math.max(row[a], first[a]));
    const shown = [...new Set([IDS[answers[0]], IDS[answers[1]], ...order])].slice(0, 5);
    bars.show(shown.map((id) => ({ word: VOCABULARY[id], said: row[id], real: first[id] })));
    const share = moved(row);
    if (cell && !control) tried.set(`${cell.layer} ${cell.at}`, share);
    const answer = VOCABULARY[row.indexOf(Math.max(...row))];
    if (!cell) {
      say.show({ kind: "", title: `It says “${answer}”.` }, `The first sentence leads to *${answers[0]}*, the second to *${answers[1]}*.`);
    } else {
      const where = `${cell.at ? `*${words[1][cell.at - 1]}*` : "the beginning"}, before layer ${cell.layer}`;
      const what = control ? "A random vector as long as the difference, added at" : "The first sentence's vector at";
      const flips = share > 0.5;
      const title = flips ? "The answer moves." : share < 0.05 ? "The answer stays." : "The answer hardly moves.";
      say.show({ kind: flips ? "right" : "", title }, `${what} ${where} moves it ${percent(Math.max(0, share))} of the way to *${answers[0]}*.`);
    }
    paint();
    undo.hidden = swapControl.hidden = !cell;
    swapControl.textContent = control ? "The real vector again" : "Control: a random vector as long";
  }

  /** What is known of each cell. */
  function paint() {
    const { words } = setting;
    for (const { button, layer, at } of cells) {
      const value = map ? map[layer * (words[0].length + 1) + at] : tried.get(`${layer} ${at}`);
      const here = cell?.layer === layer && cell?.at === at;
      button.textContent = value === undefined ? "" : `${Math.round(100 * value)}`;
      button.style.setProperty("--share", value === undefined ? 0 : Math.max(0, Math.min(1, value)));
      button.setAttribute("aria-pressed", here);
      button.classList.toggle("bench-guess", guess?.layer === layer && guess?.at === at);
      const name = at ? words[1][at - 1] : "the beginning";
      button.setAttribute("aria-label", `${name}, before layer ${layer}${value === undefined ? "" : `: ${Math.round(100 * value)}%`}`);
    }
    reveal.hidden = !guess || Boolean(map);
  }

  async function showMap() {
    const { words, answers } = setting;
    const { values, unpatched, source } = await inquire("sweep", { name: "world", clean: words[0], corrupted: words[1], tokens: answers, place: "resid_pre" });
    map = values.map((value) => (value - unpatched) / (source - unpatched));
    const n = words[0].length + 1;
    const others = map.filter((_, i) => !setting.differ.includes(i % n));
    const best = map.indexOf(Math.max(...others));
    const [layer, at] = [Math.floor(best / n), best % n];
    const mine = map[guess.layer * n + guess.at];
    paint();
    const name = at ? words[1][at - 1] : "the beginning";
    const rest =
      map[best] < 0.1
        ? "No other word than the changed one holds the answer, even before the last layer."
        : `Of the unchanged words, *${name}* before layer ${layer} moves it most: ${percent(map[best])}.`;
    say.show({ kind: "", title: "The whole map." }, `Your guess moves the answer ${percent(Math.max(0, mine))} of the way. ${rest}`);
  }
}
