// Where heads look: a text, a map for each head, and what becomes of the answer when a head is off.

import { copyLink, oneOf, stateOf, whole } from "./address.js";
import { codesIn, isCut, partOf, readCodes, toEdits } from "./changes.js";
import { inquire, loadModel, megabytes, newest } from "./client.js";
import { composerPart, SENTENCES } from "./composer.js";
import { make, percent } from "./dom.js";
import { VOCABULARY } from "./lexicon.js";
import { largeMap, lookingText, smallMaps } from "./maps.js";
import { barsPart, changesPart, gapText, namedTogether, sayPart } from "./parts.js";
import { effect, rowOf } from "./play.js";
import { judge, worthShowing } from "./verdict.js";

const LONGEST = 40; // words that a map can show
const SONG = "Karl likes cake . he sang : la mo fi ; la mo fi .";
const OPENINGS = ["Once upon a time there was a king who had three sons. The king", "The wolf said to the little pig, \"Little pig, little"];

/** Names of the words, as they stand in the text and at the maps' sides. */
const named = (words) => words.map((word, at) => (at ? word.trim() || "⏎" : "start"));

/** What one word of a text looks at: as a title, and the strongest three in a sentence. */
function inSentence(names, at, shares, head, isOff) {
  const word = (key) => {
    if (key === at) return "itself";
    const twin = names.some((name, other) => name === names[key] && other !== key && other <= at);
    return `*${names[key]}*${twin ? ` (word ${key})` : ""}`;
  };
  const order = shares.map((_, key) => key).filter((key) => shares[key] >= 0.005).sort((a, b) => shares[b] - shares[a] || a - b);
  const told = order.slice(0, 3).map((key, i) => `${percent(shares[key])} ${i ? "" : "of its attention "}to ${word(key)}`);
  const more = order.length - told.length;
  const who = `From *${names[at]}*, ${head} ${isOff ? "would give" : "gives"}`;
  const first = order[0];
  const there = first === at ? "the word itself" : first ? `“${names[first]}”` : "the start";
  return {
    first,
    title: shares[first] < 0.3 ? `${head} spreads its attention.` : `${head} looks at ${there}.`,
    text: `${who} ${told.join(", ")}${more ? `, and the rest to ${more} more` : ""}.`,
  };
}

/** Which later words look at a word, the strongest two in a sentence: a column of the map, as `inSentence` tells its row. */
function inTurn(names, at, later) {
  if (at === names.length - 1) return "";
  const order = later.map((_, i) => i).filter((i) => later[i] >= 0.05).sort((a, b) => later[b] - later[a] || a - b);
  const told = order.slice(0, 2).map((i, nth) => `*${names[i]}*${nth ? " gives it" : ` gives *${names[at]}*`} ${percent(later[i])}${nth ? "" : " of its attention"}`);
  return told.length ? ` In turn, ${told.join(", and ")}.` : ` No later word gives *${names[at]}* as much as 5%.`;
}

/** All heads of World on a text, or one head alone (data-only); Fairytale on request. */
export async function playHeads(root, sizes) {
  const name = root.dataset.name ?? "heads"; // a page may hold two
  const { only } = root.dataset;
  const aHead = (text) => (/^L\dH\d$/.test(text) ? text : undefined);
  const models = oneOf(only ? ["world"] : ["world", "fairytale"]);
  const address = stateOf(name, root.dataset, { model: models, text: (text) => text, at: whole(0, LONGEST - 1), head: aHead, off: codesIn({ layers: 5, heads: 6 }) });
  const state = { model: "world", text: "Karl likes", at: NaN, off: "", ...address.given, head: only ?? address.given.head ?? "L2H3" };
  let codes = [];
  let shown = null; // the text on the screen
  let last = null; // what the engine answered
  let maps = null;
  let unwritten = false; // what is on the screen is not yet the page's address
  let model = sizes; // sizes of the model that is shown
  const say = sayPart();
  const problem = make("p", { class: "bench-problem", role: "alert" });
  const off = (code) => codes.some((one) => partOf(one) === code && !isCut(one));

  const text = lookingText({
    choose: (at) => choose({ at }),
    otherHead(step) {
      const code = maps?.codes[maps.codes.indexOf(state.head) + step];
      if (code) choose({ head: code });
    },
  });
  const large = largeMap((at) => choose({ at }));
  const mapTitle = make("h3", {});
  const flip = make("button", { type: "button", class: "bench-button bench-ghost", onclick: toggle });
  const composer = composerPart((words) => read(words.join(" ")), { "a food, then a song": SONG, ...SENTENCES }, text.element);
  const opening = make("input", { "aria-label": "A text for Fairytale", placeholder: "write a text", autocomplete: "off" });
  const form = make("form", { class: "bench-add" }, opening, make("button", { type: "submit" }, "Read"));
  form.onsubmit = (event) => {
    event.preventDefault();
    if (opening.value.trim()) read(opening.value.trim());
    else problem.textContent = "Write a text first.";
  };
  const which = make("select", { "aria-label": "The model" }, make("option", { value: "world" }, "World"), make("option", { value: "fairytale" }, `Fairytale, ${megabytes("fairytale")}`));
  which.onchange = () => open(which.value, which.value === "world" ? SONG : OPENINGS[0]);
  let bars, changes;
  const place = make("div");

  /** Another word, head or edit on the same text. */
  function choose(patch, byHand = true) {
    Object.assign(state, patch);
    if (byHand) write();
    show();
  }
  function write() {
    const { model, text, at, head, off } = state;
    address.keep({ model: model === "world" ? "" : model, text, at, head: only ? "" : head, off });
  }
  function change(next) {
    state.off = next.join(" ");
    read(state.text, state.at);
  }
  function toggle() {
    const others = codes.filter((one) => partOf(one) !== state.head);
    change(others.length < codes.length ? others : [...codes, state.head]);
  }

  /** Read a text of ours; the field follows now and not with the answer: by then the reader may be typing. */
  function start(text, at, byHand) {
    opening.value = text;
    read(text, at, byHand);
  }
  /** Read a text; the last word looks, unless another is named. */
  function read(text, at = NaN, byHand = true) {
    const fairytale = state.model === "fairytale";
    const words = text.split(" ").filter(Boolean);
    Object.assign(state, { text: fairytale ? text : words.join(" "), at });
    if (!fairytale && words.length >= LONGEST) return refuse(new Error(`${words.length} words; the maps can show ${LONGEST - 1}.`));
    codes = readCodes(state.off, model, LONGEST).filter((code) => !isCut(code));
    const edits = toEdits(codes);
    unwritten ||= byHand;
    if (fairytale) ask("attend", { name: "fairytale", text, edits, longest: LONGEST });
    else ask("look", { name: "world", words, edits, pattern: true });
  }
  function refuse(error) {
    unwritten = false;
    if (!shown) {
      address.refuse(error.message);
      return start(state.model === "world" ? SONG : OPENINGS[0], NaN, false);
    }
    if (state.model === "world") composer.refuse(error.message);
    else problem.textContent = error.message;
    Object.assign(state, shown);
  }
  const ask = newest((look) => {
    last = look;
    problem.textContent = "";
    const end = look.words.length - 1;
    if (!(state.at >= 0 && state.at <= end)) state.at = end;
    if (unwritten) write();
    unwritten = false;
    shown = { text: state.text, at: state.at };
    if (!maps.codes.includes(state.head)) {
      address.note.textContent = `${which.value === "world" ? "World" : "Fairytale"} has no head ${state.head}; here is ${maps.codes[0]}.`;
      state.head = maps.codes[0];
    }
    show();
  }, refuse);

  function show() {
    const { at, head } = state;
    const [layer, number] = [+head[1], +head.slice(3)];
    const names = named(last.words);
    const n = names.length;
    const weights = last.pattern[layer].subarray(number * n * n, (number + 1) * n * n);
    const shares = [...weights.subarray(at * n, at * n + at + 1)];
    const later = names.map((_, i) => (i > at ? weights[i * n + at] : 0));
    const looks = inSentence(names, at, shares, head, off(head));
    looks.text += inTurn(names, at, later);
    const next = state.model === "world" ? showWorld(at, names, looks) : showFairytale(at, looks);
    const glued = state.model === "world" ? null : last.words.map((word, i) => i > 1 && /^\w/.test(word));
    text.show({ names, glued, shares, later, at, off: off(head), next });
    maps.show(last, head, off);
    mapTitle.textContent = `${head}${off(head) ? ", switched off" : ""}`;
    large.show(names, weights, at);
    flip.textContent = `Switch ${head} ${off(head) ? "on" : "off"}`;
    changes.show(codes, last.words, state.model === "world");
  }

  function showWorld(at, names, { first, title, text }) {
    const width = VOCABULARY.length;
    const [said, real] = [rowOf(last.said, at, width), rowOf(last.real, at, width)];
    const verdict = judge(last.words.slice(0, at + 1), said, real, last.rows[at]);
    const certain = VOCABULARY[real.findIndex((p) => p > 0.999)];
    const finds = first < at && names[first] === certain ? " That is the word that must come next." : "";
    if (codes.length) say.show(verdict, `${effect(verdict, codes)} ${text}${finds}`);
    else say.show({ kind: "", title }, `${text}${finds} World says *${verdict.best}*. ${verdict.why}`);
    composer.show(state.text.split(" "), at, verdict.best);
    bars.show(worthShowing(said, real, 4), gapText(last.rows[at].gap));
    return verdict.best;
  }
  function showFairytale(at, { title, text }) {
    const next = last.next[at].map(({ text, p }) => ({ word: text.trim() || "⏎", said: p }));
    const how = codes.length ? `Without ${namedTogether(codes)} it` : "Fairytale";
    say.show({ kind: "", title }, `${text} ${how} says *${next[0].word}*, ${percent(next[0].said)}.`);
    bars.show(next);
    return next[0].word;
  }

  /** Show a model, with maps for its heads. */
  async function open(wanted, first, at = NaN, byHand = true) {
    which.value = wanted;
    if (wanted === "fairytale") {
      const bar = make("progress", { max: 1, value: 0, "aria-label": "Loading Fairytale" });
      problem.replaceChildren(`Loading Fairytale, ${megabytes("fairytale")} … `, bar);
      try {
        model = await loadModel("fairytale", (share) => (bar.value = share));
      } catch (error) {
        which.value = state.model;
        problem.textContent = `Fairytale did not load: ${error.message}.`;
        return;
      }
      problem.textContent = "";
    } else model = sizes;
    const world = wanted === "world";
    Object.assign(state, { model: wanted, off: byHand ? "" : state.off });
    shown = null;
    maps = smallMaps(model, (head) => choose({ head }));
    bars = barsPart(world ? undefined : ["Fairytale says"]);
    changes = changesPart(model, change);
    const tools = only ? text.element : world ? composer.element : make("div", {}, text.element, make("div", { class: "bench-tools" }, form));
    if (world && !only) composer.element.prepend(text.element);
    place.replaceChildren(
      tools,
      problem,
      say.element,
      make("div", { class: "bench-row bench-pad" }, flip, only ? copyLink() : null),
      ...(only
        ? []
        : [
            make("div", { class: "bench-two bench-wide-map" }, maps.element, make("div", {}, mapTitle, large.element)),
            bars.element,
            make("div", { class: "bench-foot" }, changes.element, copyLink()),
          ]),
    );
    start(first, at, byHand);
  }

  const title = only ? `${only}, one head of ${sizes.layers * sizes.heads}` : "Where each head looks";
  root.replaceChildren(
    make("p", { class: "bench-hd" }, make("b", {}, title), only ? null : make("label", {}, "of ", which), make("span", {}, "runs in this page")),
    address.note,
    place,
  );
  await open(state.model, state.text, state.at, false);
}
