/**
 * Where a worker thread's compiled file is. Run from `dist/` it lies beside the caller; run from the TypeScript
 * source (vitest), it lies at the same place under `dist/`, which `npm test` builds first.
 * @param caller `import.meta.url` of the asking module
 * @param file name of the worker, with `.js`, relative to the caller
 */
export function workerUrl(caller: string, file: string): URL {
  const url = new URL(file, caller)
  if (!caller.endsWith('.ts')) return url
  const root = new URL('../../', import.meta.url)
  return new URL(url.href.slice(root.href.length), new URL('dist/', root))
}
