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

const HARMLESS = ['PATH', 'HOME', 'TMPDIR', 'TZ', 'LANG', 'LC_ALL']

/** What threads and other programs get of the environment: passwords may stand in it, and none of them needs any. */
export function harmlessEnv(env: Readonly<Record<string, string | undefined>> = process.env): Record<string, string> {
  return Object.fromEntries(HARMLESS.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])))
}
