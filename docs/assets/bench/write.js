// Fairytale writes: a token a click, with what else it could have said, cut-offs to turn, and adapters to put on.

import { anyText, number, oneOf, stateOf, whole } from "./address.js";
import { bytesOf, inquire, newest } from "./client.js";
import { make, percent } from "./dom.js";
import { sayPart } from "./parts.js";

const OPENINGS = ["Once upon a time there was a", "The wolf said to the little pig,", "\"Who are you?\" asked the princess.", "Deep in the forest stood"];
const TELLINGS = { "": "as it learned to", "by-the-hero": "by the hero", exchanged: "he for she, she for he" };
const shownToken = (text) => text.replaceAll("\n", "⏎").replace(/^ /, "␣");

export function playWrite(root, { context }) {
  const tokens = (text) => (/^\d{1,4}(\.\d{1,4})*$/.test(text) && text.split(".").every((id) => id < 4096) ? text.split(".").map(Number) : undefined);
  const takes = { text: anyText, t: number(0, 2), k: whole(0, 100), p: number(0.05, 1), seed: whole(0, 1e6), telling: oneOf(Object.keys(TELLINGS)), ids: tokens };
  const address = stateOf("write", root.dataset, takes);
  const { given } = address;
  const state = { temperature: given.t ?? 0.8, topK: given.k ?? 0, topP: given.p ?? 0.95, seed: given.seed ?? 1 };
  let ids = [];
  let prompt = 0;
  let name = "fairytale"; // or what it is with an adapter
  let running = null;
  const say = sayPart();
  const story = make("p", { class: "bench-tale bench-written", role: "region", "aria-label": "The story so far" });
  const heard = make("span", { class: "vh", role: "status" }); // what is new in the story
  const offers = make("ol", { class: "bench-tokens" });
  const choose = make("select", { "aria-label": "Choose an opening" }, make("option", { value: "" }, "Choose an opening"));
  for (const text of OPENINGS) choose.append(make("option", {}, text));
  choose.onchange = () => choose.value && open(choose.value);
  const telling = make("select");
  for (const [value, text] of Object.entries(TELLINGS)) telling.append(make("option", { value }, text));
  telling.onchange = async () => (await wear(telling.value)) && put(ids);
  const input = make("input", { "aria-label": "Or write your own opening", placeholder: "or write your own", autocomplete: "off" });
  const form = make("form", { class: "bench-add" }, input, make("button", { type: "submit" }, "Begin"));
  form.onsubmit = (event) => {
    event.preventDefault();
    problem.textContent = input.value.trim() ? "" : "Write an opening first.";
    if (input.value.trim()) open(input.value.trim());
  };
  const problem = make("p", { class: "bench-problem", role: "alert" });
  const next = make("button", { type: "button", class: "bench-button", onclick: () => take(drawn) }, "Next token");
  const more = make("button", { type: "button", class: "bench-button bench-ghost", onclick: go }, "Write 40 more");
  const undo = make("button", { type: "button", class: "bench-text", onclick: () => ids.length > prompt && put(ids.slice(0, -1)) }, "Take one back");
  const again = make("button", { type: "button", class: "bench-text", onclick: () => put(ids.slice(0, prompt)) }, "Back to the opening");
  const dials = make("div", { class: "bench-dials" });
  const dial = (key, label, min, max, step, text) => {
    const out = make("output", {}, text(state[key]));
    const range = make("input", { type: "range", min, max, step, value: state[key], "aria-label": label });
    range.oninput = () => {
      state[key] = +range.value;
      out.textContent = text(state[key]);
      put(ids);
    };
    dials.append(make("label", {}, make("span", {}, label), out, range));
  };
  dial("temperature", "temperature", 0, 2, 0.1, (x) => (x ? x.toFixed(1) : "0: always the likeliest"));
  dial("topK", "keep the k likeliest", 0, 100, 1, (x) => x || "all");
  dial("topP", "keep a share", 0.05, 1, 0.05, (x) => (x < 1 ? percent(x) : "all"));
  let drawn = null;

  const ask = newest((answer) => {
    drawn = answer.drawn;
    const held = [...offers.querySelectorAll("button")].indexOf(document.activeElement);
    offers.replaceChildren(
      ...answer.list.map(({ id, p, text }) =>
        make(
          "li",
          {},
          make(
            "button",
            { type: "button", "aria-label": `Take ${text.trim() || "white space"}, ${percent(p)}`, onclick: () => take(id) },
            make("span", { class: "bench-token" }, shownToken(text)),
            make("i", { style: `width:${100 * p}%` }),
            make("b", {}, percent(p)),
          ),
        ),
      ),
    );
    if (held >= 0) offers.querySelectorAll("button")[Math.min(held, answer.list.length - 1)].focus();
    const raw = answer.list[0].raw;
    say.show({ kind: "", title: answer.total === 1 ? "One token is left." : `${answer.total.toLocaleString("en")} tokens are left.` },
      `The likeliest, *${answer.list[0].text.trim() || "⏎"}*, has ${percent(raw)} before temperature and cut-offs, ${percent(answer.list[0].p)} after.${ids.length > context ? ` Fairytale reads the last ${context} tokens only.` : ""}`);
  }, stopped);

  function stopped(error) {
    say.show({ kind: "", title: "Fairytale stopped." }, error.message);
  }

  /** Merge an adapter into Fairytale, 36 KB that come when they are asked for; without a name, take it off. */
  async function wear(adapter) {
    try {
      const weights = adapter && (await bytesOf(`fairytale/adapters/${adapter}/adapter_model.safetensors`));
      if (telling.value !== adapter) return false; // another was chosen meanwhile
      if (adapter) await inquire("adapt", { name: "adapted", base: "fairytale", weights });
      name = adapter ? "adapted" : "fairytale";
      return true;
    } catch (error) {
      [telling.value, name] = ["", "fairytale"];
      stopped(error);
      return false;
    }
  }

  async function put(list, byHand = true) {
    ids = list;
    const [first, rest] = await Promise.all([list.slice(0, prompt), list.slice(prompt)].map((part) => inquire("decode", { name: "fairytale", ids: part })));
    story.replaceChildren(first.replace("<|endoftext|>", ""), make("b", {}, rest));
    for (const one of [undo, again]) one.setAttribute("aria-disabled", list.length <= prompt); // and keeps the focus
    if (byHand) address.keep({ text: first.replace("<|endoftext|>", ""), t: state.temperature, k: state.topK, p: state.topP, seed: state.seed, telling: telling.value, ids: list.slice(prompt).join(".") });
    const { seed, ...sampling } = state;
    ask("alternatives", { name, ids: list, count: 5, sampling: { ...sampling, seed: seed * 7919 + list.length } });
  }
  async function take(id) {
    if (id === null) return;
    heard.textContent = (await inquire("decode", { name: "fairytale", ids: [id] })).trim() || "a line";
    put([...ids, id]);
  }
  async function open(text) {
    const list = [0, ...(await inquire("encode", { name: "fairytale", text }))];
    prompt = list.length;
    choose.value = "";
    await put(list);
  }
  async function go() {
    if (running) return running.abort();
    running = new AbortController();
    more.textContent = "Stop";
    state.seed += 1;
    const { seed, ...sampling } = state;
    const before = ids.slice(-200);
    const whole = story.querySelector("b");
    const answer = await inquire("write", { name, ids: before, options: { count: 40, seed, ...sampling } }, {
      signal: running.signal,
      part: ({ text }) => whole.append(text),
    });
    running = null;
    more.textContent = "Write 40 more";
    heard.textContent = answer.text;
    await put([...ids, ...answer.ids]);
    speed.textContent = `${answer.ids.length} tokens at ${Math.round((1000 * answer.ids.length) / answer.ms)} a second, in this page`;
  }
  const speed = make("span", {}, "runs in this page");
  root.replaceChildren(
    make("p", { class: "bench-hd" }, make("b", {}, "Fairytale"), " writes", speed),
    address.note,
    make("div", { class: "bench-tools" }, choose, form, make("label", {}, "It tells tales", telling)),
    problem,
    story,
    heard,
    say.element,
    offers,
    make("div", { class: "bench-row bench-pad" }, next, more, undo, again),
    dials,
  );
  const text = given.text ?? OPENINGS[0];
  telling.value = given.telling ?? "";
  const dressed = wear(telling.value);
  inquire("encode", { name: "fairytale", text }).then(async (list) => {
    await dressed;
    prompt = list.length + 1;
    put([0, ...list, ...(given.ids ?? [])], false);
  });
}
