// Filters above a list of entries: by the lab's chapter, by status, by confidence. They are made from what the entries
// say of themselves, and stand in the address, so that a filtered list can be linked. Without this script the whole
// list shows.

const FIELDS = { chapter: "Chapter", status: "Status", confidence: "Confidence" };
const facts = [...document.querySelectorAll("article .entry-facts[data-status]")];
const entries = facts.map((one) => ({ item: one.closest("li"), data: one.dataset }));
const words = (entry, field) => entry.data[field].split("\n").filter(Boolean);
const asked = new URLSearchParams(location.search);

const chosen = {};
const form = document.createElement("form");
form.className = "filters";
form.setAttribute("aria-label", "Filter");
for (const [field, name] of Object.entries(FIELDS)) {
  const values = [...new Set(entries.flatMap((entry) => words(entry, field)))];
  if (values.length < 2) continue;
  const select = document.createElement("select");
  select.append(new Option("all", ""), ...values.map((value) => new Option(value.replaceAll("-", " "), value)));
  if (values.includes(asked.get(field))) select.value = asked.get(field);
  const label = document.createElement("label");
  label.append(`${name} `, select);
  form.append(label);
  chosen[field] = select;
}
const count = document.createElement("output");
form.append(count);

function filter() {
  for (const entry of entries) {
    entry.item.hidden = Object.entries(chosen).some(
      ([field, select]) => select.value && !words(entry, field).includes(select.value),
    );
  }
  const lists = new Set(entries.map((entry) => entry.item.parentElement));
  for (const list of lists) {
    const empty = [...list.children].every((item) => item.hidden);
    list.hidden = empty;
    const heading = list.previousElementSibling;
    if (heading?.tagName === "H2") heading.hidden = empty;
  }
  const shown = entries.filter((entry) => !entry.item.hidden).length;
  count.textContent = `${shown} of ${entries.length}`;
}

form.addEventListener("change", () => {
  const address = new URL(location.href);
  for (const [field, select] of Object.entries(chosen)) {
    if (select.value) address.searchParams.set(field, select.value);
    else address.searchParams.delete(field);
  }
  if (address.protocol !== "file:") history.replaceState(null, "", address); // not allowed without a server
  filter();
});
form.addEventListener("submit", (event) => event.preventDefault());

if (Object.keys(chosen).length) {
  document.querySelector("article h2")?.before(form);
  filter();
}
