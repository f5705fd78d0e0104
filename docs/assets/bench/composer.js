// A sentence of World's language to choose, or to write from words that the grammar allows.

import { inquire } from "./client.js";
import { inGrid, make, oneStop, percent } from "./dom.js";
import { END } from "./lexicon.js";

export const SENTENCES = {
  "a verb with a noun between": "the cats near the dog",
  "two nouns between": "the cat behind the horses near the birds",
  "a fact": "Karl likes",
  "another fact": "Anna lives in",
  "who gets it": "when Anna and Karl went to the river , Karl gave the ring to",
  "a pronoun": "Clara was happy . Boris saw the tower .",
  "the mood of a story": "Dora wept . the tree is grey . Emil was",
  "brackets": "Ida saw the cat ( a happy one [ a sad one",
  "a song": "Leo sang : la mo fi la ; la mo fi",
};

/**
 * @param {(words: string[]) => void} change called with a new text
 * @param {Object<string, string>} sentences to choose from, by what they are about
 * @param {HTMLElement?} own what stands in the sentence's place
 * @returns {{element: HTMLElement, show: Function, refuse: Function}}
 */
export function composerPart(change, sentences = SENTENCES, own = null) {
  let words = [];
  let sent = ""; // what the field held when it was read
  const sentence = make("p", { class: "bench-sentence" });
  const choose = make("select", { "aria-label": "Choose a sentence" }, make("option", { value: "" }, "Sentences"));
  for (const [about, text] of Object.entries(sentences)) choose.append(make("option", { value: text }, `${about}: ${text}`));
  choose.onchange = () => {
    if (choose.value) change(choose.value.split(" "));
    choose.value = "";
  };
  const options = make("datalist", { id: `bench-words-${Math.random().toString(36).slice(2)}` });
  const input = make("input", { list: options.id, "aria-label": "Add a word or paste a sentence", placeholder: "add a word", autocapitalize: "off", autocomplete: "off", spellcheck: "false" });
  const form = make("form", { class: "bench-add" }, input, make("button", { type: "submit" }, "Add"));
  form.onsubmit = async (event) => {
    event.preventDefault();
    sent = input.value;
    const more = sent.trim().split(/\s+/).filter(Boolean);
    if (!more.length) return refuse("Type a word, or choose one of those offered.");
    const stands = (text) => inquire("next", { words: text }).then(() => true, () => false);
    // a text whose first word cannot go on here may be a sentence of its own, which takes this one's place
    const whole = more.length > 1 && !(await stands([...words, more[0]])) && (await stands(more));
    change(whole ? more : [...words, ...more]);
  };
  const back = make("button", { type: "button", class: "bench-back", onclick: () => words.length > 1 && change(words.slice(0, -1)) }, "Remove the last word");
  const offers = make("div", { class: "bench-offers", role: "group", "aria-label": "Words that can come next, by the grammar" });
  const stop = oneStop(offers, () => [...offers.querySelectorAll("button")], inGrid(1));
  const problem = make("p", { class: "bench-problem", role: "alert" });
  const element = make("div", { class: "bench-composer" }, own ?? sentence, make("div", { class: "bench-tools" }, choose, back, form), offers, problem);

  async function offer() {
    const mine = words;
    const next = await inquire("next", { words });
    if (mine !== words) return;
    const focused = offers.contains(document.activeElement);
    options.replaceChildren(...next.map(({ word }) => make("option", { value: word })));
    const shown = next.filter(({ word }) => word !== END);
    offers.replaceChildren(
      ...shown.slice(0, 8).map(({ word, p }) =>
        make("button", { type: "button", "aria-label": `Add ${word}, true probability ${percent(p)}`, onclick: () => change([...words, word]) }, word),
      ),
      make("span", { class: "bench-small" }, shown.length > 8 ? `and ${shown.length - 8} more by typing` : ""),
    );
    stop();
    if (focused) (offers.querySelector("button") ?? input).focus();
  }
  function refuse(message) {
    problem.textContent = `${message[0].toUpperCase()}${message.slice(1)}${message.endsWith(".") ? "" : "."}`;
    if (form.contains(document.activeElement)) input.select();
  }

  return {
    element,
    /** @param {string} kind of the verdict: a wrong word stands in its colour */
    show(text, at, best, kind = "") {
      const same = words.join(" ") === text.join(" ");
      words = text;
      problem.textContent = "";
      const blank = make("u", { class: kind === "wrong" ? "bench-wrong" : null }, best);
      const rest = at < text.length ? make("s", {}, ` ${text.slice(at).join(" ")}`) : null;
      sentence.replaceChildren(`${text.slice(0, at).join(" ")} `, blank, ...(rest ? [rest] : []));
      if (same && offers.children.length) return;
      if (input.value === sent) input.value = ""; // what the reader has typed since stays
      offer();
    },
    refuse,
  };
}
