// Puts a bench in the place of each element with data-bench="preset". What stands in it stays until the model is
// there: it is what readers without JavaScript see. A model is fetched when its bench is scrolled into view; that of a
// bench which is complete without it (still.js), or of a lab, whose reader may have come for the text, at a touch.

import { loadModel, megabytes } from "./client.js";
import { calm, make, percent } from "./dom.js";
import { demonstrate, remember } from "./still.js";

/** By preset: the model, the module and its function that builds the bench, and what waits for the reader's word. */
const PRESETS = {
  home: { model: "world", from: "play", build: "playHome" },
  world: { model: "world", from: "play", build: "playWorld" },
  heads: { model: "world", from: "heads", build: "playHeads" },
  swap: { model: "world", from: "swap", build: "playSwap" },
  time: { model: "world", from: "time", build: "playTime", wait: "World and its nine checkpoints, 5.0 MB", more: "loadSteps" },
  steer: { model: "world", from: "dial", build: "playSteer" },
  features: { model: "world", from: "features", build: "playFeatures" },
  write: { model: "fairytale", from: "write", build: "playWrite", wait: `Fairytale, ${megabytes("fairytale")}` },
  audit: { model: "world", from: "audit", build: "playAudit" },
  predict: { model: "world", from: "forecast", build: "playForecast" },
};

const TOUCHES = ["pointerenter", "focusin", "touchstart"];

function mount(root, open) {
  const { model, from, build, more, ...preset } = PRESETS[root.dataset.bench] ?? {};
  if (!build) return void console.error(`no bench called ${root.dataset.bench}; expected one of ${Object.keys(PRESETS)}`);
  const address = `bench-${root.dataset.name ?? root.dataset.bench}`; // what the page's address begins with when it holds a state
  root.id ||= address;
  // The theme's shortcuts of one letter, such as N for the next page, are not for who is at work here
  root.addEventListener("keydown", (event) => event.key.length === 1 && event.stopPropagation());
  const still = root.classList.contains("bench-still");
  const wait = preset.wait ?? (document.querySelector("[data-lab-page]") && !still ? `World, ${megabytes(model)}` : null);
  const status = make("p", { class: "bench-loading", role: "status" });
  let handOver = null;
  const begin = async () => {
    const held = status.contains(document.activeElement); // on the button that goes away
    const focusVisible = held && document.activeElement.matches(":focus-visible");
    status.replaceChildren(`Loading ${wait ?? `World, ${megabytes(model)}`} …`);
    const bar = make("progress", { max: 1, value: 0, "aria-label": "Loading the model" });
    status.append(bar);
    if (!still) root.append(status);
    const head = still && root.querySelector(".bench-hd span");
    const progress = (share) => (head ? (head.textContent = `loading, ${percent(share)}`) : (bar.value = share));
    try {
      const [module, sizes] = await Promise.all([open(from), loadModel(model, progress)]);
      if (more) await module[more](progress);
      root.classList.add("bench-on");
      await module[build](root, sizes);
      handOver?.();
      if (held) root.querySelector("select, input, button, [tabindex='0']")?.focus({ preventScroll: true, focusVisible });
      document.getElementById(`figure-${root.dataset.figure}`)?.classList.add("bench-replaced"); // in print it stands
      addEventListener("hashchange", () => {
        if (!location.hash.startsWith(`#${address}?`)) return;
        module[build](root, sizes); // a link in the page that leads to a state
        root.scrollIntoView({ behavior: calm() ? "auto" : "smooth" });
        root.tabIndex = -1; // as behind any link, what comes next is in the bench
        root.focus({ preventScroll: true, focusVisible: document.activeElement.matches(":focus-visible") });
      });
    } catch (error) {
      if (!still) root.classList.remove("bench-on");
      const again = make("button", { type: "button", class: "bench-text", onclick: begin }, "Try again");
      status.replaceChildren(`The model did not load: ${error.message}. `, again);
      root.append(status);
    }
  };
  if (wait) {
    status.append(make("button", { type: "button", class: "bench-button", onclick: begin }, `Load ${wait}`));
    root.append(status);
    if (location.hash.startsWith(`#${address}?`)) root.scrollIntoView();
    return;
  }
  if (still) {
    const stop = demonstrate(root);
    const touched = () => {
      for (const kind of TOUCHES) root.removeEventListener(kind, touched);
      stop();
      handOver = remember(root);
      begin();
    };
    for (const kind of TOUCHES) root.addEventListener(kind, touched, { passive: true });
    if (location.hash.startsWith(`#${address}?`)) touched();
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
  if (location.hash.startsWith(`#${address}?`)) root.scrollIntoView();
}

/** Mount every bench of the page; `open` gives the module of a name. */
export function mountBenches(open) {
  for (const root of document.querySelectorAll("[data-bench]")) mount(root, open);
}
