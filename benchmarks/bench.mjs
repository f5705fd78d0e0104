// How fast the bench's engine is here: node benchmarks/bench.mjs. Minima, since other programs take time too.

import { readFileSync } from "node:fs";
import { IDS } from "../docs/assets/bench/lexicon.js";
import { generate, residualSweep } from "../docs/assets/bench/methods.js";
import { Model } from "../docs/assets/bench/model.js";
import { PLACES } from "../docs/assets/bench/edits.js";
import { readTensors } from "../docs/assets/bench/safetensors.js";

const folder = new URL("../llmnotes/checkpoints/", import.meta.url);
const read = (path) => readFileSync(new URL(path, folder));

function load(name, simd) {
  const bytes = read(`${name}/model.safetensors`);
  const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
  return new Model(JSON.parse(read(`${name}/config.json`)), readTensors(buffer), { simd });
}

function least(times, run) {
  let best = Infinity;
  for (let i = 0; i < times; i++) {
    const began = performance.now();
    run();
    best = Math.min(best, performance.now() - began);
  }
  return best;
}

const text = "when Anna and Karl went to the river , Karl gave the ring to".split(" ").map((word) => IDS[word]);
const sixteen = [0, ...text, IDS.Anna];
const other = sixteen.map((id) => (id === IDS.Karl ? IDS.Leo : id));
for (const simd of [true, false]) {
  const world = load("world", simd);
  console.log(simd ? "with SIMD" : "plain JavaScript");
  console.log(`  World, 16 tokens, all places kept: ${least(200, () => world.run(sixteen, { keep: PLACES })).toFixed(2)} ms`);
  console.log(`  World, residual sweep of 4 × 16: ${least(60, () => residualSweep(world, sixteen, other, [1, 2])).toFixed(0)} ms`);
  const fairytale = load("fairytale", simd);
  const ms = least(8, () => [...generate(fairytale, [0], { count: 100, temperature: 0 })]) / 100;
  console.log(`  Fairytale: ${(1000 / ms).toFixed(0)} tokens a second`);
}
