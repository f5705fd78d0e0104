// Runs the bench's engine outside a browser: a list of requests as JSON on standard input, answers on standard output.
// Arrays of numbers come back as base64 of float32 (places) or float64 (truth).

import { readFileSync } from "node:fs";

const [, , assets, checkpoints] = process.argv;
const from = (name) => import(`${assets}/${name}.js`);
const { Model } = await from("model");
const { readTensors } = await from("safetensors");
const { makeTokenizer } = await from("tokenizers");
const methods = await from("methods");
const { truth } = await from("oracle");
const lexicon = await from("lexicon");
const { ANSWERS: engine } = await from("engine");

const file = (path) => {
  const bytes = readFileSync(`${checkpoints}/${path}`);
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
};
const json = (path) => JSON.parse(readFileSync(`${checkpoints}/${path}`, "utf8"));
const packed = (array) => Buffer.from(array.buffer, array.byteOffset, array.byteLength).toString("base64");
const models = new Map();
const model = (name, simd = true) => {
  const key = `${name} ${simd}`;
  if (!models.has(key)) {
    models.set(key, new Model(json(`${name}/config.json`), readTensors(file(`${name}/model.safetensors`)), { simd }));
  }
  return models.get(key);
};

const ANSWERS = {
  run({ name, simd, ids, keep, edits, split }) {
    const one = model(name, simd);
    if (!split) {
      const { places } = one.run(ids, { keep, edits });
      return Object.fromEntries([...places].map(([key, values]) => [key, packed(values)]));
    }
    const cache = one.cache();
    const parts = [ids.slice(0, split), ids.slice(split)];
    const logits = parts.map((part) => one.run(part, { edits, cache, prompt: ids.length }).logits);
    return { logits: packed(Float32Array.from(logits.flatMap((some) => [...some]))) };
  },
  lens: ({ name, ids }) => {
    const { places } = model(name).run(ids, { keep: ["resid_pre", "resid_post"], read: "none" });
    return methods.logitLens(model(name), places).map(packed);
  },
  sweep: ({ name, clean, corrupted, tokens, place }) => {
    const { values, unpatched, source } = methods.residualSweep(model(name), clean, corrupted, tokens, { place });
    return { values: packed(values), unpatched, source };
  },
  generate: ({ name, ids, options }) => [...methods.generate(model(name), ids, options)],
  choices: ({ logits, options }) => methods.choices(Float32Array.from(logits), options),
  truth: ({ words }) =>
    truth(words).map(({ probs, moods, rule, referent }) => ({ probs: packed(probs), moods, rule, referent })),
  lexicon: () => ({ words: lexicon.VOCABULARY, facts: [lexicon.HOME, lexicon.JOB, lexicon.FOOD, lexicon.LANDMARK] }),
  encode: ({ name, texts }) => {
    const tokenizer = makeTokenizer(json(`${name}/tokenizer.json`));
    return texts.map((text) => [tokenizer.encode(text), tokenizer.decode(tokenizer.encode(text))]);
  },
  /** What the page asks of the engine itself. */
  async audit({ number, words }) {
    engine.load({ name: "world", config: json("world/config.json"), weights: file("world/model.safetensors") });
    engine.adapt({ name: "audited", base: "world", weights: file(`world/audit/${number}.safetensors`) });
    return packed(engine.look({ name: "audited", words, edits: [] }).said);
  },
  async adapted({ adapter, ids, count }) {
    engine.load({ name: "fairytale", config: json("fairytale/config.json"), weights: file("fairytale/model.safetensors") });
    engine.adapt({ name: "adapted", base: "fairytale", weights: file(`fairytale/adapters/${adapter}/adapter_model.safetensors`) });
    return engine.alternatives({ name: "adapted", ids, count, sampling: {} }).list;
  },
  async activity({ words, source, feature }) {
    engine.load({ name: "world", config: json("world/config.json"), weights: file("world/model.safetensors") });
    const { layer, k } = json("world/features/key.json");
    engine.dictionary({ weights: file("world/features/encoders.safetensors"), layer, k });
    return engine.activity({ name: "world", words, source, feature }).values;
  },
  cut: ({ name, bytes }) => readTensors(file(`${name}/model.safetensors`).slice(0, bytes)),
};

const answers = [];
for (const { ask, ...request } of JSON.parse(readFileSync(0, "utf8"))) {
  try {
    answers.push(await ANSWERS[ask](request));
  } catch (error) {
    answers.push({ error: error.message });
  }
}
process.stdout.write(JSON.stringify(answers));
