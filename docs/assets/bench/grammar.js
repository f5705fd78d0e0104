// World's grammar, as in llmnotes.world: a generator that says at every word which words may come and how likely each
// is, is told which one was spoken, and goes on from there.

import {
  BRACKETS,
  COLOURS,
  END,
  FOOD,
  HOME,
  JOB,
  LANDMARK,
  LANDMARKS,
  MOOD_ADJECTIVES,
  MOOD_VERBS,
  MOODS,
  NOUNS,
  OWNING,
  PEOPLE,
  PREPOSITIONS,
  SEEING,
  SYLLABLES,
  THINGS,
  TOWNS,
  VERBS,
  WOMEN,
} from "./lexicon.js";

// A choice: the words that may come with their probabilities, the rule at work, whom a pronoun here stands for.
const choice = (options, rule = "", referent = "") => ({ options, rule, referent });
const even = (words, total = 1) => Object.fromEntries(words.map((word) => [word, total / words.length]));
const only = (word, rule = "", referent = "") => choice({ [word]: 1 }, rule, referent);
const scaled = (options, by) => Object.fromEntries(Object.entries(options).map(([word, p]) => [word, p * by]));
const byMood = (make) => Object.fromEntries(MOODS.map((mood) => [mood, make(mood)]));

/** Words of all moods; those of the story's own are eighteen times as likely as those of another. */
const coloured = (words, mood) =>
  Object.assign({}, ...MOODS.map((one) => even(words[one], one === mood ? 0.9 : 0.05)));

const everyNoun = [...Object.keys(NOUNS), ...Object.values(NOUNS)];
const singularNouns = new Set(Object.keys(NOUNS));
const nounSet = new Set(everyNoun);
const adjectives = byMood((mood) => choice(coloured(MOOD_ADJECTIVES, mood), "mood"));
const anyNoun = choice(even(everyNoun));
const nounPhrases = byMood((mood) =>
  choice(
    { ...even(everyNoun, 0.55), ...even(COLOURS, 0.2), ...scaled(coloured(MOOD_ADJECTIVES, mood), 0.25) },
    "mood",
  ),
);
const women = new Set(WOMEN);
const pronounOf = (name) => (women.has(name) ? "she" : "he");
const possessiveOf = (name) => (women.has(name) ? "her" : "his");
const deedWords = {
  ...{ lives: 0.08, is: 0.08, likes: 0.08, was: 0.14, said: 0.08, sang: 0.16 },
  ...even(SEEING, 0.11),
  ...even(OWNING, 0.09),
}; // the remaining 0.18 are verbs of feeling
const deeds = byMood((mood) => choice({ ...deedWords, ...scaled(coloured(MOOD_VERBS, mood), 0.18) }, "mood"));

/** Who may be named: someone of the story, or someone new while there are fewer than three. */
function people(scene, total = 1, but = "") {
  const known = scene.cast.filter((name) => name !== but);
  const fresh = known.length ? [1, 0.6, 0.3, 0][scene.cast.length] : 1;
  return {
    ...(fresh < 1 ? even(known, total * (1 - fresh)) : {}),
    ...(fresh ? even(PEOPLE.filter((name) => !scene.cast.includes(name)), total * fresh) : {}),
  };
}

function named(scene, name) {
  if (!scene.cast.includes(name)) scene.cast.push(name);
  return name;
}

/** The grammar: a story of a mood, sentence by sentence until the end of the text. */
export function* story(mood) {
  const scene = { mood, cast: [], subject: "" };
  for (;;) {
    const start = { the: 0.25, when: 0.13, [END]: 0.04, ...even(TOWNS, 0.06) };
    if (scene.subject) Object.assign(start, { [pronounOf(scene.subject)]: 0.22 }, people(scene, 0.3));
    else Object.assign(start, people(scene, 0.52));
    const word = yield choice(start, "pronoun", scene.subject);
    if (word === END) return;
    if (word === "the") {
      yield* nouns(scene);
      yield only(".");
    } else if (word === "when") yield* giving(scene);
    else if (Object.hasOwn(LANDMARK, word)) {
      yield only("lies");
      yield only("by");
      yield only("the");
      yield only(LANDMARK[word], "fact");
      yield only(".");
    } else {
      if (Object.hasOwn(HOME, word)) scene.subject = named(scene, word); // "he" and "she" leave the subject as it is
      yield* deed(scene);
    }
  }
}

/** After "the": a noun with up to two attractors behind it, and a verb that agrees with the noun. */
function* nouns(scene) {
  let head = yield nounPhrases[scene.mood];
  if (!nounSet.has(head)) head = yield anyNoun;
  const singular = singularNouns.has(head);
  const verbs = { ...even(singular ? Object.values(VERBS) : Object.keys(VERBS), 0.5), [singular ? "is" : "are"]: 0.5 };
  let word = "";
  for (let attractors = 0; attractors < 3; attractors++) {
    const more = [0.5, 0.4, 0][attractors];
    const options = { ...scaled(verbs, 1 - more), ...(more ? even(PREPOSITIONS, more) : {}) };
    word = yield choice(options, `agreement_${attractors}`);
    if (Object.hasOwn(verbs, word)) break;
    yield only("the");
    yield anyNoun;
  }
  if (word === "is" || word === "are") yield adjectives[scene.mood];
}

/** After "when": two people, one of whom gives to or gets from the other; the last name is the other's. */
function* giving(scene) {
  const first = named(scene, yield choice(people(scene)));
  yield only("and");
  const second = named(scene, yield choice(people(scene, 1, first)));
  yield only("went");
  yield only("to");
  yield only("the");
  yield choice(even(LANDMARKS));
  yield only(",");
  scene.subject = yield choice({ [first]: 0.5, [second]: 0.5 });
  const verb = yield choice({ gave: 0.5, got: 0.5 });
  yield only("the");
  yield choice(even(THINGS));
  yield only(verb === "gave" ? "to" : "from");
  yield only(scene.subject === first ? second : first, "indirect_object");
  yield only(".");
}

/** After a name or pronoun: what that person is like or does. */
function* deed(scene) {
  const verb = yield deeds[scene.mood];
  if (verb === "lives") {
    yield only("in");
    yield only(HOME[scene.subject], "fact");
  } else if (verb === "is") {
    yield only("a");
    yield only(JOB[scene.subject], "fact");
  } else if (verb === "likes") yield only(FOOD[scene.subject], "fact");
  else if (verb === "was") yield adjectives[scene.mood];
  else if (SEEING.includes(verb)) {
    yield only("the");
    yield anyNoun;
    const word = yield choice({ ".": 0.5, ...even(Object.keys(BRACKETS), 0.5) });
    if (word === ".") return;
    yield* aside(scene, word, 1);
  } else if (OWNING.includes(verb)) {
    yield only(possessiveOf(scene.subject), "pronoun", scene.subject);
    yield choice(even(THINGS));
  } else if (verb === "said") {
    yield only("“");
    yield only("the");
    yield* nouns(scene);
    yield only("”", "closing");
  } else if (verb === "sang") {
    yield* song();
    return;
  }
  yield only(".");
}

/** After an opening bracket: a remark, perhaps with another inside; the innermost bracket closes first. */
function* aside(scene, opened, depth) {
  yield only("a");
  yield adjectives[scene.mood];
  yield only("one");
  const close = BRACKETS[opened];
  const more = depth < 3 ? 0.4 : 0;
  const word = yield choice({ [close]: 1 - more, ...(more ? even(Object.keys(BRACKETS), more) : {}) }, "closing");
  if (word === close) return;
  yield* aside(scene, word, depth + 1);
  yield only(close, "closing");
}

/** After "sang": at least three syllables, then the same again, once or more often. */
function* song() {
  yield only(":");
  const sung = [];
  for (;;) {
    const stop = sung.length < 3 ? 0 : 0.3;
    const word = yield choice({ ...(stop ? { ";": stop } : {}), ...even(SYLLABLES, 1 - stop) });
    if (word === ";") break;
    sung.push(word);
  }
  for (let word = ";"; word === ";"; ) {
    for (const syllable of sung) yield only(syllable, "list");
    word = yield choice({ ";": 0.6, ".": 0.4 });
  }
}
