// One bug at a time: every item of the list becomes a switch, and what its bug does to the loss shows when it is on.
// The list is complete without a script; the numbers are read from it.

const number = (link) => Number(link.textContent.replace("−", "-"));

export function mount(box) {
  const right = number(box.querySelector("p .bound"));
  const said = Object.assign(document.createElement("p"), { className: "said" });
  said.setAttribute("role", "status");
  const items = [...box.querySelectorAll("li")].map((item) => {
    const link = item.querySelector(".bound"), change = number(link);
    const head = [...item.childNodes].slice(0, [...item.childNodes].indexOf(item.querySelector("code")));
    const name = head.map((node) => node.textContent).join("").replace(/:\s*$/, "").trim();
    const input = Object.assign(document.createElement("input"), { type: "checkbox" });
    input.setAttribute("role", "switch");
    const label = document.createElement("label");
    head.forEach((node) => node.remove());
    label.append(input, name);
    item.prepend(label);
    link.hidden = true;
    return { input, link, change, name };
  });
  const draw = (chosen) => {
    for (const { input, link } of items) {
      if (input !== chosen?.input) input.checked = false;
      if (input.checked) link.hidden = false;
    }
    const on = chosen?.input.checked ? chosen : null, title = on && on.name[0].toUpperCase() + on.name.slice(1);
    const verdict = !on ? "Everything is right." : on.change < -0.1 ? `${title}: the loss falls.` : on.change < 0.1 ? `${title}: nobody would notice.` : `${title}: the loss rises.`;
    said.textContent = `Loss ${(right + (on ? on.change : 0)).toFixed(2)} nats. ${verdict}`;
  };
  for (const one of items) one.input.addEventListener("change", () => draw(one));
  box.querySelector("p").replaceWith(said);
  draw();
}

if (typeof document !== "undefined") document.querySelectorAll(".bugs").forEach(mount);
