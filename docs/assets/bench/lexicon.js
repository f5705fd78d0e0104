// The words of World's language and the facts about its people and towns, as in llmnotes.world.

export const END = "<|endoftext|>";
export const MOODS = ["merry", "gloomy", "eerie"];
const listed = (text) => text.split(" ");
const mapped = (keys, value) => Object.fromEntries(keys.map((key) => [key, value(key)]));

export const WOMEN = listed("Anna Bella Clara Dora Edith Flora Greta Hilda Ida Julia Klara Lucy");
export const MEN = listed("Adam Boris Carl David Emil Felix Georg Hugo Ivan Jakob Karl Leo");
export const PEOPLE = [...WOMEN, ...MEN];
export const TOWNS = listed("Arden Brook Corby Dale Elmley Fenwick Garth Holm Isley Kelso");
export const JOBS = listed("baker smith miller weaver hunter potter farmer sailor tailor piper");
export const FOODS = listed("bread cheese plums soup cake honey fish pears nuts porridge");
export const LANDMARKS = listed("river sea lake hill moor forest");
export const NOUNS = mapped(
  listed("cat dog bird horse goat pig duck bear frog crow tree house tower rose bridge stone boat wheel"),
  (noun) => `${noun}s`,
);
export const THINGS = listed("ring book cup hat coin lamp key rope spoon drum comb glove");
export const SYLLABLES = listed("ba de fi go lu ma ne pi ro su ta ve wi xo zu hey la mo dum tra");
export const COLOURS = listed("red blue green white black small big old");
export const MOOD_ADJECTIVES = {
  merry: listed("happy bright lively jolly sunny warm cheerful glad"),
  gloomy: listed("sad grey weary lonely tired cold sorry sour"),
  eerie: listed("strange pale silent ghostly cursed hollow haunted grim"),
};
export const MOOD_VERBS = {
  merry: listed("laughed danced smiled"),
  gloomy: listed("wept sighed moaned"),
  eerie: listed("shivered whispered vanished"),
};
export const VERBS = mapped(listed("run sleep shine fall stand turn shake wait grow rest"), (verb) => `${verb}s`);
export const PREPOSITIONS = listed("near behind beside above under past");
export const SEEING = listed("saw found painted");
export const OWNING = listed("lost held sold");
export const BRACKETS = { "(": ")", "[": "]", "{": "}" };

const opening = Object.keys(BRACKETS);
const closing = Object.values(BRACKETS);
export const VOCABULARY = [
  ...new Set([
    ...[END, ...PEOPLE, ...TOWNS, ...JOBS, ...LANDMARKS, ...THINGS, ...Object.keys(NOUNS), ...Object.values(NOUNS)],
    ...[...FOODS, ...SYLLABLES, ...COLOURS, ...Object.values(MOOD_ADJECTIVES).flat()],
    ...[...Object.values(MOOD_VERBS).flat(), ...SEEING, ...OWNING, ...Object.keys(VERBS), "are"],
    ...[...Object.values(VERBS), "is", ...PREPOSITIONS, ...listed("the a lives likes was said sang went gave got lies")],
    ...[...listed("in to from by when and one . , : ; “ ”"), ...opening, ...closing, ...listed("he she his her")],
  ]),
];
export const IDS = Object.fromEntries(VOCABULARY.map((word, id) => [word, id]));

/** SplitMix64 (Steele, Lea and Flood 2014), as llmnotes.world has it. */
function* splitmix(seed) {
  const mask = (1n << 64n) - 1n;
  for (let state = 0n, first = true; ; first = false) {
    state = (state + 0x9e3779b97f4a7c15n) & mask;
    let z = state;
    z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & mask;
    z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & mask;
    z ^= z >> 31n;
    if (first) state = z ^ seed; // the first bits go into the seed
    else yield z;
  }
}

const factBits = splitmix(2024n);
const fact = (keys, values) => mapped(keys, () => values[Number(factBits.next().value % BigInt(values.length))]);
export const HOME = fact(PEOPLE, TOWNS);
export const JOB = fact(PEOPLE, JOBS);
export const FOOD = fact(PEOPLE, FOODS);
export const LANDMARK = fact(TOWNS, LANDMARKS);

export const MOOD_OF = Object.fromEntries(
  [MOOD_ADJECTIVES, MOOD_VERBS].flatMap((words) => MOODS.flatMap((mood) => words[mood].map((word) => [word, mood]))),
);
const verbs = new Set([...Object.keys(VERBS), ...Object.values(VERBS), "is", "are"]);
/** The rules, and the words that each decides; what else may stand at the same place is free choice. */
export const RULES = {
  pronoun: new Set(["he", "she", "his", "her"]),
  agreement_0: verbs,
  agreement_1: verbs,
  agreement_2: verbs,
  indirect_object: new Set(PEOPLE),
  fact: new Set([...TOWNS, ...JOBS, ...FOODS, ...LANDMARKS]),
  mood: new Set(Object.keys(MOOD_OF)),
  list: new Set(SYLLABLES),
  closing: new Set([...closing, "”"]),
};
/** What readers call the rules. */
export const RULE_NAMES = {
  pronoun: "pronoun fits the person",
  agreement_0: "verb agrees, no noun between",
  agreement_1: "verb agrees, one noun between",
  agreement_2: "verb agrees, two nouns between",
  indirect_object: "the other of the two people",
  fact: "a fact of this world",
  mood: "word fits the mood",
  list: "the song repeats",
  closing: "what was opened closes",
};
