// The engine in a worker: messages { id, ask, request } in; { id, part }, { id, answer } or { id, error } out.

import { ANSWERS } from "./engine.js";

const stopped = new Set();
self.onmessage = async ({ data: { id, ask, request, stop } }) => {
  if (stop) return void stopped.add(id);
  try {
    const answer = await ANSWERS[ask](request, (part) => self.postMessage({ id, part }), () => stopped.has(id));
    self.postMessage({ id, answer });
  } catch ({ name, message, at, word, allowed }) {
    self.postMessage({ id, error: { name, message, at, word, allowed } });
  }
  stopped.delete(id);
};
