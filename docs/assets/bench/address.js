// A bench's state as the page's address, #bench-name?key=value&…: what is shared may be cut short or made up.

import { clipped, make } from "./dom.js";

/** Readers of an address's values: each gives undefined for what does not exist. */
export const anyText = (text) => text || undefined;
export const wordsIn = (text) => text.split(/\s+/).filter(Boolean);
export const number = (low, high) => (text) => (text.trim() && +text >= low && +text <= high ? +text : undefined);
export const whole = (low, high) => (text) => (/^\d+$/.test(text) ? number(low, high)(text) : undefined);
export const oneOf = (values) => (text) => (values.includes(text) ? text : undefined);

/**
 * What the page's address asks of a bench, or else its element's own data-key="value".
 *
 * @param {string} name
 * @param {DOMStringMap} preset
 * @param {Object<string, (text: string) => any>} takes a reader for each key
 * @returns {{given: object, note: HTMLElement, refuse: (why: string) => void, keep: (state: object) => void}} given: what
 *   exists of it; note: a line that says what does not, until a state is kept in the address
 */
export function stateOf(name, preset, takes) {
  const [start, query] = location.hash.slice(1).split(/\?(.*)/s);
  const asked = start === `bench-${name}` && query !== undefined;
  const given = {};
  const note = make("p", { class: "bench-problem", role: "status" });
  for (const [key, text] of asked ? new URLSearchParams(query) : Object.entries(preset)) {
    const value = takes[key]?.(text);
    if (value !== undefined) given[key] = value;
    else if (asked && !note.textContent) {
      note.textContent = `This address asks for “${key}=${clipped(text)}”, which does not exist here. The rest of it is shown.`;
    }
  }
  return {
    given,
    note,
    /** Say why the text of the address is not shown. */
    refuse: (why) => (note.textContent = `The text of this address cannot be shown; here is another. ${why}`),
    /** Put a state into the page's address, without a step in its history. */
    keep(state) {
      note.textContent = "";
      const filled = Object.entries(state).filter(([, value]) => value !== "" && value != null);
      history.replaceState(history.state, "", `#bench-${name}?${new URLSearchParams(filled)}`);
    },
  };
}

/** A button that copies the page's address. */
export function copyLink() {
  const button = make("button", { type: "button", class: "bench-text" }, "Copy a link to this state");
  button.onclick = async () => {
    try {
      await navigator.clipboard.writeText(location.href);
      button.textContent = "Copied";
    } catch {
      button.textContent = "The address bar has the link";
    }
    setTimeout(() => (button.textContent = "Copy a link to this state"), 2000);
  };
  return button;
}
