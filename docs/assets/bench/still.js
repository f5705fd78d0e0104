// A bench that stands in the page before its engine is there, with the elements that the live one will have: it shows
// what happens without the head that decides, and remembers what the reader pressed while the model loads.

import { calm } from "./dom.js";

const controls = (root) => [...root.querySelectorAll("button")];

/** Show the second state after a while, once; the live bench begins from the state that is on the screen. */
export function demonstrate(root) {
  const second = root.querySelector("template");
  if (!second || calm()) return () => {};
  const waiting = setTimeout(() => {
    root.replaceChildren(second.content);
    root.dataset.off = second.dataset.off;
  }, 1800);
  return () => clearTimeout(waiting);
}

/** Keep what is pressed and what has the focus; returns the function that hands both over to the live bench. */
export function remember(root) {
  const pressed = [];
  let held = -1; // a press that began here and has not ended: it would end on the live bench, and be no click
  const over = new AbortController();
  const on = (where, kind, act) => where.addEventListener(kind, act, { signal: over.signal });
  const at = ({ target }) => controls(root).indexOf(target.closest("button"));
  on(root, "pointerdown", (event) => (held = at(event)));
  on(root, "click", (event) => pressed.push(at(event)));
  for (const kind of ["pointerup", "pointercancel"]) on(document, kind, () => (held = -1));
  return () => {
    over.abort();
    for (const one of [...pressed, held]) controls(root)[one]?.click();
  };
}

/** Put the live bench in the place of the still one, with the focus where it was. */
export function takeOver(root, ...children) {
  const at = controls(root).indexOf(document.activeElement);
  root.replaceChildren(...children);
  root.classList.remove("bench-still");
  if (at >= 0) controls(root)[at]?.focus({ preventScroll: true });
}
