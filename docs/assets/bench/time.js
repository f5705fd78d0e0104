// The time machine: World at nine moments of its training and at its end, on the reader's sentence.

import { copyLink, stateOf, whole, wordsIn } from "./address.js";
import { inquire, loadModel, newest } from "./client.js";
import { composerPart } from "./composer.js";
import { calm, make, percent } from "./dom.js";
import { RULE_NAMES } from "./lexicon.js";
import { barsPart, gapText, sayPart } from "./parts.js";
import { FIRST, rowOf } from "./play.js";
import { judge, worthShowing } from "./verdict.js";

export const STEPS = [0, 60, 125, 250, 500, 750, 1000, 1500, 2500, 5500];
export const modelAt = (i) => (i === STEPS.length - 1 ? "world" : `world/step-${STEPS[i]}`);
const ORDER = ["pronoun", "list", "agreement_0", "fact", "agreement_1"]; // as offered: no hint of the answer
const KNOWN = 0.9;

/** Load all checkpoints, telling how far it is. */
export async function loadSteps(progress) {
  for (let i = 0; i < STEPS.length; i++) {
    await loadModel(modelAt(i));
    progress((i + 1) / STEPS.length);
  }
}

export function playTime(root) {
  const address = stateOf("time", root.dataset, { text: wordsIn, step: whole(0, STEPS.length - 1) });
  const { text: words = FIRST.split(" "), step = 0 } = address.given;
  const state = { words, step };
  const say = sayPart();
  const bars = barsPart();
  let shown = null; // the words on the screen
  let unwritten = false; // the state is not yet the page's address
  const when = make("output", {});
  const range = make("input", { type: "range", min: 0, max: STEPS.length - 1, step: 1, value: state.step, "aria-label": "Moment of training" });
  range.oninput = () => {
    stop();
    update({ step: +range.value });
  };
  const play = make("button", { type: "button", class: "bench-button", onclick: () => (timer ? stop() : start()) }, "Play");
  let timer = null;
  function stop() {
    clearInterval(timer);
    timer = null;
    play.textContent = "Play";
  }
  function start() {
    if (state.step === STEPS.length - 1) update({ step: 0 });
    play.textContent = "Stop";
    timer = setInterval(() => {
      if (state.step === STEPS.length - 1) return stop();
      update({ step: state.step + 1 });
    }, calm() ? 2000 : 900);
  }
  function update(patch, byHand = true) {
    Object.assign(state, patch);
    range.value = state.step;
    const step = STEPS[state.step];
    when.textContent = step ? `after ${step.toLocaleString("en")} steps of training` : "before training";
    range.setAttribute("aria-valuetext", when.textContent);
    unwritten ||= byHand;
    ask("look", { name: modelAt(state.step), words: state.words, edits: [] });
  }
  const composer = composerPart((words) => update({ words }));
  const ask = newest((look) => {
    shown = state.words;
    if (unwritten) address.keep({ text: shown.join(" "), step: state.step });
    unwritten = false;
    const at = state.words.length;
    const width = look.said.length / look.words.length;
    const [said, real] = [rowOf(look.said, at, width), rowOf(look.real, at, width)];
    const verdict = judge(look.words, said, real, look.rows[at]);
    composer.show(state.words, at, verdict.best, verdict.kind);
    const why = verdict.why.replace("no longer agrees", "does not agree");
    say.show(verdict, `${when.textContent[0].toUpperCase()}${when.textContent.slice(1)}. ${why}`);
    bars.show(worthShowing(said, real, 6), gapText(look.rows[at].gap));
  }, (error) => {
    unwritten = false;
    if (shown) {
      state.words = shown;
      return composer.refuse(error.message);
    }
    address.refuse(error.message);
    update({ words: FIRST.split(" ") }, false);
  });
  root.replaceChildren(
    make("p", { class: "bench-hd" }, make("b", {}, "World"), " at ten moments of its training", make("span", {}, "runs in this page")),
    address.note,
    composer.element,
    make("div", { class: "bench-row bench-pad" }, play, make("label", { class: "bench-when" }, range, when)),
    say.element,
    bars.element,
    rulesPart(),
    make("div", { class: "bench-foot" }, copyLink()),
  );
  update({}, false);
}

/** Order the rules by when they are learned, then see. */
function rulesPart() {
  let order = [...ORDER];
  const list = make("ol", { class: "bench-order" });
  const status = make("p", { role: "status" });
  const result = make("div");
  const press = make("button", { type: "button", class: "bench-button", onclick: see }, "See when World learned them");
  const draw = (focus = null) => {
    list.replaceChildren(
      ...order.map((rule, i) => {
        const move = (by) => {
          const to = i + by;
          [order[i], order[to]] = [order[to], order[i]];
          draw([to, by]);
        };
        const button = (text, by, label) => make("button", { type: "button", "aria-label": `${RULE_NAMES[rule]}: ${label}`, disabled: !order[i + by], onclick: () => move(by) }, text);
        return make("li", {}, make("div", {}, make("span", {}, RULE_NAMES[rule]), button("↑", -1, "earlier"), button("↓", 1, "later")));
      }),
    );
    if (!focus) return;
    const [at, by] = focus;
    const buttons = [...list.children[at].querySelectorAll("button")];
    (buttons[by < 0 ? 0 : 1].disabled ? buttons[by < 0 ? 1 : 0] : buttons[by < 0 ? 0 : 1]).focus();
  };
  draw();

  let testing = false;
  async function see() {
    if (testing) return; // the button keeps the focus
    testing = true;
    status.textContent = "Testing …";
    const grades = [];
    for (let i = 0; i < STEPS.length; i++) {
      press.textContent = `Testing step ${STEPS[i]} …`;
      grades.push(await inquire("grade", { name: modelAt(i) }));
    }
    const share = (rule, i) => grades[i][rule].right / grades[i][rule].places;
    const learned = (rule) => {
      const at = STEPS.findIndex((_, i) => STEPS.slice(i).every((_, j) => share(rule, i + j) >= KNOWN));
      return at < 0 ? STEPS.length : at;
    };
    const pairs = order.flatMap((one, i) => order.slice(i + 1).map((other) => [learned(one), learned(other)]));
    const told = pairs.filter(([one, other]) => one !== other);
    const right = told.filter(([one, other]) => one < other).length;
    const head = ["rule", ...STEPS.map((step) => (step < 1000 ? step : `${step / 1000}k`))].map((text) => make("th", { scope: "col" }, `${text}`));
    const rows = [...order].sort((a, b) => learned(a) - learned(b)).map((rule) =>
      make(
        "tr",
        {},
        make("th", { scope: "row" }, RULE_NAMES[rule], make("small", {}, ` ${grades[0][rule].places} places`)),
        ...STEPS.map((_, i) => make("td", { style: `--share:${share(rule, i)}`, class: learned(rule) === i ? "bench-learned" : "" }, percent(share(rule, i)).replace("%", ""))),
      ),
    );
    status.textContent = `You have ${right} of ${told.length} pairs in the right order. A rule counts as learned from the step on at which its share stays at ${percent(KNOWN)} or more (outlined).`;
    result.replaceChildren(
      make("div", { class: "bench-scroll" }, make("table", { class: "bench-steps", "aria-label": "Share right by rule and step" }, make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...rows))),
      make("p", { class: "bench-small" }, "Percent of places in 24 new stories at which the likeliest of the words that the rule decides is a right one; computed just now, in this page."),
    );
    testing = false;
    press.textContent = "Test my order again";
  }
  return make("div", { class: "bench-panel" }, make("h3", {}, "Which rule came first? Put them in order, the earliest on top"), list, press, status, result);
}
