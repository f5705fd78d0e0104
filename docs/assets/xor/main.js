// The trainer: settings, the states that a run has passed, and what the buttons do with them.
import { backward, crossEntropy, descend, examples, forward, init } from "./net.js";
import { backwards, curve, describe, forwards, nearest, network, plain, plane, surface } from "./view.js";

const LAST = 10_000; // steps that a run may take: each is kept, for the way back
const part = (name) => document.getElementById(`xor-${name}`);
const setting = (name) => part(name).value;
const calm = matchMedia("(prefers-reduced-motion: reduce)");

let run; // { start, data, past: [net], losses, now: { net, loss, outputs, gradient }, shown, end }
let playing = false;
let turn = 0; // counts playings and their ends, so that a beat of an earlier one can tell

// What happens to a run

function evaluate(net, data) {
  const outputs = forward(net, data.x);
  return { net, outputs, loss: crossEntropy(outputs.at(-1), data.y), gradient: backward(net, outputs, data.y) };
}

function begin(start) {
  stop();
  const seed = Number(setting("seed"));
  const data = examples(setting("task"), Number(setting("noise")), seed);
  start ??= init([2, Number(setting("hidden")), 1], seed, setting("bend"));
  const shown = Math.min(run?.shown ?? 1, data.y.length - 1);
  const now = evaluate(start, data);
  run = { start, data, past: [], losses: [now.loss], now, shown };
  part("point").innerHTML = data.names
    .map((name, i) => `<option value="${i}"${i === shown ? " selected" : ""}>${name}, answer ${data.y[i]}</option>`)
    .join("");
  show();
}

function advance(steps) {
  for (let i = 0; i < steps && !run.end; i++) {
    const next = evaluate(descend(run.now.net, run.now.gradient, Number(setting("rate"))), run.data);
    if (!Number.isFinite(next.loss)) run.end = "The next step would be beyond the largest number: the run ends here.";
    else {
      run.past.push(run.now.net);
      run.losses.push(next.loss);
      run.now = next;
      if (run.past.length >= LAST) run.end = "The run ends here.";
    }
  }
}

function back() {
  if (!run.past.length) return;
  run.now = evaluate(run.past.pop(), run.data);
  run.losses.pop();
  run.end = undefined;
}

// Playing

function play() {
  if (run.end) return;
  playing = true;
  const mine = ++turn;
  let before = performance.now(), owed = 0, told = before;
  const beat = () => {
    if (mine !== turn) return;
    const time = performance.now(), speed = Number(setting("speed"));
    owed += calm.matches ? speed : (Math.min(time - before, 100) / 1000) * speed;
    before = time;
    advance(Math.floor(owed));
    owed %= 1;
    if (run.end) stop();
    draw();
    if (!playing) return;
    if (time - told > 10_000) {
      told = time;
      tell();
    }
    next();
  };
  // with reduced motion a jump a second, else a little on each frame
  const next = () => (calm.matches ? setTimeout(beat, 1000) : requestAnimationFrame(beat));
  show();
  next();
}

function stop() {
  playing = false;
  turn++;
}

// Showing

export const state = () => ({
  ...run.now,
  step: run.past.length,
  losses: run.losses,
  data: run.data,
  shown: run.shown,
  end: run.end,
  task: setting("task"),
  rate: Number(setting("rate")),
});

let wrote = 0, waiting = 0;

/** Draw with the next frame, however much happens before it. */
function show() {
  waiting ||= requestAnimationFrame(draw);
}

function draw() {
  cancelAnimationFrame(waiting);
  waiting = 0;
  const now = state();
  const width = Math.floor(part("plane").clientWidth); // of each of the three pictures
  if (width) {
    part("network").innerHTML = network(width, now);
    surface(part("surface"), now, width);
    part("marks").innerHTML = plane(width, now);
    part("curve").innerHTML = curve(width, now);
  }
  part("count").textContent = now.step;
  part("loss").textContent = plain(now.loss);
  part("play").textContent = playing ? "Pause" : "Play";
  part("back").setAttribute("aria-disabled", String(!now.step));
  part("step").setAttribute("aria-disabled", String(Boolean(now.end)));
  part("play").setAttribute("aria-disabled", String(Boolean(now.end)));
  const time = performance.now();
  if (playing && !calm.matches && time - wrote < 150) return; // nobody reads numbers faster
  wrote = time;
  part("forwards").innerHTML = forwards(now);
  part("backwards").innerHTML = backwards(now);
  part("description").textContent = describe(now);
  if (!playing) tell();
}

let later;

/** Say the description aloud, once the reader has stopped for a moment. */
function tell() {
  clearTimeout(later);
  later = setTimeout(() => (part("status").textContent = playing ? `Playing. ${describe(state())}` : describe(state())), 400);
}

// From outside

/** Start from given weights and biases, in the shape of llmnotes.scratch.nets.Net; the settings may be given by name. */
export function load(net, settings = {}) {
  set({ noise: 0, ...settings, hidden: net.biases[0].length, bend: net.activation ?? "tanh" });
  begin({ activation: "tanh", ...structuredClone(net) });
}

function set(settings) {
  for (const [name, value] of Object.entries(settings)) part(name).value = String(value);
}

// The controls

const does = {
  back: () => (stop(), back(), show()),
  step: () => (stop(), advance(1), show()),
  play: () => (playing ? (stop(), show()) : play()),
  reset: () => begin(run.start),
  next: () => {
    set({ seed: Number(setting("seed")) + 1 });
    begin();
  },
};
for (const [name, act] of Object.entries(does)) part(name).addEventListener("click", act);
for (const name of ["task", "noise", "hidden", "bend"]) part(name).addEventListener("change", () => begin());
part("seed").addEventListener("change", () => {
  const seed = Math.round(Number(setting("seed")));
  set({ seed: Math.min(99_999, Math.max(0, seed || 0)) });
  begin();
});
part("rate").addEventListener("change", show);
part("point").addEventListener("change", () => {
  run.shown = Number(setting("point"));
  show();
});
part("plane").addEventListener("click", (event) => {
  const box = part("plane").getBoundingClientRect();
  run.shown = nearest(Math.floor(box.width), state(), event.clientX - box.left, event.clientY - box.top);
  set({ point: run.shown });
  show();
});
for (const button of document.querySelectorAll("[data-xor]")) {
  button.addEventListener("click", () => {
    set(Object.fromEntries(new URLSearchParams(button.dataset.xor)));
    begin();
    part("play").focus({ preventScroll: true });
    document.getElementById("xor").scrollIntoView();
  });
}

new MutationObserver(show).observe(document.body, { attributeFilter: ["data-md-color-scheme"] });
begin();
new ResizeObserver(show).observe(part("plane"));
