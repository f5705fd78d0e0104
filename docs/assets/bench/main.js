// Puts a bench in the place of each element with data-bench="preset". What stands in it stays until the model is
// there: it is what readers without JavaScript see.

import { loadModel, megabytes } from "./client.js";
import { calm, make } from "./dom.js";
import { playHome, playWorld } from "./play.js";

const PRESETS = {
  home: { model: "world", build: playHome },
  world: { model: "world", build: playWorld },
};

function mount(root) {
  const { model, build, wait } = PRESETS[root.dataset.bench] ?? {};
  if (!build) return void console.error(`no bench called ${root.dataset.bench}; expected one of ${Object.keys(PRESETS)}`);
  root.id ||= `bench-${root.dataset.bench}`;
  const status = make("p", { class: "bench-loading", role: "status" });
  const begin = async () => {
    status.replaceChildren(`Loading the model, ${megabytes(model)} …`);
    const bar = make("progress", { max: 1, value: 0, "aria-label": "Loading the model" });
    status.append(bar);
    root.append(status);
    try {
      const sizes = await loadModel(model, (share) => (bar.value = share));
      root.classList.add("bench-on");
      build(root, sizes);
      addEventListener("hashchange", () => {
        if (!location.hash.startsWith(`#${root.id}?`)) return;
        build(root, sizes); // a link in the page that leads to a state
        root.scrollIntoView({ behavior: calm() ? "auto" : "smooth" });
      });
    } catch (error) {
      const again = make("button", { type: "button", class: "bench-text", onclick: begin }, "Try again");
      status.replaceChildren(`The model did not load: ${error.message}. `, again);
    }
  };
  if (wait) {
    status.append(make("button", { type: "button", class: "bench-button", onclick: begin }, `Load the model, ${megabytes(model)}`));
    root.append(status);
    return;
  }
  const seen = new IntersectionObserver(
    (entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      seen.disconnect();
      begin();
    },
    { rootMargin: "200px" },
  );
  seen.observe(root);
  if (location.hash.startsWith(`#${root.id}?`)) root.scrollIntoView();
}

for (const root of document.querySelectorAll("[data-bench]")) mount(root);
