/** What `npm ci` may run. Only packages that need their install script may have one, with every npm. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const read = (name: string) => JSON.parse(readFileSync(new URL(`../${name}`, import.meta.url), 'utf8'))
const { packages } = read('package-lock.json') as { packages: Record<string, { hasInstallScript?: boolean }> }
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
  // take the line "hasInstallScript" out of the entry node_modules/onnxruntime-node again.
  expect(allowScripts['onnxruntime-node']).toBe(false)
  expect(packages['node_modules/onnxruntime-node']).toBeDefined()
  expect(packages['node_modules/onnxruntime-node']?.hasInstallScript).toBeUndefined()
})
