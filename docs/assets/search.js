// What kind of page each result of the search is. Material's script writes the results; this one names them.

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
