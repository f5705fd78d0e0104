// What a glossary term means, under the pointer, the focus or a tap. One listener and one box serve the whole page: a
// component for each term, as the theme has them, took a phone a fifth of the time that a page needs to start. Without
// this script the browser's own hint shows.

const box = document.createElement("div");
box.id = "term-meaning";
box.role = "tooltip";
box.hidden = true;
document.body.append(box);
let term = null;

function hide() {
  if (!term) return;
  term.title = box.textContent;
  term.removeAttribute("aria-describedby");
  term = null;
  box.hidden = true;
}

function show(next) {
  if (next === term) return;
  hide();
  term = next;
  box.textContent = term.title;
  term.removeAttribute("title"); // or the browser's hint comes as well
  term.setAttribute("aria-describedby", box.id);
  box.hidden = false;
  const place = term.getClientRects()[0]; // its first line
  const left = Math.min(place.left, document.documentElement.clientWidth - box.offsetWidth - 8);
  const below = place.bottom + box.offsetHeight < innerHeight;
  box.style.left = `${Math.max(8, left)}px`;
  box.style.top = `${scrollY + (below ? place.bottom : place.top - box.offsetHeight)}px`;
}

for (const abbr of document.querySelectorAll("article abbr[title]")) abbr.tabIndex = 0;
for (const kind of ["pointerover", "focusin"]) {
  document.addEventListener(kind, ({ target }) => {
    const over = target.closest?.("article abbr");
    if (over) show(over);
    else if (!box.contains(target) && document.activeElement !== term) hide(); // a page that scrolls moves the pointer
  });
}
document.addEventListener("focusout", ({ target }) => target === term && hide());
document.addEventListener("keydown", (event) => event.key === "Escape" && hide());
