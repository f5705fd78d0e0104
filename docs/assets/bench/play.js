// Playing with World: home's hero in small, the page of its own in full.

import { isCut, partOf, readCodes, toEdits } from "./changes.js";
import { newest } from "./client.js";
import { composerPart } from "./composer.js";
import { copyLink, make, readAddress, writeAddress } from "./dom.js";
import { barsPart, changesPart, gapText, lensPart, namedTogether, sayPart, switchesPart } from "./parts.js";
import { takeOver } from "./still.js";
import { judge, worthShowing } from "./verdict.js";
import { wordsPart } from "./words.js";

export const FIRST = "the cats near the dog";

/** One row of a table that has one for each position. */
export const rowOf = (table, at, width) => table.subarray(at * width, (at + 1) * width);

/** The sentence that says what the changes do, for the verdict. */
export function effect(verdict, codes) {
  if (!codes.length) return `Nothing is changed. ${verdict.why}`;
  const names = namedTogether(codes);
  const how = codes.every((code) => /\d$/.test(code) && !isCut(code)) ? "off" : "changed";
  if (verdict.kind === "wrong") {
    const start = `${how === "off" ? "Without" : "With a changed"} ${names}`;
    if (verdict.why.startsWith("The verb no longer")) return `${start}, t${verdict.why.slice(1)}`;
    return `${start}, World misses it. ${verdict.why}`;
  }
  return `${names} ${names.includes(" and ") || names.includes(" parts") ? "are" : "is"} ${how}. ${verdict.why}`;
}

/** Home's hero; done when it is on the screen. */
export function playHome(root, sizes) {
  const words = (root.dataset.text ?? FIRST).split(" ");
  const state = { codes: readCodes(readAddress("home").off ?? root.dataset.off ?? "", sizes, words.length + 1) };
  delete root.dataset.off;
  const blank = make("u");
  const say = sayPart();
  const bars = barsPart();
  const change = (codes, byHand = true) => {
    state.codes = codes;
    if (byHand) writeAddress("home", { off: codes.join(" ") });
    ask("look", { name: "world", words, edits: toEdits(codes), lens: true });
  };
  const toggle = (code) => {
    const others = state.codes.filter((one) => partOf(one) !== code);
    change(others.length < state.codes.length ? others : [...state.codes, code]);
  };
  const switches = switchesPart(sizes, "Sixteen heads, four MLPs: switch one off", toggle);
  const lens = lensPart(sizes.layers);
  const changes = changesPart(sizes, change);
  let show;
  const shown = new Promise((done) => (show = done)).then(() => takeOver(root, ...all));
  const ask = newest((look) => {
    const at = words.length;
    const width = look.said.length / look.words.length;
    const [said, real] = [rowOf(look.said, at, width), rowOf(look.real, at, width)];
    const verdict = judge(look.words, said, real, look.rows[at]);
    blank.textContent = verdict.best;
    blank.className = verdict.kind === "wrong" ? "bench-wrong" : "";
    const hint = !state.codes.length ? " Switch off L3H3." : verdict.kind === "wrong" ? " Switch it back on." : "";
    say.show(verdict, effect(verdict, state.codes) + hint);
    bars.show(worthShowing(said, real, 5), gapText(look.rows[at].gap));
    lens.show(look.lens.map((step) => rowOf(step, at, width)));
    switches.show(state.codes);
    changes.show(state.codes, look.words);
    show();
  }, (error) => {
    say.show({ kind: "", title: "The model stopped." }, error.message);
    show();
  });
  const all = [
    make("h2", { class: "bench-hd" }, make("b", {}, "World"), ` ${sizes.layers} layers, ${sizes.layers * sizes.heads} heads`, make("span", {}, "runs in this page")),
    make("p", { class: "bench-sentence" }, `${words.join(" ")} `, blank),
    say.element,
    bars.element,
    make("div", { class: "bench-two" }, switches.element, lens.element),
    make("div", { class: "bench-foot" }, changes.element),
  ];
  change(state.codes, false);
  return shown;
}

/** The page of World. */
export function playWorld(root, sizes) {
  const saved = readAddress("world", root.dataset);
  const words = (saved.text ?? FIRST).split(" ").filter(Boolean);
  const state = { words, codes: [], at: Math.min(saved.at ?? words.length, words.length), head: saved.head ?? "L3H3" };
  state.codes = readCodes(saved.off ?? "", sizes, words.length + 1);
  const say = sayPart();
  const bars = barsPart();
  let shown = null; // the text that is on the screen, which a new one must first prove to be grammatical

  const update = (patch, byHand = true) => {
    Object.assign(state, patch);
    state.codes = readCodes(state.codes.join(" "), sizes, state.words.length + 1);
    state.at = Math.min(state.at, state.words.length);
    if (byHand) {
      const { at, head } = state;
      writeAddress("world", { text: state.words.join(" "), off: state.codes.join(" "), at, head });
    }
    ask("look", { name: "world", words: state.words, edits: toEdits(state.codes), lens: true, pattern: true });
  };
  const toggle = (code) => {
    const others = state.codes.filter((one) => isCut(one) || partOf(one) !== code);
    const head = code.startsWith("L") ? code : state.head;
    update({ codes: others.length < state.codes.length ? others : [...state.codes, code], head });
  };
  const cut = (code) => {
    const on = state.codes.includes(code);
    update({ codes: on ? state.codes.filter((one) => one !== code) : [...state.codes, code] });
  };
  const composer = composerPart((next) => update({ words: next, at: next.length }));
  const switches = switchesPart(sizes, "Heads and MLPs: switch one off", toggle);
  const lens = lensPart(sizes.layers);
  const changes = changesPart(sizes, (codes) => update({ codes }));
  const table = wordsPart(sizes, { select: (at) => update({ at }), cut, choose: (head) => update({ head }) });
  const ask = newest((look) => {
    shown = [...state.words];
    const { at } = state;
    const width = look.said.length / look.words.length;
    const [said, real] = [rowOf(look.said, at, width), rowOf(look.real, at, width)];
    const verdict = judge(look.words.slice(0, at + 1), said, real, look.rows[at]);
    composer.show(state.words, at, verdict.best, verdict.kind);
    say.show(verdict, effect(verdict, state.codes));
    bars.show(worthShowing(said, real, 6), gapText(look.rows[at].gap));
    lens.show(look.lens.map((step) => rowOf(step, at, width)));
    switches.show(state.codes);
    changes.show(state.codes, look.words);
    table.show(look, state, width);
  }, (error) => {
    composer.refuse(error.message);
    if (shown) state.words = shown;
    else update({ words: FIRST.split(" "), at: 5, codes: [] }, false);
  });
  root.replaceChildren(
    make("h2", { class: "bench-hd" }, make("b", {}, "World"), ` ${sizes.layers} layers, ${sizes.layers * sizes.heads} heads`, make("span", {}, "runs in this page")),
    composer.element,
    say.element,
    bars.element,
    make("div", { class: "bench-two" }, switches.element, lens.element),
    make("div", { class: "bench-foot" }, changes.element, copyLink()),
    table.element,
  );
  update({}, false);
}
