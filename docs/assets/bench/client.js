// The page's side of the engine: starts the worker, fetches models once, passes questions on.

let inPage = null; // the engine itself, where there is no worker

/** Let the engine answer in the page: for the copy that opens without a server. */
export function answerInPage(answers) {
  inPage = answers;
}

const ownScript = typeof document === "object" && document.querySelector('script[src*="assets/bench/"]');
export const ASSETS = ownScript ? ownScript.src.replace(/bench\/[^/]*$/, "") : "";

/** The models: their folder in assets/models, their files, and how large the weights are. */
export const MODELS = {
  world: { files: ["config.json"], weights: "world", size: 895840 },
  fairytale: { files: ["config.json", "tokenizer.json"], weights: "fairytale", size: 6126784 },
};
for (const step of [0, 60, 125, 250, 500, 750, 1000, 1500, 2500]) {
  MODELS[`world/step-${step}`] = { files: ["config.json"], weights: `world/step-${step}`, size: 455720 };
}
export const megabytes = (name) => `${(MODELS[name].size / 1e6).toFixed(1)} MB`;

let worker = null;
let count = 0;
const waiting = new Map();

function start() {
  if (worker || inPage) return;
  worker = new Worker(`${ASSETS}bench/worker.js`, { type: "module" });
  worker.onmessage = ({ data: { id, part, answer, error } }) => {
    const one = waiting.get(id);
    if (!one) return;
    if (part !== undefined) return void one.part(part);
    waiting.delete(id);
    if (error) one.fail(Object.assign(new Error(error.message), error));
    else one.done(answer);
  };
  worker.onerror = (event) => {
    for (const one of waiting.values()) one.fail(new Error(event.message || "the model's worker did not start"));
    waiting.clear();
  };
}

/**
 * Ask the engine.
 *
 * @param {string} ask a name of ANSWERS
 * @param {object} request
 * @param {{part?: (part: any) => void, signal?: AbortSignal, transfer?: Transferable[]}} options
 */
export function inquire(ask, request, { part = () => {}, signal, transfer = [] } = {}) {
  start();
  const id = count++;
  if (inPage) return Promise.resolve().then(() => inPage[ask](request, part, () => Boolean(signal?.aborted)));
  return new Promise((done, fail) => {
    waiting.set(id, { part, done, fail });
    signal?.addEventListener("abort", () => worker.postMessage({ id, stop: true }));
    worker.postMessage({ id, ask, request }, transfer);
  });
}

/** A file's bytes; from a folder, out of a script that carries them. */
export async function bytesOf(path, progress = () => {}) {
  if (inPage) {
    const carried = (globalThis.llmnotesFiles ??= {});
    if (!(path in carried)) {
      await new Promise((done, fail) => {
        const script = Object.assign(document.createElement("script"), { src: `${ASSETS}models/${path}.js` });
        Object.assign(script, { onload: done, onerror: () => fail(new Error(`${path} is missing from this copy`)) });
        document.head.append(script);
      });
    }
    const text = atob(carried[path]);
    delete carried[path];
    return Uint8Array.from(text, (character) => character.charCodeAt(0)).buffer;
  }
  const response = await fetch(`${ASSETS}models/${path}`);
  if (!response.ok) throw new Error(`${path} did not load (${response.status})`);
  if (!response.body) return response.arrayBuffer();
  const reader = response.body.getReader();
  const chunks = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    chunks.push(value);
    progress((length += value.length));
  }
  return new Blob(chunks).arrayBuffer();
}

const models = new Map();

/**
 * Load a model once.
 *
 * @param {string} name a key of MODELS
 * @param {(share: number) => void} progress told how much of the weights is there, 0 to 1
 */
export function loadModel(name, progress = () => {}) {
  if (!models.has(name)) {
    const { files, weights, size } = MODELS[name];
    const parse = async (file) => JSON.parse(new TextDecoder().decode(await bytesOf(`${weights}/${file}`)));
    const load = async () => {
      const [bytes, config, tokenizer] = await Promise.all([
        bytesOf(`${weights}/model.safetensors`, (length) => progress(Math.min(1, length / size))),
        ...files.map(parse),
      ]);
      return inquire("load", { name, config, weights: bytes, tokenizer }, { transfer: [bytes] });
    };
    models.set(name, load());
    models.get(name).catch(() => models.delete(name)); // so that a second try is possible
  }
  return models.get(name);
}

/** A function that asks and shows the answer. While one question is open the newest of those that follow waits. */
export function newest(show, fail) {
  let open = false;
  let next = null;
  return async function ask(...request) {
    if (open) return void (next = request);
    open = true;
    try {
      const answer = await inquire(...request);
      if (!next) show(answer);
    } catch (error) {
      if (!next) fail(error);
    }
    open = false;
    if (!next) return;
    const waited = next;
    next = null;
    ask(...waited);
  };
}
