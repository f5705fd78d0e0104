// The steering dial: a story is written anew while one turns the dose, with what it brings and what it costs.

import { copyLink, number, oneOf, stateOf, whole } from "./address.js";
import { inquire, newest } from "./client.js";
import { make, percent } from "./dom.js";
import { END, MOOD_OF, MOODS } from "./lexicon.js";
import { sayPart } from "./parts.js";

const PROMPT = "Anna";

export function playSteer(root, sizes) {
  const mood = oneOf(MOODS);
  const address = stateOf("steer", root.dataset, { from: mood, to: mood, layer: whole(0, sizes.layers - 1), dose: number(-2, 6), seed: whole(0, 1e6) });
  const state = { from: "gloomy", to: "merry", layer: 1, dose: 0, seed: 3, control: null, ...address.given };
  let plain = null; // what an unsteered run measures
  let plainFor = "";
  const say = sayPart();
  const story = make("p", { class: "bench-tale", role: "region", "aria-label": "The story" });
  const out = make("output", {});
  const dose = make("input", { type: "range", min: -2, max: 6, step: 0.25, value: state.dose, "aria-label": "Dose" });
  dose.oninput = () => update({ dose: +dose.value });
  const select = (label, values, key, text = (value) => value) => {
    const element = make("select", { "aria-label": label }, ...values.map((value) => make("option", { value }, text(value))));
    element.value = state[key];
    element.onchange = () => update({ [key]: key === "layer" ? +element.value : element.value });
    return make("label", {}, `${label} `, element);
  };
  const layers = Array.from({ length: sizes.layers }, (_, i) => i);
  const meters = [
    ["share", "mood words of the target mood", "ideal: 90%"],
    ["forbidden", "probability of forbidden words", "ideal: 0%"],
    ["distance", "distance to the ideal, bits a word", "unsteered, striped"],
  ].map(([key, name, note]) => {
    const one = { key, bar: make("i", { class: "bench-ink" }), base: make("i", { class: "bench-true" }), value: make("b") };
    one.element = make("li", {}, make("span", {}, name, make("small", {}, ` ${note}`)), make("span", { class: "bench-track", "aria-hidden": "true" }, one.bar, one.base), make("span", { class: "bench-number" }, one.value));
    return one;
  });
  const control = make("button", { type: "button", class: "bench-text", onclick: () => update({ control: state.control === null ? Math.floor(Math.random() * 1e6) : null }) });
  const undo = make("button", { type: "button", class: "bench-text", onclick: () => update({ dose: 0, control: null }) }, "Dose 0");
  const another = make("button", { type: "button", class: "bench-text", onclick: () => update({ seed: state.seed + 1 }) }, "Another story");
  const request = (dose) => ({ ...state, dose, name: "world", prompt: [END, ...PROMPT.split(" ")] });
  const ask = newest(show, (error) => say.show({ kind: "", title: "The model stopped." }, error.message));

  async function update(patch, byHand = true) {
    Object.assign(state, patch);
    dose.value = state.dose;
    out.textContent = `dose ${state.dose}`;
    control.textContent = state.control === null ? "Control: a random vector as long" : "The real vector again";
    if (byHand) {
      const { control: _, ...kept } = state;
      address.keep(kept);
    }
    const { from, to } = state;
    if (from === to) return void say.show({ kind: "", title: "Nothing to steer." }, "Choose two different moods.");
    if (plainFor !== from + to) {
      plainFor = from + to;
      plain = await inquire("steer", { ...request(0), control: null });
    }
    ask("steer", request(state.dose));
  }

  function show({ written, share, distance, forbidden, norm }) {
    const { from, to, dose, layer } = state;
    story.replaceChildren(
      `${PROMPT} `,
      ...written.flatMap(({ word, struck }) => {
        const text = word === END ? "(the end)" : word;
        if (struck) return [make("del", {}, text), " "];
        const about = MOOD_OF[word];
        return about ? [make(about === to ? "mark" : "em", { title: about }, text), " "] : [`${text} `];
      }),
    );
    const max = { share: 1, forbidden: 1, distance: Math.max(2, plain.distance) };
    const values = { share, forbidden, distance };
    for (const { key, bar, base, value } of meters) {
      bar.style.width = `${100 * Math.min(1, values[key] / max[key])}%`;
      base.style.width = `${100 * Math.min(1, plain[key] / max[key])}%`;
      value.textContent = key === "distance" ? values[key].toFixed(2) : percent(values[key]);
    }
    const what = state.control === null ? `the difference ${from} → ${to}` : "a random vector of the same length";
    const change = distance / plain.distance; // random vectors at dose 2 move it by a twentieth
    const kind = !dose || Math.abs(change - 1) < 0.1 ? "" : change < 1 ? "right" : "wrong";
    const title = !dose ? "Nothing is added." : { "": "About as far from the ideal.", right: "Nearer to the ideal.", wrong: "Further from the ideal." }[kind];
    const struck = written.filter((one) => one.struck).length;
    say.show({ kind, title },
      dose ? `${dose} × ${what} (length ${norm.toFixed(1)}) after layer ${layer}: ${to} words get ${percent(share)} of the probability of mood words, forbidden words ${percent(forbidden)}. ${struck ? `${struck} forbidden ${struck === 1 ? "word is" : "words are"} struck out below.` : ""}` : `On ${from} stories, ${to} words get ${percent(share)} of the probability of mood words. Turn the dose to 2.`);
  }

  root.replaceChildren(
    make("p", { class: "bench-hd" }, make("b", {}, "World"), " steered from one mood to another", make("span", {}, "runs in this page")),
    address.note,
    make("div", { class: "bench-tools" }, select("from", MOODS, "from"), select("to", MOODS, "to"), select("after layer", layers, "layer")),
    make("div", { class: "bench-row bench-pad" }, make("label", { class: "bench-when" }, dose, out)),
    make("div", { class: "bench-row bench-pad" }, undo, control, another),
    say.element,
    story,
    make("p", { class: "bench-small bench-pad" }, make("mark", {}, "target mood"), " ", make("em", {}, "another mood"), " ", make("del", {}, "forbidden by the grammar, drawn again")),
    make("div", { class: "bench-chart" }, make("h3", {}, "On six other stories: what it brings, what it costs"), make("ul", { class: "bench-bars bench-meters" }, ...meters.map(({ element }) => element))),
    make("div", { class: "bench-foot" }, copyLink()),
  );
  say.show({ kind: "", title: "Measuring." }, "World reads twenty stories of each mood …");
  update({}, false);
}
