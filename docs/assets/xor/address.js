// A state as an address: #xor?seed=3&step=120 takes 120 steps from a start; an edited one carries its weights.

const SIX = (v) => String(Number(v.toPrecision(6)));

/** The state after #xor?, from the settings and a run. */
export function write(settings, run) {
  const fields = { ...settings, point: String(run.shown) };
  const { weights, biases } = run.now.net;
  if (run.edited) fields.net = [weights, biases].flat(3).map(SIX).join("_");
  else if (run.past.length) fields.step = String(run.past.length);
  const moved = Object.entries(run.moved).map(([i, [a, b]]) => `${i}_${SIX(a)}_${SIX(b)}`);
  if (moved.length) fields.moved = moved.join("~");
  return new URLSearchParams(fields).toString();
}

/**
 * What an address asks for: settings, a net or a number of steps, moved points, the point shown.
 * `wrong` names the first field that asks for what there is not; it is left out.
 */
export function read(text, known) {
  const found = { given: {}, moved: {}, step: 0, shown: 1 };
  const numbers = (value) => value.split("_").map(Number);
  const fields = Object.fromEntries(new URLSearchParams(text));
  const takes = {
    net: (value) => (found.net = shaped(numbers(value), fields)),
    step: (value) => /^\d+$/.test(value) && ((found.step = Number(value)), true),
    point: (value) => /^\d+$/.test(value) && ((found.shown = Number(value)), true),
    moved: (value) =>
      value.split("~").map(numbers).every(([i, a, b]) => {
        const sound = Number.isInteger(i) && i >= 0 && i < (fields.task === "circles" || Number(fields.noise) ? 32 : 4);
        if (sound && Number.isFinite(a) && Number.isFinite(b)) return (found.moved[i] = [a, b]);
      }),
  };
  for (const [name, value] of Object.entries(fields)) {
    const take = takes[name] ?? (SETTINGS.includes(name) && ((v) => known(name, v) && (found.given[name] = v)));
    if (!take || !take(value)) found.wrong ??= `${name}=${value.slice(0, 20)}`;
  }
  return found;
}

const SETTINGS = ["task", "noise", "hidden", "activation", "rate", "seed", "speed"];

/** The numbers of a net with two inputs and one output in its shape; nothing if there are too many or too few. */
function shaped(numbers, { hidden = "2", activation = "tanh" }) {
  const n = Number(hidden);
  if (numbers.length !== 4 * n + 1 || !numbers.every(Number.isFinite)) return undefined;
  const [first, second, v, b] = [0, n, 2 * n, 3 * n].map((from) => numbers.slice(from, from + n));
  return { weights: [[first, second], v.map((w) => [w])], biases: [b, [numbers.at(-1)]], activation };
}

/** Keep a state in the address bar, without a new entry in the history. */
export const hold = (text) => history.replaceState(history.state, "", `#xor?${text}`);
