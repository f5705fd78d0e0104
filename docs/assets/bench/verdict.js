// What a prediction of World comes to, in words: right or wrong by the grammar's own answer, and why.

import { IDS, NOUNS, PREPOSITIONS, RULES, VOCABULARY } from "./lexicon.js";

const plurals = new Set(Object.values(NOUNS));
const isNoun = (word) => Object.hasOwn(NOUNS, word) || plurals.has(word);
const ANSWER = { fact: "fact", pronoun: "pronoun", indirect_object: "name", list: "syllable", closing: "sign" };

/** The noun that a verb after these words agrees with, and the last noun before the verb. */
export function subjectOf(words) {
  let at = words.length - 1;
  const last = words[at];
  while (at >= 4 && words[at - 1] === "the" && PREPOSITIONS.includes(words[at - 2]) && isNoun(words[at - 3])) at -= 3;
  return isNoun(words[at]) ? { subject: words[at], last } : null;
}

/**
 * Judge what a model says next.
 *
 * @param {string[]} words the text so far, END first
 * @param {Float32Array} said the model's probabilities
 * @param {Float32Array} real the true ones
 * @param {{rule: string, referent: string, gap: number}} row
 * @returns {{kind: "right"|"off"|"wrong", title: string, why: string, forbidden: number, best: string}}
 *   forbidden: the probability that the model gives to words that cannot come
 */
export function judge(words, said, real, { rule, referent, gap }) {
  let forbidden = 0, good = 0, bad = 0, best = 0;
  const decided = rule ? RULES[rule] : null;
  for (let id = 0; id < said.length; id++) {
    if (said[id] > said[best]) best = id;
    if (!real[id]) forbidden += said[id];
    if (decided?.has(VOCABULARY[id])) {
      if (real[id]) good += said[id];
      else bad += said[id];
    }
  }
  const word = VOCABULARY[best];
  const about = rule.startsWith("agreement") ? "verb" : (ANSWER[rule] ?? "word");
  const wrong = decided && rule !== "mood" ? bad > good : !real[best];
  const kind = wrong ? "wrong" : gap < 0.1 ? "right" : "off";
  const odds = real[best] ? `A wrong ${about} is likelier than the right one.` : "Wrong word.";
  const failed = !decided || decided.has(word) ? `Wrong ${about}.` : odds;
  const title = { right: `Right ${about}.`, off: `Right ${about}, wrong odds.`, wrong: failed }[kind];
  return { kind, title, why: reason(words, rule, referent, real, wrong), forbidden, best: word };
}

function reason(words, rule, referent, real, wrong) {
  const only = VOCABULARY.filter((_, id) => real[id] > 0.999)[0];
  if (rule.startsWith("agreement")) {
    const found = subjectOf(words);
    if (!found) return "The verb must agree with its noun.";
    const not = found.last === found.subject ? "" : `, not with *${found.last}*`;
    return wrong ? `The verb no longer agrees with *${found.subject}*.` : `The verb agrees with *${found.subject}*${not}.`;
  }
  if (rule === "pronoun" && referent) {
    const fitting = ["he", "she", "his", "her"].filter((word) => real[IDS[word]]);
    return `*${fitting[0]}* stands for *${referent}*.`;
  }
  if (rule === "mood") return "Which words come depends on the mood of the story.";
  if (only && rule === "fact") return `In this world the answer is *${only}*.`;
  if (only && rule === "indirect_object") return `The other of the two people is *${only}*.`;
  if (only && rule === "list") return `The song repeats itself: *${only}* comes next.`;
  if (only && rule === "closing") return `Only *${only}* closes what is open.`;
  if (rule === "closing") return "What was opened last closes first.";
  if (only) return `Only *${only}* can come here.`;
  const count = real.reduce((sum, p) => sum + (p > 0), 0);
  return `Any of ${count} words can come here.`;
}

/** The words to show: the likeliest by the model or by the truth. */
export function worthShowing(said, real, count) {
  const order = VOCABULARY.map((_, id) => id).sort((a, b) => Math.max(said[b], real[b]) - Math.max(said[a], real[a]) || a - b);
  return order.slice(0, count).map((id) => ({ word: VOCABULARY[id], said: said[id], real: real[id] }));
}
