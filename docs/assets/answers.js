// What the reader predicted, and which labs are read: kept in this browser, never sent.

const KEY = "llmnotes-predictions";
const EMPTY = { answers: {}, shown: {}, done: {} };

export function kept() {
  try {
    return { ...structuredClone(EMPTY), ...JSON.parse(localStorage.getItem(KEY) ?? "{}") };
  } catch {
    return memory;
  }
}

const memory = structuredClone(EMPTY); // a browser that remembers nothing still asks and shows

export function keep(change) {
  const all = kept(); // another tab may have written in the meantime
  change(all);
  Object.assign(memory, all);
  try {
    localStorage.setItem(KEY, JSON.stringify(all));
  } catch {
    // nothing is remembered
  }
}

/** Where the bench keeps what was predicted on it: lists of { claim, p, outcome } (bench/forecast.js, bench/audit.js). */
const BENCH = { predict: "llmnotes-bench-predictions", audit: "llmnotes-bench-audits" };

/** Predictions made on the bench: [{ claim, p, outcome, bench }]. */
export function keptOnBench() {
  return Object.entries(BENCH).flatMap(([bench, key]) => {
    try {
      return JSON.parse(localStorage.getItem(key) ?? "[]").map((one) => ({ ...one, bench }));
    } catch {
      return [];
    }
  });
}

export function forget() {
  keep((all) => {
    all.answers = {};
    all.shown = {};
  });
  try {
    for (const key of Object.values(BENCH)) localStorage.removeItem(key);
  } catch {
    // nothing was remembered
  }
}

/** An element with properties and children. */
export function make(name, properties = {}, ...children) {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
}

export const percent = (p) => `${Math.round(100 * p)}%`;

/** Wilson's 95% interval for a share seen in n cases. */
export function wilson(share, n, z = 1.96) {
  const middle = (share + z ** 2 / (2 * n)) / (1 + z ** 2 / n);
  const half = (z / (1 + z ** 2 / n)) * Math.sqrt((share * (1 - share)) / n + z ** 2 / (4 * n ** 2));
  return [Math.max(0, middle - half), Math.min(1, middle + half)];
}
