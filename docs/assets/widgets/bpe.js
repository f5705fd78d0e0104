// Byte-pair encoding of one line, merge by merge. The same rule as llmnotes.scratch.tokenizer: the most frequent pair of
// neighbours within words is joined; of equally frequent pairs the one with the smaller ids.

const CHUNK = / ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+/gu;

export function learn(text, merges) {
  const words = (text.match(CHUNK) ?? []).map((word) => [...word.replaceAll(" ", "·")]);
  const ids = new Map();
  const id = (piece) => ids.get(piece) ?? (piece.length === 1 ? piece.codePointAt(0) : 1e9);
  const done = [];
  for (let n = 0; n < merges; n++) {
    const best = next(words, id);
    if (!best) break;
    done.push(best);
    ids.set(best.pair.join(""), 1e6 + n);
    words.forEach((pieces, i) => { words[i] = join(pieces, best.pair); });
  }
  return { words, done, coming: next(words, id) };
}

function next(words, id) {
  const count = new Map();
  for (const pieces of words)
    for (let i = 0; i + 1 < pieces.length; i++) {
      const key = JSON.stringify([pieces[i], pieces[i + 1]]);
      count.set(key, (count.get(key) ?? 0) + 1);
    }
  let best = null;
  for (const [key, times] of count) {
    const pair = JSON.parse(key);
    const earlier = best && (id(pair[0]) - id(best.pair[0]) || id(pair[1]) - id(best.pair[1])) < 0;
    if (!best || times > best.times || (times === best.times && earlier)) best = { pair, times };
  }
  return best;
}

function join(pieces, [left, right]) {
  const out = [];
  for (let i = 0; i < pieces.length; i++) {
    if (pieces[i] === left && pieces[i + 1] === right) { out.push(left + right); i++; } else out.push(pieces[i]);
  }
  return out;
}

export function mount(figure) {
  const part = (name) => figure.querySelector(`[data-part="${name}"]`);
  const draw = () => {
    const n = Number(part("merges").value), { words, done, coming } = learn(part("text").value, n);
    const last = done.at(-1)?.pair.join("");
    part("pieces").replaceChildren(
      ...words.flatMap((pieces) => [
        ...pieces.map((piece) => Object.assign(document.createElement("span"), { textContent: piece, className: piece === last ? "new" : "" })),
        document.createTextNode(" "),
      ]),
    );
    part("count").textContent = done.length;
    const tokens = words.reduce((sum, pieces) => sum + pieces.length, 0);
    const was = done.length ? `The last merge joined ${done.at(-1).pair.join(" + ")}. ` : "Every character stands alone. ";
    const will = coming ? `Next comes ${coming.pair.join(" + ")}, ${coming.times} times.` : "No pair is left.";
    part("said").textContent = `${tokens} tokens. ${was}${will}`;
  };
  part("merges").addEventListener("input", draw);
  part("text").addEventListener("input", draw);
  figure.querySelectorAll(".needs-script").forEach((e) => (e.hidden = false));
  draw();
}

if (typeof document !== "undefined") document.querySelectorAll(".bpe").forEach(mount);
