// The reader's own page: how often they were right, how sure they were, and what that can show with so few answers.

import { forget, kept, keptOnBench, make, percent, wilson } from "./answers.js";

const BENCH = { predict: "Predict on your own sentence", audit: "Blind audit" };
const place = document.getElementById("your-predictions");
if (place) show();

/** The address of a page, such as labs/01_xor; without a server pages are files. */
function page(path) {
  return location.pathname.endsWith("your-predictions.html") ? `${path}.html` : `../${path}/`;
}

function show() {
  const answers = Object.values(kept().answers).filter((one) => "outcome" in one);
  const played = keptOnBench();
  if (!answers.length && !played.length) {
    const first = place.dataset.first;
    place.replaceChildren(
      make("p", { textContent: "You have not predicted anything yet." }),
      make("p", {}, make("a", { className: "md-button md-button--primary", href: page(`labs/${first}`), textContent: `Make your first prediction in lab ${first.slice(0, 2)}` })),
    );
    return;
  }
  const settled = answers.filter((one) => one.outcome !== null);
  const right = settled.filter((one) => one.outcome).length;
  const sure = [...settled.filter((one) => one.p), ...played];
  const parts = [];
  if (settled.length) {
    const [low, high] = wilson(right / settled.length, settled.length);
    const chance = settled.reduce((sum, one) => sum + 1 / (one.n ?? 2), 0) / settled.length;
    parts.push(
      make("p", { className: "score" }, make("b", { textContent: `You were right in ${right} of ${settled.length}. ` }), `Guessing would be right in ${percent(chance)} of such questions; with ${settled.length} ${settled.length === 1 ? "answer" : "answers"}, your true share may be anything from ${percent(low)} to ${percent(high)}.`),
    );
    if (settled.length < 10) {
      parts.push(make("p", { className: "small", textContent: `${settled.length} ${settled.length === 1 ? "answer says" : "answers say"} next to nothing about how well you predict. From about ten on, the picture means something.` }));
    }
  }
  if (sure.length) {
    const brier = sure.reduce((sum, one) => sum + (one.p - one.outcome) ** 2, 0) / sure.length;
    parts.push(make("p", { textContent: `On the ${sure.length} where you said how sure you were, your Brier score is ${brier.toFixed(3)}. It is the mean squared distance between how sure you were and what happened: lower is better, and saying 50% each time gives 0.250.` }), calibration(sure));
  }
  const rows = [...answers, ...played].map((one) => {
    const verdict = one.outcome === null ? "drawn" : one.outcome ? (one.bench ? "✓ came true" : "✓ right") : one.bench ? "✕ did not come true" : "✕ not right";
    return make(
      "li",
      {},
      make("b", { className: one.outcome ? "true" : one.outcome === 0 ? "false" : "", textContent: `${verdict}${one.p != null ? `, ${percent(one.p)} sure` : ""}: ` }),
      `${one.claim} `,
      one.bench
        ? make("a", { href: page(`play/${one.bench}`), textContent: BENCH[one.bench] })
        : make("a", { href: page(`labs/${one.lab}`), textContent: `Lab ${one.lab.slice(0, 2)}: ${one.title}` }),
    );
  });
  const button = make("button", { className: "md-button", type: "button", textContent: "Forget my answers" });
  button.addEventListener("click", () => {
    if (!confirm("Remove all your answers from this browser?")) return;
    forget();
    show();
  });
  place.replaceChildren(...parts, make("ul", { className: "answers" }, ...rows), button);
}

/** Share that came true against how sure the reader was, in fifths, each with its 95% interval. */
function calibration(answers) {
  const x = (p) => 48 + 210 * p;
  const y = (p) => 230 - 210 * p;
  const bins = [0, 1, 2, 3, 4].map((fifth) => answers.filter((one) => Math.min(4, Math.floor(5 * one.p)) === fifth));
  const words = [];
  const marks = bins.filter((some) => some.length).map((some) => {
    const p = some.reduce((sum, one) => sum + one.p, 0) / some.length;
    const share = some.filter((one) => one.outcome).length / some.length;
    const [low, high] = wilson(share, some.length);
    words.push(`of ${some.length} that you were about ${percent(p)} sure of, ${percent(share)} came true`);
    return (
      `<line class="interval" x1="${x(p)}" x2="${x(p)}" y1="${y(low)}" y2="${y(high)}"/>` +
      `<circle class="you" cx="${x(p)}" cy="${y(share)}" r="${3 + Math.sqrt(some.length)}"/>`
    );
  });
  const ticks = [0, 0.5, 1].map(
    (t) =>
      `<text x="${x(t)}" y="${y(0) + 16}" text-anchor="middle">${percent(t)}</text>` +
      `<text x="${x(0) - 6}" y="${y(t) + 4}" text-anchor="end">${percent(t)}</text>`,
  );
  const figure = make("figure", { className: "calibration" });
  figure.innerHTML =
    `<svg viewBox="0 0 280 256" role="img" aria-label="${words.join("; ")}.">` +
    `<rect class="frame" x="${x(0)}" y="${y(1)}" width="210" height="210"/>` +
    `<line class="even" x1="${x(0)}" y1="${y(0)}" x2="${x(1)}" y2="${y(1)}"/>${ticks.join("")}${marks.join("")}</svg>` +
    "<figcaption>Across: how sure you were. Up: the share that came true, with its 95% interval. On the dashed line, the two agree.</figcaption>";
  return figure;
}
