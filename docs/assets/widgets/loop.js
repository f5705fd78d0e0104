// Curves of recorded trainings: choose a dial, and see the held-out loss for each of its values.
// The figure in the page is complete without this script, for the learning rate; the data stand in the figure.

const LEFT = 36, TOP = 10, WIDTH = 230, HEIGHT = 170, MOST = 5.2, LEAST = 1.4;
const COLOURS = ["var(--blue)", "var(--orange)", "var(--green)", "var(--purple)", "var(--ochre)"];
const DASHES = ["", "7 3", "2 3", "9 3 2 3", "1 5"];

export const x = (step, last) => LEFT + (WIDTH * step) / last;
export const y = (loss) => TOP + (HEIGHT * (MOST - Math.min(MOST, loss))) / (MOST - LEAST);

// Labels stand at the ends of their lines, and move apart where they would touch.
export function apart(places, least) {
  const order = places.map((_, i) => i).sort((a, b) => places[a] - places[b]), moved = [...places];
  for (let n = 0; n < 100; n++)
    for (let k = 1; k < order.length; k++) {
      const gap = moved[order[k]] - moved[order[k - 1]];
      if (gap < least) { moved[order[k]] += (least - gap) / 2; moved[order[k - 1]] -= (least - gap) / 2; }
    }
  return moved;
}

export function lines(curves, steps) {
  const labels = apart(curves.map((curve) => y(curve.loss.at(-1)) + 4), 15);
  return curves.map((curve, i) => {
    const path = curve.loss.map((loss, k) => `${k ? "L" : "M"}${x(steps[k], steps.at(-1)).toFixed(1)} ${y(loss).toFixed(1)}`).join("");
    const style = `fill:none;stroke:${COLOURS[i]};stroke-width:2.5;stroke-dasharray:${DASHES[i] || "none"}`;
    return `<path d="${path}" style="${style}"/><text x="${LEFT + WIDTH + 8}" y="${labels[i].toFixed(1)}" style="fill:${COLOURS[i]}">${curve.name}</text>`;
  }).join("");
}

export function mount(figure) {
  const part = (name) => figure.querySelector(`[data-part="${name}"]`);
  const data = JSON.parse(part("data").textContent);
  const draw = () => {
    const { curves, said } = data.dials[part("dial").value];
    part("lines").innerHTML = lines(curves, data.steps);
    part("said").textContent = said;
  };
  part("dial").addEventListener("change", draw);
  figure.querySelectorAll(".needs-script").forEach((e) => (e.hidden = false));
  draw();
}

if (typeof document !== "undefined") document.querySelectorAll(".training-loop").forEach(mount);
