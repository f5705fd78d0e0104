// The reader's one prediction, at the figure that settles it. The page is written so that it reads well without this
// script: a question, its choices, and why each is right or tempts. With it, what follows the question waits for an
// answer, the choice is marked in the figure, and answers are kept in this browser (see your-predictions.js).

import { keep, kept, make, percent } from "./answers.js";

const QUIET = 420; // the curve's pad, in its own units
const place = document.querySelector("section.predict[data-key]");
if (place) ask(place);

function ask(section) {
  const id = section.dataset.key;
  const drawn = section.dataset.curve ? pad(section) : null;
  const rest = after(section);
  const form = drawn ? drawn.form : choices(section);
  const verdict = make("div", { className: "verdict", tabIndex: -1, hidden: true });
  verdict.setAttribute("role", "status");
  const skip = make("button", { className: "md-button md-button--text", type: "button", textContent: "Just show me" });
  form.append(
    make(
      "p",
      { className: "act" },
      make("button", { className: "md-button md-button--primary", textContent: "Lock it in" }),
      skip,
      make("span", { className: "small", textContent: "Your answer stays in this browser." }),
    ),
  );
  section.append(form, verdict);
  hide(rest);

  const settle = (answer, focus) => {
    show(rest);
    document.documentElement.classList.remove("asks");
    form.querySelector(".act")?.remove();
    for (const input of form.querySelectorAll("input")) input.disabled = true;
    section.classList.add("answered");
    verdict.hidden = false;
    if (drawn) drawn.reveal();
    if (answer?.curve) overlay(section.dataset.figure, answer.curve, drawn.x, drawn.y);
    const said = answer?.choice ?? null;
    const right = answer ? answer.outcome : null;
    verdict.className = `verdict ${right === 1 ? "t" : right === 0 ? "f" : ""}`;
    verdict.replaceChildren(...words(section, said, right, answer));
    if (said) mark(section.dataset.figure, said, section);
    if (focus) verdict.focus();
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const answer = drawn ? drawn.answer() : chosen(section, form);
    if (!answer) {
      verdict.hidden = false;
      verdict.textContent = drawn ? "Draw a line first." : "Choose one of the answers first.";
      return;
    }
    const lab = section.dataset.lab;
    Object.assign(answer, { lab, title: section.dataset.title, claim: section.querySelector(".lg").textContent });
    keep((all) => (all.answers[id] = answer));
    settle(answer, true);
  });
  skip.addEventListener("click", () => {
    keep((all) => (all.shown[id] = true));
    settle(null, true);
  });
  document.querySelector("[data-reveal]")?.addEventListener("click", () => {
    keep((all) => (all.shown[id] = true));
    settle(null, false);
    const answer = document.querySelector(".answer");
    answer.tabIndex = -1;
    answer.focus();
  });

  // a link to something that waits shows it
  const follow = (answer = null) => {
    const target = location.hash ? document.getElementById(decodeURIComponent(location.hash.slice(1).split("?")[0])) : null;
    const waits = target?.closest(".not-yet");
    if (waits || answer || kept().shown[id]) settle(answer, false);
    if (waits) target.scrollIntoView();
  };
  addEventListener("hashchange", () => document.querySelector(".not-yet") && follow());
  follow(kept().answers[id]);
}

/** Make the choices answerable. */
function choices(section) {
  const form = make("form", {});
  const set = make("fieldset", {}, make("legend", { className: "vh", textContent: section.querySelector(".lg").textContent }));
  const list = section.querySelector(".choices");
  for (const item of list.children) {
    item.querySelector(".because").hidden = true;
    const input = make("input", { type: "radio", name: "choice", value: item.dataset.choice });
    const label = make("label", { className: "choice" }, input, item.querySelector(".what"));
    item.prepend(label);
  }
  set.append(list);
  const least = Math.round(100 / list.children.length);
  const range = make("input", { type: "range", id: "sure", min: least, max: 100, step: 1, value: Math.max(least, 60) });
  const output = make("output", { textContent: "not said" });
  output.htmlFor = "sure";
  range.addEventListener("input", () => {
    output.textContent = percent(range.value / 100);
    range.dataset.said = "yes";
  });
  const sure = make("label", { htmlFor: "sure" }, "How sure are you? ", make("span", { className: "small", textContent: "(optional)" }));
  form.append(set, make("div", { className: "sure" }, sure, range, output));
  return form;
}

function chosen(section, form) {
  const choice = new FormData(form).get("choice");
  if (!choice) return null;
  const range = form.querySelector("#sure");
  const outcome = choice === section.dataset.answer ? 1 : 0;
  return { choice, outcome, p: range.dataset.said ? range.value / 100 : null, n: section.querySelectorAll("[data-choice]").length };
}

/** What the page says to an answer: whether it came true, and why the tempting one tempts. */
function words(section, said, right, answer) {
  const of = (key) => section.querySelector(`[data-choice="${key}"]`);
  const text = (node) => [...node.childNodes].map((one) => one.cloneNode(true));
  const parts = [];
  const answerKey = section.dataset.answer;
  if (section.dataset.curve) {
    parts.push(make("p", {}, ...text(section.querySelector(".because"))));
    return parts;
  }
  const truth = of(answerKey).querySelector(".what p").textContent.trim();
  const sure = answer?.p ? ` You were ${percent(answer.p)} sure.` : "";
  if (right === 1) parts.push(make("p", {}, make("b", { textContent: "✓ That came true." }), sure));
  else if (right === 0) parts.push(make("p", {}, make("b", { textContent: "✕ Not this one." }), ` What happened: ${truth}.${sure}`));
  else parts.push(make("p", {}, make("b", { textContent: "What happened: " }), `${truth}.`));
  if (said && right === 0) parts.push(make("p", {}, ...text(of(said).querySelector(".because"))));
  parts.push(make("p", {}, ...text(of(answerKey).querySelector(".because"))));
  of(answerKey).classList.add("yes");
  return parts;
}

/** Mark the reader's choice in the figure: the parts that carry its key, and a line of words under the title. */
function mark(name, choice, section) {
  const figure = document.getElementById(`figure-${name}`);
  if (!figure) return;
  const right = choice === section.dataset.answer;
  const text = section.querySelector(`[data-choice="${choice}"] .what p`).textContent.trim();
  const said = make("p", { className: `you-said ${right ? "true" : "false"}`, textContent: `${right ? "✓" : "✕"} You said: ${text}` });
  figure.querySelector("figcaption, .t")?.before(said) ?? figure.prepend(said);
  for (const part of figure.querySelectorAll(`[data-choice="${choice}"]`)) part.classList.add("chosen");
}

/** Draw the reader's line into the figure: its root says where its axes lie (llmnotes/lab/svg.py). */
function overlay(name, curve, x, y) {
  for (const svg of document.querySelectorAll(`#figure-${name} svg[data-axes]`)) {
    const [axes] = JSON.parse(svg.dataset.axes);
    const [left, top, right, bottom] = axes.box;
    const share = (value, [from, to], log) =>
      log ? Math.log(value / from) / Math.log(to / from) : (value - from) / (to - from);
    const points = curve.flatMap((height, i) => {
      if (height === null) return [];
      const at = x.from + ((x.to - x.from) * i) / (curve.length - 1);
      const value = y.from + (y.to - y.from) * height;
      const [a, b] = [share(at, axes.x, axes.log.includes("x")), share(value, axes.y, axes.log.includes("y"))];
      return Number.isFinite(a) && Number.isFinite(b) ? [`${left + (right - left) * a} ${bottom - (bottom - top) * b}`] : [];
    });
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("d", points.length ? `M${points.join("L")}` : "");
    path.setAttribute("class", "yours");
    svg.append(path);
  }
}

/** Everything behind the question, up to the end of the text. */
function after(section) {
  let top = section;
  while (top.parentElement && top.parentElement.tagName !== "ARTICLE") top = top.parentElement;
  const rest = [];
  for (let one = top.nextElementSibling; one; one = one.nextElementSibling) {
    if (!one.matches(".nextprev, .md-tags, script")) rest.push(one);
  }
  return rest;
}

function links(rest) {
  const anchors = [...document.querySelectorAll(".toc a, .onpage a")];
  return anchors.filter((link) => {
    const target = link.hash && document.getElementById(decodeURIComponent(link.hash.slice(1)));
    return target && rest.some((one) => one.contains(target));
  });
}

function hide(rest) {
  for (const link of links(rest)) link.parentElement.hidden = true; // a heading says what was found
  for (const one of rest) one.classList.add("not-yet");
}

function show(rest) {
  for (const link of links(rest)) link.parentElement.hidden = false;
  for (const one of rest) {
    one.classList.remove("not-yet");
    if (!one.className) one.removeAttribute("class"); // an empty one takes the style of plain tables away
  }
}

// A curve to draw

/** A pad with as many handles as the line has points: dragged over, or moved one by one with the arrow keys. */
function pad(section) {
  const { x, y, points } = JSON.parse(section.dataset.curve);
  const N = 9;
  const W = QUIET;
  const H = 240;
  const at = (i) => 52 + ((W - 68) * i) / (N - 1);
  const up = (share) => H - 34 - (H - 50) * share;
  const heights = new Array(N).fill(null);
  const form = make("form", {});
  const space = "http://www.w3.org/2000/svg";
  const draw = (name, attributes, text) => {
    const element = document.createElementNS(space, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    if (text !== undefined) element.textContent = text;
    return element;
  };
  const svg = draw("svg", { viewBox: `0 0 ${W} ${H}`, class: "pad", role: "img", "aria-label": `${y.label} over ${x.label}: draw your line` });
  const mine = draw("path", { class: "mine" });
  const truth = draw("path", { class: "truth" });
  svg.append(
    draw("path", { class: "axes", d: `M52 ${up(1)}V${up(0)}H${W - 16}` }),
    draw("text", { x: 52, y: H - 16 }, x.from),
    draw("text", { x: W - 16, y: H - 16, "text-anchor": "end" }, x.to),
    draw("text", { x: (W + 36) / 2, y: H - 2, "text-anchor": "middle" }, x.label),
    draw("text", { x: 46, y: up(0) + 4, "text-anchor": "end" }, y.from),
    draw("text", { x: 46, y: up(1) + 4, "text-anchor": "end" }, y.to),
    draw("text", { x: 58, y: up(1) - 4 }, y.label),
    mine,
    truth,
  );
  const render = () => {
    const set = heights.flatMap((h, i) => (h === null ? [] : [`${at(i)} ${up(h)}`]));
    mine.setAttribute("d", set.length ? `M${set.join("L")}` : "");
  };
  const handles = make("div", { className: "handles" });
  const steps = heights.map((_, i) => {
    const where = x.from + ((x.to - x.from) * i) / (N - 1);
    const input = make("input", { type: "range", min: 0, max: 100, value: 50 });
    input.setAttribute("aria-label", `${y.label} at ${x.label} ${+where.toPrecision(3)}`);
    input.addEventListener("input", () => {
      heights[i] = input.value / 100;
      render();
    });
    return input;
  });
  handles.append(...steps);
  const move = (event) => {
    if (!event.buttons && event.type !== "pointerdown") return;
    const box = svg.getBoundingClientRect();
    const px = ((event.clientX - box.left) / box.width) * W;
    const py = ((event.clientY - box.top) / box.height) * H;
    const i = Math.round(((px - 52) / (W - 68)) * (N - 1));
    if (i < 0 || i >= N || steps[i].disabled) return;
    heights[i] = Math.min(1, Math.max(0, (H - 34 - py) / (H - 50)));
    steps[i].value = 100 * heights[i];
    render();
  };
  for (const kind of ["pointerdown", "pointermove"]) svg.addEventListener(kind, move);
  form.append(svg, handles);
  section.querySelector(".because").hidden = true;
  return {
    form,
    x,
    y,
    answer: () => (heights.filter((h) => h !== null).length < 2 ? null : { choice: null, outcome: null, p: null, curve: heights }),
    reveal: () => {
      const share = ([a, b]) => `${52 + ((W - 68) * (a - x.from)) / (x.to - x.from)} ${up((b - y.from) / (y.to - y.from))}`;
      truth.setAttribute("d", `M${points.map(share).join("L")}`);
      svg.setAttribute("aria-label", `${y.label} over ${x.label}: your line dashed, what happened as a solid line`);
      const key = make("p", { className: "small", textContent: "Dashed: your line. Solid: what happened." });
      svg.after(key);
    },
  };
}
