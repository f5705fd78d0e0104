// Steering World from one mood towards another: add the difference of two means to the residual stream, times a dose
// (Turner et al. 2023; Rimsky et al. 2024), and measure what it brings and what it costs, as lab Steering does.

import { keyOf } from "./edits.js";
import { IDS, MOOD_OF, VOCABULARY } from "./lexicon.js";
import { choices, logSoftmax, pick, randomFrom, randomVector } from "./methods.js";
import { tellStory, truth, truthInMood } from "./oracle.js";

const kept = new Map();
const remembered = (key, make) => kept.get(key) ?? kept.set(key, make()).get(key);
const idsOf = (words) => words.map((word) => IDS[word]);
const moodWords = Object.keys(MOOD_OF).map((word) => IDS[word]);

function storiesOf(mood, count, seed) {
  const random = randomFrom(seed);
  return Array.from({ length: count }, () => tellStory(random, 96, mood));
}

/** The mean of the residual stream after a layer over stories of a mood. */
const meanOf = (model, mood, layer) =>
  remembered(`mean ${mood} ${layer}`, () => model.mean(storiesOf(mood, 20, 11).map(idsOf), "resid_post", layer));

/**
 * @param {{model, tokenizer}} loaded World
 * @param {object} request layer, dose, from and to (moods), prompt (words), seed and count of the words to write,
 *   control: a number stands for a random vector of the same length in the place of the difference
 * @returns {object} written: [{ word, struck }] where struck words are not allowed and were drawn again;
 *   share: of the probability of words of mood, how much those of `to` get where one may come; distance: to the
 *   grammar's answer if the mood were `to`, bits a word; forbidden: probability of words that cannot come;
 *   norm: the vector's length
 */
export function steered({ model }, { layer, dose, from, to, prompt, seed, count = 36, control = null }) {
  const [one, other] = [meanOf(model, to, layer), meanOf(model, from, layer)];
  const difference = one.map((x, i) => x - other[i]);
  const norm = Math.hypot(...difference);
  const vector = control === null ? difference : randomVector(model.d, norm, control + 1);
  const edits = dose ? [{ op: "add", place: "resid_post", layer, vector, dose }] : [];
  return { ...measured(model, edits, from, to), written: written(model, edits, prompt, seed, count), norm };
}

function measured(model, edits, from, to) {
  const texts = remembered(`texts ${from} ${to}`, () =>
    storiesOf(from, 6, 23).map((words) => ({ ids: idsOf(words), ideal: truthInMood(words, to) })),
  );
  const target = moodWords.filter((id) => MOOD_OF[VOCABULARY[id]] === to);
  let share = 0, slots = 0, distance = 0, forbidden = 0, places = 0;
  for (const { ids, ideal } of texts) {
    const logs = logSoftmax(model.run(ids, { edits }).logits, model.vocab);
    for (const [at, best] of ideal.entries()) {
      const row = logs.subarray(at * model.vocab, (at + 1) * model.vocab);
      const sum = (some) => some.reduce((total, id) => total + Math.exp(row[id]), 0);
      places += 1;
      for (let id = 0; id < best.length; id++) {
        if (best[id]) distance += (best[id] * (Math.log(best[id]) - row[id])) / Math.LN2;
        else forbidden += Math.exp(row[id]);
      }
      if (moodWords.reduce((total, id) => total + best[id], 0) <= 0.15) continue; // no word of mood comes here
      share += sum(target) / sum(moodWords);
      slots += 1;
    }
  }
  return { share: share / slots, distance: distance / places, forbidden: forbidden / places };
}

/** A story written on from a prompt; a word that the grammar forbids is struck out and drawn again. */
function written(model, edits, prompt, seed, count) {
  const random = randomFrom(seed);
  const words = [...prompt];
  const cache = model.cache();
  const out = [];
  let next = idsOf(words);
  while (out.length < count && cache.length + next.length < model.context) {
    const list = choices(model.run(next, { edits, cache, prompt: prompt.length, read: "last" }).logits);
    const { probs } = truth(words).at(-1);
    let id = pick(list, random);
    for (let tries = 0; !probs[id] && tries < 3; tries++, id = pick(list, random)) {
      out.push({ word: VOCABULARY[id], struck: true });
    }
    if (!probs[id]) id = list.find((one) => probs[one.id]).id;
    out.push({ word: VOCABULARY[id], struck: false });
    if (id === 0) break; // the end of the story
    words.push(VOCABULARY[id]);
    next = [id];
  }
  return out;
}
