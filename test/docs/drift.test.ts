/** docs/generated says what the program does; the files with a source of their own (config, topics, lane) are checked beside it. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { docs } from '../../gateway/docs.ts'
import { ERRORS } from '../../gateway/kernel/errors.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const GENERATED = join(ROOT, 'docs/generated')

function sources(dir: string): string[] {
  return readdirSync(join(ROOT, dir), { withFileTypes: true }).flatMap((e) => {
    if (e.isDirectory()) return sources(`${dir}/${e.name}`)
    return e.name.endsWith('.ts') ? [`${dir}/${e.name}`] : []
  })
}

describe('generated docs', () => {
  it.each(['errors.md', 'rules.md', 'metrics.md', 'boards.md', 'declaration.md', 'declaration.schema.json'])(
    '%s is up to date (npm run docs)',
    async (name) => {
      expect(readFileSync(join(GENERATED, name), 'utf8')).toBe(await docs()[name]!())
    },
  )

  it('are all there, and nothing else is', () => {
    expect(readdirSync(GENERATED).sort()).toEqual(Object.keys(docs()).sort())
  })
})

describe('error codes', () => {
  const code = ['config', 'firmware-bridge', 'gateway', 'models']
    .flatMap(sources)
    .filter((f) => f !== 'gateway/kernel/errors.ts')
    .map((f) => readFileSync(join(ROOT, f), 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, ''))
    .join('\n')

  it.each(Object.keys(ERRORS))('%s is thrown somewhere', (name) => {
    // Comparing with a code is no use of it.
    expect(code).toMatch(new RegExp(`(?<![!=]==? )'${name}'`))
  })

  it.each(Object.entries(ERRORS))('%s says what it means and what to do', (_, { meaning, hint }) => {
    expect(meaning).toMatch(/^[A-Z].*\.$/)
    expect(hint).toMatch(/^[A-Z].*\.$/)
  })
})
