/** Whatever is done to a site file, the loader answers with problems at places that exist. */
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parse, stringify } from 'yaml'
import { ConfigError, loadSite } from '../../config/load.ts'
import { inFolder, SITE } from './harness.ts'

type Path = (string | number)[]

function paths(value: unknown, at: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [at]
  const inner = Array.isArray(value)
    ? value.flatMap((v, i) => paths(v, [...at, i]))
    : Object.entries(value).flatMap(([k, v]) => paths(v, [...at, k]))
  return at.length > 0 ? [at, ...inner] : inner
}

const site = parse(SITE) as Record<string, unknown>
const ALL = paths(site)
const odd = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    false,
    -1,
    0,
    1.5,
    1e30,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    '',
    'x',
    'io-1.di1',
    'cam-1',
    [],
    {},
    [null],
    [[]],
    { a: 1 },
    [{}],
  ),
  fc.string({ maxLength: 20 }),
  fc.jsonValue({ maxDepth: 2 }),
)
const key = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.constantFrom('__proto__', 'constructor', 'toString', '<<', '1', 'true', 'kind', 'driver', 'include'),
)
const mutation = fc.record({ at: fc.nat(ALL.length - 1), what: fc.constantFrom('delete', 'rename', 'swap', 'add'), key, value: odd })

function mutate(data: unknown, { at, what, key, value }: { at: number; what: string; key: string; value: unknown }): void {
  const path = ALL[at]!
  let parent = data as Record<string, unknown>
  for (const step of path.slice(0, -1)) {
    parent = parent[step] as Record<string, unknown>
    if (typeof parent !== 'object' || parent === null) return
  }
  const last = path.at(-1)!
  const put = (k: string | number, v: unknown) =>
    Object.defineProperty(parent, k, { value: v, enumerable: true, configurable: true, writable: true })
  const old = parent[last]
  if (what === 'delete') delete parent[last]
  else if (what === 'swap') put(last, value)
  else if (what === 'add' && !Array.isArray(parent)) put(key, value)
  else if (what === 'rename' && !Array.isArray(parent)) {
    delete parent[last]
    put(key, old)
  }
}

async function problemsPointSomewhere(text: string): Promise<void> {
  await inFolder({ 'site.yaml': text }, async (folder) => {
    try {
      await loadSite(`${folder}/site.yaml`, { env: {} })
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      expect(error.problems.length).toBeGreaterThan(0)
      for (const p of error.problems) {
        const lines = readFileSync(p.file, 'utf8').split('\n')
        expect(basename(p.file)).toMatch(/^(site|rules)\.yaml$/)
        expect(p.line).toBeGreaterThanOrEqual(1)
        expect(p.line).toBeLessThanOrEqual(lines.length)
        expect(p.column).toBeGreaterThanOrEqual(1)
        expect(p.column).toBeLessThanOrEqual(lines[p.line - 1]!.length + 1)
        expect(p.message).not.toBe('')
        expect(p.message).not.toContain('undefined')
      }
    }
  })
}

test('keys deleted, renamed, added, values of other types', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(mutation, { minLength: 1, maxLength: 6 }), async (mutations) => {
      const data = structuredClone(site)
      for (const m of mutations) mutate(data, m)
      await problemsPointSomewhere(stringify(data))
    }),
    { numRuns: Number(process.env.FUZZ_RUNS ?? 150) },
  )
})

test('characters lost, doubled and put in', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(SITE.length), fc.nat(40), fc.string({ maxLength: 5 }), async (at, lost, put) => {
      await problemsPointSomewhere(`${SITE.slice(0, at)}${put}${SITE.slice(at + lost)}`)
    }),
    { numRuns: Number(process.env.FUZZ_RUNS ?? 100) },
  )
})
