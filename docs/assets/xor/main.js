// The trainer: settings, the states that a run has passed, and what buttons, lines and points do with them.
import { hold, read, write } from "./address.js";
import { backward, crossEntropy, descend, examples, forward, init } from "./net.js";
import { backwards, curve, describe, forwards, frame, nearest, network, parameters, plain, plane, signed, surface } from "./view.js";

const LAST = 10_000; // steps that a run may take: each is kept, for the way back
const REACH = 26; // pixels: how near to a point a finger counts as on it
const part = (name) => document.getElementById(`xor-${name}`);
const setting = (name) => part(name).value;
const calm = matchMedia("(prefers-reduced-motion: reduce)");

// run: { start, data, past: [net], losses, now: { net, loss, outputs, gradient }, shown, moved: { point: place }, edited, end }
let run;
let playing = false;
let turn = 0; // counts playings and their ends, so that a beat of an earlier one can tell

// What happens to a run

function evaluate(net, data) {
  const outputs = forward(net, data.x);
  return { net, outputs, loss: crossEntropy(outputs.at(-1), data.y), gradient: backward(net, outputs, data.y) };
}

function begin(start, { moved = {}, shown = run?.shown ?? 1 } = {}) {
  stop();
  const seed = Number(setting("seed"));
  start ??= init([2, Number(setting("hidden")), 1], seed, setting("activation"));
  run = { start, data: examples(setting("task"), Number(setting("noise")), seed), past: [], losses: [], moved };
  for (const [i, place] of Object.entries(moved)) run.data = withPoint(run.data, Number(i), place);
  run.now = evaluate(start, run.data);
  run.losses.push(run.now.loss);
  run.shown = Math.min(shown, run.data.y.length - 1);
  part("point").innerHTML = run.data.names
    .map((name, i) => `<option value="${i}"${i === run.shown ? " selected" : ""}>${name}, answer ${run.data.y[i]}</option>`)
    .join("");
  const chosen = setting("weight");
  const options = parameters(start).map(({ at, name }) => `<option value="${at}">${name}</option>`);
  part("weight").innerHTML = `<option value="">none chosen</option>${options.join("")}`;
  part("weight").value = options.some((option) => option.includes(`"${chosen}"`)) ? chosen : "";
  show();
}

const withPoint = (data, i, place) => ({ ...data, plain: false, x: data.x.map((old, j) => (j === i ? place : old)) });

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
  run.losses.pop();
  replace(run.past.pop(), run.data, run.edited);
}

/** Another net or other points at this step of the run. */
function replace(net, data, edited = true) {
  run.now = evaluate(net, data);
  run.losses[run.past.length] = run.now.loss;
  Object.assign(run, { data, edited, end: undefined });
}

function move(i, [a, b]) {
  const { from, to } = frame(1, setting("task"));
  const inside = (v) => Number(Math.min(to, Math.max(from, v)).toFixed(3));
  run.moved[i] = [inside(a), inside(b)];
  replace(run.now.net, withPoint(run.data, i, run.moved[i]), run.edited || run.past.length > 0);
  show();
}

function choose(i) {
  run.shown = i;
  part("point").value = String(i);
  show();
}

// One weight

const numberAt = (net, at) => parameters(net).find((one) => one.at === at)?.value;

function turnTo(value) {
  const [kind, layer, i, j] = setting("weight").split(".");
  const net = structuredClone(run.now.net);
  if (kind === "w") net.weights[layer][i][j] = value;
  else net.biases[layer][i] = value;
  replace(net, run.data);
  show();
}

function showWeight() {
  const value = numberAt(run.now.net, setting("weight"));
  const dial = part("dial");
  dial.disabled = value === undefined;
  part("value").textContent = value === undefined ? "" : signed(value, 2);
  if (value === undefined) return;
  const most = Math.max(10, Math.ceil(Math.abs(value)));
  if (Number(dial.max) < most) Object.assign(dial, { min: -most, max: most });
  dial.value = String(value);
  dial.setAttribute("aria-valuetext", `${part("weight").selectedOptions[0].text}: ${value.toFixed(2)}`);
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
  chosen: setting("weight"),
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
  const widths = ["network", "plane", "curve"].map((name) => Math.floor(part(name).clientWidth));
  if (widths[1]) {
    part("network").innerHTML = network(widths[0], now);
    surface(part("surface"), now, widths[1]);
    part("marks").innerHTML = plane(widths[1], now);
    part("curve").innerHTML = curve(widths[2], now);
    placeHandle(widths[1], now);
  }
  showWeight();
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
  part("description").textContent = words(now);
  if (!playing) tell();
}

function placeHandle(width, { data, shown, task }) {
  const { x, y } = frame(width, task), [a, b] = data.x[shown];
  Object.assign(part("handle").style, { left: `${x(a)}px`, top: `${y(b)}px` });
  part("handle").setAttribute("aria-label", `Point ${data.names[shown]} at ${a.toFixed(2)}, ${b.toFixed(2)}. Arrow keys move it.`);
}

let later, notice; // what the reader should know until the next press

const words = (now) => (notice ? `${notice} ${describe(now)}` : describe(now));

/** Say the description aloud, and keep the state in the address, once the reader has stopped for a moment. */
function tell() {
  clearTimeout(later);
  later = setTimeout(() => {
    part("status").textContent = (playing ? "Playing. " : "") + words(state());
    if (touched && !playing) hold(write(settings(), run));
  }, 400);
}

// From outside

/** Start from given weights and biases, in the shape of llmnotes.scratch.nets.Net; the settings may be given by name. */
export function load(net, given = {}) {
  set({ noise: 0, ...given, hidden: net.biases[0].length, activation: net.activation ?? "tanh" });
  begin({ activation: "tanh", ...structuredClone(net) });
}

const USUAL = { task: "xor", noise: 0, hidden: 2, activation: "tanh", rate: 2, seed: 7, speed: 60 };
const settings = () => Object.fromEntries(Object.keys(USUAL).map((name) => [name, setting(name)]));

function set(given) {
  for (const [name, value] of Object.entries(given)) part(name).value = String(value);
}

/** A state as an address writes it: settings, then steps to take, or the weights themselves. */
function restore(text) {
  const { given, net, step, moved, shown, wrong } = read(text, (name, value) => {
    const field = part(name);
    return field.tagName === "SELECT" ? [...field.options].some((option) => option.value === value) : /^\d{1,5}$/.test(value);
  });
  set({ ...USUAL, ...given });
  begin(net, { moved, shown });
  if (net) run.edited = true;
  advance(Math.min(LAST, step));
  notice = wrong && `This address asks for ${wrong}, which does not exist here. The rest of it is shown.`;
  show();
}

// The controls

let touched = false; // until then the address is the reader's own
const does = {
  back: () => (stop(), back(), show()),
  step: () => (stop(), advance(1), show()),
  play: () => (playing ? (stop(), show()) : play()),
  reset: () => begin(init([2, Number(setting("hidden")), 1], Number(setting("seed")), setting("activation"))),
  next: () => {
    set({ seed: Number(setting("seed")) + 1 });
    begin();
  },
  link: async () => {
    hold(write(settings(), run));
    notice = await navigator.clipboard.writeText(location.href).then(
      () => "The link is copied.",
      () => "The browser does not allow copying. The link is in the address bar.",
    );
    show();
  },
};
for (const [name, act] of Object.entries(does)) part(name).addEventListener("click", act);
for (const kind of ["click", "input", "change"]) document.getElementById("xor").addEventListener(kind, begun, true);
function begun() {
  touched = true;
  notice = undefined;
}
for (const name of ["task", "noise", "hidden", "activation"]) part(name).addEventListener("change", () => begin());
part("seed").addEventListener("change", () => {
  const seed = Math.round(Number(setting("seed")));
  set({ seed: Math.min(99_999, Math.max(0, seed || 0)) });
  begin();
});
part("rate").addEventListener("change", () => {
  if (run.past.length) run.edited = true; // its steps cannot be taken again by one rate
  show();
});
part("point").addEventListener("change", () => choose(Number(setting("point"))));
part("weight").addEventListener("change", show);
part("dial").addEventListener("input", () => turnTo(Number(setting("dial"))));
// while the run plays, the line that was pressed is drawn anew, and if that is before the release, there is no click
for (const kind of ["pointerup", "click"]) part("network").addEventListener(kind, (event) => {
  begun();
  const pressed = document.elementFromPoint(event.clientX, event.clientY)?.closest("[data-at]");
  part("weight").value = pressed?.dataset.at ?? "";
  show();
});

// Points

function place(event) {
  const box = part("plane").getBoundingClientRect(), width = Math.floor(box.width);
  const [left, top] = [event.clientX - box.left, event.clientY - box.top];
  const { x, y, a, b } = frame(width, setting("task")), i = nearest(width, state(), left, top);
  const away = Math.hypot(x(run.data.x[i][0]) - left, y(run.data.x[i][1]) - top);
  return { i, on: away < REACH, at: [a(left), b(top)] };
}

let held; // the point under the finger
part("plane").addEventListener("pointerdown", (event) => {
  touched = true;
  const { i, on, at } = place(event);
  if (!on) return choose(i);
  held = { i, off: at.map((v, k) => run.data.x[i][k] - v) };
  part("plane").setPointerCapture(event.pointerId);
  choose(i);
});
part("plane").addEventListener("pointermove", (event) => {
  if (held && event.buttons) move(held.i, place(event).at.map((v, k) => v + held.off[k]));
});
for (const kind of ["pointerup", "pointercancel"]) part("plane").addEventListener(kind, () => (held = undefined));
// on a point a finger drags, elsewhere it scrolls
part("plane").addEventListener("touchstart", (event) => place(event.touches[0]).on && event.preventDefault(), { passive: false });
part("handle").addEventListener("keydown", (event) => {
  const [da, db] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key] ?? [];
  if (da === undefined) return;
  event.preventDefault();
  touched = true;
  const far = event.shiftKey ? 0.25 : 0.05, [a, b] = run.data.x[run.shown];
  move(run.shown, [a + far * da, b + far * db]);
});

for (const button of document.querySelectorAll("[data-xor]")) {
  button.addEventListener("click", () => {
    touched = true;
    restore(button.dataset.xor);
    part("play").focus({ preventScroll: true });
    document.getElementById("xor").scrollIntoView();
  });
}

const fromAddress = () => location.hash.startsWith("#xor?") && (restore(location.hash.slice(5)), true);
addEventListener("hashchange", fromAddress);
new MutationObserver(show).observe(document.body, { attributeFilter: ["data-md-color-scheme"] });
fromAddress() || begin();
new ResizeObserver(show).observe(part("plane"));
