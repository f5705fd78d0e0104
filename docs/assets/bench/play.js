// Playing with World: home's hero in small, the page of its own in full.

import { copyLink, oneOf, stateOf, whole, wordsIn } from "./address.js";
import { codesIn, headCodes, isCut, partOf, readCodes, toEdits } from "./changes.js";
import { newest } from "./client.js";
import { composerPart } from "./composer.js";
import { make } from "./dom.js";
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
  const address = stateOf("home", root.dataset, { off: codesIn(sizes) });
  const state = { codes: readCodes(address.given.off ?? "", sizes, words.length + 1) };
  delete root.dataset.off;
  const blank = make("u");
  const say = sayPart();
  const bars = barsPart();
  const change = (codes, byHand = true) => {
    state.codes = codes;
    if (byHand) address.keep({ off: codes.join(" ") });
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
  if (address.note.textContent) all.splice(1, 0, address.note);
  change(state.codes, false);
  return shown;
}

/** The page of World. */
export function playWorld(root, sizes) {
  const address = stateOf("world", root.dataset, { text: wordsIn, off: codesIn(sizes), at: whole(0, 127), head: oneOf(headCodes(sizes)) });
  const { text: words = FIRST.split(" "), at = words.length, head = "L3H3", off = "" } = address.given;
  const state = { words, codes: off.split(" "), at, head };
  const say = sayPart();
  const bars = barsPart();
  let shown = null; // what is on the screen: a new text must first prove to be grammatical
  let unwritten = false; // it is not yet the page's address

  const update = (patch, byHand = true) => {
    Object.assign(state, patch);
    state.codes = readCodes(state.codes.join(" "), sizes, state.words.length + 1);
    state.at = Math.min(state.at, state.words.length);
    unwritten ||= byHand;
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
    shown = { ...state };
    const { at, head } = state;
    if (unwritten) address.keep({ text: state.words.join(" "), off: state.codes.join(" "), at, head });
    unwritten = false;
    const width = look.said.length / look.words.length;
    const [said, real] = [rowOf(look.said, at, width), rowOf(look.real, at, width)];
    const verdict = judge(look.words.slice(0, at + 1), said, real, look.rows[at]);
    composer.show(state.words, at, verdict.best, verdict.kind);
    const first = !state.codes.length && state.words.join(" ") === FIRST;
    say.show(verdict, effect(verdict, state.codes) + (first ? " Which switch below breaks it? Try L3H3." : ""));
    bars.show(worthShowing(said, real, 6), gapText(look.rows[at].gap));
    lens.show(look.lens.map((step) => rowOf(step, at, width)));
    switches.show(state.codes);
    changes.show(state.codes, look.words);
    table.show(look, state, width);
  }, (error) => {
    unwritten = false;
    if (shown) {
      Object.assign(state, shown);
      return composer.refuse(error.message);
    }
    address.refuse(error.message);
    update({ words: FIRST.split(" "), at: 5, codes: [] }, false);
  });
  root.replaceChildren(
    make("h2", { class: "bench-hd" }, make("b", {}, "World"), ` ${sizes.layers} layers, ${sizes.layers * sizes.heads} heads`, make("span", {}, "runs in this page")),
    address.note,
    composer.element,
    say.element,
    bars.element,
    make("div", { class: "bench-two" }, switches.element, lens.element),
    make("div", { class: "bench-foot" }, changes.element, copyLink()),
    table.element,
  );
  update({}, false);
}
