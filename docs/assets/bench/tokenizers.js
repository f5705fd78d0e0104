// Text to token ids and back, from a tokenizer.json as the `tokenizers` library writes it: whole words for World,
// byte-level BPE (Sennrich et al. 2016; Radford et al. 2019) for Fairytale.

const SPECIAL = "<|endoftext|>";
// GPT-2's pattern: short endings, words, numbers, other signs, white space.
const CHUNKS = /'(?:s|t|re|ve|m|ll|d)| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;

/** One printable character for each byte, as GPT-2 chose them. */
function printable() {
  const kept = (byte) => (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(kept(byte) ? byte : next++));
}

/**
 * @param {{model: {type: string, vocab: Object<string, number>, merges?: string[][]}}} json what tokenizer.json says
 * @returns {{encode: (text: string) => number[], decode: (ids: Iterable<number>) => string, words: string[]}}
 * @throws {Error} another kind of tokenizer
 */
export function makeTokenizer({ model }) {
  if (model.type === "WordLevel") return wordLevel(model.vocab);
  if (model.type === "BPE") return byteLevel(model.vocab, model.merges);
  throw new Error(`a tokenizer of type ${model.type}; expected WordLevel or BPE`);
}

const byId = (vocab) => Object.keys(vocab).sort((one, other) => vocab[one] - vocab[other]);

/** A token for each word that white space sets apart. */
export function wordLevel(vocab) {
  const words = byId(vocab);
  const encode = (text) =>
    (text.match(/\P{White_Space}+/gu) ?? []).map((word) => {
      if (!Object.hasOwn(vocab, word)) throw new Error(`“${word}” is no word of this language`);
      return vocab[word];
    });
  return { encode, decode: (ids) => Array.from(ids, (id) => words[id]).join(" "), words };
}

function byteLevel(vocab, merges) {
  const words = byId(vocab);
  const signs = printable();
  const bytes = new Map(signs.map((sign, byte) => [sign, byte]));
  const ranks = new Map(merges.map((pair, rank) => [Array.isArray(pair) ? pair.join(" ") : pair, rank]));
  const known = new Map();

  /** The pair of neighbours that was learned first is joined first, until none is left. */
  function merge(chunk) {
    let parts = Array.from(new TextEncoder().encode(chunk), (byte) => signs[byte]);
    for (;;) {
      let best = Infinity;
      let at = -1;
      for (let i = 0; i + 1 < parts.length; i++) {
        const rank = ranks.get(`${parts[i]} ${parts[i + 1]}`) ?? Infinity;
        if (rank < best) [best, at] = [rank, i];
      }
      if (at < 0) return parts.map((part) => vocab[part]);
      const [one, other] = [parts[at], parts[at + 1]];
      const joined = [];
      for (let i = 0; i < parts.length; i++) {
        if (parts[i] === one && parts[i + 1] === other) joined.push(parts[i++] + other);
        else joined.push(parts[i]);
      }
      parts = joined;
    }
  }

  function encode(text) {
    const ids = [];
    for (const [i, part] of text.split(SPECIAL).entries()) {
      if (i) ids.push(vocab[SPECIAL]);
      for (const [chunk] of part.matchAll(CHUNKS)) {
        if (!known.has(chunk)) known.set(chunk, merge(chunk));
        ids.push(...known.get(chunk));
      }
    }
    return ids;
  }

  function decode(ids) {
    const list = [...ids];
    let text = "";
    let run = [];
    const flush = () => {
      text += new TextDecoder().decode(Uint8Array.from(run));
      run = [];
    };
    for (const id of list) {
      if (words[id] === SPECIAL) {
        flush();
        text += SPECIAL;
      } else for (const sign of words[id]) run.push(bytes.get(sign));
    }
    flush();
    return text;
  }

  return { encode, decode, words };
}
