// Small help with elements.

/** An element: make("p", { class: "x", "aria-live": "polite", onclick }, "text", child). */
export function make(tag, attributes = {}, ...children) {
  const svg = ["svg", "path", "g", "circle", "text", "line", "rect", "title"].includes(tag);
  const element = svg ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value == null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child != null));
  return element;
}

/** A probability for readers: 31%, under 1% as "<1%", and 0 as "0%". */
export function percent(p) {
  if (p > 0 && p < 0.005) return "<1%";
  if (p < 1 && p > 0.995) return ">99%";
  return `${Math.round(100 * p)}%`;
}

export const bits = (x) => (x < 0.005 ? "0.00" : x < 10 ? x.toFixed(2) : x.toFixed(0));
export const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

/** A word that somebody wrote, short enough to be said. */
export const clipped = (text) => ([...text].length > 24 ? `${[...text].slice(0, 24).join("")}…` : text);

/** Text with *words* in italics. */
export function emphasised(text) {
  return text.split(/\*([^*]+)\*/).map((part, i) => (i % 2 ? make("i", {}, part) : part));
}

/**
 * One stop of the Tab key for a group of buttons, among which arrow keys lead on.
 *
 * @param {HTMLElement} group
 * @param {() => HTMLElement[]} buttons those of now
 * @param {(key: string, at: number) => number | undefined} lead from the number of one to that of the next
 * @returns {(button?: HTMLElement) => void} makes one of them the stop: the last one, or if that is gone the first
 */
export function oneStop(group, buttons, lead) {
  let last = null;
  const stop = (chosen = last) => {
    const all = buttons();
    last = all.includes(chosen) ? chosen : all[0];
    for (const button of all) button.tabIndex = button === last ? 0 : -1;
  };
  group.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const at = buttons().indexOf(event.target);
    const to = at < 0 ? null : buttons()[lead(event.key, at)];
    if (!to) return;
    event.preventDefault();
    to.focus();
  });
  group.addEventListener("focusin", ({ target }) => buttons().includes(target) && stop(target));
  return stop;
}

/** Arrow keys in a grid of so many columns; in a row, 1. */
export const inGrid = (columns) => (key, at) =>
  at + ({ ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns }[key] ?? NaN);
