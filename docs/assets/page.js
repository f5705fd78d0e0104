// What every page with text does: a card for each dotted number and each term, the bar of progress, the switch between
// reading and code, the ticks of labs that are read. Without it links lead to the table of recorded values, and a term
// shows the browser's own hint.

import { keep, kept, make } from "./answers.js";

const article = document.querySelector("article");

// A heading's own link is for the pointer: read aloud it is a mark behind each heading, and the contents lead there too

for (const link of article?.querySelectorAll(".headerlink") ?? []) {
  link.setAttribute("aria-hidden", "true");
  link.tabIndex = -1;
}

// Cards: in the margin at their own line, or in line where there is no margin

let open = null; // [the word, its card]

function close(refocus) {
  if (!open) return;
  const [word, card] = open;
  card.remove();
  word.setAttribute("aria-expanded", "false");
  open = null;
  if (refocus) word.focus();
}

function row(name, text) {
  return make("span", { className: "row" }, make("i", { textContent: name }), make("span", { textContent: text }));
}

function card(word) {
  const shut = make("button", { type: "button", textContent: "Close" });
  shut.addEventListener("click", () => close(true));
  const go = make("span", { className: "go" });
  const box = make("span", { className: "card", id: "card" });
  box.setAttribute("role", "group");
  if (word.matches("abbr")) {
    box.setAttribute("aria-label", `What ${word.textContent} means`);
    box.append(make("span", { className: "what" }, make("b", { textContent: word.textContent }), ` ${word.dataset.term}`));
    if (word.dataset.more) go.append(make("a", { href: word.dataset.more, textContent: "In the glossary" }));
  } else {
    const { label, value, within, why, lab, ran } = word.dataset;
    box.setAttribute("aria-label", `Where ${word.textContent} comes from`);
    box.append(make("span", { className: "val", textContent: word.textContent }), make("span", { className: "what", textContent: label }));
    box.append(row("recorded", [value, ran].filter(Boolean).join(", ")));
    if (within) box.append(row("tolerance", `${within}: ${why}`));
    if (lab) box.append(row("lab", lab));
    go.append(make("a", { href: word.href, textContent: "See the cell" }));
    const report = document.querySelector(".mistake")?.href ?? "";
    if (report.includes("/issues/new")) {
      const number = encodeURIComponent(`Number: ${word.textContent} (${label}, lab ${lab ?? ""})`);
      go.append(make("a", { href: report.replace(encodeURIComponent("Number: "), number), textContent: "Wrong?" }));
    }
  }
  go.append(shut);
  box.append(go);
  return box;
}

function toggle(word) {
  const same = open?.[0] === word;
  close(false);
  if (same) return;
  const box = card(word);
  const table = word.closest(".md-typeset__scrollwrap, table, summary, .doors a");
  const mark = word.nextSibling?.data?.match(/^[.,;:!?)”’]+/)?.[0]; // it stays with its word
  if (mark) word.nextSibling.splitText(mark.length);
  (table ?? (mark ? word.nextSibling : word)).after(box);
  word.setAttribute("aria-expanded", "true");
  open = [word, box];
}

if (article) {
  for (const word of article.querySelectorAll("abbr[title]")) {
    word.dataset.term = word.title;
    word.removeAttribute("title"); // or the browser's hint comes as well
    word.tabIndex = 0;
    word.setAttribute("role", "button");
    word.setAttribute("aria-expanded", "false");
  }
  for (const word of article.querySelectorAll("a.bound[data-value]")) word.setAttribute("aria-expanded", "false");
  article.addEventListener("click", (event) => {
    const word = event.target.closest("abbr[data-term], a.bound[data-value]");
    if (!word || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    toggle(word);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close(true);
    const word = event.target.closest?.("abbr[data-term]");
    if (word && (event.key === "Enter" || event.key === " ")) {
      event.preventDefault();
      toggle(word);
    }
  });
}

// Progress, and the tick of a lab that is read to its end

const bar = document.querySelector(".progress");
const lab = document.querySelector("[data-lab-page]")?.dataset.labPage;
let waiting = false;

function measure() {
  waiting = false;
  const whole = document.documentElement.scrollHeight - innerHeight;
  const share = whole > 0 ? scrollY / whole : 1;
  bar.style.transform = `scaleX(${Math.min(1, share)})`;
  if (lab && share > 0.97 && !document.querySelector(".not-yet") && !kept().done[lab]) {
    keep((all) => (all.done[lab] = true));
    tick();
  }
}

function tick() {
  const { done } = kept();
  for (const item of document.querySelectorAll(".side [data-lab]")) {
    const read = Boolean(done[item.dataset.lab]);
    item.classList.toggle("done", read);
    if (read && !item.querySelector(".vh")) item.querySelector("a").append(make("span", { className: "vh", textContent: "done" }));
  }
  for (const chapter of document.querySelectorAll(".side .chapter")) {
    const labs = chapter.querySelectorAll("[data-lab]");
    const count = chapter.querySelectorAll("[data-lab].done").length;
    if (labs.length && count) chapter.querySelector(".n").textContent = `${count} of ${labs.length} done`;
  }
}

tick();
if (bar && lab) {
  addEventListener("scroll", () => waiting || ((waiting = true), requestAnimationFrame(measure)), { passive: true });
  measure();
}

// Read or code, remembered

const MODE = "llmnotes-mode";
const choice = document.querySelector(".switch");

function set(mode) {
  document.documentElement.dataset.mode = mode; // what is printed follows it
  for (const button of choice.querySelectorAll("button")) {
    button.setAttribute("aria-pressed", String(button.dataset.mode === mode));
  }
  for (const fold of article.querySelectorAll("details.code")) fold.open = mode === "code";
}

if (choice) {
  choice.hidden = false;
  let mode = "read";
  try {
    mode = localStorage.getItem(MODE) ?? "read";
  } catch {
    // a browser that remembers nothing starts with reading
  }
  if (mode === "code") set(mode);
  choice.addEventListener("click", ({ target }) => {
    if (!target.dataset.mode) return;
    set(target.dataset.mode);
    try {
      localStorage.setItem(MODE, target.dataset.mode);
    } catch {
      // as above
    }
  });
}

// Our record of a lab whose question the reader has not answered yet stays closed until they ask for it

for (const fold of document.querySelectorAll("details.record[data-asked]")) {
  const { answers, shown } = kept();
  const about = fold.dataset.asked;
  const met = Object.values(answers).some((one) => one.lab === about) || fold.dataset.key in shown;
  if (met) continue;
  const table = fold.querySelector("table");
  const open = make("button", { type: "button", className: "md-button md-button--text", textContent: "Show ours now" });
  const first = make("a", { href: fold.querySelector("p a").href.replace("#our-record", "#predict"), textContent: "Make your own prediction first" });
  const line = make("p", { className: "gate" }, first, " or ", open);
  table.hidden = true;
  table.before(line);
  open.addEventListener("click", () => {
    table.hidden = false;
    table.tabIndex = -1;
    table.focus(); // the button goes away
    line.remove();
  });
}
