// Ranges of a model's inner tensors over calibration pictures: `ranges.mjs MODEL.onnx PICTURES.bin N,H,W OUT.json`.
// MODEL has the tensors as extra outputs (quantise.py adds them); PICTURES holds N pictures of H×W RGB bytes.
// Run from the repository: onnxruntime-node is the runtime that the product has.
import { readFileSync, writeFileSync } from 'node:fs'
import ort from 'onnxruntime-node'

const [model, pictures, shape, out] = process.argv.slice(2)
const [n, h, w] = shape.split(',').map(Number)
const session = await ort.InferenceSession.create(model, { intraOpNumThreads: 1, logSeverityLevel: 3 })
const bytes = readFileSync(pictures)
const size = h * w * 3
/** The few largest values of a picture are left out of its range: one hot pixel must not cost all others their precision. */
const REST = 0.0001
const seen = {}
for (let i = 0; i < n; i++) {
  const picture = new ort.Tensor('uint8', new Uint8Array(bytes.subarray(i * size, (i + 1) * size)), [1, h, w, 3])
  const values = await session.run({ [session.inputNames[0]]: picture })
  for (const [name, { data, type }] of Object.entries(values)) {
    if (type !== 'float32') continue
    const sorted = Float32Array.from(data).sort()
    const cut = Math.floor(sorted.length * REST)
    seen[name] ??= { min: 0, max: 0 }
    const range = seen[name]
    range.min = Math.min(range.min, sorted[cut])
    range.max = Math.max(range.max, sorted[sorted.length - 1 - cut])
  }
}
writeFileSync(out, JSON.stringify(seen))
