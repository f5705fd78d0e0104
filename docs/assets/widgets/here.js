// The map of the machine beside the text: the part that a passage is about is lit while the passage is on the screen.
// <div data-here="norm"></div> begins a passage, one without a part ends the last. Without room beside the text, nothing.

export function mount(marks) {
  const drawn = document.querySelector('svg[data-drawing="transformer-map"].narrow');
  const text = document.querySelector(".md-content__inner");
  if (!drawn || !text || marks.length < 2) return;
  const map = document.createElement("aside");
  map.className = "here-map";
  map.setAttribute("aria-hidden", "true"); // the same drawing stands in the text, with its description
  const svg = drawn.cloneNode(true);
  svg.classList.remove("narrow");
  const label = document.createElement("p");
  map.append(svg, label);
  document.body.append(map);
  const place = () => {
    const line = innerHeight * 0.45;
    const passed = marks.filter((mark) => mark.getBoundingClientRect().top < line).at(-1);
    const parts = passed?.dataset.here.split(" ").filter(Boolean) ?? [];
    const column = marks[0].getBoundingClientRect(); // a passage is as wide as the text, its parent as text and margin
    const room = document.documentElement.clientWidth - column.right;
    map.classList.toggle("shown", parts.length > 0 && room > 260);
    map.style.left = `${column.right + 32}px`;
    for (const group of svg.querySelectorAll("[data-part]")) group.classList.toggle("on", parts.includes(group.dataset.part));
    label.textContent = passed?.title ?? "";
  };
  let waiting = 0;
  const soon = () => (waiting ||= requestAnimationFrame(() => ((waiting = 0), place())));
  addEventListener("scroll", soon, { passive: true });
  addEventListener("resize", soon);
  place();
}

mount([...document.querySelectorAll("[data-here]")]);
