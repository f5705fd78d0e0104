// The one loop that takes the time, on a memory that holds a model's weights and what it computes: SIMD where the
// browser has it, the same in plain JavaScript where not. BYTES is kernel.wat, assembled (a test compares them).

const BYTES =
  "AGFzbQEAAAABCgFgBn9/f39/fwACEQEFYmVuY2gGbWVtb3J5AgABAwIBAAcKAQZtYXRtdWwAAArjAQHgAQIHfwR7A0AgAiEIIAEgBGohBgNAIA" +
  "H9CQIAIQ0gAf0JAgQhDiAB/QkCCCEPIAH9CQIMIRAgCCAFaiEJIAkgBWohCiAKIAVqIQsgACEMIAkhBwNAIAwgDP0ABAAgDSAI/QAEAP3mASAO" +
  "IAn9AAQA/eYB/eQB/eQBIA8gCv0ABAD95gEgECAL/QAEAP3mAf3kAf3kAf0LBAAgDEEQaiEMIAlBEGohCSAKQRBqIQogC0EQaiELIAhBEGoiCC" +
  "AHSQ0ACyALIQggAUEQaiIBIAZJDQALIAwhACADQQFrIgMNAAsL";

/**
 * A float32 memory of a given size, and the product of matrices in it.
 *
 * @param size how many numbers
 * @param simd use WebAssembly if it is there
 * @returns {{memory: Float32Array, simd: boolean, matmul: (out: number, a: number, w: number, rows: number, k: number,
 *   n: number) => void}} matmul adds a (rows × k) times w (k × n) to out (rows × n); all are offsets into memory
 */
export function makeKernel(size, simd = true) {
  if (simd && typeof WebAssembly === "object") {
    const bytes = Uint8Array.from(atob(BYTES), (character) => character.charCodeAt(0));
    if (WebAssembly.validate(bytes)) {
      const memory = new WebAssembly.Memory({ initial: Math.ceil(size / 16384) });
      const { matmul } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { bench: { memory } }).exports;
      return {
        memory: new Float32Array(memory.buffer),
        simd: true,
        matmul: (out, a, w, rows, k, n) => matmul(4 * out, 4 * a, 4 * w, rows, 4 * k, 4 * n),
      };
    }
  }
  const memory = new Float32Array(size);
  return { memory, simd: false, matmul: (...sizes) => plainMatmul(memory, ...sizes) };
}

function plainMatmul(memory, out, a, w, rows, k, n) {
  for (let row = 0; row < rows; row++, out += n) {
    for (let w0 = w, end = a + k; a < end; a += 4, w0 += 4 * n) {
      const a0 = memory[a], a1 = memory[a + 1], a2 = memory[a + 2], a3 = memory[a + 3];
      const w1 = w0 + n, w2 = w1 + n, w3 = w2 + n;
      for (let j = 0; j < n; j++) {
        memory[out + j] += a0 * memory[w0 + j] + a1 * memory[w1 + j] + a2 * memory[w2 + j] + a3 * memory[w3 + j];
      }
    }
  }
}
