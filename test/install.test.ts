/** What `npm ci` may run. Only packages that need their install script may have one, with every npm. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const read = (name: string) => JSON.parse(readFileSync(new URL(`../${name}`, import.meta.url), 'utf8'))
interface Locked {
  readonly hasInstallScript?: boolean
  readonly optionalDependencies?: Record<string, string>
}
const { packages } = read('package-lock.json') as { packages: Record<string, Locked> }
const { allowScripts } = read('package.json') as { allowScripts: Record<string, boolean> }

const scripted = Object.keys(packages)
  .filter((path) => packages[path]?.hasInstallScript)
  .map((path) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length))

test('the packages with an install script are those that package.json allows', () => {
  const allowed = Object.keys(allowScripts).filter((name) => allowScripts[name])
  expect(scripted.sort()).toEqual(allowed.sort())
})

test('onnxruntime-node downloads nothing: its script fetches GPU libraries of 300 MB and fails without the Internet', () => {
  // npm 11 heeds allowScripts. npm 10 does not, but runs only what package-lock.json marks: after a change of the lock file,
  // take the line "hasInstallScript" out of the entry node_modules/onnxruntime-node again, and out of the older sharp's under
  // @gutenye/ocr-node, whose script only builds from source where no binary package fits.
  expect(allowScripts['onnxruntime-node']).toBe(false)
  expect(packages['node_modules/onnxruntime-node']).toBeDefined()
  expect(packages['node_modules/onnxruntime-node']?.hasInstallScript).toBeUndefined()
})

/** Where Node would look for `name` from a package at `path`, innermost first. */
function places(path: string, name: string): string[] {
  const parts = path === '' ? [] : path.split('/node_modules/')
  return [...parts.keys()]
    .map((i) => `${parts.slice(0, parts.length - i).join('/node_modules/')}/node_modules/${name}`)
    .concat(`node_modules/${name}`)
}

test('the binaries of every platform are in the lock file, also of those that were not at hand when it was written', () => {
  const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter((name) => !places(path, name).some((place) => place in packages)),
  )
  expect(missing).toEqual([])
})

test('npx luong works, without npm installing the project into a cache first as it does for a "bin" of its own', () => {
  const { bin, version } = read('package.json') as { bin?: unknown; version: string }
  expect(bin).toBeUndefined()
  const luong = fileURLToPath(new URL('../node_modules/.bin/luong', import.meta.url))
  expect(execFileSync(luong, ['--version'], { encoding: 'utf8' })).toBe(`${version}\n`)
})
