// Predict, then look. On a lab's page the reader says how likely each claim is before its outcome shows, and what
// follows the predictions stays closed until then. Answers are kept in this browser only. Without this script
// everything is simply visible.

const KEY = "llmnotes-predictions";
const EMPTY = { answers: {}, shown: {} };

function read() {
  try {
    return { ...EMPTY, ...JSON.parse(localStorage.getItem(KEY) ?? "{}") };
  } catch {
    return structuredClone(EMPTY);
  }
}

let kept = read();

function keep(change) {
  kept = read(); // another tab may have written in the meantime
  change(kept);
  try {
    localStorage.setItem(KEY, JSON.stringify(kept));
  } catch {
    // a browser that remembers nothing still asks and shows
  }
}

/** An element with properties and children. */
function make(name, properties = {}, ...children) {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
}

const percent = (p) => `${Math.round(100 * p)} %`;
const reader = document.getElementById("your-predictions");
if (reader) show(reader);
else ask([...document.querySelectorAll("details.prediction[data-key]")]);

/** The address of a lab's page as seen from the reader's own; without a server pages are files. */
function page(lab) {
  return location.pathname.endsWith("your-predictions.html") ? `labs/${lab}.html` : `../labs/${lab}/`;
}

// On a lab's page

function ask(predictions) {
  if (!predictions.length) return;
  const lab = location.pathname.replace(/(\/index)?\.html$/, "").split("/").filter(Boolean).pop();
  const title = document.querySelector("h1").firstChild.textContent.trim();
  const gate = closeRest(predictions, lab);
  const open = new Set(); // what keeps the gate closed
  const ahead = new Set(predictions.filter((one) => !one.closest(".not-yet")));

  for (const [at, prediction] of predictions.entries()) {
    const id = `${lab}/${prediction.dataset.key}`;
    const body = [...prediction.children].filter((child) => child.tagName !== "SUMMARY");
    const claim = prediction.querySelector("summary").textContent.trim();
    const reveal = (answer) => {
      prediction.querySelector("form")?.remove();
      body.forEach((child) => (child.hidden = false));
      if (answer) body[0].prepend(make("strong", { textContent: `You said ${percent(answer.p)}. ` }));
      open.delete(id);
      if (!open.size) gate?.open();
    };
    if (kept.answers[id]) {
      reveal(kept.answers[id]);
      continue;
    }
    if (kept.shown[lab]) continue;
    if (ahead.has(prediction)) open.add(id);
    body.forEach((child) => (child.hidden = true));
    const said = make("output", { textContent: "50 %" });
    const range = make("input", { type: "range", min: 0, max: 100, step: 5, value: 50, id: `guess-${at}` });
    said.htmlFor = range.id;
    range.addEventListener("input", () => (said.textContent = `${range.value} %`));
    const form = make(
      "form",
      { className: "guess" },
      make("label", { htmlFor: range.id, textContent: "How likely is it? " }),
      range,
      said,
      make("button", { className: "md-button md-button--primary", textContent: "Answer" }),
      make("button", { className: "md-button", type: "button", textContent: "Just show me", onclick: () => reveal() }),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const { p, outcome } = prediction.dataset;
      const answer = { p: range.value / 100, ours: +p, outcome: +outcome, claim, lab, title };
      keep((all) => (all.answers[id] = answer));
      reveal(answer);
      predictions[at + 1]?.querySelector("input")?.focus();
    });
    prediction.append(form);
  }
  if (!open.size) gate?.open();
  gate?.whenShown(() => {
    keep((all) => (all.shown[lab] = true));
    predictions.forEach((one) => one.querySelector("form .md-button:last-child")?.click());
  });
}

/** Close what comes after the section of the first predictions; null if nothing does. */
function closeRest(predictions, lab) {
  let last = predictions[0];
  while (last.parentElement && last.parentElement.tagName !== "ARTICLE") last = last.parentElement;
  const rest = [];
  for (let one = last; one; one = one.nextElementSibling) {
    if (rest.length || (one.tagName === "H2" && one !== last)) rest.push(one);
  }
  if (!rest.length || kept.shown[lab]) return null;
  rest.forEach((one) => one.classList.add("not-yet"));
  const button = make("button", { className: "md-button", type: "button", textContent: "Just show me" });
  const panel = make(
    "div",
    { className: "gate" },
    make("p", { textContent: "The experiment and its results open when you have answered." }),
    button,
  );
  rest[0].before(panel);
  const open = () => {
    panel.remove();
    for (const one of rest) {
      one.classList.remove("not-yet");
      if (!one.className) one.removeAttribute("class"); // an empty one takes the style of plain tables away
    }
  };
  // a link to something behind the gate opens it
  const follow = () => {
    const target = location.hash ? document.getElementById(decodeURIComponent(location.hash.slice(1))) : null;
    if (!target?.closest(".not-yet")) return;
    open();
    target.scrollIntoView();
  };
  addEventListener("hashchange", follow);
  follow();
  return {
    open,
    whenShown: (then) =>
      button.addEventListener("click", () => {
        open();
        then();
        rest[0].tabIndex = -1;
        rest[0].focus();
      }),
  };
}

// On the reader's own page

function show(place) {
  const answers = Object.values(kept.answers);
  if (!answers.length) {
    place.replaceChildren(
      make("p", { textContent: "No answer yet. Open a lab, and say what you think before you look." }),
    );
    return;
  }
  const brier = (who) => answers.reduce((sum, one) => sum + (one[who] - one.outcome) ** 2, 0) / answers.length;
  const rows = answers.map((one) =>
    make(
      "tr",
      {},
      make("td", { textContent: one.claim }),
      make("td", { textContent: percent(one.p) }),
      make("td", { textContent: percent(one.ours) }),
      make("td", { textContent: one.outcome ? "came true" : "did not" }),
      make("td", {}, make("a", { href: page(one.lab), textContent: one.title })),
    ),
  );
  const heads = ["Claim", "You", "We", "Outcome", "Lab"].map((textContent) =>
    make("th", { textContent, scope: "col" }),
  );
  const forget = make("button", { className: "md-button", type: "button", textContent: "Forget my answers" });
  forget.addEventListener("click", () => {
    if (!confirm("Remove all your answers from this browser?")) return;
    keep((all) => Object.assign(all, structuredClone(EMPTY)));
    show(place);
  });
  place.replaceChildren(
    make("p", {
      className: "score",
      textContent:
        `${answers.length} ${answers.length === 1 ? "answer" : "answers"}. ` +
        `Your Brier score is ${brier("p").toFixed(3)}, ours on the same claims ${brier("ours").toFixed(3)}.`,
    }),
    calibration(answers),
    make(
      "div",
      { className: "md-typeset__scrollwrap" },
      make(
        "div",
        { className: "md-typeset__table" },
        make("table", {}, make("thead", {}, make("tr", {}, ...heads)), make("tbody", {}, ...rows)),
      ),
    ),
    forget,
  );
}

/** Share that came true against the stated probability, in fifths, of the reader and of ourselves. */
function calibration(answers) {
  const series = [
    ["you", "p"],
    ["we", "ours"],
  ].map(([name, who]) => ({ name, bins: bins(answers.map((one) => [one[who], one.outcome])) }));
  const dots = series.flatMap(({ name, bins }) =>
    bins.map(({ p, share, n }) => {
      const title = `${name}: ${n} at about ${percent(p)}, ${percent(share)} came true`;
      const shape =
        name === "you"
          ? `<circle class="you" cx="${x(p)}" cy="${y(share)}" r="${3 + Math.sqrt(n)}"><title>${title}</title></circle>`
          : `<rect class="we" x="${x(p) - 4}" y="${y(share) - 4}" width="8" height="8"><title>${title}</title></rect>`;
      return shape;
    }),
  );
  const words = series
    .flatMap(({ name, bins }) =>
      bins.map(({ p, share, n }) => `${name} ${n} at about ${percent(p)}, of which ${percent(share)} came true`),
    )
    .join("; ");
  const figure = make("figure", { className: "calibration" });
  figure.innerHTML =
    `<svg viewBox="0 0 280 256" role="img" aria-label="Calibration: ${words}.">` +
    `<rect class="frame" x="${x(0)}" y="${y(1)}" width="${x(1) - x(0)}" height="${y(0) - y(1)}"/>` +
    `<line class="even" x1="${x(0)}" y1="${y(0)}" x2="${x(1)}" y2="${y(1)}"/>` +
    [0, 0.5, 1]
      .map(
        (t) =>
          `<text x="${x(t)}" y="${y(0) + 16}" text-anchor="middle">${percent(t)}</text>` +
          `<text x="${x(0) - 6}" y="${y(t) + 4}" text-anchor="end">${percent(t)}</text>`,
      )
      .join("") +
    `${dots.join("")}</svg><figcaption>Across: the probability that was said. Up: the share that came true. Circles are ` +
    `you, squares are we, in fifths of the scale; on the line, saying and happening agree.</figcaption>`;
  return figure;
}

function x(p) {
  return 48 + 210 * p;
}

function y(p) {
  return 230 - 210 * p;
}

function bins(pairs) {
  const found = [0, 1, 2, 3, 4].map((fifth) => pairs.filter(([p]) => Math.min(4, Math.floor(5 * p)) === fifth));
  const mean = (some, at) => some.reduce((sum, one) => sum + one[at], 0) / some.length;
  return found
    .filter((some) => some.length)
    .map((some) => ({ n: some.length, p: mean(some, 0), share: mean(some, 1) }));
}
