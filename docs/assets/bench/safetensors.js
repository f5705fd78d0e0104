// Weights from a safetensors file: eight bytes with the length of a JSON header, the header, the numbers.

/** Each of the 256 float8 numbers (e4m3, without infinities) as an ordinary one. */
const FLOAT8 = Float32Array.from({ length: 256 }, (_, bits) => {
  const sign = bits & 128 ? -1 : 1;
  const exponent = (bits >> 3) & 15;
  const fraction = bits & 7;
  if ((bits & 127) === 127) return NaN;
  return sign * (exponent ? (1 + fraction / 8) * 2 ** (exponent - 7) : (fraction / 8) * 2 ** -6);
});

function float16(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (exponent ? (1 + fraction / 1024) * 2 ** (exponent - 15) : (fraction / 1024) * 2 ** -14);
}

const READ = {
  F32: (view, at) => view.getFloat32(at, true),
  F16: (view, at) => float16(view.getUint16(at, true)),
  F8_E4M3: (view, at) => FLOAT8[view.getUint8(at)],
};
const WIDTH = { F32: 4, F16: 2, F8_E4M3: 1 };

/**
 * The tensors of a safetensors file.
 *
 * @param {ArrayBuffer} buffer the whole file
 * @returns {Map<string, {shape: number[], values: Float32Array}>}
 * @throws {Error} a file that is cut off, or numbers in a format that is not read here
 */
export function readTensors(buffer) {
  const view = new DataView(buffer);
  const length = buffer.byteLength < 8 ? 0 : Number(view.getBigUint64(0, true));
  if (!length || 8 + length > buffer.byteLength) {
    throw new Error(`a safetensors file of ${buffer.byteLength} bytes is cut off or is none; load it again`);
  }
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, length)));
  const tensors = new Map();
  for (const [name, { dtype, shape, data_offsets: offsets }] of Object.entries(header)) {
    if (name === "__metadata__") continue;
    if (!READ[dtype]) throw new Error(`${name} is ${dtype}; expected one of ${Object.keys(READ).join(", ")}`);
    const [from, to] = offsets;
    if (8 + length + to > buffer.byteLength) throw new Error(`${name} ends after the file; load it again`);
    const values = new Float32Array((to - from) / WIDTH[dtype]);
    for (let i = 0; i < values.length; i++) values[i] = READ[dtype](view, 8 + length + from + i * WIDTH[dtype]);
    tensors.set(name, { shape, values });
  }
  return tensors;
}
