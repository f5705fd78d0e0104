// Puts a bench in the place of each element with data-bench="preset". What stands in it stays until the model is
// there: it is what readers without JavaScript see.

import { loadModel, megabytes } from "./client.js";
import { calm, make } from "./dom.js";
import { playSteer } from "./dial.js";
import { playForecast } from "./forecast.js";
import { playHome, playWorld } from "./play.js";
import { playSwap } from "./swap.js";
import { loadSteps, playTime } from "./time.js";
import { playWrite } from "./write.js";

const PRESETS = {
  home: { model: "world", build: playHome },
  world: { model: "world", build: playWorld },
  swap: { model: "world", build: playSwap },
  time: { model: "world", build: playTime, wait: "World and its nine checkpoints, 5.0 MB", more: loadSteps },
  steer: { model: "world", build: playSteer },
  write: { model: "fairytale", build: playWrite, wait: `Fairytale, ${megabytes("fairytale")}` },
  predict: { model: "world", build: playForecast },
};

function mount(root) {
  const { model, build, wait, more } = PRESETS[root.dataset.bench] ?? {};
  if (!build) return void console.error(`no bench called ${root.dataset.bench}; expected one of ${Object.keys(PRESETS)}`);
  root.id ||= `bench-${root.dataset.bench}`;
  const status = make("p", { class: "bench-loading", role: "status" });
  const begin = async () => {
    status.replaceChildren(`Loading ${wait ?? `World, ${megabytes(model)}`} …`);
    const bar = make("progress", { max: 1, value: 0, "aria-label": "Loading the model" });
    status.append(bar);
    root.append(status);
    try {
      const sizes = await loadModel(model, (share) => (bar.value = share));
      await more?.((share) => (bar.value = share));
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
    status.append(make("button", { type: "button", class: "bench-button", onclick: begin }, `Load ${wait}`));
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
