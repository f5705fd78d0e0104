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

/** Text with *words* in italics. */
export function emphasised(text) {
  return text.split(/\*([^*]+)\*/).map((part, i) => (i % 2 ? make("i", {}, part) : part));
}

/** What a page's address says to a bench, #bench-name?key=value&…, and otherwise its element's own data-key="value". */
export function readAddress(name, { ...preset } = {}) {
  const [bench, query = ""] = decodeURI(location.hash.slice(1)).split("?");
  return bench === `bench-${name}` ? Object.fromEntries(new URLSearchParams(query)) : preset;
}

/** Put a state into the page's address, without a step in its history. */
export function writeAddress(name, state) {
  const filled = Object.entries(state).filter(([, value]) => value !== "" && value != null);
  history.replaceState(history.state, "", `#bench-${name}?${new URLSearchParams(filled)}`);
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
