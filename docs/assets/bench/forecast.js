// Predict on your own sentence: a claim about World with a probability, settled by the engine, kept for calibration.

import { copyLink, oneOf, stateOf, whole, wordsIn } from "./address.js";
import { headCode, mlpCode, partName, toEdits } from "./changes.js";
import { inquire } from "./client.js";
import { composerPart } from "./composer.js";
import { make, percent } from "./dom.js";
import { sayPart } from "./parts.js";
import { FIRST, rowOf } from "./play.js";
import { judge } from "./verdict.js";

const KEPT = "llmnotes-bench-predictions";

/** Predictions made on benches in this browser: [{ claim, p, outcome }]. */
export function readForecasts() {
  try {
    return JSON.parse(localStorage.getItem(KEPT) ?? "[]");
  } catch {
    return [];
  }
}

export function keepForecast(forecast) {
  const all = [...readForecasts(), forecast];
  try {
    localStorage.setItem(KEPT, JSON.stringify(all));
  } catch {
    // a browser that remembers nothing still settles this one
  }
  return all;
}

/** The mean squared distance of probability and outcome (Brier 1950). */
export const brier = (all) => all.reduce((sum, { p, outcome }) => sum + (p - outcome) ** 2, 0) / all.length;

/** Calibration as a table that reads well aloud: said, came true, how many. */
export function calibrationTable(all) {
  const bins = [0, 1, 2, 3, 4].map((fifth) => all.filter(({ p }) => Math.min(4, Math.floor(5 * p)) === fifth));
  const rows = bins.filter((some) => some.length).map((some) => {
    const mean = (key) => some.reduce((sum, one) => sum + one[key], 0) / some.length;
    return make("tr", {}, make("td", {}, percent(mean("p"))), make("td", {}, percent(mean("outcome"))), make("td", {}, `${some.length}`));
  });
  const head = make("tr", {}, ...["you said", "it came true", "predictions"].map((text) => make("th", { scope: "col" }, text)));
  return make("table", { class: "bench-lens" }, make("thead", {}, head), make("tbody", {}, ...rows));
}

const CLAIMS = {
  "stays right": { text: "World’s answer stays right", holds: (verdict) => verdict.kind !== "wrong" },
  "gap grows past 1 bit": { text: "the gap to the truth grows past 1 bit", holds: (_, row) => row.gap > 1 },
  "best word changes": { text: "World’s likeliest next word changes", holds: (verdict, _, before) => verdict.best !== before.best },
};

export function playForecast(root, sizes) {
  let words = FIRST.split(" ");
  let shown = null; // the words on the screen
  const say = sayPart();
  const parts = [];
  for (let layer = 0; layer < sizes.layers; layer++) {
    for (let head = 0; head < sizes.heads; head++) parts.push(headCode(layer, head));
    parts.push(mlpCode(layer));
  }
  const part = make("select", { "aria-label": "The part to switch off" }, ...parts.map((code) => make("option", { value: code }, partName(code))));
  const address = stateOf("predict", root.dataset, { text: wordsIn, part: oneOf(parts), claim: oneOf(Object.keys(CLAIMS)), p: whole(0, 100) });
  const { given } = address;
  part.value = given.part ?? "L3H3";
  const claim = make("select", { "aria-label": "The claim" }, ...Object.entries(CLAIMS).map(([key, { text }]) => make("option", { value: key }, text)));
  claim.value = given.claim ?? "stays right";
  const range = make("input", { type: "range", min: 0, max: 100, step: 5, value: given.p ?? 50, "aria-label": "How likely is it?" });
  const out = make("output", {}, `${range.value}%`);
  const write = () => address.keep({ text: words.join(" "), part: part.value, claim: claim.value, p: range.value });
  range.oninput = () => (out.textContent = `${range.value}%`);
  for (const one of [part, claim, range]) one.addEventListener("change", write);
  const record = make("div", {});
  const settle = make("button", { type: "button", class: "bench-button", onclick: run }, "Run it");
  const composer = composerPart(compose);

  async function compose(next, byHand = true) {
    try {
      const look = await inquire("look", { name: "world", words: next, edits: [] });
      words = shown = next;
      if (byHand) write();
      const verdict = verdictOf(look);
      composer.show(words, words.length, verdict.best);
      say.show({ kind: "", title: "Your turn." }, `Unchanged, World says *${verdict.best}*. ${verdict.why} What will it say without the part?`);
    } catch (error) {
      if (shown) return composer.refuse(error.message);
      address.refuse(error.message);
      compose(words, false);
    }
  }

  function verdictOf(look) {
    const at = words.length;
    const width = look.said.length / look.words.length;
    return judge(look.words, rowOf(look.said, at, width), rowOf(look.real, at, width), look.rows[at]);
  }

  async function run() {
    const edits = toEdits([part.value]);
    const [before, after] = await Promise.all([[], edits].map((edits) => inquire("look", { name: "world", words, edits })));
    const [one, other] = [before, after].map(verdictOf);
    const { text, holds } = CLAIMS[claim.value];
    const outcome = +holds(other, after.rows[words.length], one);
    const p = range.value / 100;
    const all = keepForecast({ claim: `${words.join(" ")} ▢: without ${partName(part.value)}, ${text}`, p, outcome });
    const gap = after.rows[words.length].gap.toFixed(2);
    say.show({ kind: outcome ? "right" : "wrong", title: outcome ? "It came true." : "It did not come true." },
      `You said ${percent(p)}. Without ${partName(part.value)} World says *${other.best}*, the gap is ${gap} bits. This one costs ${((p - outcome) ** 2).toFixed(2)}.`);
    showRecord(all);
  }

  function showRecord(all) {
    if (!all.length) return void record.replaceChildren(make("p", { class: "bench-small" }, "No prediction yet. They stay in this browser."));
    const forget = make("button", { type: "button", class: "bench-text" }, "Forget them");
    forget.onclick = () => {
      localStorage.removeItem(KEPT);
      showRecord([]);
    };
    const count = `${all.length} ${all.length === 1 ? "prediction" : "predictions"}`;
    record.replaceChildren(
      make("p", {}, `${count} here, Brier score ${brier(all).toFixed(3)}. Always saying 50% scores 0.25; lower is better.`),
      calibrationTable(all),
      make("details", {}, make("summary", {}, "Each of them"), make("ul", {}, ...all.map(({ claim, p, outcome }) => make("li", {}, `${outcome ? "✓" : "✕"} ${percent(p)}: ${claim}`)))),
      forget,
    );
  }

  root.replaceChildren(
    make("p", { class: "bench-hd" }, make("b", {}, "Predict"), " on your own sentence", make("span", {}, "runs in this page")),
    address.note,
    composer.element,
    say.element,
    make("div", { class: "bench-panel" },
      make("h3", {}, "Your claim, and how likely it is"),
      make("div", { class: "bench-row" }, make("label", {}, "Without ", part), make("label", {}, claim)),
      make("div", { class: "bench-row" }, make("label", { class: "bench-when" }, range, out), settle, copyLink())),
    make("div", { class: "bench-panel" }, make("h3", {}, "Your record"), record),
  );
  compose(given.text ?? words, false);
  showRecord(readForecasts());
}
