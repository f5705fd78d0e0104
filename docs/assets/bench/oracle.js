// The best possible predictor of World's language: the true distribution of the next word, exactly. It follows the
// grammar once for each mood, and weighs what each offers by how likely that mood is after all words so far.

import { clipped } from "./dom.js";
import { story } from "./grammar.js";
import { END, IDS, MOODS, RULES, VOCABULARY } from "./lexicon.js";

/**
 * What is true after every prefix of a text.
 *
 * @param {string[]} words the first is END; where END comes again, a new story begins
 * @returns {{probs: Float64Array, moods: number[], rule: string, referent: string}[]} for each prefix: the true
 *   distribution of the next word, the probability of each mood, the rule that decides ("" where only syntax does, or
 *   a free choice), the person that a pronoun would stand for
 * @throws {UngrammaticalError} a word that the grammar does not allow
 */
export function truth(words) {
  if (words[0] !== END) throw new Error(`the text begins with ${words[0]}; expected ${END}`);
  const found = [];
  let tellings, offers, weights;
  for (const [i, word] of words.entries()) {
    const before = found[i - 1];
    if (!Object.hasOwn(IDS, word) || (before && !before.probs[IDS[word]])) {
      throw new UngrammaticalError(words, i, before ? allowed(before) : []);
    }
    if (word === END) {
      tellings = MOODS.map(story);
      offers = tellings.map((telling) => telling.next().value);
      weights = MOODS.map(() => 1 / MOODS.length);
    } else {
      weights = weights.map((weight, mood) => weight * offers[mood].options[word]);
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      weights = weights.map((weight) => weight / total);
      offers = tellings.map((telling) => telling.next(word).value);
    }
    const probs = new Float64Array(VOCABULARY.length);
    for (const [mood, offer] of offers.entries()) {
      for (const option of Object.keys(offer.options)) probs[IDS[option]] += weights[mood] * offer.options[option];
    }
    const { rule, referent } = offers[0];
    const decides = rule && Object.keys(offers[0].options).some((option) => RULES[rule].has(option));
    found.push({ probs, moods: weights, rule: decides ? rule : "", referent });
  }
  return found;
}

/** The distribution of the next word after every prefix of a grammatical text, if the mood of its story were this. */
export function truthInMood(words, mood) {
  let telling;
  return words.map((word) => {
    const offer = word === END ? (telling = story(mood)).next() : telling.next(word);
    const probs = new Float64Array(VOCABULARY.length);
    for (const [option, p] of Object.entries(offer.value.options)) probs[IDS[option]] = p;
    return probs;
  });
}

/** The words that may come, likeliest first. */
export const allowed = ({ probs }) =>
  VOCABULARY.filter((_, id) => probs[id]).sort((one, other) => probs[IDS[other]] - probs[IDS[one]]);

/** What a word was meant to be: of World's words, only names have a capital, and signs stand apart. */
function nearly(word) {
  const sign = word.match(/^(.+)([.,:;])$/);
  if (sign && Object.hasOwn(IDS, sign[1])) return `; write “${sign[1]} ${sign[2]}” with a space`;
  const other = [word.toLowerCase(), word[0].toUpperCase() + word.slice(1).toLowerCase()].find((one) => Object.hasOwn(IDS, one));
  return other ? `, but “${other}”` : "";
}

/** A word that does not belong where it stands: `at`, `word`, and what may stand there. */
export class UngrammaticalError extends Error {
  constructor(words, at, may) {
    const said = words.slice(Math.max(0, at - 4), at).filter((word) => word !== END).join(" ");
    const known = Object.hasOwn(IDS, words[at]);
    const where = said ? `after “${said}”` : "at the beginning";
    const why = known ? `“${words[at]}” cannot stand ${where}.` : `World has no word “${clipped(words[at])}”${nearly(words[at])}.`;
    const others = may.filter((word) => word !== END).slice(0, 5).join(", ");
    super(others ? `${why} Try ${others}.` : why);
    Object.assign(this, { name: "UngrammaticalError", at, word: words[at], allowed: may });
  }
}

/** KL(truth || model) in bits: how far log-probabilities (nats) of the next word are from the truth. */
export function gap(logProbs, probs) {
  let sum = 0;
  for (let i = 0; i < probs.length; i++) if (probs[i]) sum += probs[i] * (Math.log(probs[i]) - logProbs[i]);
  return sum / Math.LN2;
}

/** A story that the grammar tells, END first: the beginning of it, if it is longer than `limit` words. */
export function tellStory(random, limit, mood = MOODS[Math.floor(random() * MOODS.length)]) {
  const words = [END];
  const telling = story(mood);
  for (let offer = telling.next(); words.length < limit; offer = telling.next(words.at(-1))) {
    let left = random();
    const options = Object.entries(offer.value.options);
    words.push((options.find(([, p]) => (left -= p) < 0) ?? options.at(-1))[0]);
    if (words.at(-1) === END) return words.slice(0, -1);
  }
  return words;
}
