// One attention head in two dimensions: turn the query, watch score, weight and output move.
// The figure in the page is complete without this script; the script redraws it from `state`.

const WORDS = ["end", "Karl", "likes", "soup"];
const KEYS = [[0, 1], [2, 1], [-1, 1], [1.6, -0.9]];
const VALUES = [[0, 0], [1, 2], [2, 0], [1.9, 1.2]];
const UNIT = 53, ORIGIN = [112, 130]; // pixels to one unit, and where zero lies, in the first panel
const OUT = 64, ZERO = [30, 150]; // the same in the third

export function attend(query, { scale = 1, mask = true } = {}) {
  const seen = mask ? 3 : 4;
  const scores = KEYS.map((key) => ((query[0] * key[0] + query[1] * key[1]) / Math.SQRT2) * scale);
  const top = Math.max(...scores.slice(0, seen));
  const exp = scores.map((score, j) => (j < seen ? Math.exp(score - top) : 0));
  const sum = exp.reduce((a, b) => a + b, 0);
  const weights = exp.map((e) => e / sum);
  const output = [0, 1].map((d) => weights.reduce((total, w, j) => total + w * VALUES[j][d], 0));
  return { scores, weights, output, seen };
}

const number = (x, digits = 1) => {
  const text = Math.abs(x).toFixed(digits);
  return (x < 0 && Number(text) !== 0 ? "−" : "") + text;
};
const pair = ([x, y]) => `(${number(x)}, ${number(y)})`;
const set = (element, attributes) => Object.entries(attributes).forEach(([name, value]) => element.setAttribute(name, value));

export function mount(figure) {
  const part = (name) => figure.querySelector(`[data-part="${name}"]`);
  const state = { query: [2, 0], scale: 1, mask: true };
  const plane = part("plane");

  function draw() {
    const { scores, weights, output, seen } = attend(state.query, state);
    const [qx, qy] = [ORIGIN[0] + UNIT * state.query[0], ORIGIN[1] - UNIT * state.query[1]];
    set(part("query"), { d: `M${ORIGIN[0]} ${ORIGIN[1]}L${qx} ${qy}` });
    set(part("handle"), { cx: qx, cy: qy });
    part("query-text").textContent = pair(state.query);
    WORDS.forEach((word, j) => {
      const hidden = j >= seen;
      figure.querySelectorAll(`[data-word="${j}"]`).forEach((e) => e.classList.toggle("hidden-word", hidden));
      const length = Math.max(-76, Math.min(100, scores[j] * 22));
      set(part(`score-${j}`), { x: 118 + Math.min(0, length), width: Math.abs(length) });
      const text = part(`score-text-${j}`);
      text.textContent = hidden ? "hidden" : number(scores[j]);
      text.setAttribute("x", 124 + Math.max(0, length));
      set(part(`weight-${j}`), { width: weights[j] * 112 });
      const share = part(`weight-text-${j}`);
      share.textContent = hidden ? "0" : weights[j].toFixed(2);
      share.setAttribute("x", 124 + weights[j] * 112);
    });
    set(part("output"), { d: `M${ZERO[0]} ${ZERO[1]}L${ZERO[0] + OUT * output[0]} ${ZERO[1] - OUT * output[1]}` });
    part("output-text").textContent = pair(output);
    const most = weights.indexOf(Math.max(...weights));
    part("said").innerHTML = `<i>${WORDS[most]}</i> gets ${weights[most].toFixed(2)} of the weight; the output is ${pair(output)}.`;
    part("turn").value = Math.round(((Math.atan2(state.query[1], state.query[0]) * 180) / Math.PI + 360) % 360);
    part("scale-text").textContent = state.scale === 1 ? "÷ √2, as in the formula" : `× ${state.scale.toFixed(1)} of it`;
  }

  const turn = (degrees) => {
    const size = Math.hypot(...state.query), a = (degrees * Math.PI) / 180;
    state.query = [size * Math.cos(a), size * Math.sin(a)].map((x) => (Math.abs(x) < 1e-9 ? 0 : x));
    draw();
  };
  part("turn").addEventListener("input", (event) => turn(Number(event.target.value)));
  part("scale").addEventListener("input", (event) => { state.scale = Number(event.target.value); draw(); });
  part("mask").addEventListener("change", (event) => { state.mask = event.target.checked; draw(); });

  const move = (event) => {
    const box = plane.getBoundingClientRect(), view = plane.viewBox.baseVal;
    const x = ((event.clientX - box.left) / box.width) * view.width, y = ((event.clientY - box.top) / box.height) * view.height;
    let to = [(x - ORIGIN[0]) / UNIT, (ORIGIN[1] - y) / UNIT];
    const size = Math.hypot(...to) || 1, held = Math.min(2.4, Math.max(0.3, size));
    state.query = to.map((v) => (v / size) * held);
    draw();
  };
  const handle = part("grip");
  handle.addEventListener("pointerdown", (event) => { event.preventDefault(); handle.setPointerCapture(event.pointerId); move(event); });
  handle.addEventListener("pointermove", (event) => { if (handle.hasPointerCapture(event.pointerId)) move(event); });
  figure.querySelectorAll(".needs-script").forEach((e) => (e.hidden = false));
  draw();
}

if (typeof document !== "undefined") document.querySelectorAll(".one-head").forEach(mount);
