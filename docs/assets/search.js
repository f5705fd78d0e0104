// What the header does beside Material's script: it names what kind of page each result of the search is, tells aloud how
// many there are, and opens the menu of a narrow window by keyboard.

const KINDS = [
  [/\/labs\/(\d\d)_/, (found) => `Lab ${found[1]}`],
  [/\/glossary[./]/, () => "Glossary"],
  [/\/findings\/./, () => "Finding"],
  [/\/dead-ends\/./, () => "Dead end"],
  [/\/surprises\/./, () => "Surprise"],
  [/\/questions\/./, () => "Open question"],
  [/\/api\//, () => "Reference"],
  [/\/models\//, () => "Model"],
  [/\/play\//, () => "Play"],
  [/\/run-it[./]/, () => "How to"],
];

function name(link) {
  const address = new URL(link.href, location.href).pathname;
  for (const [pattern, say] of KINDS) {
    const found = address.match(pattern);
    const title = link.querySelector("h1, h2");
    if (!found || !title || title.querySelector(".kind")) continue;
    const kind = document.createElement("span");
    kind.className = "kind";
    kind.textContent = say(found);
    title.prepend(kind, " ");
    return;
  }
}

const list = document.querySelector(".md-search-result__list");
if (list) {
  new MutationObserver(() => list.querySelectorAll("a.md-search-result__link").forEach(name)).observe(list, {
    childList: true,
    subtree: true,
  });
}

document.querySelector(".md-search-result__meta")?.setAttribute("role", "status");

const label = document.querySelector(".md-header .menu");
const drawer = document.getElementById("__drawer");
if (label && drawer) {
  const menu = document.createElement("button"); // in place of the label, which only a mouse can press
  Object.assign(menu, { type: "button", className: label.className, title: label.title, innerHTML: label.innerHTML });
  menu.setAttribute("aria-expanded", drawer.checked);
  menu.addEventListener("click", () => drawer.click());
  label.replaceWith(menu);
  drawer.addEventListener("change", () => {
    menu.setAttribute("aria-expanded", drawer.checked);
    if (drawer.checked && document.activeElement === menu) requestAnimationFrame(() => document.querySelector(".side a")?.focus());
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !drawer.checked) return;
    drawer.click();
    menu.focus();
  });
}
