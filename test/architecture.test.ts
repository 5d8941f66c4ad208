/** The import directions that docs/architecture.md states, enforced: imports point one way, the lane core imports nothing, and there are no cycles. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const TOP = ['config', 'firmware-bridge', 'gateway', 'models', 'test']

interface Rule {
  /** What the files of a folder may import besides their own folder. */
  readonly may: readonly string[]
  /** … and only as `import type`. */
  readonly types: readonly string[]
}

/** The table of docs/architecture.md; the longest fitting entry counts. */
function rulesOf(text: string): Record<string, Rule> {
  const rows = [...text.matchAll(/^\| `([\w/-]+)` +\| ([^|]+) \|/gm)]
  return Object.fromEntries(
    rows.map(([, folder, cell]) => {
      const named = [...cell!.matchAll(/`([\w/-]+)`( \(types\))?/g)]
      const those = (types: boolean) => named.filter((m) => (m[2] !== undefined) === types).map((m) => m[1]!)
      return [folder!, { may: those(false), types: those(true) }]
    }),
  )
}
const RULES = rulesOf(readFileSync(join(ROOT, 'docs/architecture.md'), 'utf8'))

/** Folders that are kept free of packages: those they may import. */
const PACKAGES: Record<string, readonly string[]> = { 'gateway/kernel': ['yaml'], 'gateway/lane': [] }

interface Import {
  readonly target: string
  readonly type: boolean
  readonly line: number
}

function files(dir: string): string[] {
  return readdirSync(join(ROOT, dir), { withFileTypes: true }).flatMap((e) => {
    const path = `${dir}/${e.name}`
    if (e.isDirectory()) return files(path)
    return e.name.endsWith('.ts') ? [path] : []
  })
}

function importsOf(file: string): Import[] {
  const text = readFileSync(join(ROOT, file), 'utf8')
  const out: Import[] = []
  for (const m of text.matchAll(
    /^(?:import|export)\b([^'"\n]*?(?:\{[^}]*\}[^'"\n]*?)?)from\s+['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/gm,
  )) {
    const names = m[1] ?? ''
    const named = /\{([^}]*)\}/.exec(names)?.[1]
    const everyType =
      named
        ?.split(',')
        .filter((n) => n.trim() !== '')
        .every((n) => n.trim().startsWith('type ')) === true
    out.push({
      target: m[2] ?? m[3]!,
      type: /^\s*type\b/.test(names) || everyType,
      line: text.slice(0, m.index).split('\n').length,
    })
  }
  return out
}

const ALL = TOP.flatMap(files)

function folderRule(file: string): string {
  const fits = Object.keys(RULES).filter((r) => file.startsWith(`${r}/`))
  return fits.sort((a, b) => b.length - a.length)[0]!
}

function resolveTarget(file: string, target: string): string {
  return relative(ROOT, normalize(join(ROOT, dirname(file), target)))
}

const inside = (path: string, folders: readonly string[]) => folders.some((f) => path === f || path.startsWith(`${f}/`))

describe('architecture', () => {
  it('finds the code it checks', () => {
    expect(ALL.length).toBeGreaterThan(100)
    expect(importsOf('gateway/lane/step.ts').length).toBeGreaterThan(3)
    expect(RULES['gateway/lane']).toEqual({ may: [], types: [] })
    expect(RULES['gateway/identity']).toEqual({ may: ['models/grammar', 'gateway/kernel'], types: ['models'] })
    const named = Object.entries(RULES).flatMap(([folder, { may, types }]) => [folder, ...may, ...types])
    expect(named.filter((name) => !existsSync(join(ROOT, name)) && !existsSync(join(ROOT, `${name}.ts`)))).toEqual([])
    expect(TOP.filter((top) => !(top in RULES))).toEqual([])
  })

  it('imports point one way', () => {
    const wrong: string[] = []
    for (const file of ALL) {
      const rule = folderRule(file)
      const { may, types } = RULES[rule]!
      const packages = PACKAGES[rule]
      for (const i of importsOf(file)) {
        if (!i.target.startsWith('.')) {
          if (packages && !packages.includes(i.target) && !(rule === 'gateway/kernel' && i.target.startsWith('node:')))
            wrong.push(`${file}:${i.line} imports ${i.target}, but ${rule} is kept free of it`)
          continue
        }
        const target = resolveTarget(file, i.target)
        const allowed = inside(target, [rule, ...may]) || (i.type && inside(target, types))
        if (!allowed) wrong.push(`${file}:${i.line} imports ${target}, which ${rule} may not`)
      }
    }
    expect(wrong).toEqual([])
  })

  it('only the cli reaches into the simulated world', () => {
    const wrong = ALL.filter((f) => !f.startsWith('test/') && !f.startsWith('gateway/cli/')).filter((f) =>
      importsOf(f).some((i) => i.target.startsWith('.') && resolveTarget(f, i.target).startsWith('test/')),
    )
    expect(wrong).toEqual([])
  })

  it('the lane core knows no clock, no randomness and no console', () => {
    const wrong = files('gateway/lane').filter((f) => {
      const code = readFileSync(join(ROOT, f), 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')
      return /\bDate\b|Math\.random|performance\.|setTimeout|setInterval|process\.|console\./.test(code)
    })
    expect(wrong).toEqual([])
  })

  it('has no import cycles at run time', () => {
    const graph = new Map(
      ALL.map((f) => [
        f,
        importsOf(f)
          .filter((i) => !i.type && i.target.startsWith('.'))
          .map((i) => resolveTarget(f, i.target)),
      ]),
    )
    const done = new Set<string>()
    const cycles: string[] = []
    const visit = (file: string, path: string[]) => {
      if (done.has(file)) return
      if (path.includes(file)) {
        cycles.push([...path.slice(path.indexOf(file)), file].join(' → '))
        return
      }
      for (const next of graph.get(file) ?? []) visit(next, [...path, file])
      done.add(file)
    }
    for (const f of ALL) visit(f, [])
    expect(cycles).toEqual([])
  })

  it('files stay small', () => {
    const long = ALL.map((f) => ({ f, lines: readFileSync(join(ROOT, f), 'utf8').split('\n').length })).filter(
      (x) => x.lines > 400 + (x.f.endsWith('.test.ts') ? 200 : 0),
    )
    expect(long).toEqual([])
  })
})
