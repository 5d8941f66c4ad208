/** onnxruntime, loaded after its telemetry is off. The only module that may load it. */
import './no-telemetry.ts'

const ort = await import('onnxruntime-node')

export type Session = import('onnxruntime-node').InferenceSession
export const Tensor = ort.Tensor

/** @param threads inside one inference. Throws what the library throws for a model it cannot load. */
export function createSession(model: Uint8Array, threads: number): Promise<Session> {
  return ort.InferenceSession.create(model, {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    graphOptimizationLevel: 'all',
    logSeverityLevel: 3,
    // Input sizes change with every camera: patterns remembered for each size only cost memory (measured, docs/plates.md).
    enableMemPattern: false,
  })
}

/** Runs a model whose one input takes bytes (our models convert them themselves). Outputs by name. */
export async function runBytes(session: Session, input: Uint8Array, dims: readonly number[]): Promise<Record<string, Float32Array>> {
  const output = await session.run({ [session.inputNames[0]!]: new Tensor('uint8', input, dims) })
  return Object.fromEntries(Object.entries(output).map(([name, tensor]) => [name, tensor.data as Float32Array]))
}
