// The feature browser: a dictionary's features by the places where they are most active. Name one, then see the label
// that is true, how well it fits, and how the features of a random dictionary fare.

import { copyLink, oneOf, stateOf, whole } from "./address.js";
import { bytesOf, inquire, newest } from "./client.js";
import { composerPart } from "./composer.js";
import { make } from "./dom.js";
import { END } from "./lexicon.js";
import { randomFrom } from "./methods.js";
import { sayPart } from "./parts.js";
import { FIRST } from "./play.js";

const told = (label) => label.replace("verb or a verb", "verb or another verb");
const SOURCES = { trained: "a trained dictionary", random: "a random dictionary (control)" };

export async function playFeatures(root) {
  const key = JSON.parse(new TextDecoder().decode(await bytesOf("world/features/key.json")));
  await inquire("dictionary", { weights: await bytesOf("world/features/encoders.safetensors"), layer: key.layer, k: key.k });
  const address = stateOf("features", root.dataset, { of: oneOf(Object.keys(SOURCES)), n: whole(1, key.trained.length) });
  const state = { source: address.given.of ?? "trained", number: (address.given.n ?? 1) - 1 };
  let words = FIRST.split(" ");
  let shown = words;
  const answers = { trained: new Map(), random: new Map() };
  const say = sayPart();
  const places = make("ul", { class: "bench-places" });
  const choices = make("div", { class: "bench-kinds", role: "radiogroup", "aria-label": "What does this feature stand for?" });
  const give = make("button", { type: "button", class: "bench-button", onclick: answer }, "See the answer");
  const next = make("button", { type: "button", class: "bench-button bench-ghost", onclick: () => open(state.source, (state.number + 1) % key[state.source].length) }, "Next feature");
  const title = make("b", {});
  const source = make("select", { "aria-label": "Which dictionary" }, ...Object.entries(SOURCES).map(([value, text]) => make("option", { value }, text)));
  source.onchange = () => open(source.value, 0);
  const record = make("p", { class: "bench-small" });
  const own = make("p", { class: "bench-tale bench-own", role: "status" });
  const current = () => key[state.source][state.number];
  const composer = composerPart((more) => {
    words = more;
    measure();
  });
  const ask = newest(
    ({ values, best }) => {
      shown = words;
      composer.show(words, words.length, best);
      const most = Math.max(...values, current().places[0].value);
      own.replaceChildren(
        ...[END, ...words].flatMap((word, at) => (at ? [make("span", { style: `--share:${values[at] / most}`, "aria-label": `${word} ${values[at].toFixed(1)}` }, word, values[at] ? make("small", {}, values[at].toFixed(1)) : null), " "] : [])),
      );
    },
    (error) => {
      words = shown;
      composer.refuse(error.message);
    },
  );
  const measure = () => ask("activity", { name: "world", words, source: state.source, feature: current().feature });

  function open(of, number, byHand = true) {
    Object.assign(state, { source: of, number });
    source.value = of;
    if (byHand) address.keep({ of, n: number + 1 });
    const { label, others, places: most } = current();
    title.textContent = `Feature ${number + 1} of ${key[of].length}`;
    places.replaceChildren(
      ...most.map(({ words: context, value }) =>
        make("li", {}, make("span", { class: "bench-before" }, `${context.slice(0, -1).join(" ").replaceAll(END, "▏")} `), make("mark", {}, context.at(-1)), make("b", {}, value.toFixed(1))),
      ),
    );
    // The best label and three that fit less well, in an order that does not give it away.
    const random = randomFrom(97 * number + of.length);
    const options = [label, ...others.slice(2, 5)].map((text) => [random(), text]).sort(([a], [b]) => a - b);
    choices.replaceChildren(
      ...options.map(([, text]) => make("label", {}, make("input", { type: "radio", name: "bench-label", value: text }), make("span", {}, told(text)))),
    );
    give.disabled = true;
    const before = answers[of].get(number);
    if (before) tell(before);
    else say.show({ kind: "", title: "What does it stand for?" }, "These are the places in 50 stories where this feature is most active, strongest first. The marked word is the one that it reads at.");
    measure();
  }
  choices.onchange = () => (give.disabled = answers[state.source].has(state.number));
  function answer() {
    const chosen = choices.querySelector("input:checked").value;
    answers[state.source].set(state.number, chosen);
    give.disabled = true;
    next.focus();
    tell(chosen);
  }
  function tell(chosen) {
    const { label, f1 } = current();
    const right = chosen === label;
    const fit = f1 >= 0.8 ? "It fits well" : f1 >= 0.5 ? "It fits in part" : "No label fits this feature";
    say.show({ kind: right ? "right" : "wrong", title: right ? "The same label." : "Another label." }, `The best of all labels is: *${told(label)}*. ${fit}: its F1 on new stories is ${f1.toFixed(2)}, where 1 means that the feature is active exactly there.`);
    for (const one of choices.querySelectorAll("input")) Object.assign(one, { disabled: true, checked: one.value === chosen });
    const rows = Object.entries(answers).filter(([, some]) => some.size);
    record.textContent = rows.map(([of, some]) => `${[...some].filter(([n, text]) => key[of][n].label === text).length} of ${some.size} right with ${SOURCES[of]}, mean F1 ${([...some.keys()].reduce((sum, n) => sum + key[of][n].f1, 0) / some.size).toFixed(2)}`).join("; ") + ".";
  }

  root.replaceChildren(
    make("p", { class: "bench-hd" }, title, make("span", {}, "after layer 2 of World")),
    address.note,
    make("div", { class: "bench-tools" }, make("label", {}, "from ", source)),
    places,
    say.element,
    make("div", { class: "bench-panel" }, make("h3", {}, "Your name for it"), choices, make("div", { class: "bench-row" }, give, next, copyLink()), record),
    make("div", { class: "bench-panel bench-flush" }, make("h3", {}, "The same feature on your sentence"), composer.element, own),
  );
  open(state.source, state.number, false);
}
