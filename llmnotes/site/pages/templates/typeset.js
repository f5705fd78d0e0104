// How formulas are set at build. Query, key and value have the hues of the drawings: \q{q_i}, \k{k_j}, \v{v_j} (prose.css).
const macros = Object.fromEntries(["q", "k", "v"].map((one) => [`\\${one}`, `\\htmlClass{${one}}{#1}`]));
const typeset = (formula, displayMode) => katex.renderToString(formula, {
  displayMode,
  throwOnError: false, // finishing.py looks for what is wrong
  macros: { ...macros },
  trust: ({ command }) => command === "\\htmlClass",
  strict: (code) => (code === "htmlExtension" ? "ignore" : "warn"),
});
