// The blind audit: World with one small change, or none. The reader looks with a budget, states how sure they are, and
// then is told.

import { copyLink, stateOf, whole, wordsIn } from "./address.js";
import { codesIn, partOf, readCodes, toEdits } from "./changes.js";
import { bytesOf, inquire } from "./client.js";
import { composerPart, SENTENCES } from "./composer.js";
import { make, percent } from "./dom.js";
import { brier, calibrationTable } from "./forecast.js";
import { barsPart, gapText, sayPart, switchesPart } from "./parts.js";
import { FIRST, rowOf } from "./play.js";
import { judge, worthShowing } from "./verdict.js";

const CASES = 8;
const BUDGET = 12;
const KINDS = { nothing: "nothing was changed", fact: "a fact was altered", rule: "a rule was bent", head: "a head was silenced" };
const AUDITS = "llmnotes-bench-audits";

function readAudits() {
  try {
    return JSON.parse(localStorage.getItem(AUDITS) ?? "[]");
  } catch {
    return [];
  }
}

export function playAudit(root, sizes) {
  const address = stateOf("audit", root.dataset, { case: whole(1, CASES), text: wordsIn, off: codesIn(sizes) });
  let number = 0; // the case
  let looked = new Set(); // what has been looked at: one each from the budget
  let words = [];
  let shown = words; // what is on the screen
  let codes = [];
  let answered = false;
  const title = make("b", {});
  const left = make("span", { role: "status" });
  const say = sayPart();
  const bars = barsPart(["this World says", "true"]);
  const composer = composerPart((next) => look(next, codes), SENTENCES);
  const switches = switchesPart(sizes, "Your own edits: switch a part off", (code) => {
    const others = codes.filter((one) => partOf(one) !== code);
    look(words, others.length < codes.length ? others : [...codes, code]);
  });
  const choices = make("div", { class: "bench-kinds", role: "radiogroup", "aria-label": "What was done to this World?" });
  for (const [kind, text] of Object.entries(KINDS)) {
    choices.append(make("label", {}, make("input", { type: "radio", name: "bench-kind", value: kind }), make("span", {}, text)));
  }
  const out = make("output", {}, "50%");
  const range = make("input", { type: "range", min: 25, max: 100, step: 5, value: 50, "aria-label": "How sure are you?" });
  range.oninput = () => (out.textContent = `${range.value}%`);
  const give = make("button", { type: "button", class: "bench-button", onclick: answer }, "Answer");
  const verdict = make("div", { role: "status", "aria-live": "polite" });
  const record = make("div", {});
  const name = () => `audit ${number}`;

  async function open(next, { text = FIRST.split(" "), off = "" } = {}, byHand = true) {
    number = next;
    looked = new Set();
    codes = [];
    answered = false;
    verdict.replaceChildren();
    give.disabled = true;
    choices.querySelectorAll("input").forEach((one) => Object.assign(one, { checked: false, disabled: false }));
    title.textContent = `Case ${number}`;
    await inquire("adapt", { name: name(), base: "world", weights: await bytesOf(`world/audit/${number}.safetensors`) });
    await look(text, readCodes(off, sizes, text.length + 1), byHand);
  }

  async function look(next, edits, byHand = true) {
    const what = `${next.join(" ")} | ${[...edits].sort().join(" ")}`;
    if (!looked.has(what) && looked.size >= BUDGET && !answered) {
      return void composer.refuse("Your budget is spent. Answer now; you can look on afterwards.");
    }
    try {
      const seen = await inquire("look", { name: name(), words: next, edits: toEdits(edits) });
      if (!answered) looked.add(what);
      [words, shown, codes] = [next, next, edits];
      if (byHand) address.keep({ case: number, text: words.join(" "), off: codes.join(" ") });
      const at = words.length;
      const width = seen.said.length / seen.words.length;
      const [said, real] = [rowOf(seen.said, at, width), rowOf(seen.real, at, width)];
      const found = judge(seen.words, said, real, seen.rows[at]);
      const after = codes.length ? ` (with your edits: ${codes.join(", ")} off)` : "";
      composer.show(words, at, found.best, found.kind);
      say.show(found, `This World says *${found.best}*${after}. ${found.why.replace("no longer agrees", "does not agree")}`);
      bars.show(worthShowing(said, real, 5), gapText(seen.rows[at].gap));
      switches.show(codes);
      left.textContent = answered ? "answered" : `${BUDGET - looked.size} of ${BUDGET} looks left`;
    } catch (error) {
      words = shown;
      if (shown.length) return composer.refuse(error.message);
      address.refuse(error.message);
      await look(FIRST.split(" "), [], false);
    }
  }

  choices.onchange = () => (give.disabled = answered);
  async function answer() {
    const kind = choices.querySelector("input:checked").value;
    const keys = JSON.parse(new TextDecoder().decode(await bytesOf("world/audit/key.json")));
    const key = JSON.parse(atob(keys[number - 1])); // so that nobody reads it by chance
    answered = true;
    give.disabled = true;
    choices.querySelectorAll("input").forEach((one) => (one.disabled = true));
    const p = range.value / 100;
    const outcome = +(kind === key.kind);
    const all = [...readAudits(), { case: number, claim: KINDS[kind], p, outcome, looks: looked.size }];
    try {
      localStorage.setItem(AUDITS, JSON.stringify(all));
    } catch {
      // a browser that remembers nothing still tells
    }
    const show = make("button", { type: "button", class: "bench-text", onclick: () => look(key.shown.split(" "), []) }, "Look where it shows");
    const next = make("button", { type: "button", class: "bench-button", onclick: () => open((number % CASES) + 1) }, "Next case");
    verdict.replaceChildren(
      make("p", {}, make("b", { class: outcome ? "bench-right" : "bench-wrong" }, outcome ? "✓ Right. " : "✕ Wrong. "),
        `${key.told} You said ${KINDS[kind]}, ${percent(p)} sure, after ${looked.size} ${looked.size === 1 ? "look" : "looks"}. That costs ${((p - outcome) ** 2).toFixed(2)}.`),
      make("div", { class: "bench-row" }, key.kind === "nothing" ? null : show, next),
    );
    left.textContent = "answered";
    next.focus();
    showRecord(all);
  }

  function showRecord(all) {
    if (!all.length) return void record.replaceChildren(make("p", { class: "bench-small" }, "No case answered yet. Your answers stay in this browser."));
    const right = all.filter(({ outcome }) => outcome).length;
    record.replaceChildren(
      make("p", {}, `${right} of ${all.length} right, Brier score ${brier(all).toFixed(3)}. Lower is better; a guess among four at 25% scores 0.19.`),
      calibrationTable(all),
    );
  }

  root.replaceChildren(
    make("p", { class: "bench-hd" }, title, ` of ${CASES}: what was done to this World?`, left),
    address.note,
    composer.element,
    say.element,
    bars.element,
    make("div", { class: "bench-panel" }, switches.element),
    make("div", { class: "bench-panel" }, make("h3", {}, "Your verdict, and how sure you are"), choices,
      make("div", { class: "bench-row" }, make("label", { class: "bench-when" }, range, out), give, copyLink()), verdict),
    make("div", { class: "bench-panel" }, make("h3", {}, "Your record"), record),
  );
  showRecord(readAudits());
  const done = new Set(readAudits().map((one) => one.case));
  const fresh = Array.from({ length: CASES }, (_, i) => i + 1).filter((one) => !done.has(one));
  const random = fresh.length ? fresh[Math.floor(Math.random() * fresh.length)] : 1;
  open(address.given.case ?? random, address.given, !address.note.textContent);
}
